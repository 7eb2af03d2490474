"""A comparison as a GIF: the clip as it plays, the maps at each moment, the answers."""

from dataclasses import replace

import av
import numpy as np
import pytest
from PIL import Image

from a3d.figures.animation import GAP, SIDE, evidence_at, write_animation
from a3d.maps import Comparison
from a3d.maps.overlay import overlays
from a3d.video.encode import write_video


@pytest.fixture
def grey(tmp_path):
    """Two seconds of what `comparison` looks at: frames of one grey."""
    return write_video(tmp_path / "grey.mp4", np.full((50, 16, 16, 3), 128, np.uint8), 25)


def drawn(path) -> np.ndarray:
    with av.open(path) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(int)


def test_it_loops_over_the_clip_at_its_pace(comparison, grey, tmp_path):
    path = write_animation(comparison, grey, tmp_path / "maps.gif")
    with Image.open(path) as image:
        assert (image.n_frames, image.info["loop"], image.info["duration"]) == (16, 0, 100)  # 0 to 1.5 s
        assert image.width == 2 * SIDE + GAP and image.height > SIDE
    assert path.stat().st_size < 3e6


def test_maps_at_the_frames_that_were_seen_are_those_of_the_overlay_video(comparison, grey, tmp_path):
    pictures = drawn(write_animation(comparison, grey, tmp_path / "maps.gif"))[:, :SIDE]
    full, sub = (overlays(found, comparison.scale, SIDE) for found in (comparison.full, comparison.sub))
    for frame, number in enumerate((0, 5, 10, 15)):
        assert np.abs(pictures[number, :, :SIDE] - full[frame]).mean() < 6
    for frame, number in ((0, 0), (2, 10)):
        assert np.abs(pictures[number, :, SIDE + GAP :] - sub[frame]).mean() < 6
    assert np.abs(pictures[0, :, :SIDE] - full[3]).mean() > 12


def test_between_two_steps_a_map_has_the_share_of_either(comparison):
    evidence = comparison.full.evidence[0]
    np.testing.assert_array_equal(evidence_at(evidence, evidence.times), evidence.map)
    before, between, after = evidence_at(evidence, np.array([-1.0, 0.125, 9.0]))
    np.testing.assert_array_equal([before, after], evidence.map[[0, -1]])
    np.testing.assert_allclose(between, 0.75 * evidence.map[0] + 0.25 * evidence.map[1], rtol=1e-5)


def test_answers_below_are_each_networks_own(comparison, grey, tmp_path):
    below = drawn(write_animation(comparison, grey, tmp_path / "maps.gif"))[0, SIDE:]
    wanted = np.array([0, 0x72, 0xB2]), np.array([0xE6, 0x9F, 0])
    blue, orange = ((np.abs(below - colour).max(-1) < 60) for colour in wanted)
    assert not blue[:, SIDE:].any() and not orange[:, :SIDE].any()
    assert blue.sum() > orange.sum() > 0  # 0.7 + 0.2 + 0.06 against 0.3 + 0.25 + 0.2, and marks


def test_none_of_these_is_an_answer_where_a_network_can_give_it(comparison, grey, tmp_path):
    without = drawn(write_animation(comparison, grey, tmp_path / "without.gif"))
    both = Comparison(*(replace(one, none=0.5) for one in (comparison.full, comparison.sub)))
    assert drawn(write_animation(both, grey, tmp_path / "with.gif")).shape[1] > without.shape[1]


def test_a_part_of_the_video_starts_where_it_is_said_to(comparison, tmp_path):
    """Frames that brighten, as a whole and from its first half second on."""
    frames = np.stack([np.full((16, 16, 3), 4 * n + 20, np.uint8) for n in range(50)])
    whole = write_video(tmp_path / "whole.mp4", frames, 25)
    part = write_video(tmp_path / "part.mp4", frames[12:], 25)
    late = replace(comparison.full, all_times=comparison.full.all_times / 3 + 0.5)
    both = Comparison(late, replace(late, configuration=comparison.sub.configuration))
    one = drawn(write_animation(both, whole, tmp_path / "whole.gif"))
    other = drawn(write_animation(both, part, tmp_path / "part.gif", start=12 / 25))
    assert len(one) == len(other) and np.abs(one - other).mean() < 3
    assert one[-1, :SIDE].mean() > one[0, :SIDE].mean() + 20


@pytest.mark.parametrize(("seconds", "count"), [(0.0, 1), (60.0, 32)])
def test_still_and_long_clips(comparison, grey, tmp_path, seconds, count):
    comparison.full.all_times[:] = np.linspace(0, seconds, 4)
    with Image.open(write_animation(comparison, grey, tmp_path / "maps.gif")) as image:
        assert image.n_frames == count


def test_long_names_and_other_scripts_are_drawn(comparison, grey, tmp_path):
    names = ("a class with a name that goes on and on", "süß", "跳跃", "punch", "squat")
    both = Comparison(*(replace(one, labels=names) for one in (comparison.full, comparison.sub)))
    assert drawn(write_animation(both, grey, tmp_path / "maps.gif")).shape[2] == 2 * SIDE + GAP


def test_blue_speaks_for_the_class_that_it_is_told_from(comparison, grey, tmp_path):
    """The last line alone says another thing."""
    plain = drawn(write_animation(comparison, grey, tmp_path / "plain.gif"))[0]
    both = Comparison(*(replace(one, against=1) for one in (comparison.full, comparison.sub)))
    other = drawn(write_animation(both, grey, tmp_path / "other.gif"))[0]
    assert (plain[-24:] != other[-24:]).any()
    np.testing.assert_allclose(plain[:-24], other[:-24], atol=12)
