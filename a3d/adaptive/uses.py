"""What each layer does at a configuration: the one source of costs, of channels and of the order of statistics."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, fx

from a3d.adaptive.errors import NotAdaptable
from a3d.adaptive.execution import Execution, Pass, is_depthwise, pool
from a3d.adaptive.graph import Graph
from a3d.adaptive.shape_rules import ShapeRules
from a3d.adaptive.shapes import Shapes, positions
from a3d.adaptive.tracing import NORMS, name_of
from a3d.configuration import Configuration, ConfigurationError

FAILURES = (RuntimeError, ValueError, TypeError, IndexError)  # of an operation that does not suit its input


@dataclass(frozen=True)
class Use:
    """What one layer does at a configuration: channels in and out, positions of its output (T·H·W).

    kernel: weights for each pair of channels, 0 for batch norm. biases: additive parameters. A depthwise convolution
    has one channel in.
    """

    layer: str
    inputs: int
    outputs: int
    positions: int
    kernel: int
    biases: int


class Uses:
    """The uses of a graph's layers; shapes are worked out once for each spatial size and number of frames."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._shapes: dict[tuple[int, int], Shapes] = {}

    def __deepcopy__(self, memo: dict) -> Uses:
        return self  # of a graph that never changes

    def at(self, configuration: Configuration) -> tuple[Use, ...]:
        """Return what every layer does for one clip, in the order of a pass.

        Raises ConfigurationError if the network cannot run at that size.
        """
        shapes = self.shapes(configuration)
        return tuple(
            self._use(path, node, shapes[node], configuration.width) for path, node in self.graph.layer_nodes.items()
        )

    def channels(self, width: float) -> dict[str, int]:
        """Return the channels of every batch norm at a width, in the order of a pass."""
        nodes = self.graph.layer_nodes.items()
        return {path: self.graph.layouts[n].at(width) for path, n in nodes if isinstance(self.graph.layers[n], NORMS)}

    def features(self, width: float) -> int:
        """Return the channels before pooling at a width, of all pathways together."""
        return sum(self.graph.layouts[node].at(width) for node in self.graph.features)

    def clip_shape(self, configuration: Configuration) -> tuple[int, int]:
        """Return frames and side of the full clip that a configuration is resampled from, when testing."""
        full = self.graph.full
        side = max(full.spatial, configuration.spatial) if self.graph.sees_whole_clip else configuration.spatial
        return self.graph.alpha * max(full.frames, configuration.frames), side

    def shapes(self, configuration: Configuration) -> Shapes:
        """Return the shape of every tensor at full width."""
        key = configuration.spatial, configuration.frames
        if key not in self._shapes:
            self._shapes[key] = self._run(replace(configuration, width=1.0))
        return self._shapes[key]

    def _run(self, configuration: Configuration) -> Shapes:
        shapes: Shapes = {}
        try:
            _follow(self.graph, configuration, self.clip_shape(configuration), shapes)
        except ConfigurationError:
            raise
        except FAILURES as error:
            raise ConfigurationError(
                f"{configuration} does not suit the network: behind {_last(shapes)}, {str(error).splitlines()[0]}; "
                "give a larger size or more frames"
            ) from None
        return shapes

    def _use(self, path: str, node: fx.Node, shape: torch.Size, width: float) -> Use:
        layer, layout = self.graph.layers[node], self.graph.layouts[node]
        outputs, places = layout.at(width), positions(shape, layout.dimension)
        inputs = self.graph.layouts[node.all_input_nodes[0]].at(width)
        if isinstance(layer, NORMS):
            return Use(path, inputs, outputs, places, 0, 0)
        groups = inputs if is_depthwise(layer) else getattr(layer, "groups", 1)
        kernel = torch.Size(getattr(layer, "kernel_size", ())).numel()
        return Use(path, inputs // groups, outputs, places, kernel, 0 if layer.bias is None else outputs)


def check_widths(graph: Graph) -> None:
    """Run a graph at half its channels, size and frames, without data; raises NotAdaptable where that fails."""
    full = graph.full
    small = Configuration(max(1, full.spatial // 2), max(1, full.frames // 2), 0.5)
    for configuration in (replace(full, width=0.5), small):
        shapes: Shapes = {}
        try:
            _follow(graph, configuration, (graph.clip_frames, graph.clip_side), shapes)
        except FAILURES as error:
            if configuration is not small or not isinstance(error, RuntimeError):
                raise NotAdaptable(
                    f"behind {_last(shapes)}, it does not run at {configuration} ({str(error).splitlines()[0]}): leave "
                    "sizes and channels to be read off the tensors"
                ) from error


def _follow(graph: Graph, configuration: Configuration, clip: tuple[int, int], shapes: Shapes) -> None:
    """Run a graph without data at a configuration, and note the shape of every tensor; clip: its frames and side."""

    def observe(node: fx.Node, value: object) -> None:
        if isinstance(value, Tensor):
            shapes[node] = value.shape

    frames, side = clip
    run = Execution(graph, graph.skeleton, Pass(configuration, observe=observe))
    with ShapeRules():
        maps = run.body(torch.empty(2, 3, frames, side, side, device="meta"))
        run.head(pool(graph, maps))


def _last(shapes: Shapes) -> str:
    return name_of(next(reversed(shapes)))
