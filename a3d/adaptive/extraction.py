"""What a configuration uses of a network, and that part alone as an ordinary module."""

from __future__ import annotations

import copy
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from a3d.adaptive.analysis import JOINING
from a3d.adaptive.answers import places_of, pool_maps, probabilities_of
from a3d.adaptive.architecture import Architecture
from a3d.adaptive.errors import MissingStatistics
from a3d.adaptive.execution import is_depthwise, join, used_weight
from a3d.adaptive.fused import NONE, RELU, RELU6, SILU, Activation, FusedConv3d
from a3d.adaptive.graph import Graph
from a3d.adaptive.moments import Statistics
from a3d.adaptive.resampling import resample, short_sides
from a3d.adaptive.tracing import NORMS
from a3d.configuration import Configuration
from a3d.memory import keep_freed_memory

ADDITIONS = (operator.add, operator.iadd, torch.add)
ACTIVATIONS = {nn.ReLU: RELU, nn.ReLU6: RELU6, nn.SiLU: SILU}
ACTIVATION_FUNCTIONS = {
    F.relu: RELU,
    torch.relu: RELU,
    "relu": RELU,
    "relu_": RELU,
    F.relu_: RELU,
    F.relu6: RELU6,
    F.silu: SILU,
}


class Adaptive(Protocol):
    """What extraction reads of an adaptive network."""

    network: nn.Module
    graph: Graph
    architecture: Architecture
    statistics: dict[Configuration, Statistics]


class SubNetwork(nn.Module):
    """This is one configuration as an ordinary, immutable module: its parameters alone, its statistics folded in.

    It stays in evaluation mode, and its parameters ask for no gradient. `.compile()` compiles it, as any module.
    """

    def __init__(self, network: Adaptive, configuration: Configuration, dtype: torch.dtype) -> None:
        super().__init__()
        keep_freed_memory()
        self.graph, self.architecture, self.configuration = network.graph, network.architecture, configuration
        self.body = _Builder(network, configuration, dtype).body()
        self.head = _Builder(network, configuration, torch.float32).head()
        self.requires_grad_(False)
        super().train(False)

    def forward(self, clip: Tensor, boxes: Tensor | None = None) -> Tensor:
        """Return logits (B, classes) of a clip (B, 3, T, S, S), normalised, full or at the configuration's shape.

        boxes: as of the full network, for one that detects.
        """
        maps = self.features(clip)
        places = None if boxes is None else places_of(self.graph, boxes, clip.shape, self.configuration)
        return self.classify(maps, places)

    def features(self, clip: Tensor) -> tuple[Tensor, ...]:
        """Return the maps before pooling, (B, C, t, h, w), one a pathway, in the head's precision: float32."""
        dtype = next(self.head.parameters()).dtype
        return tuple(x.to(dtype) for x in self.body(clip))

    def classify(self, maps: Sequence[Tensor], places: Sequence[Tensor] | None = None) -> Tensor:
        """Return logits (B, classes) of maps; places: as of the full network, for one that detects."""
        return self.head(*pool_maps(self.graph, self.architecture, maps, places))

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return those of logits (B, classes): a softmax if one class is right, else a sigmoid for each."""
        return probabilities_of(self.task, logits)

    @property
    def task(self) -> str:
        return self.architecture.task

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def train(self, mode: bool = True) -> SubNetwork:
        """Has no effect: a sub-network is trained as a part of its full network."""
        return self


@torch.inference_mode(False)  # its parameters are ordinary tensors wherever it is called
@torch.no_grad()
def extract(network: Adaptive, configuration: Configuration, dtype: torch.dtype = torch.float32) -> SubNetwork:
    """Return the sub-network at a configuration, batch norm folded into the convolutions. Its logits are the network's.

    dtype: what the convolutions run in; with torch.bfloat16 logits are within 1 to 5%, and whether that pays is
    measured (`a3d profile`).
    Raises MissingStatistics if the configuration is not calibrated.
    """
    if configuration not in network.statistics:
        raise MissingStatistics(f"no batch-norm statistics for {configuration}: calibrate it first (a3d table)")
    return SubNetwork(network, configuration, dtype)


@dataclass
class Chain:
    """A convolution and what goes with it in one kernel: zeros before it, batch norm, an addition, an activation."""

    convolution: fx.Node
    pad: fx.Node | None = None
    norm: fx.Node | None = None
    plus: fx.Node | None = None
    activation: Activation = NONE


class ScaleShift(nn.Module):
    """A batch norm that follows no convolution: x · scale + shift, channel by channel."""

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(scale.clone()), nn.Parameter(shift.clone())

    def forward(self, x: Tensor) -> Tensor:
        shape = (1, -1) + (1,) * (x.ndim - 2)
        return x * self.scale.view(shape) + self.shift.view(shape)


def with_zeros(weight: Tensor, padding: tuple[int, ...], around: tuple[int, ...]) -> tuple[Tensor, tuple[int, ...]]:
    """Return a kernel and a padding, the same on both sides, that do what `padding` does after zeros `around`.

    around: before and after along width, height and time, as `nn.ZeroPad3d` has them. Where it is uneven the kernel is
    widened by zeros.
    """
    sides = list(zip(around[::2], around[1::2], strict=True))[::-1]  # (before, after) of time, height, width
    both = tuple(max(side) for side in sides)
    widened = [most - size for side, most in zip(reversed(sides), reversed(both), strict=True) for size in side]
    return F.pad(weight, widened), tuple(p + most for p, most in zip(padding, both, strict=True))


def at_configuration(x: Tensor, frames: int, spatial: int) -> Tensor:
    """Bring a clip (B, C, T, H, W) to that many frames and that shorter side."""
    return resample(x, frames, *short_sides(*x.shape[3:], spatial))


class _Builder:
    """The graph of a sub-network, written anew with its own modules."""

    def __init__(self, network: Adaptive, configuration: Configuration, dtype: torch.dtype) -> None:
        self.network, self.graph, self.configuration, self.dtype = network.network, network.graph, configuration, dtype
        self.statistics = network.statistics[configuration]
        self.modules: dict[str, nn.Module] = {}
        self.new, self.made = fx.Graph(), {}

    def body(self) -> fx.GraphModule:
        self._write(self.graph.body)
        self.new.output(tuple(self.made[node] for node in self.graph.features))
        return fx.GraphModule(self.modules, self.new)

    def head(self) -> fx.GraphModule:
        for node in self.graph.pools or self.graph.features:
            self.made[node] = self.new.placeholder(node.name)
        self._write(self.graph.head)
        self.new.output(self.made[self.graph.output])
        return fx.GraphModule(self.modules, self.new)

    def _write(self, nodes: Sequence[fx.Node]) -> None:
        ends, inner = self._chains(nodes)
        for node in nodes:
            if node in ends:
                self.made[node] = self._fuse(ends[node])
            elif node not in inner:
                self.made[node] = self._copy(node)
            if node in self.graph.entries:
                at = self.configuration.frames * self.graph.entries[node], self.configuration.spatial
                self.made[node] = self.new.call_function(at_configuration, (self.made[node], *at))

    def _chains(self, nodes: Sequence[fx.Node]) -> tuple[dict[fx.Node, Chain], set[fx.Node]]:
        """The chains by their last node, and the nodes that are inside of one."""
        ends: dict[fx.Node, Chain] = {}
        inner: set[fx.Node] = set()
        known = set(nodes)
        for node in reversed(nodes):  # of two convolutions that meet in an addition, the later one takes it
            if isinstance(self.graph.layers.get(node), nn.Conv3d):
                chain, members = self._chain(node, known - inner - ends.keys())
                ends[members[-1]] = chain
                inner.update(members[:-1], [chain.pad] if chain.pad is not None else [])
        return ends, inner

    def _chain(self, node: fx.Node, free: set[fx.Node]) -> tuple[Chain, list[fx.Node]]:
        chain, members = Chain(node, self._pad(node, free)), [node]
        after = self._only_user(node, free)
        if after is not None and isinstance(self.graph.layers.get(after), NORMS):
            chain.norm, after = after, self._take(after, members, free)
        if after is not None and self._adds_alike(after):
            chain.plus = next(n for n in after.all_input_nodes if n is not members[-1])
            after = self._take(after, members, free)
        if after is not None and (activation := self._activation(after)):
            chain.activation = activation
            members.append(after)
        return chain, members

    def _pad(self, node: fx.Node, free: set[fx.Node]) -> fx.Node | None:
        """The zeros that are put around what only this convolution sees."""
        before = node.all_input_nodes[0]
        zeros = isinstance(self.graph.layers.get(before), nn.ZeroPad3d)
        return before if zeros and before in free and self._only_user(before, free) is node else None

    def _adds_alike(self, node: fx.Node) -> bool:
        """Say whether a node adds two maps of one shape: no kernel spreads one over the other."""
        shapes = [self.graph.shapes[before] for before in node.all_input_nodes if before in self.graph.shapes]
        return node.target in ADDITIONS and not node.kwargs and len(shapes) == 2 and shapes[0] == shapes[1]

    def _take(self, node: fx.Node, members: list[fx.Node], free: set[fx.Node]) -> fx.Node | None:
        members.append(node)
        return self._only_user(node, free)

    def _only_user(self, node: fx.Node, free: set[fx.Node]) -> fx.Node | None:
        users = list(node.users)
        if len(users) != 1 or users[0] not in free or node in self.graph.features:
            return None
        return users[0]

    def _activation(self, node: fx.Node) -> Activation | None:
        layer = self.graph.layers.get(node)
        return ACTIVATIONS.get(type(layer)) if layer is not None else ACTIVATION_FUNCTIONS.get(node.target)

    def _fuse(self, chain: Chain) -> fx.Node:
        node, width = chain.convolution, self.configuration.width
        layer = self.network.get_submodule(str(node.target))
        weight, layout = used_weight(self.graph, node, layer, width), self.graph.layouts[node]
        bias = None if layer.bias is None else layout.take(layer.bias, width)
        if chain.norm is not None:
            scale, shift = self._scale_shift(chain.norm)
            weight = weight * scale.view(-1, 1, 1, 1, 1)
            bias = shift if bias is None else bias * scale + shift
        groups, before, padding = (
            len(weight) if is_depthwise(layer) else layer.groups,
            node.all_input_nodes[0],
            layer.padding,
        )
        if chain.pad is not None:
            weight, padding = with_zeros(weight, padding, self.graph.layers[chain.pad].padding)
            before = chain.pad.all_input_nodes[0]
        fused = FusedConv3d(weight, bias, layer.stride, padding, layer.dilation, groups, chain.activation, self.dtype)
        args = [self.made[before]]
        return self._call(node, fused, *args, *([self.made[chain.plus]] if chain.plus is not None else []))

    def _scale_shift(self, node: fx.Node) -> tuple[Tensor, Tensor]:
        """y = scale · x + shift is what the batch norm does with its statistics."""
        layer, layout, width = (
            self.network.get_submodule(str(node.target)),
            self.graph.layouts[node],
            self.configuration.width,
        )
        mean, variance = self.statistics[str(node.target)]
        scale = (variance + layer.eps).rsqrt()
        scale = scale if layer.weight is None else scale * layout.take(layer.weight, width)
        shift = -mean * scale
        return scale, shift if layer.bias is None else shift + layout.take(layer.bias, width)

    def _copy(self, node: fx.Node) -> fx.Node:
        args, kwargs = fx.map_arg((node.args, node.kwargs), self.made.__getitem__)
        if node.op == "placeholder":
            return self.new.placeholder("clip")
        if node.op == "call_module":
            return self._call(node, self._module(node), *args[:1])
        if node.op == "get_attr":
            self.modules[str(node.target)] = copy.deepcopy(attrgetter(str(node.target))(self.network))
        target = join if node.target in JOINING else node.target
        return self.new.create_node(node.op, target, args, kwargs)

    def _module(self, node: fx.Node) -> nn.Module:
        module = self.network.get_submodule(str(node.target))
        if isinstance(module, NORMS):
            return ScaleShift(*self._scale_shift(node))
        if not isinstance(module, nn.Linear):
            return copy.deepcopy(module)  # its mode is the sub-network's own
        width, layout = self.configuration.width, self.graph.layouts[node]
        weight = used_weight(self.graph, node, module, width)
        with torch.device("meta"):
            linear = nn.Linear(weight.shape[1], len(weight), bias=module.bias is not None)
        linear.weight = nn.Parameter(weight.clone())
        if module.bias is not None:
            linear.bias = nn.Parameter(layout.take(module.bias, width).clone())
        return linear

    def _call(self, node: fx.Node, module: nn.Module, *args: fx.Node) -> fx.Node:
        self.modules[str(node.target)] = module
        return self.new.call_module(str(node.target), args)
