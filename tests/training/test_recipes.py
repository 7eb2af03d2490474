"""The published schedule and runs, to the digit; the list of comparisons."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from a3d.adaptive.resampling import temporal_indices
from a3d.budgets.cost import cost
from a3d.configuration import Configuration
from a3d.datasets import ClipFolder, TrainingClips
from a3d.networks import build
from a3d.paper.ablations import SIZES, ablations
from a3d.paper.kinetics import KINETICS
from a3d.training.recipes import RECIPES, paper
from a3d.training.steps import check
from a3d.video import Sampling
from a3d.video.sampling import window
from tests.clips import write_classes

# name: frames and stride of the full clip, GFLOPs at 8/7 of the reference size, configurations tested
PUBLISHED = {
    "kinetics_slow_8x8_0016": ((8, 8), 54.5, 97),
    "kinetics_slow_8x8_006": ((8, 8), 54.5, 46),
    "kinetics_slowfast_4x16": ((32, 2), 36.1, 46),
}


def test_published_schedule():
    recipe = paper()
    assert (recipe.batch, recipe.optimiser, recipe.rate, recipe.epochs, recipe.warmup) == (64, "sgd", 0.1, 196, 34)
    assert recipe.weight_decay == 1e-4 and recipe.areas is None and recipe.step == "mutual"
    assert not (recipe.mixup or recipe.smoothing or recipe.average or recipe.lesson or recipe.growth or recipe.colour)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_runs(name, tmp_path):
    (frames, stride), gflops, tested = PUBLISHED[name]
    experiment = KINETICS[name]()
    architecture = experiment.architecture
    with torch.device("meta"):
        network = build(architecture)
    assert experiment.recipe == paper() and network.network.dropout.p == 0.5 and architecture.classes == 400
    assert architecture.network.endswith("_r50") and architecture.spatial == 224
    slow = network.network.pathway if "slow_" in name else network.network.slow
    assert [len(stage) for stage in slow.stages] == [3, 4, 6, 3] and slow.channels[0] == 64
    assert experiment.sampling == Sampling(frames, stride, 224)
    assert cost(network, experiment.range.largest).gflops == pytest.approx(gflops, abs=0.05)
    assert len(experiment.tested) == tested
    data = ClipFolder(write_classes(tmp_path, classes=1, train=1, val=0), "train")
    assert TrainingClips(data, experiment.sampling).jitter == (256, 320)


@pytest.mark.parametrize("size", SIZES)
def test_comparisons_are_fair(size):
    """Within a network family everything is the same but the kind of step, the range and what is tested."""
    experiments = ablations(size)
    assert len({experiment.name for experiment in experiments}) == len(experiments)
    for experiment in experiments:
        check(experiment.recipe)
        first = next(e for e in experiments if e.architecture == experiment.architecture)
        assert experiment.sampling == first.sampling
        assert replace(experiment.recipe, step="mutual", configuration=None) == first.recipe
    tested = {experiment.name: set(experiment.tested) for experiment in experiments}
    for name in ("plain_full", "plain_middle", "plain_smallest", "plain_4x16", "plain_2x32"):
        assert tested[name] <= tested["mutual_0016"]
    if size != "pretrained":  # no image network starts SlowFast
        assert tested["slowfast_plain"] | tested["slowfast_plain_2x32"] <= tested["slowfast_mutual"]


def test_slow_4x16_sees_what_4_of_8_frames_are():
    """Fewer frames at a larger stride are a configuration of the longer clip: no sampling of its own."""
    times = np.arange(100) / 25
    whole = window(times, 25, 8, 8, 0.3)
    assert whole[temporal_indices(8, 4)].tolist() == window(times, 25, 4, 16, 0.3).tolist()
    assert whole[temporal_indices(8, 2)].tolist() == window(times, 25, 2, 32, 0.3).tolist()
    by_name = {experiment.name: experiment for experiment in ablations("kinetics")}
    assert by_name["plain_4x16"].recipe.configuration == Configuration(224, 4, 1.0)
    assert by_name["plain_2x32"].recipe.configuration == Configuration(224, 2, 1.0)


def test_recipes_by_name():
    assert {"paper", "small", "finetune"} <= set(RECIPES)
    assert all(RECIPES[name]().name == name for name in RECIPES)
