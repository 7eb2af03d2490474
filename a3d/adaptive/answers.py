"""From maps to answers: averaged over the clip or taken by box, and what logits mean for a task."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from a3d.adaptive import boxes as regions
from a3d.adaptive.architecture import Architecture
from a3d.adaptive.execution import as_rank, pool
from a3d.adaptive.graph import Graph
from a3d.adaptive.resampling import short_sides
from a3d.configuration import Configuration


def pool_maps(
    graph: Graph, architecture: Architecture, maps: Sequence[Tensor], places: Sequence[Tensor] | None
) -> list[Tensor]:
    """Average maps (B, C, t, h, w) over time and space or, for a network that detects, take them by box."""
    if architecture.task != "detection":
        return pool(graph, maps)
    places, aligned = places or tuple(map(regions.whole, maps)), architecture.options.get("aligned", True)
    pooled = [regions.pool(x, place, aligned) for x, place in zip(maps, places, strict=True)]
    return [as_rank(x, rank) for x, rank in zip(pooled, graph.pool_ranks, strict=True)]


def places_of(graph: Graph, boxes: Tensor, shape: Sequence[int], configuration: Configuration) -> tuple[Tensor, ...]:
    """Return boxes (K, 5), number of the clip and corners as shares of its picture, in cells of each pathway's maps.

    shape: of the clip (B, 3, T, H, W).
    """
    height, width = shape[3:]
    small = short_sides(height, width, configuration.spatial)
    sides = (small if graph.adapts(feature) else (height, width) for feature in graph.features)
    return tuple(regions.places(boxes, *side) for side in sides)


def probabilities_of(task: str, logits: Tensor) -> Tensor:
    """Return those of logits (B, classes): a softmax if one class is right, else a sigmoid for each."""
    return logits.float().softmax(1) if task == "classification" else logits.float().sigmoid()
