"""A convolution with its batch norm folded in, in one kernel with the addition and the activation that follow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KERNELS = torch.ops.mkldnn  # oneDNN; what torch.compile calls on CPUs too


@dataclass(frozen=True)
class Activation:
    """name, scalars: as the kernels know it. function: the same for whatever has no such kernel."""

    name: str
    scalars: tuple[float, ...]
    function: Callable[[Tensor], Tensor]


NONE = Activation("none", (), lambda x: x)
RELU = Activation("relu", (), F.relu)
RELU6 = Activation("hardtanh", (0.0, 6.0), F.relu6)
SILU = Activation("swish", (), F.silu)


@cache
def fused_dtypes() -> tuple[torch.dtype, ...]:
    """What this CPU has kernels for."""
    if not torch.backends.mkldnn.is_available():
        return ()
    return (torch.float32, torch.bfloat16) if KERNELS._is_mkldnn_bf16_supported() else (torch.float32,)


class FusedConv3d(nn.Conv3d):
    """A convolution, an addition if the pass brings one, an activation. For inference: gradients reach its input alone.

    On a CPU it runs in the layout (B, T, H, W, C), with a second copy of the weight, laid out for the shape of its
    input at the first pass of that shape.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        stride: tuple[int, ...] = (1, 1, 1),
        padding: tuple[int, ...] = (0, 0, 0),
        dilation: tuple[int, ...] = (1, 1, 1),
        groups: int = 1,
        activation: Activation = NONE,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """weight: (C', C, *kernel), bias: (C',), with a batch norm folded in. dtype: what it runs in."""
        kernel = tuple(weight.shape[2:])
        with torch.device("meta"):
            super().__init__(weight.shape[1] * groups, len(weight), kernel, stride, padding, dilation, groups)
        folded = weight.to(dtype)
        layout = torch.channels_last_3d if folded.is_cuda else torch.contiguous_format
        bias = weight.new_zeros(len(weight)) if bias is None else bias
        self.weight = nn.Parameter(folded.clone(memory_format=layout), requires_grad=False)
        self.bias = nn.Parameter(bias.to(dtype, copy=True), requires_grad=False)
        self.activation = activation
        self._packed: tuple[tuple, Tensor] | None = None  # what the copy was laid out for, and the copy

    def forward(self, x: Tensor, plus: Tensor | None = None) -> Tensor:
        x = x.to(self.weight.dtype)
        if self._runs_fused(x):
            return self._single(x) if plus is None and self._is_single(x) else self._fused(x, plus)
        x = super().forward(x)
        return self.activation.function(x if plus is None else x + plus)

    def _runs_fused(self, x: Tensor) -> bool:
        """Not where something follows each operation: autograd, export, a compiler (which fuses by itself)."""
        if torch.compiler.is_compiling() or (x.requires_grad and torch.is_grad_enabled()):
            return False
        return x.device.type == "cpu" and x.dtype in fused_dtypes()

    def _is_single(self, x: Tensor) -> bool:
        """Say whether it sees one position, as within squeeze-and-excitation."""
        return x.shape[2:] == self.kernel_size == (1, 1, 1) and self.groups == 1 and not any(self.padding)

    def _single(self, x: Tensor) -> Tensor:
        """A matrix product: for one position, setting up a convolution takes twenty times as long as it does."""
        x = self.activation.function(F.linear(x.flatten(1), self.weight.flatten(1), self.bias))
        return x[:, :, None, None, None]

    def _fused(self, x: Tensor, plus: Tensor | None) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last_3d)
        call, what = (self._laid_out(x), self.bias, *self._shape()), self.activation
        if plus is None:
            return KERNELS._convolution_pointwise(x, *call, what.name, list(what.scalars), "")
        if what is NONE or what is RELU:
            name = "relu" if what is RELU else None
            return KERNELS._convolution_pointwise.binary(x, plus, *call, "add", 1.0, name, [], "")
        return what.function(KERNELS._convolution_pointwise.binary(x, plus, *call, "add", 1.0, None, [], ""))

    def _laid_out(self, x: Tensor) -> Tensor:
        """Only ever used for what it was made for: on another shape a kernel can be a thousand times slower."""
        purpose, packed = (x.shape, torch.get_num_threads()), self._packed
        if packed is None or packed[0] != purpose:
            weight = KERNELS._reorder_convolution_weight(self.weight, *self._shape(), x.shape)
            self._packed = packed = purpose, weight  # in one step: threads may be at different shapes
        return packed[1]

    def _shape(self) -> tuple:
        return self.padding, self.stride, self.dilation, self.groups

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_packed": None}  # has no storage that could be copied

    def _apply(self, fn, recurse: bool = True) -> FusedConv3d:
        self._packed = None  # of the device and the precision until now
        return super()._apply(fn, recurse)
