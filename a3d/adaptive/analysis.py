"""What each operation of a network does to the channels: which ones its result holds, or why it cannot be sliced."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import fx, nn

from a3d.adaptive.errors import NotAdaptable
from a3d.adaptive.layout import Group, Layout
from a3d.adaptive.shapes import positions
from a3d.adaptive.tracing import LAYERS, NORMS, inside, name_of

ELEMENTWISE = {
    *(operator.add, operator.iadd, torch.add, operator.sub, torch.sub),
    *(operator.mul, operator.imul, torch.mul, operator.truediv, torch.div),
    *(torch.maximum, torch.minimum),
    *("add", "add_", "sub", "sub_", "mul", "mul_", "div", "div_"),
}
JOINING = (torch.cat, torch.concat)
RESHAPING = {
    torch.flatten,
    torch.squeeze,
    torch.unsqueeze,
    torch.reshape,
    "flatten",
    "view",
    "reshape",
    "squeeze",
    "unsqueeze",
}
PERMUTING = {torch.permute, torch.transpose, "permute", "transpose"}
POOLING = {torch.mean, "mean", F.adaptive_avg_pool3d, F.avg_pool3d}
POOLS = (nn.AdaptiveAvgPool3d, nn.AvgPool3d)
PASSING = {
    *(
        F.relu,
        torch.relu,
        F.relu6,
        F.silu,
        F.hardswish,
        F.hardtanh,
        F.gelu,
        F.elu,
        F.leaky_relu,
        torch.sigmoid,
        F.sigmoid,
    ),
    *(torch.tanh, F.hardsigmoid, F.max_pool3d, F.adaptive_max_pool3d, F.dropout, F.dropout3d, F.pad, F.interpolate),
    *(F.relu_, F.hardtanh_, F.leaky_relu_, F.elu_, F.mish, F.softplus, F.selu, torch.clamp, operator.neg),
    *("relu", "relu_", "sigmoid", "sigmoid_", "tanh", "clamp", "clamp_", "contiguous", "clone", "detach"),
    *("float", "half", "bfloat16", "to", "type_as"),
    *POOLING,
}
REFUSED_MODULES = (nn.ChannelShuffle, nn.PixelShuffle, nn.Softmax2d, nn.LocalResponseNorm, nn.Unflatten)


class Analysis:
    """The layout of every tensor of a graph is worked out here.

    layouts: of each node that gives a tensor. raw: nodes that no layer came before, whose channels are those of the
    clip. layer_nodes: the node of each layer, by path. Raises NotAdaptable for what cannot be sliced, naming it.
    """

    def __init__(
        self,
        layers: dict[fx.Node, nn.Module],
        graph: fx.Graph,
        shapes: dict[fx.Node, torch.Size],
        classifier: fx.Node,
        fixed: Sequence[str],
    ) -> None:
        self.layers, self.shapes, self.classifier, self.fixed = layers, shapes, classifier, tuple(fixed)
        self.layouts: dict[fx.Node, Layout] = {}
        self.raw: set[fx.Node] = set()
        self.layer_nodes: dict[str, fx.Node] = {}
        for node in graph.nodes:
            if node in shapes and node.op != "output":
                self.layouts[node] = self._layout(node)

    def _layout(self, node: fx.Node) -> Layout:
        inputs = [before for before in node.all_input_nodes if before in self.shapes]
        module = self.layers.get(node)
        if isinstance(module, LAYERS):
            return self._layer(node, module, self.layouts[inputs[0]])
        sources = self._sources(node)
        if not inputs and not all(source in self.raw for source in sources):
            return self._one_of_several(node, sources)
        if all(before in self.raw for before in inputs):
            self.raw.add(node)
            shape = self.shapes[node]
            return Layout((Group(shape[1] if len(shape) > 1 else 1, fixed=True),))
        layouts = [self.layouts[before] for before in inputs if self.shapes[before].numel() > 1]
        if isinstance(module, nn.Module):
            return self._module(node, module, layouts)
        if node.target in JOINING or node.target == "cat":
            return self._joined(node, layouts)
        return self._function(node, inputs, layouts)

    def _sources(self, node: fx.Node) -> list[fx.Node]:
        """The tensors behind the values that a node is made of, where those are several at once or numbers."""
        return [
            source
            for before in node.all_input_nodes
            for source in ([before] if before in self.shapes else self._sources(before))
        ]

    def _one_of_several(self, node: fx.Node, sources: list[fx.Node]) -> Layout:
        """What an operation that gives several tensors, such as a split along time, has at one place."""
        layouts = [self.layouts[source] for source in sources]
        if node.target is operator.getitem and isinstance(node.args[1], int) and len(sources) == 1:
            return self._function(node, sources, layouts)
        return self._unknown(node, layouts)

    def _layer(self, node: fx.Node, layer: nn.Module, before: Layout) -> Layout:
        path = str(node.target)
        if path in self.layer_nodes:
            self._refuse(node, "is used twice: give each place a layer of its own")
        self.layer_nodes[path] = node
        fixed = inside(path, self.fixed)
        if isinstance(layer, NORMS):
            return before
        if isinstance(layer, nn.Linear):
            if before.size != layer.in_features:
                self._refuse(
                    node,
                    f"sees {layer.in_features} features of {before.size} channels: positions were flattened "
                    "into them; average over time and space before it",
                )
            last = self.shapes[node.all_input_nodes[0]]
            if before.dimension != len(last) - 1:
                self._refuse(node, "is linear along a dimension that does not hold the channels")
            return Layout((Group(layer.out_features, fixed or node is self.classifier),), before.dimension)
        return self._convolution(node, layer, before, fixed)

    def _convolution(self, node: fx.Node, layer: nn.Conv3d, before: Layout, fixed: bool) -> Layout:
        if layer.padding_mode != "zeros":
            self._refuse(node, f"pads with {layer.padding_mode!r}: only zeros are supported")
        if layer.groups == layer.in_channels == layer.out_channels > 1:
            return before
        if layer.groups != 1 and not (fixed and before.fixed):
            self._refuse(
                node,
                f"is a convolution of {layer.groups} groups, which are neither one nor one a channel: its "
                "slices would not belong together",
            )
        return Layout((Group(layer.out_channels, fixed or node is self.classifier),))

    def _module(self, node: fx.Node, module: nn.Module, layouts: list[Layout]) -> Layout:
        if isinstance(module, nn.Flatten):
            return self._reshaped(node, layouts[0])
        if isinstance(module, REFUSED_MODULES) or self._moved(node, layouts):
            self._refuse(node, f"({type(module).__name__}) moves channels about")
        return layouts[0]

    def _joined(self, node: fx.Node, layouts: list[Layout]) -> Layout:
        dimension = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
        if dimension % len(self.shapes[node]) == layouts[0].dimension:
            return Layout(tuple(group for layout in layouts for group in layout.groups), layouts[0].dimension)
        return self._tied(node, layouts)

    def _function(self, node: fx.Node, inputs: list[fx.Node], layouts: list[Layout]) -> Layout:
        if node.target in ELEMENTWISE:
            return self._tied(node, layouts)
        if node.target in RESHAPING:
            return self._reshaped(node, layouts[0])
        if node.target in PERMUTING:
            return Layout(layouts[0].groups, self._permuted(node, layouts[0].dimension, len(self.shapes[inputs[0]])))
        if node.target is operator.getitem and not self._moved(node, layouts):
            index = node.args[1]
            kept = isinstance(index, tuple) and index[layouts[0].dimension : layouts[0].dimension + 1] in (
                (),
                (slice(None),),
            )
            if kept or not isinstance(index, tuple):
                return layouts[0]
        if node.target in (torch.mean, "mean"):
            return self._averaged(node, layouts[0], len(self.shapes[inputs[0]]))
        if (node.target in PASSING or _stochastic(node.target)) and not self._moved(node, layouts):
            return layouts[0]
        return self._unknown(node, layouts)

    def _unknown(self, node: fx.Node, layouts: list[Layout]) -> Layout:
        """An operation that can do what it likes, as long as all of its channels are fixed."""
        if all(layout.fixed for layout in layouts):
            return Layout((Group(self.shapes[node][1], fixed=True),))
        return self._refuse(node, "is an operation of which nobody knows what it does to the channels")

    def _tied(self, node: fx.Node, layouts: list[Layout]) -> Layout:
        first, *others = [layout for layout in layouts if layout.size > 1] or layouts[
            :1
        ]  # one channel spreads over all
        for other in others:
            if not first.matches(other):
                self._refuse(node, "adds or multiplies tensors whose channels are laid out differently")
            first.tie(other)
        return first

    def _reshaped(self, node: fx.Node, layout: Layout) -> Layout:
        """A reshape that leaves channels alone, or finds them once all places are averaged."""
        before, after = self.shapes[node.all_input_nodes[0]], self.shapes[node]
        if after[: layout.dimension + 1] == before[: layout.dimension + 1]:
            return layout
        places = [i for i, size in enumerate(after) if i > 0 and size == layout.size]
        if positions(before, layout.dimension) > 1 or len(places) != 1:
            self._refuse(
                node,
                f"flattens {positions(before, layout.dimension)} positions into the channels: average over "
                "time and space before it",
            )
        return Layout(layout.groups, places[0])

    def _averaged(self, node: fx.Node, layout: Layout, rank: int) -> Layout:
        given = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else tuple(range(rank)))
        dropped = [number % rank for number in ((given,) if isinstance(given, int) else given)]
        if layout.dimension in dropped:
            self._refuse(node, "averages over the channels, whose number changes")
        if len(self.shapes[node]) == rank:
            return layout
        return Layout(layout.groups, layout.dimension - sum(number < layout.dimension for number in dropped))

    def _permuted(self, node: fx.Node, dimension: int, rank: int) -> int:
        order = list(range(rank))
        args = node.args[1:] if not isinstance(node.args[1], (tuple, list)) else node.args[1]
        if node.target in (torch.transpose, "transpose"):
            a, b = (number % rank for number in args)
            order[a], order[b] = order[b], order[a]
        else:
            order = [number % rank for number in args]
        return order.index(dimension)

    def _moved(self, node: fx.Node, layouts: list[Layout]) -> bool:
        """Whether the result has no longer as many channels where they were."""
        shape, layout = self.shapes[node], layouts[0]
        return len(shape) <= layout.dimension or shape[layout.dimension] != layout.size

    def _refuse(self, node: fx.Node, reason: str) -> Layout:
        raise NotAdaptable(f"{name_of(node)} {reason}")


def is_pool(node: fx.Node, layer: nn.Module | None) -> bool:
    """Say whether a node averages over time and space."""
    return isinstance(layer, POOLS) or (layer is None and node.target in POOLING)


def is_reordering(node: fx.Node, layer: nn.Module | None) -> bool:
    """Say whether a node changes nothing but the order and the shape in which values stand."""
    return isinstance(layer, nn.Flatten) or (layer is None and node.target in RESHAPING | PERMUTING)


def _stochastic(target: str | Callable) -> bool:
    """Torchvision's stochastic depth, a function that is the identity in evaluation."""
    return getattr(target, "__name__", "") == "stochastic_depth"
