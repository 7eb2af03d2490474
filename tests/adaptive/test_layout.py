"""Slices: which channels of the full network a tensor holds, and the part of a weight that belongs to them."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from a3d.adaptive import adapt
from a3d.adaptive.layout import Group, Layout
from a3d.configuration import Configuration


def test_fused_channels_are_always_the_last_of_the_weight():
    slow, fast = Group(64), Group(16, fixed=True)
    joined, weight = Layout((slow, fast)), torch.randn(32, 80, 1, 1, 1)
    expected = torch.cat([weight[:, :32], weight[:, 64:]], 1)
    assert torch.equal(joined.take(weight, 0.5, 1), expected) and joined.at(0.5) == 48
    assert joined.take(weight, 1.0, 1) is weight


def test_one_group_is_a_view_of_the_first_channels():
    weight = torch.randn(64, 3)
    taken = Layout((Group(64),)).take(weight, 0.63)
    assert torch.equal(taken, weight[:40]) and taken.data_ptr() == weight.data_ptr()


def test_tied_groups_are_fixed_together():
    a, b, c = Group(64), Group(64), Group(64)
    a.tie(b)
    c._fixed = True
    assert not a.fixed and a.root is b.root
    b.tie(c)
    assert a.fixed and a.at(0.5) == 64


class Parts(nn.Module):
    """A strided convolution, a batch norm, one more convolution, a classifier."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv3d(3, 64, 3, (1, 2, 2), 1), nn.BatchNorm3d(64)
        self.second, self.classifier = nn.Conv3d(64, 48, (3, 1, 1), padding=(1, 0, 0), bias=False), nn.Linear(48, 5)

    def forward(self, clip):
        return self.classifier(self.second(F.relu(self.norm(self.first(clip)))).mean((2, 3, 4)))


@pytest.mark.parametrize(("width", "inner", "last"), [(0.75, 48, 40), (0.5, 32, 24), (0.3, 24, 16)])
def test_sliced_layers_equal_small_ones_bit_for_bit(width, inner, last):
    network, small = Parts().train(), Parts().train()
    nn.init.normal_(network.norm.weight)
    state = network.state_dict()
    small.first, small.norm = nn.Conv3d(3, inner, 3, (1, 2, 2), 1), nn.BatchNorm3d(inner)
    small.second = nn.Conv3d(inner, last, (3, 1, 1), padding=(1, 0, 0), bias=False)
    small.classifier = nn.Linear(last, 5)
    slices = {"second.weight": (slice(last), slice(inner)), "classifier.weight": (slice(None), slice(last))}
    taken = {
        name: state[name][slices.get(name, (slice(None if name == "classifier.bias" else inner),))].contiguous()
        for name in state
        if state[name].ndim
    }
    small.load_state_dict(taken, strict=False)
    clip = torch.randn(2, 3, 4, 16, 16)
    adapted = adapt(network, clip=clip, order=False).train()
    assert torch.equal(adapted(clip, Configuration(16, 4, width)), small(clip))
