"""Networks by name: each becomes adaptive, at the size it was published with."""

import pytest
import torch

from a3d.configuration import ConfigurationError
from a3d.networks import NETWORKS, by_name, slow_r26, slow_r50, x3d_m
from a3d.networks.builders import SIZES
from a3d.networks.library import SIZES as OF_LIBRARIES


@pytest.mark.parametrize("name", ["lite0", "x3d_xs", "slowfast_r18", "torchvision:r3d_18", "pytorchvideo:slowfast_r50"])
def test_by_name(name):
    with torch.device("meta"):
        network = by_name(name, 7)
    assert (network.full.spatial, network.full.frames) == SIZES.get(name, (224, 8))
    assert network.classes == 7 and network.architecture.network == name
    half = network.uses.channels(0.5)
    assert sum(half.values()) < 0.7 * sum(network.uses.channels(1.0).values())


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_every_name_is_built_and_adapts(name):
    test_by_name(name)
    assert set(OF_LIBRARIES) <= set(NETWORKS)


def test_blocks_start_as_identities():
    """The last batch norm of each block starts at zero: a fresh residual branch adds nothing."""
    network = slow_r26(5, base_channels=8, spatial=32)
    zeroed = [n for n, p in network.named_parameters() if n.endswith("norm.weight") and not p.any()]
    assert len(zeroed) == 8 and all(".c.norm" in name for name in zeroed)


def test_published_depths():
    with torch.device("meta"):
        blocks = [len(stage) for stage in slow_r50().network.pathway.stages]
    assert blocks == [3, 4, 6, 3]


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: by_name("slow_r34", 5), "'slow_r34': choose one of slow_r18, slow_r26, slow_r50, slow_r101, "),
        (lambda: slow_r26(5, base_channels=12), "base_channels 12: give a multiple of 8"),
        (lambda: slow_r26(5, colour=3), "slow_r26: .*'colour'"),
        (lambda: x3d_m(5, task="tagging"), "task 'tagging': choose one of classification, multilabel, detection"),
        (lambda: x3d_m(0), "classes 0: give 1 to 1000000"),
    ],
)
def test_what_is_not_there_is_named(build, said):
    with pytest.raises(ConfigurationError, match=said) as error:
        build()
    assert "\n" not in str(error.value)
