"""The frames a second of a data set: the median of its videos."""

import pytest

from a3d.datasets import ClipSet, Item
from a3d.datasets.rates import median_rate
from a3d.video.encode import write_video
from tests.clips import moving_square


def test_the_median_of_the_videos_that_open(tmp_path):
    clips = ClipSet()
    for number, rate in enumerate((25, 30, 30, 60, 10)):
        write_video(tmp_path / f"{number}.mp4", moving_square(number, 8), rate)
    (tmp_path / "5.mp4").write_bytes(b"broken")
    clips.items = [Item(tmp_path / f"{number}.mp4", 0) for number in (0, 1, 1, 2, 3, 4, 5)]
    assert median_rate(clips) == 30.0
    clips.items = [Item(tmp_path / "5.mp4", 0)]
    assert median_rate(clips) is None


def test_a_rate_that_is_no_whole_number_is_kept(tmp_path):
    write_video(tmp_path / "a.mp4", moving_square(0, 8), 30000 / 1001)
    clips = ClipSet()
    clips.items = [Item(tmp_path / "a.mp4", 0)]
    assert median_rate(clips) == pytest.approx(29.97003)
