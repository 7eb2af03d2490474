"""Evidence drawn to who acts: where that is, the loss, and that training lowers it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from a3d.cli import main
from a3d.configuration import Configuration, range_0016
from a3d.datasets import ClipFolder, TrainingClips, collate
from a3d.datasets.items import FOREIGN
from a3d.datasets.training_clips import MASK_SIDE
from a3d.errors import InputError
from a3d.maps.masks import evidence_on_masks
from a3d.networks import slow_r18, slowfast_r18
from a3d.testing.calibration import calibrate
from a3d.training import recipes
from a3d.training.loop import Run
from a3d.training.motion import EvidenceLoss, acting, moving
from a3d.training.mutual import mutual_step
from a3d.training.recipes import from_scratch
from a3d.training.steps import RecipeError
from a3d.training.train import train
from a3d.video import Sampling, normalise
from a3d.video.masks import mask_name, write_masks
from tests.clips import write_classes


def with_square(noise: float = 0.0):
    """(2, 4, 112, 112, 3): a bright square in the upper left that goes right, on a still ground."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(2, 1, 112, 112, 3, generator=generator).expand(-1, 4, -1, -1, -1) * 100
    pixels = pixels + noise * torch.randn(2, 4, 112, 112, 3, generator=generator)
    for frame in range(4):
        pixels[:, frame, 20:40, 10 + 24 * frame : 30 + 24 * frame] = 250
    return pixels.clone()


def test_what_moves_is_where_it_is_now_and_nowhere_else():
    moves = moving(with_square(noise=2.0))
    assert moves.shape == (2, 4, MASK_SIDE, MASK_SIDE) and moves.min() >= 0 and moves.max() == 1
    for frame in (1, 2):  # those with a frame before and one after
        here = torch.zeros(MASK_SIDE, MASK_SIDE, dtype=torch.bool)
        here[9:21, 4 + 12 * frame : 16 + 12 * frame] = True  # with the pixel that smoothing adds
        assert moves[:, frame, 11:19, 7 + 12 * frame : 13 + 12 * frame].min() == 1
        assert moves[:, frame][:, ~here].max() == 0


def test_still_clips_single_frames_and_noise_move_nowhere():
    still = torch.rand(1, 1, 64, 64, 3).expand(-1, 4, -1, -1, -1) * 255
    assert moving(still).eq(0).all()
    assert moving(still + torch.randn(1, 4, 64, 64, 3)).eq(0).all()
    assert moving(still[:, :1]).shape == (1, 1, MASK_SIDE, MASK_SIDE)


def test_people_count_where_they_are_known_and_what_moves_elsewhere():
    pixels, people = with_square(), torch.zeros(2, 4, MASK_SIDE, MASK_SIDE, dtype=torch.uint8)
    people[0, 1, :, 50:] = 255
    found, moves = acting(pixels, people), moving(pixels)
    assert (found[0, 1] == people[0, 1] / 255).all() and not torch.equal(found[0, 1], moves[0, 1])
    found[0, 1] = moves[0, 1]
    assert torch.equal(found, moves) and torch.equal(acting(pixels, None), moves)


def test_the_loss_is_the_share_of_the_positive_evidence_that_moves(tiny):
    tiny.eval()
    moves, maps = moving(with_square()), torch.rand(2, 64, 4, 2, 2)
    weight = tiny.classifier.weight
    labels = torch.tensor([2, 0])
    evidence = torch.einsum("bcthw,bc->bthw", maps, (weight - weight.mean(0))[labels]).relu()
    cells = torch.nn.functional.adaptive_avg_pool2d(moves, 2)
    share = ((evidence * cells).sum((1, 2, 3)) + 1e-3) / (evidence.sum((1, 2, 3)) + 1e-3)
    tiny.train()  # where no statistics are asked for
    loss = EvidenceLoss(tiny, 0.5, moves, labels)((maps,), tiny.full)
    torch.testing.assert_close(loss, -0.5 * share.log().mean())
    assert EvidenceLoss(tiny, 0.5, moves * 0, labels)((maps,), tiny.full) == 0
    labels[1] = FOREIGN
    loss = EvidenceLoss(tiny, 0.5, moves, labels)((maps,), tiny.full)
    torch.testing.assert_close(loss, -0.5 * share[0].log() / 2)


def test_training_draws_the_evidence_to_what_moves():
    network = slow_r18(3, base_channels=8, spatial=64, frames=4, dropout=0.0).train()
    pixels, labels = with_square(), torch.tensor([0, 1])
    clips = torch.nn.functional.interpolate((pixels / 255).permute(0, 4, 1, 2, 3), (4, 64, 64))
    targets, moves = torch.eye(3)[labels], moving(pixels)
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    parts = [range_0016(64, 4).full, Configuration(64, 2, 0.5)]
    losses = []
    for _ in range(12):
        optimiser.zero_grad()
        loss = EvidenceLoss(network, 1.0, moves, labels)
        mutual_step(network, clips, targets, parts, evidence=loss)
        optimiser.step()
        with torch.no_grad():
            losses.append([loss(network.features(clips, c), c).item() for c in parts])
    assert all(last < 0.8 * first for first, last in zip(losses[0], losses[-1], strict=True))


def test_two_pathways_are_refused(tmp_path):
    network = slowfast_r18(3, base_channels=8, spatial=64, frames=4)
    recipe = replace(from_scratch(), motion=0.3)
    with pytest.raises(RecipeError, match="one pathway"):
        Run(network, None, range_0016(64, 4), recipe, tmp_path)


def test_recipes_for_other_kinds_of_networks_leave_it_out():
    assert {name for name, recipe in recipes.RECIPES.items() if recipe().motion} == {"pretrained", "whole_range"}


def test_masks_that_nobody_looks_at_are_refused(tmp_path, tiny):
    data = ClipFolder(write_classes(tmp_path / "data", classes=3, train=1, val=0), "train")
    masks = {"other/0.mp4": np.zeros((1, 8, 8), np.uint8)}
    with pytest.raises(InputError, match=r"recipe small, which does not look.*pretrained, whole_range"):
        train(tiny, data, tmp_path / "run", masks=masks)
    with pytest.raises(InputError, match="none of the 3 clips has a mask"):
        train(tiny, data, tmp_path / "run", recipes.pretrained(), masks=masks)


@pytest.fixture
def sides(tmp_path):
    """A folder of 6 clips, and masks for them: of the left half, and of the right."""
    folder, left = write_classes(tmp_path / "data", classes=3, train=2, val=0), np.zeros((1, 8, 8), np.uint8)
    left[:, :, :4] = 255
    names = [mask_name(item.path) for item in ClipFolder(folder, "train").items]
    return folder, dict.fromkeys(names, left), dict.fromkeys(names, left[:, :, ::-1])


def test_a_run_draws_the_evidence_into_its_masks(tmp_path, sides):
    folder, *both = sides
    data, recipe = (
        ClipFolder(folder, "train"),
        replace(recipes.whole_range(), epochs=16, lesson=0.0, motion=2.0, batch=6),
    )
    sampling, shares = Sampling(4, 2, 64), []
    batch = collate([TrainingClips(data, sampling)[index] for index in range(6)])
    for number, masks in enumerate(both):
        torch.manual_seed(0)
        network = slow_r18(3, base_channels=8, spatial=64, frames=4, dropout=0.0)
        made = train(network, data, tmp_path / f"{number}", recipe, sampling=sampling, masks=masks, workers=0)
        calibrate(made, made.full, [normalise(batch.frames, sampling)])
        shares.append(evidence_on_masks(made, data, both[0], made.full).inside)
    assert shares[0] > 55 > 45 > shares[1]


def test_a_run_resumes_with_the_masks_that_it_began_with(tmp_path, sides, capsys):
    folder, left, right = sides
    write_masks(tmp_path / "left.npz", left)
    write_masks(tmp_path / "right.npz", right)
    command = ["train", "--data", str(folder), "--out", str(tmp_path / "run"), "--network", "slow_r18"]
    command += ["--base-channels", "8", "--spatial", "32", "--frames", "4", "--recipe", "whole_range", "--no-teacher"]
    command += ["--epochs", "1", "--batch", "6", "--workers", "0"]
    assert main([*command, "--masks", str(tmp_path / "left.npz")]) == 0
    assert main([*command, "--resume", "--masks", str(tmp_path / "right.npz")]) == 1
    assert "was trained with masks" in capsys.readouterr().err
