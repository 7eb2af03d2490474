"""Shapes of everything in a network for a clip of some size, worked out without data or weights."""

from __future__ import annotations

import copy
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, fx, nn

from a3d.adaptive.errors import NotAdaptable
from a3d.adaptive.shape_rules import ShapeRules
from a3d.adaptive.tracing import NORMS, name_of

Shapes = dict[fx.Node, torch.Size]


def without_memory(network: nn.Module) -> nn.Module:
    """Return a copy of a network that has shapes alone, on PyTorch's meta device."""
    tensors = (*network.parameters(), *network.buffers())
    return copy.deepcopy(network, {id(tensor): _without_memory(tensor) for tensor in tensors})


def _without_memory(tensor: Tensor) -> Tensor:
    empty = tensor.detach().to("meta")
    return nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty


def shapes_of(skeleton: nn.Module, graph: fx.Graph, frames: int, side: int) -> Shapes:
    """Return the shape of every tensor of a graph for a clip of that size, as the network itself computes it.

    skeleton: the network without memory. Raises NotAdaptable for an operation that does not run on it.
    """
    clip, values, shapes = torch.empty(2, 3, frames, side, side, device="meta"), {}, {}
    for node in graph.nodes:
        if node.op == "output":
            continue
        args, kwargs = fx.map_arg((node.args, node.kwargs), values.__getitem__)
        try:
            with ShapeRules():
                values[node] = clip if node.op == "placeholder" else _value(skeleton, node, args, kwargs)
        except (RuntimeError, TypeError, IndexError, ValueError) as error:
            raise NotAdaptable(
                f"{name_of(node)} does not run on a clip of {frames} frames, {side}² ({str(error).splitlines()[0]}): "
                "give one that it does run on (clip=)"
            ) from None
        if isinstance(values[node], Tensor):
            shapes[node] = values[node].shape
    return shapes


def _value(skeleton: nn.Module, node: fx.Node, args: tuple, kwargs: dict) -> Any:
    if node.op == "call_module":
        layer = skeleton.get_submodule(str(node.target))
        return args[0] if isinstance(layer, NORMS) else layer(*args, **kwargs)
    if node.op == "get_attr":
        return attrgetter(str(node.target))(skeleton)
    return (
        getattr(args[0], node.target)(*args[1:], **kwargs) if node.op == "call_method" else node.target(*args, **kwargs)
    )


def positions(shape: torch.Size, channels: int = 1) -> int:
    """Return the number of places in time and space of a tensor whose channels lie along that dimension."""
    return torch.Size(shape[1:]).numel() // shape[channels]
