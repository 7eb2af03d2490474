"""A convolution with its batch norm folded in, in one kernel with the addition and the ReLU that follow it."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from a3d.adaptive.slimmable import Pass
from a3d.networks.blocks import ConvNorm

KERNELS = torch.ops.mkldnn  # oneDNN; what torch.compile calls on CPUs too


@cache
def _fused_dtypes() -> tuple[torch.dtype, ...]:
    """What this CPU has kernels for."""
    if not torch.backends.mkldnn.is_available():
        return ()
    return (torch.float32, torch.bfloat16) if KERNELS._is_mkldnn_bf16_supported() else (torch.float32,)


class FusedConv3d(nn.Conv3d):
    """`ConvNorm` at one width and with one set of statistics. For inference: gradients reach its input alone.

    On a CPU it runs in the layout (B, T, H, W, C), with a second copy of the weight, laid out for the shape of its
    input at the first pass of that shape.
    """

    def __init__(self, layer: ConvNorm, inputs: int, width: float, mean: Tensor, variance: Tensor, dtype) -> None:
        """mean, variance: (C,), of the batch norm. inputs: channels that come in. dtype: to run in."""
        weight, norm = layer.conv.sliced(inputs, width), layer.norm
        conv, outputs = layer.conv, weight.shape[0]
        with torch.device("meta"):
            super().__init__(inputs, outputs, conv.kernel_size, conv.stride, conv.padding, conv.dilation)
        scale = norm.weight[:outputs] / (variance + norm.eps).sqrt()  # y = scale · conv(x) + bias - mean · scale
        folded = (weight * scale[:, None, None, None, None]).to(dtype)
        layout = torch.channels_last_3d if folded.is_cuda else torch.contiguous_format
        self.weight = nn.Parameter(folded.contiguous(memory_format=layout), requires_grad=False)
        self.bias = nn.Parameter((norm.bias[:outputs] - mean * scale).to(dtype), requires_grad=False)
        self._packed: tuple[tuple, Tensor] | None = None  # what the copy was laid out for, and the copy

    def forward(self, x: Tensor, how: Pass | None = None, relu: bool = False, plus: Tensor | None = None) -> Tensor:
        x = x.to(self.weight.dtype)
        if self._runs_fused(x):
            return self._fused(x, relu, plus)
        x = super().forward(x)
        x = x if plus is None else x + plus
        return F.relu(x) if relu else x

    def _runs_fused(self, x: Tensor) -> bool:
        """Not where something follows each operation: autograd, export, a compiler (which fuses by itself)."""
        if torch.compiler.is_compiling() or (x.requires_grad and torch.is_grad_enabled()):
            return False
        return x.device.type == "cpu" and x.dtype in _fused_dtypes()

    def _fused(self, x: Tensor, relu: bool, plus: Tensor | None) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last_3d)
        call = (self._laid_out(x), self.bias, *self._shape())
        if plus is None:
            return KERNELS._convolution_pointwise(x, *call, "relu" if relu else "none", [], "")
        return KERNELS._convolution_pointwise.binary(x, plus, *call, "add", 1.0, "relu" if relu else None, [], "")

    def _laid_out(self, x: Tensor) -> Tensor:
        """Only ever used for what it was made for: on another shape a kernel can be a thousand times slower."""
        purpose, packed = (x.shape, torch.get_num_threads()), self._packed
        if packed is None or packed[0] != purpose:
            weight = KERNELS._reorder_convolution_weight(self.weight, *self._shape(), x.shape)
            self._packed = packed = purpose, weight  # in one step: threads may be at different shapes
        return packed[1]

    def _shape(self) -> tuple:
        return self.padding, self.stride, self.dilation, 1

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_packed": None}  # has no storage that could be copied

    def _apply(self, fn, recurse: bool = True) -> FusedConv3d:
        self._packed = None  # of the device and the precision until now
        return super()._apply(fn, recurse)
