"""A trained network for other classes: its body stays, its classifier is a fresh one unless it still fits."""

import pytest
import torch

from a3d.configuration import Configuration, range_0016
from a3d.networks import slow_r18
from a3d.testing.calibration import calibrate
from a3d.trained import TrainedNetwork
from a3d.training.recipes import RECIPES
from a3d.training.steps import check, networks_of_step
from a3d.training.train import centre_classes
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


def test_what_all_classes_share_is_taken_from_a_trained_classifier():
    """Probabilities stay; the maps of all classes add up to nothing at any place."""
    network = slow_r18(5, base_channels=8, spatial=32, frames=4).eval()
    with torch.no_grad():
        network.classifier.weight += 0.5
        network.classifier.bias -= 3
    calibrate(network, network.full, [torch.randn(2, 3, 4, 32, 32)])
    clip = torch.randn(2, 3, 4, 32, 32)
    with torch.no_grad():
        before = network(clip, network.full)
        centre_classes(network)
        after = network(clip, network.full)
    torch.testing.assert_close(after.softmax(1), before.softmax(1))
    torch.testing.assert_close(after.mean(1), torch.zeros(2), atol=1e-5, rtol=0)
    assert before.mean(1).abs().min() > 0.1
    several = slow_r18(5, base_channels=8, spatial=32, frames=4, task="multilabel")
    weight = several.classifier.weight.clone()
    centre_classes(several)
    assert torch.equal(several.classifier.weight, weight), "a sigmoid sees what all share"
