"""What a training run starts from: random weights, a checkpoint, or a file of weights."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from statistics import median

import torch

from a3d.adaptive.network import AdaptiveNetwork
from a3d.adaptive.ordering import order_channels
from a3d.datasets import ClipSet
from a3d.networks.builders import by_name
from a3d.testing.evaluation import spread
from a3d.video import VideoError
from a3d.weights.assembly import ConversionError
from a3d.weights.images import ImageWeights
from a3d.weights.inflation import inflate
from a3d.weights.recognition import recognise
from a3d.weights.video import VideoWeights

ASKED = 64  # clips of a data set whose frame rates are looked at
FAMILIES = {"resnet18": "r18", "resnet50": "r50", "resnet101": "r101"}


def from_file(path: str | Path, network: str | None, classes: int, **options) -> AdaptiveNetwork:
    """Return a network that starts from a file of weights, its channels ordered by importance, a fresh classifier.

    network: a builder's name; that of the file's network, or Slow for a ResNet, if left out. An image network is
    inflated. Raises ConversionError for a file of another network.
    """
    found = recognise(path)
    if isinstance(found, ImageWeights):
        name = network or (f"slow_{FAMILIES[found.family]}" if found.family in FAMILIES else found.family)
        if name.rpartition("_")[2] != FAMILIES.get(found.family, found.family):
            raise ConversionError(
                f"{path} holds {found.family}, which does not start {name}: name a network of its kind"
            )
        adaptive = by_name(name, classes, **options)
        state = inflate(found.tensors, adaptive.network)
    elif isinstance(found, VideoWeights):
        adaptive = by_name(network or found.builder, classes, **options, **found.options)
        state = _without_classifier(found.tensors, adaptive)
    else:
        raise ConversionError(
            f"{path} holds Slow or SlowFast: make a checkpoint of it first (a3d convert), then --init"
        )
    try:
        adaptive.load_state_dict(adaptive.state_dict() | state)
    except RuntimeError as error:
        raise ConversionError(
            f"{path} does not fit {adaptive.architecture.name}: {str(error).splitlines()[1]}"
        ) from None
    order_channels(adaptive.network, adaptive.graph)
    return adaptive


def median_rate(data: ClipSet) -> float | None:
    """Return the frame rate of the middle one of some clips spread over a data set, in frames a second.

    τ counts frames at this rate, so that a network sees as many seconds of any video. None if no clip can be read.
    """
    rates = []
    for item in spread(data.items, ASKED):
        with suppress(VideoError):
            rates.append(data.open(item.path).frame_rate)
    return float(median(rates)) if rates else None


def _without_classifier(tensors: dict[str, torch.Tensor], network: AdaptiveNetwork) -> dict[str, torch.Tensor]:
    return {name: t for name, t in tensors.items() if not name.startswith(network.classifier_path + ".")}
