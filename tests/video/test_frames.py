import pytest
import torch

from a3d.video import FrameFolder, Sampling, Video, VideoError, decode_views
from tests.imitations import write_frames


@pytest.fixture
def pictures(encode):
    return Video(encode("clip.mp4", 40)).read(range(40)).numpy()


def test_a_folder_of_frames_reads_like_the_video(pictures, tmp_path, numbers):
    write_frames(tmp_path / "clip", "clip-", pictures)
    frames, video = FrameFolder(tmp_path / "clip", 25), Video(tmp_path / "clip.mp4")
    assert numbers(frames.read([39, 0, 0, 7])) == [39, 0, 0, 7]
    assert frames.times == pytest.approx(video.times)
    assert (len(frames), frames.height, frames.width) == (40, 48, 64)
    assert (frames.frame_rate, frames.duration) == (pytest.approx(25), pytest.approx(video.duration))
    views, times = decode_views(tmp_path / "clip", Sampling(4, 4, 32), 2, opened=lambda path: FrameFolder(path, 25))
    assert numbers(views.flatten(0, 1)) == [0, 4, 8, 12, 24, 28, 32, 36]
    assert times.ravel() == pytest.approx([number / 25 for number in numbers(views.flatten(0, 1))])
    assert frames.read([0], short_side=24).shape == (1, 24, 32, 3)


def test_missing_frames_leave_a_gap_and_a_begin_moves_the_times(pictures, tmp_path, numbers):
    write_frames(tmp_path / "clip", "clip_", pictures)
    for number in (5, 6, 7):
        (tmp_path / "clip" / f"clip_{number:06}.jpg").unlink()
    (tmp_path / "clip" / "notes.txt").write_text("no frame")
    frames = FrameFolder(tmp_path / "clip", 25, begin=900)
    assert len(frames) == 37 and frames.times[[0, 3, 4]] == pytest.approx([900, 900.12, 900.28])
    assert numbers(frames.read([3, 4])) == [3, 7]


def test_what_is_no_folder_of_frames_is_named(pictures, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(VideoError, match=r"empty: no frames like empty-000001\.jpg"):
        FrameFolder(tmp_path / "empty", 25)
    write_frames(tmp_path / "clip", "clip-", pictures[:3])
    (tmp_path / "clip" / "clip-000002.jpg").write_bytes(b"no picture")
    with pytest.raises(VideoError, match=r"clip-000002\.jpg: it is no whole picture"):
        FrameFolder(tmp_path / "clip", 25).read([1])
    with pytest.raises(IndexError, match="has frames 0 to 2"):
        FrameFolder(tmp_path / "clip", 25).read([3])
    assert torch.equal(FrameFolder(tmp_path / "clip", 25).read([0]), FrameFolder(tmp_path / "clip", 25).read([0]))
