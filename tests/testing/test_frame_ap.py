"""AVA's frame AP: hand-made cases of every rule, and the numbers of the official code for a random one."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from a3d.cli import main
from a3d.datasets.ava import ActionBox
from a3d.testing.frame_ap import frame_ap, frame_ap_interval, mean_ap
from tests.imitations import write_ava

CASE = Path(__file__).parent / "ava_score"
NOT_EVALUATED = {2, 16, 18, 19, 21, 23, 25, 31, 32, 33, 35, 39, 40, 42, 44, 50, 53, 55, 71, 75}  # by AVA v2.1's list
LEFT, RIGHT = (0.0, 0.0, 0.4, 1.0), (0.5, 0.0, 1.0, 1.0)
NEAR = (0.0, 0.0, 0.5, 1.0)  # shares 0.8 of its union with LEFT
FAR = (0.2, 0.0, 0.6, 1.0)  # a third


def said(second, box, score=0.0, action=12, video="movie"):
    return ActionBox(video, second, box, action, score)


def ap(truth, detections, action=12, excluded=()):
    return frame_ap(truth, detections, [action], excluded)[action]


def test_right_and_wrong_and_found_too_late():
    truth = [said(902, LEFT), said(903, RIGHT)]
    assert ap(truth, [said(902, NEAR, 0.9), said(903, RIGHT, 0.8)]) == 1.0
    assert ap(truth, [said(902, NEAR, 0.9), said(903, LEFT, 0.8)]) == 0.5
    assert ap(truth, [said(902, FAR, 0.9), said(903, RIGHT, 0.8)]) == pytest.approx(0.5 * 0.5)
    assert ap(truth, [said(904, LEFT, 0.9), said(902, LEFT, 0.8), said(903, RIGHT, 0.7)]) == pytest.approx(2 / 3)
    assert ap(truth, []) == 0.0
    assert ap(truth, [said(902, LEFT, 0.9, action=1)]) == 0.0
    assert ap(truth, [said(902, LEFT, 0.9, video="other")]) == 0.0


def test_half_of_the_union_is_enough():
    assert ap([said(902, (0.0, 0.0, 0.5, 1.0))], [said(902, (0.0, 0.0, 1.0, 1.0), 0.9)]) == 1.0
    assert ap([said(902, (0.0, 0.0, 0.49, 1.0))], [said(902, (0.0, 0.0, 1.0, 1.0), 0.9)]) == 0.0


def test_precision_is_raised_to_the_best_at_a_higher_recall():
    """Right at ranks 2, 3 and 4 of 4: precision 1/2, 2/3, 3/4 becomes 3/4 everywhere."""
    truth = [said(second, LEFT) for second in (902, 903, 904)]
    detections = [said(905, LEFT, 0.9), *(said(s, LEFT, 1 - s / 1000) for s in (902, 903, 904))]
    assert ap(truth, detections) == pytest.approx(3 / 4)


def test_of_duplicate_boxes_the_first_is_right_and_the_rest_are_wrong():
    truth = [said(902, LEFT)]
    assert ap(truth, [said(902, LEFT, 0.9), said(902, LEFT, 0.8), said(902, NEAR, 0.7)]) == 1.0
    assert ap(truth, [said(902, LEFT, 0.8), said(902, NEAR, 0.9)]) == 0.5  # the first in the file, not the best
    twice = [said(902, LEFT), said(902, LEFT)]  # an annotated duplicate: whatever lies on it belongs to the first
    assert ap(twice, [said(902, LEFT, 0.9), said(902, LEFT, 0.8)]) == 0.5


def test_a_detection_belongs_to_the_box_that_it_overlaps_most():
    """Both lie on LEFT most; the second may not take what it overlaps less."""
    truth = [said(902, LEFT), said(902, (0.1, 0.0, 0.5, 1.0))]
    assert ap(truth, [said(902, LEFT, 0.9), said(902, (0.02, 0.0, 0.42, 1.0), 0.8)]) == 0.5
    assert ap(truth, [said(902, LEFT, 0.9), said(902, (0.08, 0.0, 0.48, 1.0), 0.8)]) == 1.0


def test_of_equal_scores_the_later_comes_first():
    truth = [said(902, LEFT)]
    assert ap(truth, [said(902, LEFT, 0.5), said(903, LEFT, 0.5)]) == 0.5
    assert ap(truth, [said(903, LEFT, 0.5), said(902, LEFT, 0.5)]) == 1.0


def test_frames_that_are_not_together_in_the_file():
    """The order is that of the frames' first mention."""
    truth = [said(902, LEFT), said(903, LEFT)]
    detections = [said(902, RIGHT, 0.5), said(903, LEFT, 0.5), said(902, LEFT, 0.5)]
    # by frames: 902 wrong, 902 right, 903 right; of equal scores the later first: right, right, wrong
    assert ap(truth, detections) == 1.0


def test_boxes_without_area_do_not_count():
    truth = [said(902, LEFT)]
    for empty in ((0.4, 0.0, 0.0, 1.0), (0.2, 0.0, 0.2, 1.0)):
        assert ap(truth, [said(902, empty, 0.9), said(902, LEFT, 0.8)]) == 1.0


def test_excluded_timestamps_count_in_neither():
    truth = [said(902, LEFT), said(903, LEFT)]
    detections = [said(903, RIGHT, 0.9), said(902, LEFT, 0.8)]
    assert ap(truth, detections) == pytest.approx(0.25)
    assert ap(truth, detections, excluded={("movie", 903)}) == 1.0
    assert ap(truth, detections, excluded={("other", 903)}) == pytest.approx(0.25)


def test_classes_without_ground_truth_are_left_out_of_the_mean():
    truth = [said(902, LEFT, action=1), said(902, LEFT, action=2)]
    detections = [said(902, LEFT, 0.9, action=1), said(902, LEFT, 0.9, action=3)]
    found = frame_ap(truth, detections, [1, 3, 12])  # 2 is none of the evaluated
    assert found == {1: 1.0, 3: None, 12: None} and mean_ap(found) == 1.0
    assert np.isnan(mean_ap({3: None}))
    assert mean_ap(frame_ap(truth, detections, [1, 2])) == 0.5


def test_the_command_prints_what_a_program_reads(tmp_path, capsys):
    write_ava(tmp_path)
    detections = tmp_path / "detections.csv"
    detections.write_text(
        "2PpxiG0WU18,0902,0.1,0.333,0.6,0.667,12,0.9\n"  # right
        "2PpxiG0WU18,0904,0.1,0.333,0.6,0.667,12,0.8\n"  # excluded
        "2PpxiG0WU18,0903,0.1,0.333,0.6,0.667,80,0.7\n"  # the other person's
    )
    files = [str(tmp_path / name) for name in ("val.csv", "detections.csv", "actions.pbtxt")]
    arguments = ["score", "ava", *files[:2], "--labels", files[2]]
    assert main([*arguments, "--exclude", str(tmp_path / "excluded.csv"), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["classes"] == {"bend/bow (at the waist)": 0.0, "stand": 25.0, "watch (a person)": 0.0}
    assert found["mean_ap"] == pytest.approx(25 / 3)
    assert main(arguments) == 0
    assert re.search(
        r"11\.11% mAP \(.* to .*\) over 3 of 3 actions", capsys.readouterr().out
    )  # 2 of 6 for "stand", no timestamp left out


def test_equals_the_official_code_on_a_random_case(tmp_path, capsys):
    """`expected.json` holds what the official code said of the files beside it."""
    expected = json.loads((CASE / "expected.json").read_text())
    actions = [action for action in range(1, 81) if action not in NOT_EVALUATED]
    labels = dict(zip(actions, expected["classes"], strict=True))
    items = (f'item {{\n  name: "{name}"\n  id: {action}\n}}\n' for action, name in labels.items())
    (tmp_path / "list.pbtxt").write_text("".join(items))
    files = [str(CASE / name) for name in ("gt.csv", "detections.csv", "excluded.csv")]
    arguments = ["--labels", str(tmp_path / "list.pbtxt"), "--exclude", files[2], "--json"]
    assert main(["score", "ava", *files[:2], *arguments]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["mean_ap"] == pytest.approx(100 * expected["map"], abs=1e-10)
    assert found["classes"].keys() == expected["classes"].keys()
    for name, ap in expected["classes"].items():
        assert found["classes"][name] == (None if ap is None else pytest.approx(100 * ap, abs=1e-10)), name
    assert sum(ap is not None for ap in expected["classes"].values()) == 50


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("2PpxiG0WU18,0902,0.1,0.3,0.6,0.6,12,0.9,1", r"detections\.csv:2: 9 columns, not 7 or 8"),
        ("2PpxiG0WU18,0902,0.1,0.3,1.6,0.6,12,0.9", r"detections\.csv:2: x2 is '1\.6', not a number from 0 to 1"),
        ("2PpxiG0WU18,0902,0.1,0.3,0.6,0.6,81,0.9", r"detections\.csv:2: action_id is '81'"),
        ("2PpxiG0WU18,0902,0.1,0.3,0.6,0.6,12,high", r"detections\.csv:2: score is 'high'"),
        ("2PpxiG0WU18,noon,0.1,0.3,0.6,0.6,12,0.9", r"detections\.csv:2: timestamp is 'noon'"),
    ],
)
def test_a_malformed_line_is_named_and_nothing_printed(line, cause, tmp_path, capsys):
    write_ava(tmp_path)
    (tmp_path / "detections.csv").write_text(f"2PpxiG0WU18,0902,0.1,0.3,0.6,0.6,12,0.9\n{line}\n")
    files = [str(tmp_path / name) for name in ("val.csv", "detections.csv", "actions.pbtxt")]
    assert main(["score", "ava", *files[:2], "--labels", files[2]]) == 1
    out, err = capsys.readouterr()
    assert out == "" and re.search(cause, err) and len(err.splitlines()) == 1


def test_without_boxes_there_is_no_interval():
    assert np.isnan(frame_ap_interval([], [], [12])).all()
