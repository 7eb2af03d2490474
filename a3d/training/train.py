"""A whole training run in one call: what `a3d train` does."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from a3d import parallel
from a3d.adaptive.network import AdaptiveNetwork
from a3d.configuration import ComputationalRange, range_0016
from a3d.datasets import ClipSet, TrainingClips
from a3d.datasets.training_clips import frame_cache
from a3d.errors import InputError
from a3d.inference.checkpoint import holds, load, save
from a3d.trained import TrainedNetwork
from a3d.training.loop import Progress, Run
from a3d.training.recipes import RECIPES, Recipe, small
from a3d.video import Sampling
from a3d.video.masks import Masks, mask_name

LITE = {"mean": (127 / 255,) * 3, "std": (128 / 255,) * 3}  # as their image networks were trained


def train(
    network: AdaptiveNetwork,
    data: ClipSet,
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    range: ComputationalRange | None = None,
    sampling: Sampling | None = None,
    resume: bool = False,
    seed: int = 0,
    workers: int = 1,
    device: str | torch.device = "cpu",
    cache: str | Path | None = None,
    strict: bool = False,
    masks: Masks | None = None,
    progress: Callable[[Progress], None] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> TrainedNetwork:
    """Train `network` in place on `data` and return it, in evaluation mode, as it is saved in `out/checkpoint`.

    recipe: schedule and augmentation, one of `a3d.recipes`, `small()` if left out. range: the configurations to train
    over; that of a trained network, or [0.016, 1] at the network's size. sampling: how clips are cut out of videos; by
    default that of a trained network, or `default_sampling`. resume: go on where the run in `out` was stopped. workers:
    processes that prepare clips. cache: folder that keeps decoded frames. strict: stop at a broken file instead of
    leaving it out. masks: where people are, as `a3d.video.masks` reads them, for recipes that draw the evidence there.
    progress is told every step. provenance: what else the checkpoint shall tell, plain values.

    A finished run that is resumed is left as it is: its checkpoint is returned with all that was found out about it.
    Raises InputError for an `out` that holds a run already, or none to resume; and what `Run.train` raises.
    """
    started, recipe, out = time.time(), recipe or small(), Path(out)
    range, sampling = range or _range(network), sampling or _sampling(network)
    _check(masks, recipe, data)
    clips, made = training_clips(data, sampling, recipe, seed, strict, cache, masks), out / "checkpoint"
    run = Run(network, clips, range, recipe, out, seed, workers, device)
    is_made = (made / "config.json").exists()  # asked now: of several processes, the first writes it at the end
    _begin(run, resume, is_made)
    centre_classes(run.train(progress))
    if is_made:
        return _kept(made, network, device)
    facts = {**(provenance or {}), **_facts(recipe, clips, started)}
    trained = TrainedNetwork(network, data.classes, sampling, range, provenance=facts)
    if parallel.is_main():
        save(trained, made)
    return trained


@torch.no_grad()
def centre_classes(network: AdaptiveNetwork) -> None:
    """Take from the classifier what all classes share, which a softmax does not see; probabilities stay the same.

    What speaks for a class is then what speaks for it more than for the mean of all: training may push all logits of
    one place down together, and its map would say that nothing speaks for the class that is right.
    """
    classifier = network.classifier
    if network.task == "classification" and isinstance(classifier, nn.Linear):
        classifier.weight -= classifier.weight.mean(0)
        if classifier.bias is not None:
            classifier.bias -= classifier.bias.mean()


def _range(network: AdaptiveNetwork) -> ComputationalRange:
    """That of a trained network, or [0.016, 1] at the network's size."""
    return (
        network.range if isinstance(network, TrainedNetwork) else range_0016(network.full.spatial, network.full.frames)
    )


def _sampling(network: AdaptiveNetwork) -> Sampling:
    return network.sampling if isinstance(network, TrainedNetwork) else default_sampling(network)


def _check(masks: Masks | None, recipe: Recipe, data: ClipSet) -> None:
    """Raise InputError for masks that a run would not look at."""
    if masks is None:
        return
    if not recipe.motion:
        names = ", ".join(name for name, known in RECIPES.items() if known().motion)
        raise InputError(f"masks beside the recipe {recipe.name}, which does not look at them: choose one of {names}")
    if not any(mask_name(item.path) in masks for item in data.items):
        raise InputError(f"none of the {len(data)} clips has a mask: give masks by CLASS/NAME.mp4")


def _begin(run: Run, resume: bool, is_made: bool) -> None:
    """Go back to where the run was stopped, or see to it that none is there."""
    if resume and not run.resume():
        raise InputError(f"{run.folder} holds no state to resume from: leave out --resume")
    if not resume and (is_made or (run.folder / "state.pt").exists()):
        raise InputError(f"{run.folder} already holds a run: add --resume, or give another --out")


def default_sampling(network: AdaptiveNetwork, stride: int | None = None) -> Sampling:
    """Return how clips are cut for a network: its size, its frames, every 8th of them (16th for SlowFast's Slow).

    stride: frames between two of the Slow pathway's, τ.
    """
    alpha = network.graph.alpha
    stride = stride or (8 if alpha == 1 else 16)
    normalisation = LITE if network.architecture.network.startswith("lite") else {}
    return Sampling(network.full.frames * alpha, stride // alpha, network.full.spatial, **normalisation)


def training_clips(
    data: ClipSet,
    sampling: Sampling,
    recipe: Recipe,
    seed: int,
    strict: bool = False,
    cache: str | Path | None = None,
    masks: Masks | None = None,
) -> TrainingClips:
    """Return the clips that a run draws, as its recipe crops them, from decoded frames in the folder `cache` if any."""
    jitter = tuple(round(sampling.spatial * factor) for factor in recipe.jitter)
    opened = frame_cache(cache, data, sampling, jitter, recipe.areas).open if cache else data.open
    drawn = {"jitter": jitter, "areas": recipe.areas, "seed": seed, "strict": strict, "opened": opened, "masks": masks}
    return TrainingClips(data, sampling, **drawn)


def _facts(recipe: Recipe, clips: TrainingClips, started: float) -> dict[str, Any]:
    """What a checkpoint tells of how it was trained."""
    hours = round((time.time() - started) / 3600, 3)
    told = {"recipe": asdict(recipe), "clips": len(clips), "broken": clips.broken}
    return told | {"hours": hours, "torch": torch.__version__}


def _kept(folder: Path, network: AdaptiveNetwork, device: str | torch.device) -> TrainedNetwork:
    """The checkpoint that a run made when it was finished before: calibration and table may have been added to it."""
    if not holds(folder, network):
        raise InputError(f"{folder} holds other weights than this run has come to: move it away, and --resume again")
    return load(folder, device, network.network)
