"""Which networks learn in a step, and from what: mutual training and what the paper compares it with (Sec. 4.2)."""

from __future__ import annotations

import math

import torch

from a3d.configuration import ComputationalRange, Configuration
from a3d.errors import A3DError
from a3d.training.mutual import sample_configurations, sample_resolution
from a3d.training.recipes import Recipe

STEPS = {
    "mutual": "the full network from the labels, two sub-networks from the full one (Eq. 3)",
    "labels": "the same three networks, all from the labels: mutual training without distillation",
    "resolutions": "the full width alone, at a random spatial size and number of frames (Table 7)",
    "plain": "one configuration alone: independent training",
}


class RecipeError(A3DError, ValueError):
    """A recipe that asks for what there is not; the message names the value and the remedy."""


def check(recipe: Recipe) -> None:
    """Raises RecipeError for a recipe that no run can follow."""
    for name in ("epochs", "batch"):
        if getattr(recipe, name) < 1:
            raise RecipeError(f"{name} {getattr(recipe, name)} in recipe {recipe.name}: give at least 1")
    if not 0 < recipe.rate < math.inf:
        raise RecipeError(f"rate {recipe.rate} in recipe {recipe.name}: give a positive number")
    if recipe.step not in STEPS:
        raise RecipeError(f"step {recipe.step!r} in recipe {recipe.name}: choose one of {', '.join(STEPS)}")
    if recipe.configuration is not None and recipe.step != "plain":
        raise RecipeError(
            f"{recipe.configuration} in recipe {recipe.name}: a configuration goes with step 'plain' alone"
        )


def networks_of_step(recipe: Recipe, range: ComputationalRange, generator: torch.Generator) -> list[Configuration]:
    """The configurations that learn in one step, the teacher first. Draws from `generator`."""
    if recipe.step == "plain":
        return [recipe.configuration or range.full]
    if recipe.step == "resolutions":
        return [sample_resolution(range, range.widths[-1], generator)]
    return sample_configurations(range, generator)
