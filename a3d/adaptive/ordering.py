"""Channels in the order of their importance, so that the first ones of a slice are the ones that matter.

An exact rewriting: within each group of channels that are sliced together, all weights that touch them are permuted
alike, and the network computes what it did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from a3d.adaptive.graph import Graph
from a3d.adaptive.layout import Group, Layout
from a3d.adaptive.tracing import NORMS


@torch.no_grad()
def order_channels(network: nn.Module, graph: Graph) -> None:
    """Sort the channels of every group that is not fixed, the most important first, in place.

    The importance of a channel is how much is made of it: the norm of the weights that read it, times the scale at
    which batch norm lets it out.
    """
    orders = {
        group: scores.argsort(descending=True, stable=True) for group, scores in importances(network, graph).items()
    }
    for path, node in graph.layer_nodes.items():
        layer, written = network.get_submodule(path), graph.layouts[node]
        for parameter in _by_output(layer):
            _permute(parameter, written, orders, 0)
        if not isinstance(layer, NORMS) and not _grouped(layer):
            _permute(layer.weight, graph.layouts[node.all_input_nodes[0]], orders, 1)


def importances(network: nn.Module, graph: Graph) -> dict[Group, Tensor]:
    """Return the importance of every channel of each group that is not fixed, float32 (channels,)."""
    read: dict[Group, list[Tensor]] = defaultdict(list)
    scale: dict[Group, list[Tensor]] = defaultdict(list)
    for path, node in graph.layer_nodes.items():
        layer, before = network.get_submodule(path), graph.layouts[node.all_input_nodes[0]]
        if isinstance(layer, NORMS):
            for group, part in _parts(graph.layouts[node], 0, layer.weight):
                scale[group].append(part.square())
        elif not _grouped(layer):
            for group, part in _parts(before, 1, layer.weight):
                read[group].append(part.movedim(1, 0).flatten(1).square().sum(1))
    return {
        group: (sum(parts) * (sum(scale[group]) if group in scale else 1.0)).sqrt()
        for group, parts in read.items()
        if not group.fixed
    }


def _grouped(layer: nn.Module) -> bool:
    """Say whether a layer is depthwise, or a fixed one of other groups: none of its inputs has a place of its own."""
    return getattr(layer, "groups", 1) > 1


def _parts(layout: Layout, dimension: int, weight: Tensor | None) -> Iterator[tuple[Group, Tensor]]:
    offset = 0
    for group in layout.groups:
        if weight is not None:
            yield group.root, weight.narrow(dimension, offset, group.size)
        offset += group.size


def _permute(parameter: Tensor, layout: Layout, orders: dict[Group, Tensor], dimension: int) -> None:
    for group, part in _parts(layout, dimension, parameter):
        if group in orders:
            part.copy_(part.index_select(dimension, orders[group].to(part.device)))


def _by_output(layer: nn.Module) -> Iterator[Tensor]:
    """Everything of a layer with an entry for each output channel."""
    for name in ("weight", "bias", "running_mean", "running_var"):
        found = getattr(layer, name, None)
        if found is not None:
            yield found
