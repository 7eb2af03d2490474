"""One pass of a graph at a configuration: every layer uses the first channels of its weights.

No layer keeps a mode: what a pass needs comes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from a3d import parallel
from a3d.adaptive.analysis import JOINING
from a3d.adaptive.depthwise import by_frames, depthwise
from a3d.adaptive.graph import Graph
from a3d.adaptive.moments import Moments, Statistics
from a3d.adaptive.resampling import resample, short_sides
from a3d.adaptive.tracing import NORMS
from a3d.configuration import Configuration
from a3d.parallel.batch_norm import batch_norm

Observer = Callable[[fx.Node, Any], None]


@dataclass(frozen=True)
class Pass:
    """How one pass runs. Without `statistics` or `moments`, batch norm uses the batch's own moments.

    observe: is told every node and its value.
    """

    configuration: Configuration
    statistics: Statistics | None = None
    moments: Moments | None = None
    observe: Observer | None = None


class Execution:
    """A graph with the modules that hold its weights, at one pass."""

    def __init__(self, graph: Graph, network: nn.Module, how: Pass) -> None:
        self.graph, self.how, self.width = graph, how, how.configuration.width
        self.modules = dict(network.named_modules())

    def body(self, clip: Tensor) -> tuple[Tensor, ...]:
        """Return the maps before pooling, (B, C, t, h, w), of a clip (B, 3, T, H, W)."""
        values: dict[fx.Node, Any] = {}
        self._run(self.graph.body, values, clip)
        return tuple(values[node] for node in self.graph.features)

    def entry(self, clip: Tensor) -> Tensor:
        """Return what the part that adapts picks its frames from, (B, 3, T, H, W), of a clip."""
        entry = min(self.graph.entries, key=self.graph.entries.__getitem__)
        values: dict[fx.Node, Any] = {self.graph.placeholder: clip}
        for node in self.graph.body[: self.graph.body.index(entry) + 1]:
            if node in self.graph.raw and node is not self.graph.placeholder:
                values[node] = self._call(node, *fx.map_arg((node.args, node.kwargs), values.__getitem__))
        return values[entry]

    def head(self, pooled: Sequence[Tensor]) -> Tensor:
        """Return the logits (B, classes) of what the pools gave."""
        values = dict(zip(self.graph.pools or self.graph.features, pooled, strict=True))
        self._run(self.graph.head, values)
        return values[self.graph.output]

    def _run(self, nodes: Sequence[fx.Node], values: dict[fx.Node, Any], clip: Tensor | None = None) -> None:
        for node in nodes:
            args, kwargs = fx.map_arg((node.args, node.kwargs), values.__getitem__)
            values[node] = clip if node.op == "placeholder" else self._call(node, args, kwargs)
            if node in self.graph.entries:
                values[node] = self._at_configuration(values[node], self.graph.entries[node])
            if self.how.observe is not None:
                self.how.observe(node, values[node])
            for dead in self.graph.forget.get(node, ()):
                values.pop(dead, None)

    def _at_configuration(self, x: Tensor, ratio: int) -> Tensor:
        configuration = self.how.configuration
        return resample(x, configuration.frames * ratio, *short_sides(*x.shape[3:], configuration.spatial))

    def _call(self, node: fx.Node, args: tuple, kwargs: dict) -> Any:
        if node.op == "call_module":
            return self._module(node, self.modules[str(node.target)], args[0])
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        if node.op == "get_attr":
            return attrgetter(str(node.target))(self.modules[""])
        return join(*args, **kwargs) if node.target in JOINING else node.target(*args, **kwargs)

    def _module(self, node: fx.Node, module: nn.Module, x: Tensor) -> Tensor:
        if isinstance(module, nn.Conv3d):
            return self._convolve(node, module, x)
        if isinstance(module, NORMS):
            return self._normalise(node, module, x)
        if isinstance(module, nn.Linear):
            return F.linear(x, used_weight(self.graph, node, module, self.width), self._take(node, module.bias))
        if isinstance(module, nn.Dropout):
            return parallel.dropout(x, module.p, module.training)
        return module(x)

    def _take(self, node: fx.Node, parameter: Tensor | None) -> Tensor | None:
        return None if parameter is None else self.graph.layouts[node].take(parameter, self.width)

    def _convolve(self, node: fx.Node, layer: nn.Conv3d, x: Tensor) -> Tensor:
        weight = used_weight(self.graph, node, layer, self.width)
        if weight.shape != layer.weight.shape:  # a slice is not dense, and fast kernels are for dense weights alone
            last = x.is_contiguous(memory_format=torch.channels_last_3d)
            weight = weight.contiguous(memory_format=torch.channels_last_3d if last else torch.contiguous_format)
        if is_depthwise(layer) and by_frames(layer, x):
            return depthwise(x, weight, self._take(node, layer.bias), layer)
        groups = x.shape[1] if is_depthwise(layer) else layer.groups
        return F.conv3d(x, weight, self._take(node, layer.bias), layer.stride, layer.padding, layer.dilation, groups)

    def _normalise(self, node: fx.Node, layer: nn.BatchNorm3d, x: Tensor) -> Tensor:
        if x.is_meta:  # shapes alone: torch would spend half the time of a trace here
            return x
        weight, bias, path = self._take(node, layer.weight), self._take(node, layer.bias), str(node.target)
        if self.how.moments is not None:
            mean, variance = self.how.moments.add(path, x)
        elif self.how.statistics is not None:
            mean, variance = self.how.statistics[path]
        else:
            return batch_norm(x, weight, bias, layer.eps)
        return F.batch_norm(x, mean, variance, weight, bias, False, 0.0, layer.eps)


def used_weight(graph: Graph, node: fx.Node, layer: nn.Conv3d | nn.Linear, width: float) -> Tensor:
    """Return the part of a layer's weight that a width uses: (outputs, inputs, *kernel)."""
    weight = graph.layouts[node].take(layer.weight, width)
    if isinstance(layer, nn.Conv3d) and layer.groups > 1:
        return weight
    return graph.layouts[node.all_input_nodes[0]].take(weight, width, 1)


def is_depthwise(layer: nn.Module) -> bool:
    """Say whether a layer is a convolution of each channel by itself."""
    return isinstance(layer, nn.Conv3d) and layer.groups == layer.in_channels == layer.out_channels > 1


def pool(graph: Graph, maps: Sequence[Tensor]) -> list[Tensor]:
    """Average maps (B, C, t, h, w) over time and space, each in the shape that the head takes."""
    if not graph.pools:
        return list(maps)
    return [
        as_rank(x.mean((2, 3, 4)), rank) if node in graph.whole_pools else average(x, node, graph.layers.get(node))
        for x, node, rank in zip(maps, graph.pools, graph.pool_ranks, strict=True)
    ]


def as_rank(pooled: Tensor, rank: int) -> Tensor:
    """(B, C) with places of size 1 behind, as many as the rank asks for."""
    return pooled[(...,) + (None,) * (rank - 2)]


def average(x: Tensor, node: fx.Node, layer: nn.Module | None) -> Tensor:
    """Average as a pool does that leaves several places; the kernel of a layer shrinks to what there is."""
    if isinstance(layer, nn.AvgPool3d):
        kernel = (layer.kernel_size,) * 3 if isinstance(layer.kernel_size, int) else layer.kernel_size
        kernel = [min(k, size) for k, size in zip(kernel, x.shape[2:], strict=True)]
        return F.avg_pool3d(
            x, kernel, layer.stride, layer.padding, layer.ceil_mode, layer.count_include_pad, layer.divisor_override
        )
    if layer is not None:
        return layer(x)
    call = getattr(x, node.target) if isinstance(node.target, str) else partial(node.target, x)
    return call(*node.args[1:], **node.kwargs)


def join(tensors: Iterable[Tensor], dim: int = 0) -> Tensor:
    """Concatenate; maps of another shape in time and space are resampled to that of the first (Fig. 3)."""
    first, *others = tensors
    if dim == 1 and first.ndim == 5:
        others = [x if x.shape[2:] == first.shape[2:] else resample(x, *first.shape[2:]) for x in others]
    return torch.cat([first, *others], dim)
