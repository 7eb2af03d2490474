"""A sub-network with two-dimensional convolutions alone, for runtimes that have no fast others, as those of phones."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, fx, nn

from a3d.adaptive.extraction import SubNetwork
from a3d.adaptive.fused import FusedConv3d
from a3d.errors import A3DError


class NotFlat(A3DError, ValueError):
    """A convolution that looks along time and space at once; the message names it."""


def flatten(sub: SubNetwork) -> SubNetwork:
    """Replace every convolution, and pools over space, by two-dimensional ones, in place; the logits stay.

    Raises NotFlat for a kernel that is neither (1, k, k) nor (t, 1, 1), as those of Slow all are.
    """
    for name, layer in list(sub.body.named_modules()):
        if isinstance(layer, FusedConv3d):
            if layer.kernel_size[0] > 1 and layer.kernel_size[1:] != (1, 1):
                kernel = "×".join(map(str, layer.kernel_size))
                raise NotFlat(
                    f"{name} has a kernel of {kernel}, over time and space at once: leave out --flat, or choose a "
                    "network whose kernels are (1, k, k) and (t, 1, 1), as slow_r50"
                )
            sub.body.set_submodule(name, FlatConvolution(layer))
    for node in sub.body.graph.nodes:
        if node.target is F.max_pool3d and _of_frames(node):
            node.target = flat_max_pool
    sub.body.recompile()
    return sub


class FlatConvolution(nn.Module):
    """A convolution of each frame by itself, or of each place along time, then an addition and an activation."""

    def __init__(self, layer: FusedConv3d) -> None:
        super().__init__()
        self.over_time = layer.kernel_size[0] > 1
        weight = layer.weight[:, :, :, 0] if self.over_time else layer.weight[:, :, 0]  # (C', C, t, 1) or (C', C, k, k)
        self.weight, self.bias = nn.Parameter(weight.clone(), requires_grad=False), layer.bias
        self.stride, self.padding, self.dilation, self.groups = (
            layer.stride,
            layer.padding,
            layer.dilation,
            layer.groups,
        )
        self.activation = layer.activation

    def forward(self, x: Tensor, plus: Tensor | None = None) -> Tensor:
        x = self._along_time(x) if self.over_time else self._by_frame(x)
        return self.activation.function(x if plus is None else x + plus)

    def _along_time(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) as pictures T high and H · W wide."""
        step = self.stride[1:]
        x = x if step == (1, 1) else x[..., :: step[0], :: step[1]]
        sides, how = x.shape[3:], [(each[0], 1) for each in (self.stride, self.dilation)]
        found = F.conv2d(x.flatten(3), self.weight, self.bias, how[0], (self.padding[0], 0), how[1], self.groups)
        return found.unflatten(3, sides)

    def _by_frame(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) as B · T pictures."""
        x = x if self.stride[0] == 1 else x[:, :, :: self.stride[0]]
        how = self.stride[1:], self.padding[1:], self.dilation[1:], self.groups
        return _over_frames(x, lambda pictures: F.conv2d(pictures, self.weight, self.bias, *how))


def flat_max_pool(x: Tensor, kernel_size, stride=None, padding=(0, 0, 0), **others) -> Tensor:
    """Return what `max_pool3d` does with a kernel of one frame."""
    return _over_frames(x, lambda pictures: F.max_pool2d(pictures, kernel_size[1:], stride[1:], padding[1:]))


def _over_frames(x: Tensor, operation) -> Tensor:
    frames = x.shape[2]
    return operation(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (-1, frames)).transpose(1, 2)


def _of_frames(node: fx.Node) -> bool:
    given = dict(zip(("input", "kernel_size", "stride"), node.args, strict=False)) | node.kwargs
    kernel, stride = given.get("kernel_size"), given.get("stride")
    return isinstance(kernel, tuple) and isinstance(stride, tuple) and kernel[0] == stride[0] == 1
