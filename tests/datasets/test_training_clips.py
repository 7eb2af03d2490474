import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from a3d.datasets import ClipFolder, ClipSet, TrainingClips, collate
from a3d.datasets.training_clips import frame_cache
from a3d.video import Sampling, VideoError
from a3d.video.encode import write_video
from a3d.video.masks import nearest_masks

SAMPLING = Sampling(4, 4, 24)


def test_a_clip_depends_on_seed_epoch_and_index_alone(root):
    dataset = ClipFolder(root)
    first, again, other = (TrainingClips(dataset, SAMPLING, seed=seed) for seed in (0, 0, 1))
    torch.manual_seed(1)
    clip, label, index, boxes, people = first[1]
    torch.manual_seed(2)
    again[0], again[2]
    assert torch.equal(again[1][0], clip)
    assert (clip.shape, clip.dtype, label, index) == ((4, 24, 24, 3), torch.uint8, 1, 1) and boxes is people is None
    assert not torch.equal(other[1][0], clip)
    again.set_epoch(1)
    assert not torch.equal(again[1][0], clip)
    again.set_epoch(0)
    assert torch.equal(again[1][0], clip)


def test_training_takes_windows_from_all_over_the_clip(tmp_path, encode, numbers):
    (tmp_path / "data" / "walk").mkdir(parents=True)
    encode("data/walk/clip.mp4", 60, size=(48, 48))
    clips = TrainingClips(ClipFolder(tmp_path / "data"), Sampling(4, 4, 48), jitter=(48, 48), flipped=False)
    starts = []
    for epoch in range(100):
        clips.set_epoch(epoch)
        shown = numbers(clips[0][0])
        assert [number - shown[0] for number in shown] == [0, 4, 8, 12]
        starts.append(shown[0])
    assert min(starts) <= 2 and max(starts) >= 42 and len(set(starts)) > 30


def test_mirroring_can_be_left_out(root):
    plain = TrainingClips(ClipFolder(root), SAMPLING, flipped=False)
    mirrored = TrainingClips(ClipFolder(root), SAMPLING)
    changed = 0
    for epoch in range(20):
        plain.set_epoch(epoch)
        mirrored.set_epoch(epoch)
        one, two = plain[0][0], mirrored[0][0]
        assert torch.equal(one, two) or torch.equal(one.flip(2), two)
        changed += not torch.equal(one, two)
    assert 3 < changed < 17


def test_area_crops_are_an_alternative(root):
    clips = TrainingClips(ClipFolder(root), SAMPLING, areas=(0.3, 1.0))
    assert clips[0].frames.shape == (4, 24, 24, 3)


@pytest.mark.parametrize("areas", [None, (0.3, 0.8)])
def test_masks_are_cut_mirrored_and_chosen_in_time_as_the_frames_are(tmp_path, areas):
    """A clip that is white where its masks are: a square that jumps with every mask."""
    masks = np.zeros((4, 48, 64), np.uint8)
    for number, mask in enumerate(masks):
        mask[8 + 6 * number : 32 + 6 * number, 8 + 10 * number : 28 + 10 * number] = 255
    frames = nearest_masks(masks, np.arange(28)).repeat(2, 1).repeat(2, 2)
    write_video(tmp_path / "walk" / "a.mp4", np.stack([frames] * 3, -1), 25)
    write_video(tmp_path / "walk" / "b.mp4", np.stack([frames] * 3, -1), 25)
    clips = TrainingClips(ClipFolder(tmp_path), Sampling(4, 6, 56), areas=areas, masks={"walk/a.mp4": masks})
    for epoch in range(12):
        clips.set_epoch(epoch)
        batch = collate([clips[0], clips[1]])
        assert batch.people.shape == (2, 4, 56, 56) and batch.people[1].eq(0).all()
        white = batch.frames[0].float().mean(-1) > 127
        assert ((batch.people[0] > 127) != white).float().mean() < 0.04
        assert white.any() and not white.all()


def test_a_broken_clip_is_reported_once_counted_and_left_out(root, capsys):
    (root / "walk" / "a.MKV").write_text("not a clip")
    clips = TrainingClips(ClipFolder(root), SAMPLING)
    assert clips.broken == 0
    batch = collate([clips[index] for index in (0, 1, 2, 1)])
    assert [tuple(part.shape) for part in batch[:3]] == [(2, 4, 24, 24, 3), (2,), (2,)]
    assert batch[1].tolist() == [0, 1] and batch[2].tolist() == [0, 2]
    assert clips.broken == 1
    cause = "not a video that FFmpeg can read (Invalid data found when processing input); give a whole video file"
    assert capsys.readouterr().err == f"skipping {root / 'walk' / 'a.MKV'}: {cause}\n"
    assert collate([clips[1]]) is None


def test_strict_stops_at_a_broken_clip(root):
    (root / "walk" / "a.MKV").write_text("not a clip")
    with pytest.raises(VideoError, match=r"a\.MKV: not a video that FFmpeg can read"):
        TrainingClips(ClipFolder(root), SAMPLING, strict=True)[1]


def test_the_workers_of_a_loader_share_epoch_and_count(root, capfd):
    (root / "walk" / "a.MKV").write_text("not a clip")
    clips = TrainingClips(ClipFolder(root), SAMPLING)
    assert clips._epoch.is_shared() and clips._broken.is_shared()  # as forked workers need; spawned ones share anyway
    loader = DataLoader(
        clips, 3, num_workers=1, collate_fn=collate, persistent_workers=True, multiprocessing_context="spawn"
    )
    for epoch in (0, 1):
        clips.set_epoch(epoch)
        (batch,) = loader
        assert batch.indices.tolist() == [0, 2]
        assert torch.equal(batch.frames[1], clips[2].frames)
    assert clips.broken == 1
    assert capfd.readouterr().err.count("skipping") == 1


@pytest.mark.parametrize(
    ("sampling", "areas", "step", "side"),
    [
        (Sampling(8, 8, 224), None, 2, 320),
        (Sampling(8, 8, 224), (0.25, 1.0), 2, 448),
        (Sampling(32, 2, 112), None, 1, 160),
        (Sampling(8, 16, 112), (1.0, 1.0), 4, 112),
    ],
)
def test_a_cache_keeps_what_training_looks_at(sampling, areas, step, side, tmp_path):
    cache = frame_cache(tmp_path, ClipSet(), sampling, areas=areas)
    assert (cache.step, cache.short_side) == (step, side)


def test_a_cached_clip_is_as_sharp_as_the_file(tmp_path):
    """At 224 a cache of 128 pixels would be enlarged: fine stripes would be grey."""
    stripes = np.zeros((8, 320, 320, 3), np.uint8)
    stripes[:, :, ::2] = 255
    write_video(tmp_path / "data" / "a" / "1.mp4", stripes, 25, quality=0)
    dataset, sampling = ClipFolder(tmp_path / "data"), Sampling(2, 2, 224)
    opened = frame_cache(tmp_path / "cache", dataset, sampling, jitter=(320, 320)).open
    plain, cached = (
        TrainingClips(dataset, sampling, jitter=(320, 320), opened=how)[0].frames.float() for how in (None, opened)
    )
    assert plain.std() > 100 and torch.equal(plain, cached)
