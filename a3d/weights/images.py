"""Whose image networks can start a video network, and what their tensors are called in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from a3d.weights import efficientnet_lite, resnet
from a3d.weights.assembly import ConversionError

FORMATS = (resnet, efficientnet_lite)
KNOWN = "ResNet-18, 50 or 101 of torchvision or timm, or EfficientNet-Lite0, 1 or 2"


@dataclass(frozen=True)
class ImageWeights:
    """These are the weights of an image network.

    family: "resnet18", "resnet50" or "resnet101", which start Slow and SlowFast of that depth; "lite0", "lite1" or
    "lite2", which start ours of that name. tensors: by our names, of Slow for a ResNet; convolutions are still
    (outputs, inputs, height, width). classes: of its classifier.
    """

    family: str
    tensors: dict[str, Tensor]

    @property
    def classes(self) -> int:
        return len(self.tensors["classifier.weight"])


class Variant(ConversionError):
    """An image network of a known kind that is built otherwise."""


def image_weights(tensors: Mapping[str, Tensor]) -> ImageWeights | None:
    """Return the image network that tensors by its own names make, None where they are of no known kind.

    Raises Variant, naming a tensor, where the kind is known but this network is built otherwise.
    """
    layout = next((layout for layout in FORMATS if layout.recognises(set(tensors))), None)
    if layout is None:
        return None
    if (family := layout.family(tensors)) is None:
        raise Variant(f"is an image network of another depth or width than those known here: give {KNOWN}")
    used = {key: value for key, value in tensors.items() if not key.endswith(".num_batches_tracked")}
    renamed = {key: layout.rename(key, family) for key in used}
    if unknown := [key for key, name in renamed.items() if name is None]:
        raise Variant(f"has {unknown[0]}, which belongs to no plain {family}: give {KNOWN}")
    return ImageWeights(family, {renamed[key]: value for key, value in used.items()})
