"""Layers that all networks share: a convolution with its batch norm, and how weights start."""

from __future__ import annotations

import math

from torch import nn


class ConvNorm(nn.Sequential):
    """A convolution, its batch norm, and the activation after it if one is given: (B, C, T, H, W) to the same form.

    kernel, stride, padding: one number a dimension, (time, height, width); what keeps the size at stride 1 unless told.
    dilation: in space. pad: what pads the input besides.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int, int],
        stride: tuple[int, int, int] = (1, 1, 1),
        padding: tuple[int, int, int] | None = None,
        groups: int = 1,
        activation: nn.Module | None = None,
        eps: float = 1e-5,
        pad: nn.Module | None = None,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        if pad is not None:
            self.pad = pad
        steps = (1, dilation, dilation)
        same = tuple(size // 2 * step for size, step in zip(kernel, steps, strict=True))
        padding = same if padding is None else padding
        self.conv = nn.Conv3d(inputs, outputs, kernel, stride, padding, steps, groups, bias=False)
        self.norm = nn.BatchNorm3d(outputs, eps)
        if activation is not None:
            self.act = activation


def initialise(network: nn.Module) -> None:
    """Start the convolutions of a network by He's rule of fan-out, and linear layers from N(0, 0.01²).

    The fan-out of a convolution in groups is that of one group, which keeps depthwise ones at the scale of their input.
    """
    for module in network.modules():
        if any(parameter.is_meta for parameter in module.parameters(recurse=False)):
            continue  # shapes alone, for which torch would import its compiler
        if isinstance(module, nn.Conv3d):
            fan_out = math.prod(module.kernel_size) * module.out_channels / module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
        if isinstance(module, nn.Conv3d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
