import os

import pytest
import torch

from a3d.datasets import ClipFolder, TrainingClips
from a3d.video import FrameCache, Sampling, Video, VideoError, window


def test_a_cached_clip_reads_like_the_video(encode, tmp_path):
    path = encode("clip.mp4", 40)
    video, cached = Video(path), FrameCache(tmp_path / "cache", step=1).open(path)
    assert torch.equal(cached.read([39, 0, 0, 7]), video.read([39, 0, 0, 7]))
    assert cached.times.tolist() == video.times.tolist()
    for name in ("path", "frame_rate", "duration", "width", "height"):
        assert getattr(cached, name) == getattr(video, name)
    assert len(cached) == 40


def test_kept_frames_keep_their_times(encode, tmp_path, numbers):
    cached = FrameCache(tmp_path / "cache", step=2, short_side=24).open(encode("clip.mp4", 41))
    assert (len(cached), cached.height, cached.width) == (21, 24, 32)
    indices = window(cached.times, cached.frame_rate, 5, 4, 0.0)
    assert numbers(cached.read(indices)) == [0, 4, 8, 12, 16]
    assert cached.duration == pytest.approx(41 / 25)


def test_a_clip_is_decoded_once_until_it_changes(encode, tmp_path):
    opened = []

    def opening(path):
        opened.append(path)
        return Video(path)

    cache, path = FrameCache(tmp_path / "cache", opened=opening), encode("clip.mp4", 10)
    cache.open(path)
    cache.open(path)
    assert len(opened) == 1
    os.utime(path, ns=(0, 0))
    cache.open(path)
    FrameCache(tmp_path / "cache", step=3, opened=opening).open(path)
    assert len(opened) == 3


def test_half_written_frames_are_decoded_again(encode, tmp_path):
    cache, path = FrameCache(tmp_path / "cache", step=1), encode("clip.mp4", 10)
    cache.open(path)
    for file in (tmp_path / "cache").glob("*.json"):
        file.unlink()
    for file in (tmp_path / "cache").glob("*.npy"):
        file.write_bytes(b"half")
    assert torch.equal(cache.open(path).read([9]), Video(path).read([9]))
    assert not list((tmp_path / "cache").glob("*.part"))


@pytest.mark.parametrize("suffix", [".npy", ".json"])
@pytest.mark.parametrize("damage", [b"", b"damaged", None])
def test_damaged_frames_are_decoded_again(encode, tmp_path, suffix, damage):
    cache, path = FrameCache(tmp_path / "cache", step=1), encode("clip.mp4", 10)
    cache.open(path)
    (file,) = (tmp_path / "cache").glob(f"*{suffix}")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2] if damage is None else damage)
    assert torch.equal(cache.open(path).read([9]), Video(path).read([9]))


def test_training_draws_the_same_clips_from_the_cache(encode, tmp_path):
    (tmp_path / "data" / "walk").mkdir(parents=True)
    encode("data/walk/clip.mp4", 60)
    dataset, cache = ClipFolder(tmp_path / "data"), FrameCache(tmp_path / "cache", step=1)
    plain = TrainingClips(dataset, Sampling(4, 4, 16))
    cached = TrainingClips(dataset, Sampling(4, 4, 16), opened=cache.open)
    assert torch.equal(plain[0][0], cached[0][0])


def test_what_is_no_clip_is_named(tmp_path):
    with pytest.raises(VideoError, match=r"none\.mp4: no such file"):
        FrameCache(tmp_path / "cache").open(tmp_path / "none.mp4")
    (tmp_path / "text.mp4").write_text("text")
    with pytest.raises(VideoError, match=r"text\.mp4: not a video that FFmpeg can read"):
        FrameCache(tmp_path / "cache").open(tmp_path / "text.mp4")
