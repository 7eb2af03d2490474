"""Clips of one scene on both sides of a split are found, by their names and by what they show."""

from pathlib import Path

import numpy as np
import pytest

from a3d.datasets import ClipFolder, ClipSet, Item
from a3d.datasets.groups import crossing_groups, group, near_duplicates, warning
from a3d.video.encode import write_video
from tests.clips import moving_square


def named(*names):
    clips = ClipSet()
    clips.items = [Item(Path("clips", name), 0) for name in names]
    return clips


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("v_PullUps_g01_c02.mp4", "v_PullUps_g01"),
        ("-x3sJ2_Ab0Q_000010_000020.mp4", "-x3sJ2_Ab0Q"),
        ("holiday.mp4", None),
        ("big_guns_c02.mp4", None),
    ],
)
def test_a_name_tells_the_group(name, found):
    assert group(Path(name)) == found


def test_groups_on_both_sides_are_one_line():
    train = named("v_Walk_g01_c01.avi", "v_Walk_g01_c02.avi", "v_Walk_g02_c01.avi", "v_Run_g03_c01.avi", "a.mp4")
    val = named("v_Walk_g02_c04.avi", "v_Run_g01_c01.avi", "v_Run_g03_c07.avi", "a.mp4")
    assert crossing_groups(train, val) == ["v_Run_g03", "v_Walk_g02"]
    said = warning(train, val)
    assert said.startswith("warning: 2 groups have clips to learn from and clips to test on, v_Run_g03 for one")
    assert "\n" not in said and warning(train, named("v_Walk_g04_c01.avi", "b.mp4")) is None


def test_clips_that_look_alike_are_paired(tmp_path):
    """The same scene a little later, and encoded worse, is found; other scenes, and black clips, are not."""
    for side, seeds in (("train", (0, 1, 2)), ("val", (5, 1, 6))):
        for seed in seeds:
            scene = np.random.default_rng(seed).integers(0, 256, (6, 8, 1), np.uint8)
            pictures = np.maximum(moving_square(seed, 20), np.kron(scene, np.ones((8, 8, 1), np.uint8)))
            write_video(tmp_path / side / "x" / f"{seed}.mp4", pictures if side == "train" else pictures[2:], 25, 26)
        write_video(tmp_path / side / "x" / "black.mp4", np.zeros((5, 48, 64, 3), np.uint8), 25)
    train, val = ClipFolder(tmp_path, "train"), ClipFolder(tmp_path, "val")
    (tmp_path / "val" / "x" / "6.mp4").write_bytes(b"broken")
    assert list(near_duplicates(train, val)) == [(tmp_path / "val/x/1.mp4", tmp_path / "train/x/1.mp4")]
