"""A trained network for other classes: its body stays, its classifier is a fresh one unless it still fits."""

import pytest
import torch

from a3d.configuration import Configuration, range_0016
from a3d.trained import TrainedNetwork
from a3d.training.recipes import RECIPES
from a3d.training.steps import check, networks_of_step
from a3d.training.transfer import transfer
from a3d.video import Sampling

CLASSES = ("jump", "run", "sit")


@pytest.fixture
def trained(tiny):
    tiny.network.classifier.weight.data.normal_()
    return TrainedNetwork(tiny, CLASSES, Sampling(4, 2, 32), range_0016(32, 4))


def test_body_is_kept_and_the_classifier_is_new(trained):
    network = transfer(trained, ("walk", "swim"), spatial=48)
    assert network.architecture.classes == 2 and network.architecture.spatial == 48
    for name, tensor in trained.network.pathway.state_dict().items():
        assert torch.equal(network.network.pathway.state_dict()[name], tensor)
    weight = network.network.classifier.weight
    assert weight.shape[0] == 2 and weight.std() < 0.02
    clip = torch.randn(2, 3, 4, 32, 32)
    one, two = (n.train().features(clip, Configuration(24, 2, 0.5))[0] for n in (trained, network))
    assert torch.equal(one, two)


def test_same_classes_keep_their_classifier(trained):
    kept = trained.network.classifier.weight
    assert torch.equal(transfer(trained, list(CLASSES)).network.classifier.weight, kept)
    fresh = [transfer(trained, CLASSES[::-1]), transfer(trained, CLASSES, "multilabel")]
    assert not any(torch.equal(network.network.classifier.weight, kept) for network in fresh)
    assert fresh[1].architecture.task == "multilabel"


def test_official_fine_tuning_is_plain():
    generator, span = torch.Generator(), range_0016()
    for name in ("charades", "ava"):
        recipe = RECIPES[name]()
        check(recipe)
        assert networks_of_step(recipe, span, generator) == [span.full]
        assert recipe.warmup < recipe.drops[0] < recipe.drops[1] < recipe.epochs
