"""What is where in a network: what adapts, what is fixed, the maps before pooling, the head behind them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from torch import fx, nn

from a3d.adaptive.analysis import Analysis, is_pool, is_reordering
from a3d.adaptive.errors import NotAdaptable
from a3d.adaptive.shapes import Shapes, positions, shapes_of, without_memory
from a3d.adaptive.tracing import inside, name_of, trace
from a3d.configuration import Configuration


class Graph:
    """The operations of a network in order, and the channels that each of them holds.

    network: is traced once; its weights are not kept. frames, side: of the full clip. fixed: parts that keep all
    channels and see the clip as it is. Raises NotAdaptable for what cannot be sliced.

    shapes: of every tensor, for two full clips. full: the configuration of the full clip. entries: nodes whose values
    are brought to a configuration, the earliest behind which nothing is fixed, each with its frames to one of the
    configuration's. features: nodes of the maps before pooling, pools: what averages them, one each. body: nodes up to
    the features; head: nodes behind the pools.
    """

    def __init__(self, network: nn.Module, frames: int, side: int, fixed: Sequence[str] = ()) -> None:
        self.fixed, self.clip_frames, self.clip_side = tuple(fixed), frames, side
        graph = trace(network, self.fixed)
        self.skeleton = without_memory(network).eval()
        self.layers = {n: self.skeleton.get_submodule(str(n.target)) for n in graph.nodes if n.op == "call_module"}
        self.placeholder = next(iter(graph.nodes))
        self.output = _single(graph.output_node().args[0])
        self.classifier = self._find_classifier()
        self.pools = self._find_pools()
        self._count_clips_behind_pools(graph)
        self.shapes = shapes = shapes_of(self.skeleton, graph, frames, side)
        analysis = Analysis(self.layers, graph, shapes, self.classifier, self.fixed)
        self.layouts, self.raw, self.layer_nodes = analysis.layouts, analysis.raw, analysis.layer_nodes
        self.pool_ranks = tuple(len(shapes[pool]) for pool in self.pools)
        self.whole_pools = {p for p in self.pools if positions(shapes[p], self.layouts[p].dimension) == 1}
        self.features = tuple(map(self._find_maps, self.pools)) or tuple(self.classifier.all_input_nodes[:1])
        self._find_entries(shapes)
        self.body, self.head = self._split(list(graph.nodes))
        self.forget = _last_uses(self.body, set(self.features)) | _last_uses(self.head, {self.output})

    @property
    def alpha(self) -> int:
        """Frames of the clip to one of the frames that adapt: 1, or as many as a Fast pathway sees to one of Slow's."""
        return self.clip_frames // self.full.frames

    @property
    def sees_whole_clip(self) -> bool:
        """Whether a fixed part looks at the clip as it is, at every configuration."""
        return self.placeholder not in self.entries

    def adapts(self, feature: fx.Node) -> bool:
        """Say whether a map is of the part that sees the clip at the configuration's size."""
        behind, ancestors = [feature], set()
        while behind:
            node = behind.pop()
            if node not in ancestors:
                ancestors.add(node)
                behind += node.all_input_nodes
        return any(entry in ancestors for entry in self.entries)

    def __deepcopy__(self, memo: dict) -> Graph:
        return self  # it never changes

    def _find_entries(self, shapes: Shapes) -> None:
        adapting: set[fx.Node] = set()  # what is made of the clip alone, for parts that are not fixed alone
        clips = [n for n in self.raw if n.op != "get_attr" and n in self.layouts]
        for node in sorted(clips, reverse=True):
            if all(user in adapting or self._is_adaptive_layer(user) for user in node.users if user in self.layouts):
                adapting.add(node)
        first = [n for n in adapting if not any(before in adapting for before in n.all_input_nodes)]
        if not first:  # a fixed stem: all of the clip adapts
            first = [self.placeholder]
        if all(inside(path, self.fixed) for path in self.layer_nodes):
            raise NotAdaptable("every layer is fixed: nothing is left to adapt")
        frames = min(shapes[node][2] for node in first)
        self.entries = {node: shapes[node][2] // frames for node in first}
        self.full = Configuration(min(min(shapes[node][3:]) for node in first), frames, 1.0)

    def _is_adaptive_layer(self, node: fx.Node) -> bool:
        return node not in self.raw and not (node.op == "call_module" and inside(str(node.target), self.fixed))

    def _find_classifier(self) -> fx.Node:
        """The last layer before the output."""
        node = self.output
        while not isinstance(self.layers.get(node), nn.Linear | nn.Conv3d):
            if not node.all_input_nodes:
                raise NotAdaptable("its output comes from no linear layer or convolution that could be the classifier")
            node = node.all_input_nodes[0]
        return node

    def _find_pools(self) -> tuple[fx.Node, ...]:
        """The averages over time and space that the classifier works on, in the order of its features."""
        found: list[fx.Node] = []

        def back(node: fx.Node) -> None:
            layer = self.layers.get(node)
            if is_pool(node, layer):
                found.append(self._first_of_several_pools(node))
            elif not isinstance(layer, nn.Conv3d) or set(layer.kernel_size) == {1}:
                for before in node.all_input_nodes:
                    back(before)

        back(self.classifier.all_input_nodes[0])
        return tuple(dict.fromkeys(found))

    def _find_maps(self, pool: fx.Node) -> fx.Node:
        """The maps (B, C, t, h, w) that a pool averages; the mean over all places is that of any order of them."""
        maps = pool.all_input_nodes[0]
        while pool in self.whole_pools and is_reordering(maps, self.layers.get(maps)):
            maps = maps.all_input_nodes[0]
        if len(self.shapes[maps]) != 5 or any(self.layouts[node].dimension != 1 for node in (maps, pool)):
            raise NotAdaptable(f"{name_of(pool)} averages what are no maps (B, C, T, H, W): average those")
        if pool not in self.whole_pools and len(pool.all_input_nodes) > 1:
            raise NotAdaptable(f"{name_of(pool)} averages over places that are counted on the way: give their number")
        return maps

    def _count_clips_behind_pools(self, graph: fx.Graph) -> None:
        """Let the head read the number of clips off what it pools, where it was read off maps on the way."""
        if not self.pools:
            return
        order, behind = {node: number for number, node in enumerate(graph.nodes)}, set(self.pools)
        for node in order:
            if behind.intersection(node.all_input_nodes):
                behind.add(node)
        last = max(self.pools, key=order.__getitem__)
        with graph.inserting_after(last):
            count = graph.call_method("size", (last, 0))
        for node in tuple(order):
            if _is_number_of_clips(node) and node not in behind:
                for user in [user for user in node.users if user in behind and order[user] > order[last]]:
                    user.replace_input_with(node, count)
        if not count.users:
            graph.erase_node(count)

    def _first_of_several_pools(self, node: fx.Node) -> fx.Node:
        before = node.all_input_nodes[0]
        return self._first_of_several_pools(before) if is_pool(before, self.layers.get(before)) else node

    def _split(self, nodes: list[fx.Node]) -> tuple[list[fx.Node], list[fx.Node]]:
        pooled = set(self.pools or self.features)
        body, head = set(self.features), {self.output}
        for node in reversed(nodes):
            if node in body:
                body.update(node.all_input_nodes)
            if node in head and node not in pooled:
                head.update(node.all_input_nodes)
        if more := [n for n in nodes if n in (head & body) - pooled]:
            raise NotAdaptable(
                f"its classifier also works on {name_of(more[-1])}, not on averages over time and space alone"
            )
        return [n for n in nodes if n in body], [n for n in nodes if n in head and n not in pooled]


def _single(node: Any) -> fx.Node:
    if not isinstance(node, fx.Node):
        raise NotAdaptable(
            f"it answers with a {type(node).__name__}: give a network whose output is one tensor of logits"
        )
    return node


def _is_number_of_clips(node: fx.Node) -> bool:
    """Say whether a node is the first entry of a tensor's shape."""
    if node.op == "call_method":
        return node.target == "size" and node.args[1:] == (0,)
    of = node.args[0] if node.target is operator.getitem and node.args[1] == 0 else None
    whole = isinstance(of, fx.Node) and (of.target == "size" and len(of.args) == 1)
    return whole or (isinstance(of, fx.Node) and of.target is getattr and of.args[1] == "shape")


def _last_uses(nodes: Sequence[fx.Node], kept: set[fx.Node]) -> dict[fx.Node, list[fx.Node]]:
    """For each node the values that nobody needs after it."""
    last: dict[fx.Node, fx.Node] = {}
    for node in nodes:
        last |= dict.fromkeys((node, *node.all_input_nodes), node)
    forget: dict[fx.Node, list[fx.Node]] = {}
    for value, node in last.items():
        if value not in kept:
            forget.setdefault(node, []).append(value)
    return forget
