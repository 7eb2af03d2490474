import pytest
import torch

from a3d.video import Sampling, Video, crop_views, decode_views, normalise, read_views, short_side

SAMPLING = Sampling(4, 4, 32)


def test_views_are_clips_in_time_by_crops_in_space(encode, numbers):
    path = encode("clip.mp4", 40)
    frames, times = decode_views(path, SAMPLING, clips=4)
    assert frames.shape == (4, 4, 48, 64, 3) and frames.dtype == torch.uint8
    assert numbers(frames.flatten(0, 1)) == [start + 4 * i for start in (0, 8, 16, 24) for i in range(4)]
    assert times == pytest.approx(torch.tensor(numbers(frames.flatten(0, 1))).view(4, 4).numpy() / 25)
    views = read_views(path, SAMPLING, clips=4, crops=3)
    assert views.shape == (12, 3, 4, 32, 32) and views.dtype == torch.float32


def test_the_crops_of_a_clip_come_together(encode):
    path = encode("clip.mp4", 40)
    views = read_views(path, SAMPLING, clips=2, crops=3)
    clip = short_side(Video(path).read([24, 28, 32, 36]), 32)  # the second clip, 32 × 43
    for view, left in zip(views[3:], (0, 5, 11), strict=True):
        assert torch.equal(view, normalise(clip[:, :, left : left + 32], SAMPLING))


def test_one_decode_serves_every_size(encode):
    path = encode("clip.mp4", 20)
    frames, _ = decode_views(path, SAMPLING, clips=1)
    for size in (16, 24, 48, 80):
        assert torch.equal(crop_views(frames, SAMPLING, 1, size), read_views(path, SAMPLING, 1, 1, size))
        assert crop_views(frames, SAMPLING, 1, size).shape == (1, 3, 4, size, size)


def test_one_clip_is_centred(encode, numbers):
    frames, _ = decode_views(encode("clip.mp4", 40), SAMPLING, clips=1)
    assert numbers(frames[0]) == [12, 16, 20, 24]


def test_a_single_picture_fills_every_view(encode, numbers):
    frames, times = decode_views(encode("clip.mp4", 1), SAMPLING, clips=3)
    assert numbers(frames.flatten(0, 1)) == [0] * 12
    assert (times == 0).all()


def test_large_pictures_are_kept_at_twice_the_size_needed(encode):
    frames, _ = decode_views(encode("clip.mp4", 4, size=(600, 800), preset="ultrafast"), Sampling(2, 1, 32), clips=1)
    assert frames.shape == (1, 2, 512, 683, 3)
