"""From tensors by our names to a network: what they say of the architecture, and whether all of them fit it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from a3d.adaptive.adaptation import running_statistics
from a3d.adaptive.architecture import Architecture
from a3d.adaptive.moments import Statistics
from a3d.adaptive.network import AdaptiveNetwork
from a3d.errors import A3DError
from a3d.networks.blocks import DEPTHS, BasicBlock
from a3d.networks.builders import build


class ConversionError(A3DError, ValueError):
    """Weights that cannot be taken over; the message names the file, the tensor and the cause."""


def shape_of(tensors: Mapping[str, Tensor]) -> dict:
    """Return what weights tell of an architecture, by our names: the network, its classes, options of its builder."""
    pathways = ("slow", "fast") if "fast.stem.conv.conv.weight" in tensors else ("pathway",)
    base = len(tensors[f"{pathways[0]}.stem.conv.conv.weight"])
    found = {
        "network": f"slow_r{_depth(tensors, pathways[0])}",
        "classes": len(tensors["classifier.weight"]),
        "base_channels": base,
        "temporal_blocks": _temporal_blocks(tensors, pathways),
    }
    if pathways == ("slow", "fast"):
        beta = base // len(tensors["fast.stem.conv.conv.weight"])
        kernel = tensors["fusions.0.lateral.conv.weight"].shape[2]
        found |= {
            "network": f"slowfast_r{_depth(tensors, 'slow')}",
            "beta": beta,
            "fusion_kernel": kernel,
            "spread": True,
        }
        found |= {} if "fusions.0.lateral.norm.weight" in tensors else {"lateral_norm": False}
    return found


def assemble(architecture: Architecture, tensors: Mapping[str, Tensor]) -> tuple[AdaptiveNetwork, Statistics]:
    """Return the network with these weights, in evaluation mode, and the running statistics.

    tensors: by our names, all of which are used. Raises Misfit for any that is missing, superfluous or of another
    shape.
    """
    with torch.device("meta"):
        network = build(architecture).eval()
    state = network.state_dict()
    expected = {name: tensor.shape for name, tensor in state.items() if not name.endswith(".num_batches_tracked")}
    missing, more = sorted(expected.keys() - tensors.keys()), sorted(tensors.keys() - expected.keys())
    wrong = [n for n in sorted(expected.keys() & tensors.keys()) if tensors[n].shape != expected[n]]
    if missing or more or wrong:
        raise Misfit(missing, more, {name: (tuple(tensors[name].shape), tuple(expected[name])) for name in wrong})
    counts = {name: torch.zeros_like(t, device="cpu") for name, t in state.items() if name not in expected}
    network.load_state_dict({n: t.float().contiguous() for n, t in tensors.items()} | counts, assign=True)
    return network, running_statistics(network.network, network.graph)


class Misfit(ConversionError):
    """missing, more: our names; wrong: our name to (shape found, shape expected)."""

    def __init__(self, missing: list[str], more: list[str], wrong: dict[str, tuple[tuple, tuple]]) -> None:
        super().__init__(f"{len(missing)} missing, {len(more)} superfluous, {len(wrong)} of another shape")
        self.missing, self.more, self.wrong = missing, more, wrong


def _depth(tensors: Mapping[str, Tensor], pathway: str) -> int:
    """By the blocks of the stages and whether they are bottlenecks."""
    blocks = [
        {m[1] for name in tensors if (m := re.match(rf"{pathway}\.stages\.{stage}\.(\d+)\.", name))}
        for stage in range(4)
    ]
    counts, bottleneck = tuple(map(len, blocks)), f"{pathway}.stages.0.0.c.conv.weight" in tensors
    for depth, (block, known) in DEPTHS.items():
        if known == counts and (block is not BasicBlock) == bottleneck:
            return depth
    raise ConversionError(f"its stages have {counts} blocks: R-50 has (3, 4, 6, 3), R-101 (3, 4, 23, 3)")


def _temporal_blocks(tensors: Mapping[str, Tensor], pathways: tuple[str, ...]) -> tuple[int, ...]:
    """Blocks of the third stage whose first convolution looks along time; empty if all do."""
    found = []
    for pathway in pathways:
        pattern = re.compile(rf"{pathway}\.stages\.2\.\d+\.a\.conv\.weight")
        found.append([tensor.shape[2] > 1 for name, tensor in tensors.items() if pattern.fullmatch(name)])
    return () if all(map(all, found)) else tuple(map(sum, found))
