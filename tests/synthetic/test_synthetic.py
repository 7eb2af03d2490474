"""Synthetic clips: same seed, same clip; masks where things move; motions with the rhythm they claim."""

import dataclasses

import cv2
import numpy as np
import pytest

from a3d.synthetic import ACTIONS, render, write, write_dataset
from a3d.synthetic.clip import _render
from a3d.synthetic.figure import adult, bend, looks, person
from a3d.synthetic.motions import MOTIONS
from a3d.synthetic.raster import draw
from a3d.video import Video
from a3d.video.encode import write_video
from a3d.video.masks import read_masks

SMALL = (86, 64)


def performance(action, seed, seconds=6.0, rate=25):
    times = np.arange(round(seconds * rate)) / rate
    return MOTIONS[action](times, np.random.default_rng(seed))


def crossings(path):
    """How often a path rises through its mean."""
    above = path > path.mean()
    return int((above[1:] & ~above[:-1]).sum())


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_renders_with_a_body_that_moves(action):
    clip = render(action, 1, seconds=0.8, frame_rate=5, size=SMALL)
    assert clip.frames.shape == (4, 64, 86, 3) and clip.frames.dtype == np.uint8
    assert clip.masks.shape == clip.bodies.shape == (4, 64, 86) and clip.masks.dtype == bool
    assert 0.005 < clip.masks.mean() < 0.5
    assert clip.frames.std() > 15  # neither black nor blank


def test_the_same_seed_gives_the_same_clip():
    first, second = (render("Lunges", 5, seconds=0.4, size=SMALL) for _ in range(2))
    assert np.array_equal(first.frames, second.frames) and np.array_equal(first.masks, second.masks)


def test_seeds_differ_in_person_and_place():
    clips = [render("JumpingJack", seed, seconds=0.2, frame_rate=10, size=SMALL) for seed in range(4)]
    corners = np.array([clip.frames[0, :12, :12].mean((0, 1)) for clip in clips])
    clothes = np.array([clip.frames[0][clip.bodies[0]].mean(0) for clip in clips])
    for colours in (corners, clothes):
        apart = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
        assert apart[~np.eye(4, dtype=bool)].min() > 2


@pytest.mark.parametrize("action", ["BodyWeightSquats", "JumpingJack", "PushUps", "WallPushups", "HandstandPushups"])
def test_whatever_changes_before_a_fixed_camera_lies_in_the_mask(action):
    clip = _render(action, 3, seconds=1.2, frame_rate=5, size=(170, 128), still=True)
    frames = clip.frames.astype(int)
    changed = np.abs(frames[1:] - frames[:-1]).max(-1) > 40
    near = [
        cv2.dilate((a | b).astype(np.uint8), np.ones((5, 5))) for a, b in zip(clip.masks, clip.masks[1:], strict=False)
    ]
    assert changed.sum() > 100
    assert (changed & ~np.array(near, bool)).sum() <= 0.01 * changed.sum()


def test_the_mask_of_a_jumper_is_the_whole_body_and_that_of_a_push_up_is_not():
    jumper = render("TrampolineJumping", 2, seconds=1.2, frame_rate=5, size=SMALL)
    assert jumper.masks[jumper.bodies].all()
    push = render("PushUps", 2, seconds=1.2, frame_rate=5, size=SMALL)
    assert 0.5 < push.masks[push.bodies].mean() < 1


def test_a_longer_shot_at_another_size_shows_the_same_person():
    small, large = (performance("Punch", 9, rate=rate) for rate in (5, 10))
    assert [part.colour for part in small.parts] == [part.colour for part in large.parts]
    assert np.allclose(small.poses[0].hand, large.poses[0].hand[:, ::2])


@pytest.mark.parametrize(
    ("action", "joint", "slowest", "fastest"),
    [
        ("BodyWeightSquats", "pelvis", 0.30, 0.70),
        ("PullUps", "pelvis", 0.25, 0.65),
        ("PushUps", "chest", 0.40, 1.0),
        ("HandstandPushups", "pelvis", 0.30, 0.75),
        ("TrampolineJumping", "pelvis", 0.60, 1.0),
        ("JumpRope", "pelvis", 1.5, 2.6),
    ],
)
def test_heights_rise_and_fall_at_the_tempo_of_the_exercise(action, joint, slowest, fastest):
    for seed in range(3):
        height = getattr(performance(action, seed, seconds=20).poses[0], joint)[:, 1]
        assert slowest - 0.06 <= crossings(height) / 20 <= fastest + 0.06
        assert np.ptp(height) > 0.04


def test_hands_stay_on_the_bar_and_feet_on_the_ground():
    for seed in range(5):
        assert np.ptp(performance("PullUps", seed).poses[0].wrist, axis=1).max() < 0.02
        squat = performance("BodyWeightSquats", seed).poses[0]
        assert np.ptp(squat.ankle, axis=1).max() < 0.02 < np.ptp(squat.pelvis[:, 1])


def test_bones_keep_their_length():
    rng = np.random.default_rng(0)
    root, target, pole = rng.normal(size=(3, 50, 3))
    joint, end = bend(root, target, 0.5, 0.7, pole)
    assert np.allclose(np.linalg.norm(joint - root, axis=-1), 0.5) and np.allclose(
        np.linalg.norm(end - joint, axis=-1), 0.7
    )
    reached = np.linalg.norm(target - root, axis=-1) < 1.19
    assert reached.any() and np.allclose(end[reached], target[reached], atol=0.01)


def test_a_nearer_capsule_hides_a_farther_one_and_a_ball_is_round():
    ends = np.array([[[20, 20, 50, 8], [20, 20, 50, 8]], [[5, 20, 90, 4], [35, 20, 90, 4]]], float)
    layer = draw(ends, (40, 40))
    row = layer.part[20 - layer.top]
    assert row[20 - layer.left] == 0 and row[4 - layer.left] == 1
    assert abs((layer.part == 0).sum() - np.pi * 64) < 12
    assert layer.depth[20 - layer.top, 20 - layer.left] == pytest.approx(42, abs=0.2)


def test_a_capsule_that_points_away_shows_its_near_end():
    layer = draw(np.array([[[20, 20, 90, 5], [20.5, 20, 40, 5]]], float), (40, 40))
    assert layer.depth.min() == pytest.approx(35, abs=0.5)


def test_nothing_in_view_draws_nothing():
    assert draw(np.array([[[-90, 0, 5, 3], [-80, 0, 5, 3]]], float), (40, 40)) is None


def test_written_clips_are_read_back(tmp_path):
    clip = render("JumpingJack", 3, seconds=0.6, size=SMALL)
    video = Video(write(clip, tmp_path / "deep" / "jack.mp4"))
    frames = video.read(range(15)).numpy()
    assert frames.shape == clip.frames.shape and video.frame_rate == pytest.approx(25)
    assert np.abs(frames.astype(int) - clip.frames).mean() < 8
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["jack.mp4"]


def test_a_dataset_has_both_splits_and_keeps_what_is_there(tmp_path):
    wanted = {"actions": ("Punch", "PushUps"), "seconds": (0.2, 0.3), "size": (32, 32)}
    paths = write_dataset(tmp_path, 3, 1 / 3, **wanted)
    assert {path.relative_to(tmp_path).as_posix() for path in paths} == {
        "train/Punch/00000.mp4",
        "train/Punch/00001.mp4",
        "train/PushUps/00000.mp4",
        "train/PushUps/00001.mp4",
        "val/Punch/00002.mp4",
        "val/PushUps/00002.mp4",
    }
    before = [path.stat().st_mtime_ns for path in paths]
    write_dataset(tmp_path, 3, 1 / 3, **wanted)
    assert [path.stat().st_mtime_ns for path in paths] == before


def test_a_dataset_comes_with_masks_of_its_people_also_for_clips_that_are_there(tmp_path):
    wanted = {"actions": ("Punch",), "seconds": (0.7, 0.9), "size": (64, 48)}
    (path,) = write_dataset(tmp_path, 1, 0.0, **wanted)
    assert not (tmp_path / "masks.npz").exists()
    before = path.stat().st_mtime_ns
    write_dataset(tmp_path, 2, 0.0, masks=True, **wanted)
    found = read_masks(tmp_path / "masks.npz")
    assert set(found) == {"Punch/00000.mp4", "Punch/00001.mp4"} and path.stat().st_mtime_ns == before
    seconds = float(np.random.default_rng(1).uniform(*wanted["seconds"]))
    clip = render("Punch", 1, seconds=seconds, size=(64, 48))
    assert ((found["Punch/00001.mp4"] > 127) == clip.bodies[::8]).all() and clip.bodies.any()


def test_bad_input_names_the_value():
    with pytest.raises(ValueError, match=r"'Sleeping'.*JumpingJack"):
        render("Sleeping", 0)
    with pytest.raises(ValueError, match="171x128"):
        render("Punch", 0, size=(171, 128))
    with pytest.raises(ValueError, match="no frames"):
        write_video("never.mp4", [], 25)


def test_clothes_can_be_fixed_and_a_figure_has_all_its_limbs():
    rng = np.random.default_rng(4)
    outfit = dataclasses.replace(looks(rng, bare=True), sleeves=0.0)
    parts = person(adult(rng), outfit, performance("JumpingJack", 0).poses[0])
    assert outfit.bare and all(part.actor for part in parts)
    assert sum(part.colour == outfit.shoes for part in parts) == 4


def test_the_same_clip_is_the_same_file(tmp_path):
    clip = render("JumpingJack", 3, seconds=1.0, size=(320, 240))
    files = [write(clip, tmp_path / f"{i}.mp4").read_bytes() for i in range(3)]
    assert files[0] == files[1] == files[2]
