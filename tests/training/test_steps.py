"""The kinds of step: which networks learn, what of the weights they reach."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from a3d.configuration import Configuration, range_0016
from a3d.networks import slow_r18
from a3d.training.mutual import mutual_step
from a3d.training.recipes import from_scratch
from a3d.training.steps import STEPS, RecipeError, check, networks_of_step

SPAN = range_0016(32, 4)
HALF = Configuration(20, 2, 0.5)


def drawn(step, configuration=None, times=60):
    generator = torch.Generator().manual_seed(0)
    recipe = replace(from_scratch(), step=step, configuration=configuration)
    check(recipe)
    return [networks_of_step(recipe, SPAN, generator) for _ in range(times)]


def test_networks_of_each_kind_of_step():
    assert drawn("mutual") == drawn("labels") and all(len(networks) == 3 for networks in drawn("mutual"))
    assert drawn("plain") == [[SPAN.full]] * 60 and drawn("plain", HALF) == [[HALF]] * 60
    alone = [configuration for (configuration,) in drawn("resolutions")]
    assert {c.width for c in alone} == {1.0}
    assert {c.spatial for c in alone} == set(SPAN.spatials) and {c.frames for c in alone} == set(SPAN.frame_counts)


def test_unknown_kinds_are_refused():
    with pytest.raises(RecipeError, match="'mutal' in recipe from_scratch: choose one of mutual, labels"):
        check(replace(from_scratch(), step="mutal"))
    with pytest.raises(RecipeError, match="goes with step 'plain' alone"):
        check(replace(from_scratch(), configuration=HALF))
    for nothing in ({"batch": 0}, {"epochs": 0}, {"epochs": -1}):
        with pytest.raises(RecipeError, match=r"(batch|epochs) -?\d in recipe from_scratch: give at least 1"):
            check(replace(from_scratch(), **nothing))
    assert all(STEPS.values())


def gradients_of(configurations):
    torch.manual_seed(0)
    network = slow_r18(classes=3, base_channels=16, spatial=32, frames=4, dropout=0.0).train()
    clips, targets = torch.randn(2, 3, 4, 32, 32), F.one_hot(torch.tensor([0, 2]), 3).float()
    mutual_step(network, clips, targets, configurations)
    return network.network.pathway.stem.conv.conv.weight.grad


def test_a_plain_step_is_the_first_part_of_a_mutual_one():
    """And a sub-network reaches the first channels alone: independent training of a small network, in a large one."""
    full, both = gradients_of([SPAN.full]), gradients_of([SPAN.full, HALF])
    torch.testing.assert_close(full[8:], both[8:])
    assert not torch.allclose(full[:8], both[:8], rtol=1e-3)
    half = gradients_of([HALF])
    assert half[:8].abs().sum() > 0 and half[8:].abs().sum() == 0
