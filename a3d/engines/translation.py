"""The graph of a sub-network in OpenVINO's operations, one by one: in a tenth of a second, where an export takes some.

Only what the shipped networks and their like are made of is known here; for anything else see `a3d.engines.openvino`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import openvino.opset13 as ops
import torch
import torch.nn.functional as F
from openvino import Model, Node, PartialShape
from torch import fx, nn

from a3d.adaptive.execution import join
from a3d.adaptive.extraction import ScaleShift, at_configuration
from a3d.adaptive.fused import FusedConv3d
from a3d.adaptive.resampling import short_sides, temporal_indices
from a3d.networks.slowfast import slow_frames

SAME = (nn.Identity, nn.Dropout, nn.Dropout3d)
SPACE_TIME = [2, 3, 4]


class Unknown(Exception):
    """An operation that is not translated here; the message names it."""


def translate(body: fx.GraphModule, shape: tuple[int, int, int]) -> Model:
    """Return the body of a sub-network as an OpenVINO model: (B, T, H, W, 3) to its maps (B, C, t, h, w).

    shape: (T, H, W) of what it takes, for any B. Raises Unknown for an operation that is not among those below.
    """
    frames, height, width = shape
    clip = ops.parameter(PartialShape([-1, frames, height, width, 3]), np.float32, name="clip")
    made: dict[fx.Node, Any] = {}
    for node in body.graph.nodes:
        if node.op == "placeholder":
            made[node] = ops.transpose(clip, np.array([0, 4, 1, 2, 3]))
        elif node.op == "output":
            return Model([made[feature] for feature in node.args[0]], [clip], "body")
        else:
            args, kwargs = fx.map_arg((node.args, node.kwargs), made.__getitem__)
            made[node] = _node(body, node, args, kwargs)
    raise Unknown("a graph without an output")


def _node(body: fx.GraphModule, node: fx.Node, args: tuple, kwargs: dict) -> Node:
    if node.op == "call_module":
        module = body.get_submodule(str(node.target))
        for kind, write in MODULES.items():
            if isinstance(module, kind):
                return write(module, *args)
        raise Unknown(f"{node.target}, a {type(module).__name__}")
    if node.target not in FUNCTIONS:
        raise Unknown(f"{node.name}, a call of {node.target}")
    try:
        return FUNCTIONS[node.target](*args, **kwargs)
    except TypeError as error:  # arguments that are not known here
        raise Unknown(f"{node.name}, {error}") from None


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()


def _by_channel(values: torch.Tensor, rank: int = 5) -> np.ndarray:
    return _array(values).reshape(1, -1, *(1,) * (rank - 2))


def _convolution(layer: FusedConv3d, x: Node, plus: Node | None = None) -> Node:
    pads = list(layer.padding)
    how = (list(layer.stride), pads, pads, list(layer.dilation))
    weight = _array(layer.weight)
    if layer.groups == 1:
        x = ops.convolution(x, weight, *how)
    else:
        x = ops.group_convolution(x, weight.reshape(layer.groups, -1, *weight.shape[1:]), *how)
    x = ops.add(x, _by_channel(layer.bias))
    return ACTIVATIONS[layer.activation.name](x if plus is None else ops.add(x, plus))


def _max_pool(x: Node, kernel, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False) -> Node:
    if return_indices:
        raise Unknown("a max pool that gives indices")
    kernel, padding, dilation = (_three(value) for value in (kernel, padding, dilation))
    stride = kernel if stride is None else _three(stride)
    rounding = "ceil_torch" if ceil_mode else "floor"
    return ops.max_pool(x, stride, dilation, padding, padding, kernel, rounding).output(0)


def _pool_layer(layer: nn.MaxPool3d, x: Node) -> Node:
    how = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode, layer.return_indices)
    return _max_pool(x, *how)


def _average_to_one(layer: nn.AdaptiveAvgPool3d, x: Node) -> Node:
    if layer.output_size not in (1, (1, 1, 1)):
        raise Unknown(f"an average to {layer.output_size}")
    return _mean(x, SPACE_TIME, True)


def _mean(x: Node, dim: Any = None, keepdim: bool = False) -> Node:
    return ops.reduce_mean(x, np.array(dim), keepdim)


def _zero_pad(layer: nn.ZeroPad3d, x: Node) -> Node:
    left, right, top, bottom, before, after = layer.padding
    return ops.pad(x, np.array([0, 0, before, top, left]), np.array([0, 0, after, bottom, right]), "constant")


def _join(tensors: list[Node], dim: int = 0) -> Node:
    first, *others = tensors
    size = _sizes(first)
    if dim == 1 and len(size) == 5:
        others = [x if _sizes(x)[2:] == size[2:] else _resample(x, *size[2:]) for x in others]
    return ops.concat([first, *others], dim)


def _at_configuration(x: Node, frames: int, spatial: int) -> Node:
    return _resample(x, frames, *short_sides(*_sizes(x)[3:], spatial))


def _resample(x: Node, frames: int, height: int, width: int) -> Node:
    _, channels, before, *sides = _sizes(x)
    if before != frames:
        x = _pick(x, temporal_indices(before, frames))
    if sides != [height, width]:
        pictures = ops.reshape(x, np.array([0, channels * frames, *sides]), True)
        target = np.array([height, width])
        pictures = ops.interpolate(pictures, target, "bilinear_pillow", "sizes", antialias=True, axes=np.array([2, 3]))
        x = ops.reshape(pictures, np.array([0, channels, frames, height, width]), True)
    return x


def _slow_frames(x: Node, alpha: int, spread: bool) -> Node:
    shown = slow_frames(torch.arange(_sizes(x)[2]).view(1, 1, -1, 1, 1), alpha, spread)
    return _pick(x, shown.flatten().tolist())


def _pick(x: Node, numbers: list[int]) -> Node:
    return ops.gather(x, np.array(numbers), np.array(2))


def _sizes(x: Node) -> list[int]:
    """All but the batch is known."""
    shape = x.get_output_partial_shape(0) if isinstance(x, Node) else x.get_partial_shape()
    return [-1 if axis.is_dynamic else axis.get_length() for axis in shape]


def _three(value: int | tuple[int, ...]) -> list[int]:
    return [value] * 3 if isinstance(value, int) else list(value)


ACTIVATIONS: dict[str, Callable[[Node], Node]] = {
    "none": lambda x: x,
    "relu": ops.relu,
    "hardtanh": lambda x: ops.clamp(x, 0.0, 6.0),
    "swish": ops.swish,
}
MODULES: dict[Any, Callable[..., Node]] = {
    FusedConv3d: _convolution,
    ScaleShift: lambda layer, x: ops.add(ops.multiply(x, _by_channel(layer.scale)), _by_channel(layer.shift)),
    nn.MaxPool3d: _pool_layer,
    nn.AdaptiveAvgPool3d: _average_to_one,
    nn.ZeroPad3d: _zero_pad,
    nn.ReLU6: lambda layer, x: ops.clamp(x, 0.0, 6.0),
    nn.ReLU: lambda layer, x: ops.relu(x),
    nn.SiLU: lambda layer, x: ops.swish(x),
    nn.Sigmoid: lambda layer, x: ops.sigmoid(x),
    nn.Hardswish: lambda layer, x: ops.hswish(x),
    SAME: lambda layer, x: x,
}
FUNCTIONS: dict[Any, Callable[..., Node]] = {
    at_configuration: _at_configuration,
    slow_frames: _slow_frames,
    join: _join,
    F.max_pool3d: _max_pool,
    F.relu: lambda x, inplace=False: ops.relu(x),
    torch.relu: ops.relu,
    torch.sigmoid: ops.sigmoid,
    F.silu: lambda x, inplace=False: ops.swish(x),
    torch.mean: _mean,
    "mean": _mean,
    "relu": ops.relu,
    "sigmoid": ops.sigmoid,
    **dict.fromkeys((operator.add, operator.iadd, torch.add), lambda x, y: ops.add(x, y)),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul), lambda x, y: ops.multiply(x, y)),
}
