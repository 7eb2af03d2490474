"""Adaptive networks by name, as a user writes it and a checkpoint remembers it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from a3d.adaptive.adaptation import measured, running_statistics
from a3d.adaptive.architecture import Architecture
from a3d.adaptive.graph import Graph
from a3d.adaptive.network import AdaptiveNetwork
from a3d.adaptive.pathways import Pathways
from a3d.configuration import ConfigurationError
from a3d.networks import library, lite, x3d
from a3d.networks.blocks import DEPTHS
from a3d.networks.slow import Slow
from a3d.networks.slowfast import FIXED, SlowFast

MODULES: dict[str, Callable[..., nn.Module]] = {
    **{f"slow_r{depth}": partial(Slow, depth) for depth in DEPTHS},
    **{f"slowfast_r{depth}": partial(SlowFast, depth) for depth in DEPTHS},
    **{name: getattr(x3d, name) for name in ("x3d_xs", "x3d_s", "x3d_m", "x3d_l")},
    **{name: getattr(lite, name) for name in ("lite0", "lite1", "lite2")},
}
# Spatial size and frames of the full network as published; (224, 8) where it is not here.
SIZES = {"x3d_xs": (160, 4), "x3d_s": (160, 13), "x3d_m": (224, 16), "x3d_l": (312, 16)}
SIZES |= {name: (224, 4) for name in MODULES if name.startswith("slowfast")}
SIZES |= library.SIZES
NETWORKS = (*MODULES, *library.SIZES)
ALPHA = 4  # of PyTorchVideo's SlowFast
MOST_BLOCKS = 128  # of all stages: X3D-L has 55


def build(architecture: Architecture) -> AdaptiveNetwork:
    """Return a freshly initialised adaptive network of that architecture.

    Raises ConfigurationError for a name that is none, and for options that its builder does not take.
    """
    module, fixed, alpha = _module(architecture)
    graph = Graph(module, architecture.frames * alpha, architecture.spatial, fixed)
    network = AdaptiveNetwork(module, graph, architecture)
    if measured(statistics := running_statistics(module, graph)):
        network.statistics[network.full] = statistics
    return network


def by_name(network: str, classes: int = 400, **options) -> AdaptiveNetwork:
    """Return a freshly initialised network by its name, one of `NETWORKS`.

    options: `spatial`, `frames` and `task` of the full network, as published if left out; the others are its builder's.
    """
    spatial, frames = SIZES.get(network, (224, 8))
    shape = {"spatial": spatial, "frames": frames, "task": "classification"}
    shape |= {name: options.pop(name) for name in tuple(options) if name in shape}
    return build(Architecture(network, classes, **shape, options=options))


def shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all that a network of that architecture holds, without the memory for it."""
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in _module(architecture)[0].state_dict().items()}


def _module(architecture: Architecture) -> tuple[nn.Module, tuple[str, ...], int]:
    """The module, its fixed parts, and the frames of its clip to one that adapts."""
    if architecture.network not in NETWORKS:
        raise ConfigurationError(f"network {architecture.network!r}: choose one of {', '.join(NETWORKS)}")
    try:
        return _made(architecture)
    except TypeError as error:
        raise ConfigurationError(f"{architecture.network}: {error}") from None


def _made(architecture: Architecture) -> tuple[nn.Module, tuple[str, ...], int]:
    name, options = architecture.network, {k: v for k, v in architecture.options.items() if k != "aligned"}
    if name in library.SIZES:
        return _from_library(architecture)
    if architecture.task == "detection":
        options["detects"] = True
    if (base := options.get("base_channels", 64)) < 8 or base % 8:
        raise ConfigurationError(f"base_channels {base}: give a multiple of 8")
    if (blocks := sum(options.get("repeats", ()))) > MOST_BLOCKS:
        raise ConfigurationError(f"repeats of {blocks} blocks: give at most {MOST_BLOCKS}")
    slowfast = name.startswith("slowfast")
    return (
        MODULES[name](architecture.classes, **options),
        FIXED if slowfast else (),
        options.get("alpha", 8) if slowfast else 1,
    )


def _from_library(architecture: Architecture) -> tuple[nn.Module, tuple[str, ...], int]:
    """The same of a network that another package builds."""
    module = library.library_network(architecture.network, architecture.classes)
    if "slowfast" not in architecture.network:
        return module, (), 1
    module = Pathways(module, ALPHA)
    fast = (
        name for name, _ in module.named_modules() if name.endswith(("multipathway_blocks.1", "multipathway_fusion"))
    )
    return module, tuple(fast), ALPHA


def slow_r18(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return Slow with 18 layers.

    Options of every builder: `spatial`, `frames` and `task` of the full network; here also `base_channels`, `dropout`.
    """
    return by_name("slow_r18", classes, **options)


def slow_r26(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return Slow with bottlenecks (2, 2, 2, 2): half the cost of R-50."""
    return by_name("slow_r26", classes, **options)


def slow_r50(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return the paper's backbone: 54.5 GFLOPs at 256²×8, 32.5 M parameters."""
    return by_name("slow_r50", classes, **options)


def slow_r101(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return Slow with bottlenecks (3, 4, 23, 3)."""
    return by_name("slow_r101", classes, **options)


def slowfast_r18(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return SlowFast with 18 layers; options also `alpha` and `beta`."""
    return by_name("slowfast_r18", classes, **options)


def slowfast_r26(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return SlowFast with bottlenecks (2, 2, 2, 2): half the cost of R-50."""
    return by_name("slowfast_r26", classes, **options)


def slowfast_r50(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return the paper's SlowFast 4×16: 36.1 GFLOPs at 256²×4, 34.5 M parameters."""
    return by_name("slowfast_r50", classes, **options)


def slowfast_r101(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return SlowFast with bottlenecks (3, 4, 23, 3)."""
    return by_name("slowfast_r101", classes, **options)


def x3d_xs(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return X3D-XS, 4 frames of 160²: 0.6 GFLOPs, 3.8 M parameters."""
    return by_name("x3d_xs", classes, **options)


def x3d_s(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return X3D-S, 13 frames of 160²: 2.0 GFLOPs."""
    return by_name("x3d_s", classes, **options)


def x3d_m(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return X3D-M, 16 frames of 224²: 4.7 GFLOPs."""
    return by_name("x3d_m", classes, **options)


def x3d_l(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return X3D-L, 16 frames of 312²: 18.4 GFLOPs, 6.2 M parameters."""
    return by_name("x3d_l", classes, **options)


def lite0(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return EfficientNet-Lite0 along time: 3.6 GFLOPs at 224²×8."""
    return by_name("lite0", classes, **options)


def lite1(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return EfficientNet-Lite1 along time: 4.8 GFLOPs at 224²×8."""
    return by_name("lite1", classes, **options)


def lite2(classes: int = 400, **options) -> AdaptiveNetwork:
    """Return EfficientNet-Lite2 along time: 5.4 GFLOPs at 224²×8."""
    return by_name("lite2", classes, **options)
