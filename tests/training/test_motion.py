"""Evidence drawn to what moves: where that is, the loss, and that training lowers it."""

from dataclasses import replace

import pytest
import torch

from a3d.configuration import Configuration, range_0016
from a3d.networks import slow_r18, slowfast_r18
from a3d.training import recipes
from a3d.training.loop import Run
from a3d.training.motion import SIDE, MotionLoss, moving
from a3d.training.mutual import mutual_step
from a3d.training.recipes import from_scratch
from a3d.training.steps import RecipeError


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
    assert moves.shape == (2, 4, SIDE, SIDE) and moves.min() >= 0 and moves.max() == 1
    for frame in (1, 2):  # those with a frame before and one after
        here = torch.zeros(SIDE, SIDE, dtype=torch.bool)
        here[9:21, 4 + 12 * frame : 16 + 12 * frame] = True  # with the pixel that smoothing adds
        assert moves[:, frame, 11:19, 7 + 12 * frame : 13 + 12 * frame].min() == 1
        assert moves[:, frame][:, ~here].max() == 0


def test_still_clips_single_frames_and_noise_move_nowhere():
    still = torch.rand(1, 1, 64, 64, 3).expand(-1, 4, -1, -1, -1) * 255
    assert moving(still).eq(0).all()
    assert moving(still + torch.randn(1, 4, 64, 64, 3)).eq(0).all()
    assert moving(still[:, :1]).shape == (1, 1, SIDE, SIDE)


def test_the_loss_is_the_share_of_the_positive_evidence_that_moves(tiny):
    tiny.eval()
    moves, maps = moving(with_square()), torch.rand(2, 64, 4, 2, 2)
    weight = tiny.classifier.weight
    labels = torch.tensor([2, 0])
    evidence = torch.einsum("bcthw,bc->bthw", maps, weight[labels]).relu()
    cells = torch.nn.functional.adaptive_avg_pool2d(moves, 2)
    share = ((evidence * cells).sum((1, 2, 3)) + 1e-3) / (evidence.sum((1, 2, 3)) + 1e-3)
    tiny.train()  # where no statistics are asked for
    loss = MotionLoss(tiny, 0.5, moves, labels)((maps,), tiny.full)
    torch.testing.assert_close(loss, -0.5 * share.log().mean())
    assert MotionLoss(tiny, 0.5, moves * 0, labels)((maps,), tiny.full) == 0


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
        loss = MotionLoss(network, 1.0, moves, labels)
        mutual_step(network, clips, targets, parts, motion=loss)
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
