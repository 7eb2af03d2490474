"""Depthwise convolutions that train at speed on a CPU: frame by frame, one two-dimensional convolution a moment.

PyTorch's gradients of a 3D depthwise convolution fall back to a reference kernel there, hundreds of times slower than
those of a 2D one (96 channels, 4×56²: 8.3 s against 30 ms).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def by_frames(layer: nn.Conv3d, x: Tensor) -> bool:
    """Say whether a depthwise layer is to run so: on a CPU, for gradients or where frames stand alone."""
    plain = (layer.stride[0], layer.dilation[0], layer.padding[0]) == (1, 1, layer.kernel_size[0] // 2)
    return plain and x.device.type == "cpu" and (torch.is_grad_enabled() or layer.kernel_size[0] == 1)


def depthwise(x: Tensor, weight: Tensor, bias: Tensor | None, layer: nn.Conv3d) -> Tensor:
    """Return the depthwise convolution of x (B, C, T, H, W) with a weight (C, 1, t, k, k).

    t is odd, and time is padded by t // 2. layer: gives stride, padding and dilation in space.
    """
    batch, channels, frames = x.shape[:3]
    pictures = x.transpose(1, 2).flatten(0, 1)  # (B·T, C, H, W), a view in the layout of channels last
    middle = weight.shape[2] // 2

    def moment(tap: int) -> Tensor:
        kernel, how = weight[:, :, tap], (layer.stride[1:], layer.padding[1:], layer.dilation[1:])
        found = F.conv2d(pictures, kernel, bias if tap == middle else None, *how, channels)
        return found.unflatten(0, (batch, frames))  # (B, T, C, H', W')

    total = moment(middle)
    for tap in range(max(0, middle - frames + 1), min(weight.shape[2], middle + frames)):
        if tap != middle:
            shift = tap - middle  # that the frame looked at lies behind
            total = total + F.pad(_shifted(moment(tap), shift), (0,) * 6 + ((0, shift) if shift > 0 else (-shift, 0)))
    return total.transpose(1, 2)


def _shifted(found: Tensor, shift: int) -> Tensor:
    return found[:, shift:] if shift > 0 else found[:, :shift]
