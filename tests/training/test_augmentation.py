"""Other scenes for the people of a batch."""

import torch

from a3d.training.augmentation import exchange_scenes
from a3d.training.motion import acting


def batch(clips: int = 4):
    """Clip i is grey 10 * (i + 1) all over; its person takes a 2² block of 8², in the second of 3 frames."""
    pixels = torch.ones(clips, 3, 64, 64, 3) * torch.arange(10.0, 10 * clips + 1, 10)[:, None, None, None, None]
    people = torch.zeros(clips, 3, 64, 64, dtype=torch.uint8)
    for i in range(clips):
        people[i, 1, 4:12, 4 + 16 * i : 12 + 16 * i] = 255
    return pixels, people


def test_people_stay_in_every_frame_and_the_rest_is_one_other_clip():
    torch.manual_seed(1)
    pixels, people = batch()
    found = exchange_scenes(pixels, people, 1.0)
    others = found[:, 0, -1, -1, 0]
    assert sorted(others.tolist()) == [10, 20, 30, 40] and (others != pixels[:, 0, 0, 0, 0]).sum() >= 2
    for clip, own, other, mask in zip(found, pixels, others, people, strict=True):
        person = mask[1] > 0
        theirs = people[int(other) // 10 - 1, 1] > 0
        assert (clip == clip[:1]).all()  # what is kept is kept at all times
        assert (clip[:, person] == own[:, person]).all() and (clip[:, theirs] == own[:, theirs]).all()
        assert (clip[:, 30:] == other).all() and ((clip - own) * (clip - other) <= 0).all()


def test_the_share_is_drawn_and_clips_without_people_stay_and_give_nothing():
    pixels, people = batch()
    assert torch.equal(exchange_scenes(pixels, people, 0.0), pixels)
    people[:3] = 0
    for seed in range(5):
        torch.manual_seed(seed)
        assert torch.equal(exchange_scenes(pixels, people, 1.0), pixels)
    pixels, people = (x.repeat(50, *[1] * (x.ndim - 1)) for x in batch())
    changed = (exchange_scenes(pixels, people, 0.3) != pixels).any(4).any(3).any(2).any(1)
    assert 0.1 < changed.float().mean() < 0.4


def test_a_process_whose_clips_are_all_broken_takes_part_with_none():
    pixels, people = batch()
    assert exchange_scenes(pixels[:0], people[:0], 0.3).shape == pixels[:0].shape
    assert acting(pixels[:0], people[:0, :, ::8, ::8].repeat(1, 1, 7, 7)).shape == (0, 3, 56, 56)
