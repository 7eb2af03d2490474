"""Shapes by rule, for what networks are mostly made of: PyTorch's own way to them imports its compiler, for seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

SAME = ("relu", "relu_", "relu6", "hardtanh", "hardtanh_", "silu", "silu_", "sigmoid", "hardswish", "dropout")
JOINED = ("add", "add_", "__add__", "__radd__", "__iadd__", "mul", "mul_", "__mul__", "__rmul__", "__imul__")


class ShapeRules(TorchFunctionMode):
    """While it is entered, operations on tensors of the meta device follow the rules below, where there is one."""

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs, rule = kwargs or {}, RULES.get(getattr(func, "__name__", ""))
        if rule is not None and all(x.is_meta for x in (args[0] if isinstance(args[0], list | tuple) else args[:1])):
            shape = rule(*args, **kwargs)
            if shape is not None and min(shape, default=1) > 0:
                return torch.empty(shape, device="meta")
        return func(*args, **kwargs)  # also where PyTorch is to say what is wrong


def _same(x: Tensor, *args: Any, **kwargs: Any) -> torch.Size:
    return x.shape


def _joined(x: Tensor, other: Any, **kwargs: Any) -> torch.Size | tuple[int, ...] | None:
    if not isinstance(other, Tensor):
        return x.shape
    try:
        return np.broadcast_shapes(x.shape, other.shape)
    except ValueError:
        return None


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> list[int] | None:
    return [*x.shape[:-1], len(weight)] if x.shape[-1] == weight.shape[1] else None


def _convolved(x: Tensor, weight: Tensor, bias=None, stride=1, padding=0, dilation=1, groups=1) -> list[int] | None:
    if isinstance(padding, str) or x.shape[1] != weight.shape[1] * groups:
        return None
    return [*x.shape[:1], len(weight), *_windows(x, weight.shape[2:], stride, padding, dilation)]


def _pooled(
    x: Tensor, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
) -> list[int] | None:
    if ceil_mode or return_indices:
        return None
    return [*x.shape[:2], *_windows(x, kernel_size, stride or kernel_size, padding, dilation)]


def _windows(x: Tensor, kernel, stride, padding, dilation) -> list[int]:
    """How often a window fits, along time, height and width."""
    how = zip(x.shape[2:], *map(_three, (kernel, stride, padding, dilation)), strict=True)
    return [(size + 2 * p - d * (k - 1) - 1) // s + 1 for size, k, s, p, d in how]


def _averaged(x: Tensor, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> list[int] | None:
    if dim is None:
        return None
    gone = {d % x.ndim for d in ([dim] if isinstance(dim, int) else dim)}
    return [1 if d in gone else size for d, size in enumerate(x.shape) if keepdim or d not in gone]


def _concatenated(tensors: Any, dim: int = 0, **kwargs: Any) -> list[int] | None:
    first = list(tensors[0].shape)
    others = [[*x.shape[:dim], *x.shape[dim:][1:]] for x in tensors]
    if dim < 0 or any(other != others[0] for other in others):
        return None
    first[dim] = sum(x.shape[dim] for x in tensors)
    return first


def _three(value: Any) -> tuple[int, ...]:
    return (value,) * 3 if isinstance(value, int) else tuple(value) * (3 if len(value) == 1 else 1)


RULES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(SAME, _same),
    **dict.fromkeys(JOINED, _joined),
    "conv3d": _convolved,
    "max_pool3d": _pooled,
    "linear": _linear,
    "mean": _averaged,
    "cat": _concatenated,
    "concat": _concatenated,
}
