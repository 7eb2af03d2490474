"""A part of a video, as browsers play it."""

import av
import numpy as np
import pytest

from a3d.video import Video
from a3d.video.encode import write_video
from a3d.video.excerpt import write_excerpt


def levels(path) -> np.ndarray:
    """The mean brightness of each frame."""
    video = Video(path)
    return video.read(range(len(video))).float().mean((1, 2, 3)).numpy()


@pytest.fixture
def ramp(tmp_path):
    """40 frames at 20 a second; frame i has brightness 5 i + 20."""
    frames = (np.full((48, 64, 3), 5 * i + 20, np.uint8) for i in range(40))
    return write_video(tmp_path / "ramp.mp4", frames, 20, quality=5)


def test_the_frames_are_those_of_the_part_at_its_own_rate(ramp, tmp_path):
    assert write_excerpt(ramp, tmp_path / "part.mp4", 0.5, 1.5) == (64, 48)
    assert Video(tmp_path / "part.mp4").frame_rate == pytest.approx(20)
    np.testing.assert_allclose(levels(tmp_path / "part.mp4"), 5 * np.arange(10, 30) + 20, atol=2)
    with av.open(tmp_path / "part.mp4") as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")


def test_a_part_that_reaches_beyond_the_end_stops_there(ramp, tmp_path):
    write_excerpt(ramp, tmp_path / "part.mp4", 1.5, 9.0)
    assert len(levels(tmp_path / "part.mp4")) == 10


def test_large_and_odd_pictures_are_made_to_fit(ramp, tmp_path):
    assert write_excerpt(ramp, tmp_path / "small.mp4", 0, 0.1, short_side=31) == (40, 30)
    assert Video(tmp_path / "small.mp4").width == 40
