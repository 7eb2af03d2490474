"""Depthwise convolutions frame by frame, and zeros before a convolution as part of its kernel."""

import pytest
import torch
from torch import nn

from a3d.adaptive.depthwise import by_frames, depthwise
from a3d.adaptive.extraction import with_zeros


@pytest.mark.parametrize(
    ("temporal", "size", "stride", "frames"), [(3, 3, 1, 4), (3, 5, 2, 4), (5, 1, 1, 8), (3, 3, 1, 1), (5, 3, 1, 2)]
)
def test_frame_by_frame_is_the_convolution_and_its_gradients(temporal, size, stride, frames):
    padding = (temporal // 2, size // 2, size // 2)
    layer = nn.Conv3d(8, 8, (temporal, size, size), (1, stride, stride), padding, groups=8).double()
    x = torch.randn(2, 8, frames, 13, 13, dtype=torch.float64, requires_grad=True)
    expected, found = layer(x), depthwise(x, layer.weight, layer.bias, layer)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    weights, direction = (x, layer.weight, layer.bias), torch.randn_like(expected)
    for ours, theirs in zip(
        torch.autograd.grad(found, weights, direction), torch.autograd.grad(expected, weights, direction), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)


def test_only_where_gradients_are_wanted_and_time_is_kept():
    x, layer = torch.zeros(1, 8, 4, 5, 5), nn.Conv3d(8, 8, 3, padding=1, groups=8)
    assert by_frames(layer, x)
    assert not by_frames(nn.Conv3d(8, 8, 3, (2, 1, 1), 1, groups=8), x)
    assert not by_frames(nn.Conv3d(8, 8, 3, padding=(0, 1, 1), groups=8), x)
    with torch.no_grad():
        assert not by_frames(layer, x) and by_frames(nn.Conv3d(8, 8, (1, 3, 3), padding=(0, 1, 1), groups=8), x)


@pytest.mark.parametrize("around", [(0, 1, 0, 1, 0, 0), (1, 2, 1, 2, 0, 0), (2, 0, 1, 1, 1, 2)])
@pytest.mark.parametrize("sides", [(9, 9), (8, 11)])
def test_zeros_before_a_convolution_become_part_of_its_kernel(around, sides):
    x, weight = torch.randn(2, 4, 5, *sides, dtype=torch.float64), torch.randn(4, 1, 3, 3, 3, dtype=torch.float64)
    expected = nn.functional.conv3d(nn.ZeroPad3d(around)(x), weight, None, (1, 2, 2), (1, 0, 0), groups=4)
    widened, padding = with_zeros(weight, (1, 0, 0), around)
    found = nn.functional.conv3d(x, widened, None, (1, 2, 2), padding, groups=4)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
