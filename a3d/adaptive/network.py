"""A network that runs at any width: one set of weights, statistics by configuration, one line to run at any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from a3d.adaptive.answers import places_of, pool_maps, probabilities_of
from a3d.adaptive.architecture import Architecture
from a3d.adaptive.errors import MissingStatistics
from a3d.adaptive.execution import Execution, Observer, Pass, pool
from a3d.adaptive.extraction import SubNetwork, extract
from a3d.adaptive.graph import Graph
from a3d.adaptive.moments import Moments, Statistics
from a3d.adaptive.pathways import Pathways
from a3d.adaptive.resampling import temporal_indices
from a3d.adaptive.residents import Residents
from a3d.adaptive.uses import Uses
from a3d.configuration import Configuration


class AdaptiveNetwork(nn.Module):
    """Any 3D network at any configuration: `logits = network(clip, configuration)` is all of it.

    network: an ordinary module, whose state-dict names are also those of this one. In training mode batch norm uses
    the batch's moments; in evaluation mode it uses `statistics[configuration]`.
    """

    def __init__(self, network: nn.Module, graph: Graph, architecture: Architecture) -> None:
        super().__init__()
        self.network, self.graph, self.architecture = network, graph, architecture
        self.uses, self.training = Uses(graph), network.training
        self.statistics: dict[Configuration, Statistics] = {}
        self.residents = Residents()

    def forward(self, clip: Tensor, configuration: Configuration, boxes: Tensor | None = None) -> Tensor:
        """Return logits (B, classes) of a clip (B, 3, T, S, S), normalised, full or at the configuration's shape.

        A clip that is not square is brought to S on its shorter side.
        boxes: for a network that detects, (K, 5): number of the clip in the batch, then x1, y1, x2, y2 as shares 0..1
        of its picture; logits are (K, classes). Left out, the whole picture of every clip is a box.
        """
        maps = self.features(clip, configuration)
        return self.classify(
            maps, configuration, None if boxes is None else self.places(boxes, clip.shape, configuration)
        )

    def features(
        self, clip: Tensor, configuration: Configuration, observe: Observer | None = None
    ) -> tuple[Tensor, ...]:
        """Return the maps before pooling, (B, C, t, h, w), one a pathway: (slow,) or (slow, fast).

        observe: is told every node of the graph and its value.
        """
        return self._execution(replace(self._pass(configuration), observe=observe)).body(clip)

    def classify(
        self, maps: Sequence[Tensor], configuration: Configuration, places: Sequence[Tensor] | None = None
    ) -> Tensor:
        """Return logits (B, classes) of maps: averaged over time and space, then the network's head.

        places: boxes on the map of each pathway, as `places` gives them, for a network that detects: (K, classes).
        """
        pooled = pool_maps(self.graph, self.architecture, maps, places)
        return self._execution(self._pass(configuration)).head(pooled)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return those of logits (B, classes): a softmax if one class is right, else a sigmoid for each."""
        return probabilities_of(self.task, logits)

    def measure(self, clip: Tensor, configuration: Configuration, moments: Moments) -> None:
        """Add the batch-norm moments of a batch at a configuration: one step of calibration (no dropout, no loss)."""
        training = self.training
        self.eval()
        try:
            run = self._execution(Pass(configuration, moments=moments))
            run.head(pool(self.graph, run.body(clip)))
        finally:
            self.train(training)

    def extract(self, configuration: Configuration, dtype: torch.dtype = torch.float32) -> SubNetwork:
        """Return an ordinary module with only the parameters of a configuration; see `a3d.adaptive.extraction`."""
        return extract(self, configuration, dtype)

    def resident(self, configuration: Configuration, dtype: torch.dtype = torch.float32) -> SubNetwork:
        """Return what `extract` does, kept in `residents` for whoever asks next, and shared with them."""
        return self.residents.get(self, configuration, dtype, lambda: extract(self, configuration, dtype))

    # What it is

    @property
    def task(self) -> str:
        return self.architecture.task

    @property
    def classes(self) -> int:
        return self.architecture.classes

    @property
    def full(self) -> Configuration:
        """Return all channels at the reference size and frames."""
        return Configuration(self.architecture.spatial, self.architecture.frames, 1.0)

    @property
    def classifier_path(self) -> str:
        """The last layer's name in the state dict."""
        return str(self.graph.classifier.target).removeprefix("network." if isinstance(self.network, Pathways) else "")

    @property
    def classifier(self) -> nn.Module:
        """The last layer, a linear one or a convolution."""
        return self.network.get_submodule(str(self.graph.classifier.target))

    @property
    def middle(self) -> fx.Node:
        """The last node whose maps have twice the resolution of the first of the features."""
        shapes, last = self.uses.shapes(self.full), self.graph.features[0]
        side = shapes[last][3]
        of_twice = [
            n
            for n in self.graph.body
            if n in shapes and len(shapes[n]) == 5 and 2 * side - 1 <= shapes[n][3] <= 2 * side
        ]
        return [n for n in of_twice if not self.graph.layouts[n].fixed][-1]

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    def clip_shape(self, configuration: Configuration) -> tuple[int, int]:
        """Return frames and side of the full clip that this configuration is resampled from, when testing."""
        return self.uses.clip_shape(configuration)

    def entry_frames(self, frames: int) -> list[int]:
        """Return the numbers of the frames of a full clip that the part that adapts picks its own from."""
        numbers = torch.arange(frames, dtype=torch.float32).view(1, 1, frames, 1, 1).expand(1, 3, frames, 4, 4)
        return self._execution(Pass(self.full)).entry(numbers)[0, 0, :, 0, 0].round().int().tolist()

    def seen_frames(self, configuration: Configuration, frames: int) -> list[int]:
        """Return the numbers of the frames of a clip that a configuration looks at: all, where a part is fixed."""
        if self.graph.sees_whole_clip:
            return list(range(frames))
        entry = self.entry_frames(frames)
        return [entry[i] for i in temporal_indices(len(entry), configuration.frames)]

    def places(self, boxes: Tensor, shape: Sequence[int], configuration: Configuration) -> tuple[Tensor, ...]:
        """Return boxes (K, 5) as `forward` takes them in cells of each pathway's maps; shape: of their clip."""
        return places_of(self.graph, boxes, shape, configuration)

    # State

    def state_dict(self, *args, **kwargs) -> dict[str, Any]:
        """Return the state of the network inside, by its own names."""
        return self.network.state_dict(*args, **kwargs)

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        return self.network.load_state_dict(state, strict, assign)

    def _execution(self, how: Pass) -> Execution:
        return Execution(self.graph, self.network, how)

    def _pass(self, configuration: Configuration) -> Pass:
        if self.training:
            return Pass(configuration)
        if configuration not in self.statistics:
            raise MissingStatistics(
                f"no batch-norm statistics for {configuration}: calibrate it (a3d table), "
                f"or choose one of the {len(self.statistics)} calibrated configurations"
            )
        return Pass(configuration, self.statistics[configuration])

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> AdaptiveNetwork:
        """Statistics move between devices with the parameters."""
        super()._apply(fn, recurse)
        self.statistics = {
            configuration: {name: (fn(mean), fn(variance)) for name, (mean, variance) in layers.items()}
            for configuration, layers in self.statistics.items()
        }
        return self
