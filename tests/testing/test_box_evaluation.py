"""A network that detects, tested on a small AVA: its boxes, their scores, and what is made of them."""

import csv
import json

import pytest
import torch

from a3d.adaptive.extraction import SubNetwork
from a3d.cli import main
from a3d.configuration import ComputationalRange, Configuration
from a3d.datasets import Ava
from a3d.datasets.ava import read_boxes
from a3d.inference.checkpoint import load, save
from a3d.networks import slow_r18
from a3d.testing.box_evaluation import evaluate_boxes
from a3d.testing.calibration import calibrate
from a3d.testing.errors import EvaluationError
from a3d.testing.evaluation import build_table
from a3d.testing.frame_ap import frame_ap, frame_ap_interval, mean_ap
from a3d.trained import TrainedNetwork
from a3d.video import Sampling, decode_views, normalise, short_side
from a3d.video.encode import write_video
from tests.clips import moving_square
from tests.conftest import shaken

FULL, SMALL = Configuration(32, 4, 1.0), Configuration(24, 2, 0.5)
LIST = "\n".join(f'item {{\n  name: "{name}"\n  id: {action}\n}}' for action, name in ((1, "bend"), (12, "stand")))
PEOPLE = [  # second, box, its actions (3 is not evaluated)
    (902, (0.1, 0.3, 0.6, 0.7), (1, 12)),
    (902, (0.5, 0.1, 0.9, 0.9), (12, 3)),
    (903, (0.2, 0.3, 0.7, 0.7), (1,)),
    (904, (0.2, 0.2, 0.5, 0.9), (12,)),
]


def write_rows(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """annotated.csv, proposals.csv, excluded.csv, actions.pbtxt, videos/movie.mp4: five seconds from 900 on."""
    folder = tmp_path_factory.mktemp("ava")
    write_video(folder / "videos" / "movie.mp4", moving_square(0, 125), 25)
    rows = [("movie", f"{s:04}", *box, action, p) for p, (s, box, actions) in enumerate(PEOPLE) for action in actions]
    write_rows(folder / "annotated.csv", rows)
    proposed = [("movie", f"{s:04}", *box, "", 0.9) for s, box, _ in PEOPLE]
    write_rows(folder / "proposals.csv", [*proposed, ("movie", "0903", 0, 0, 0.1, 0.1, "", 0.95)])
    write_rows(folder / "excluded.csv", [("movie", "0904")])
    (folder / "actions.pbtxt").write_text(LIST)
    return folder


@pytest.fixture
def network():
    shape = {"spatial": 32, "frames": 4, "task": "detection"}
    network = shaken(slow_r18(80, base_channels=8, dropout=0.0, **shape))
    for configuration in (FULL, SMALL):
        calibrate(network, configuration, [torch.randn(4, 3, 4, 32, 32)])
    network.network.classifier.weight.data.normal_(std=0.3)
    span = ComputationalRange("small", (24, 32), (2, 4), (0.5, 1.0))
    unnamed = tuple(f"class {i}" for i in range(80))
    return TrainedNetwork(network, unnamed, Sampling(4, 4, 32), span)


def ava(folder, **options):
    return Ava(folder / "annotated.csv", folder / "videos", folder / "actions.pbtxt", **options)


def test_boxes_are_classified_on_the_whole_picture_around_their_second(folder, network):
    dataset = ava(folder)
    found = evaluate_boxes(network, dataset, [FULL, SMALL])
    row = 0
    for number, item in enumerate(dataset.items):
        frames, times = decode_views(item.path, network.sampling, 1, item.span, dataset.open)
        assert abs(times.mean() - dataset.keys[number][1]) < 0.1
        for configuration in (FULL, SMALL):
            clip = normalise(short_side(frames[0], configuration.spatial), network.sampling)[None]
            assert clip.shape[4] > clip.shape[3]  # 48 × 64 keeps its aspect
            boxes = torch.tensor([(0.0, *box) for box in item.boxes])
            with torch.no_grad():
                expected = network(clip, configuration, boxes).sigmoid()
            rows = found[configuration].probabilities[row : row + len(boxes)]
            torch.testing.assert_close(rows, expected, atol=1e-5, rtol=1e-4)
        row += len(item.boxes)
    assert row == len(found[FULL].probabilities) == 4 and found[FULL].clips == found[FULL].decoded == 3


def test_score_is_that_of_the_written_detections(folder, network, tmp_path, capsys):
    """Through the commands: evaluate writes what score reads."""
    network.labels = ava(folder).classes
    save(network, tmp_path / "checkpoint")
    data = ["--data", str(folder / "annotated.csv"), "--videos", str(folder / "videos")]
    data += ["--labels", str(folder / "actions.pbtxt"), "--exclude", str(folder / "excluded.csv")]
    arguments = ["evaluate", "--checkpoint", str(tmp_path / "checkpoint"), *data, "--configuration", FULL.key, "--json"]
    assert main([*arguments, "--detections", str(tmp_path / "found.csv")]) == 0
    said = json.loads(capsys.readouterr().out)[0]
    score = ["score", "ava", str(folder / "annotated.csv"), str(tmp_path / "found.csv")]
    options = ["--labels", str(folder / "actions.pbtxt"), "--exclude", str(folder / "excluded.csv")]
    assert main([*score, *options, "--json"]) == 0
    (scored,) = json.loads(capsys.readouterr().out)
    assert said["mean_ap"] == pytest.approx(scored["mean_ap"]) and said["clips"] == 2
    assert said["classes"] == {name: pytest.approx(ap) for name, ap in scored["classes"].items()}
    assert said["interval"][0] <= said["mean_ap"] <= said["interval"][1]
    with (tmp_path / "found.csv").open() as file:
        lines = list(csv.reader(file))
    assert len(lines) == 3 * 2 and {line[6] for line in lines} == {"1", "12"}  # people times evaluated actions


def answering(monkeypatch, right):
    """The network answers with the truth of the boxes it is asked about, or with its opposite."""
    known = {tuple(torch.tensor(box).tolist()): actions for _, box, actions in PEOPLE}

    def forward(sub, clip, boxes):
        logits = torch.full((len(boxes), 80), -3.0)
        for row, box in enumerate(boxes[:, 1:]):
            logits[row, [action - 1 for action in known.get(tuple(box.tolist()), ())]] = 3.0
        return logits if right else -logits

    monkeypatch.setattr(SubNetwork, "forward", forward)


def test_right_answers_score_everything_and_wrong_ones_little(folder, network, monkeypatch):
    answering(monkeypatch, True)
    found = evaluate_boxes(network, ava(folder), [FULL])[FULL]
    assert (found.mean_ap, found.top1, found.top5) == (100, 100, 100) and found.interval == (100, 100)
    assert found.aps == {"bend": 100, "stand": 100}
    answering(monkeypatch, False)
    wrong = evaluate_boxes(network, ava(folder), [FULL])[FULL]
    assert wrong.mean_ap < 80 and wrong.top1 == 0


def test_proposals_are_classified_in_place_of_annotated_boxes(folder, network, monkeypatch):
    answering(monkeypatch, True)
    found = evaluate_boxes(network, ava(folder, proposals=folder / "proposals.csv"), [FULL])[FULL]
    assert len(found.probabilities) == 5 and found.mean_ap == 100
    assert found.top1 == 100  # of the four on people; nobody is annotated where the fifth is
    strict = evaluate_boxes(network, ava(folder, proposals=folder / "proposals.csv", threshold=0.92), [FULL])[FULL]
    assert len(strict.probabilities) == 1 and strict.mean_ap == 0 and strict.top1 == 0


def test_table_of_a_detector_chooses_by_mean_average_precision(folder, network, tmp_path):
    built = build_table(network, ava(folder), ava(folder), [FULL, SMALL], calibration_clips=2)
    assert built.table.metric == "mAP" and built.decoded == 5
    for row in built.table.rows:
        found = evaluate_boxes(network, ava(folder), [row.configuration])[row.configuration]
        assert row.mean_ap == pytest.approx(found.mean_ap, abs=1e-3) and row.top1 == pytest.approx(found.top1, abs=1e-3)
    network.table, network.labels = built.table, ava(folder).classes
    save(network, tmp_path)
    assert load(tmp_path).table == network.table


def test_interval_covers_the_score_and_shrinks_with_frames(folder):
    truth = list(read_boxes(folder / "annotated.csv"))
    noisy = [box._replace(score=(7 * i % 5) / 5, action=(1, 12)[i % 2]) for i, box in enumerate(truth)]

    def many(boxes, copies):
        return [box._replace(video=f"{copy}") for copy in range(copies) for box in boxes]

    widths = []
    for copies in (3, 30):
        low, high = frame_ap_interval(many(truth, copies), many(noisy, copies), (1, 12))
        assert low <= mean_ap(frame_ap(many(truth, copies), many(noisy, copies), (1, 12))) <= high
        widths.append(high - low)
    assert widths[1] < 0.6 * widths[0]


def test_other_classes_and_unreadable_movies_are_refused(folder, network, tmp_path):
    network.labels = tuple(f"other {i}" for i in range(80))
    with pytest.raises(EvaluationError, match="'other 0' first"):
        evaluate_boxes(network, ava(folder), [FULL])
    network.labels = ava(folder).classes
    (tmp_path / "movie.mp4").write_bytes(b"nothing")
    broken = Ava(folder / "annotated.csv", tmp_path, folder / "actions.pbtxt")
    with pytest.raises(EvaluationError, match="none of the 3 clips"):
        evaluate_boxes(network, broken, [FULL])
