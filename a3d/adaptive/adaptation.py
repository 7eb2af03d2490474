"""Any 3D network becomes adaptive in one call."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from a3d.adaptive.architecture import Architecture
from a3d.adaptive.errors import NotAdaptable
from a3d.adaptive.graph import Graph
from a3d.adaptive.moments import Statistics
from a3d.adaptive.network import AdaptiveNetwork
from a3d.adaptive.ordering import order_channels
from a3d.adaptive.pathways import Pathways
from a3d.adaptive.tracing import NORMS
from a3d.adaptive.uses import check_widths

CLIPS = ((8, 224), (16, 224), (32, 224))  # frames and side tried where no clip is given


def adapt(
    network: nn.Module,
    *,
    clip: Tensor | Sequence[Tensor] | None = None,
    fixed: Sequence[str] = (),
    order: bool = True,
    task: str = "classification",
) -> AdaptiveNetwork:
    """Return the network as one that runs at any configuration: `adapted(clip, Configuration(112, 4, 0.5))`.

    network: an ordinary module, from a clip (B, 3, T, S, S) to logits (B, classes); used, not copied. A softmax or
    sigmoid at its end is left out, and an average with a kernel of fixed size before its classifier becomes a mean over
    all of time and space, so that other sizes run.
    clip: of the full size, its values do not matter; 8 frames of 224² (or 16, or 32, where 8 are too few) if left out.
    Two clips [slow, fast] for a network that takes a list, as PyTorchVideo's SlowFast: it then takes the fast one.
    fixed: names of parts that keep all channels at every width. Beside parts that adapt, as a Fast pathway beside Slow,
    they see the clip as it is.
    order: sort channels by importance first, in place; logits at width 1 stay the same.
    Where it has running statistics, they become those of its full configuration; others are calibrated as usual.
    Raises NotAdaptable, naming the layer and the reason, for what cannot be sliced.
    """
    network, fixed = _with_one_clip(network, clip, tuple(fixed))
    graph = _graph(network, clip, fixed)
    check_widths(graph)
    if order:
        order_channels(network, graph)
    classes = graph.layouts[graph.classifier].size
    architecture = Architecture("", classes, graph.full.spatial, graph.full.frames, task)
    adapted = AdaptiveNetwork(network, graph, architecture)
    if measured(statistics := running_statistics(network, graph)):
        adapted.statistics[adapted.full] = statistics
    return adapted


def running_statistics(network: nn.Module, graph: Graph) -> Statistics:
    """Return the running mean and variance of every batch norm by layer; nothing if one of them keeps none."""
    norms = {
        path: network.get_submodule(path) for path, n in graph.layer_nodes.items() if isinstance(graph.layers[n], NORMS)
    }
    found = {path: (n.running_mean, n.running_var) for path, n in norms.items() if n.running_mean is not None}
    if len(found) < len(norms):
        return {}
    return {path: (mean.detach().clone(), var.detach().clone()) for path, (mean, var) in found.items()}


def measured(statistics: Statistics) -> bool:
    """Say whether statistics are of clips, not those that a fresh network starts with."""
    return any(
        bool(mean.any()) or bool((variance != 1).any()) for mean, variance in statistics.values() if not mean.is_meta
    )


def _with_one_clip(
    network: nn.Module, clip: Tensor | Sequence[Tensor] | None, fixed: tuple[str, ...]
) -> tuple[nn.Module, tuple[str, ...]]:
    if clip is None or isinstance(clip, Tensor):
        return network, fixed
    slow, fast = clip
    return Pathways(network, fast.shape[2] // slow.shape[2]), tuple(f"network.{part}" for part in fixed)


def _graph(network: nn.Module, clip: Tensor | Sequence[Tensor] | None, fixed: tuple[str, ...]) -> Graph:
    if clip is not None:
        whole = clip if isinstance(clip, Tensor) else clip[-1]
        if whole.ndim != 5 or whole.shape[1] != 3 or whole.shape[3] != whole.shape[4]:
            raise NotAdaptable(f"a clip of shape {tuple(whole.shape)}: give (B, 3, T, S, S)")
        return Graph(network, whole.shape[2], whole.shape[3], fixed)
    for frames, side in CLIPS[:-1]:
        try:
            return Graph(network, frames, side, fixed)
        except NotAdaptable as error:
            if "give one that it does run on" not in str(error):
                raise
    return Graph(network, *CLIPS[-1], fixed)
