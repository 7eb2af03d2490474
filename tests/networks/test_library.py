"""Networks of other libraries by name."""

import pytest
import torch

from a3d.configuration import ConfigurationError
from a3d.networks.library import SIZES, library_network


@pytest.mark.parametrize("name", SIZES)
def test_each_is_built_with_its_classes_and_answers_with_logits(name):
    with torch.device("meta"):
        network = library_network(name, 7)
    assert len([*network.state_dict().values()][-1]) == 7
    assert not any(isinstance(module, torch.nn.Softmax) for module in network.modules())


@pytest.mark.parametrize("name", ["torchvision:mvit_v2_s", "r3d_18", "tensorflow:r3d_18"])
def test_other_names_are_refused_with_the_list(name):
    with pytest.raises(ConfigurationError, match=r"torchvision:r3d_18, .*pytorchvideo:csn_r101"):
        library_network(name)
