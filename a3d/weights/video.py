"""Video networks that are read beside Slow and SlowFast: X3D for ours, torchvision's and PyTorchVideo's as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from a3d.configuration import ConfigurationError
from a3d.networks.library import library_network
from a3d.networks.x3d import x3d_l, x3d_m
from a3d.weights import x3d
from a3d.weights.assembly import ConversionError

# Those of a library that are none of ours under other names.
THEIRS = {
    "torchvision": ("r3d_18", "mc3_18", "r2plus1d_18", "s3d"),
    "pytorchvideo": ("c2d_r50", "i3d_r50", "csn_r101", "r2plus1d_r50"),
}
OURS = {"x3d_m": x3d_m, "x3d_l": x3d_l}
LAST = re.compile(r"(?:fc|classifier\.1|blocks\.\d+\.proj|classifier)\.bias")  # of the layer that gives the logits
SHOWN = 3  # names of a mismatch in its message


@dataclass(frozen=True)
class VideoWeights:
    """These are the weights of a video network.

    builder: "x3d_m" (also of XS and S, which have its shape), "x3d_l", or a library's network, "torchvision:s3d".
    tensors: by the names of that network, all of them, running moments too. options: of the builder.
    """

    builder: str
    classes: int
    tensors: dict[str, Tensor]
    options: dict = field(default_factory=dict)

    def network(self) -> nn.Module:
        """Return the network with these weights, an ordinary module in evaluation mode."""
        network = _build(self.builder, self.classes, self.options)
        network.load_state_dict(network.state_dict() | self.tensors)
        return network.eval()


class Unknown(ConversionError):
    """No network known here has such tensors; the message says how the nearest one differs."""


def video_weights(tensors: Mapping[str, Tensor]) -> VideoWeights:
    """Return the network that tensors by its own names make.

    Raises Unknown where no network has exactly these tensors.
    """
    tensors = {key: value for key, value in tensors.items() if not key.endswith(".num_batches_tracked")}
    last = [len(tensor) for key, tensor in tensors.items() if LAST.fullmatch(key)]
    if x3d.recognises(set(tensors)):
        return _x3d(tensors)
    library = "pytorchvideo" if any(key.startswith("blocks.") for key in tensors) else "torchvision"
    nearest, fewest = "", None
    for name in THEIRS[library] if last else ():
        builder = f"{library}:{name}"
        wrong = _differences(builder, last[0], {}, tensors)
        if not wrong:
            return VideoWeights(builder, last[0], tensors)
        if fewest is None or len(wrong) < len(fewest):
            nearest, fewest = builder, wrong
    raise Unknown(f"is no video network known here{_described(nearest, fewest or [])}")


def _x3d(tensors: Mapping[str, Tensor]) -> VideoWeights:
    unknown = [key for key in tensors if x3d.rename(key) is None]
    if unknown:
        raise Unknown(f"is an X3D with layers that ours has not: {', '.join(unknown[:SHOWN])}")
    ours = {x3d.rename(key): tensor for key, tensor in tensors.items()}
    ours = {name: x3d.reshaped(name, tensor) for name, tensor in ours.items()}
    if (found := x3d.builder(ours)) is None or "classifier.bias" not in ours:
        raise Unknown("is an X3D of another depth than XS, S, M or L, or not whole")
    builder, options = found
    classes = len(ours["classifier.bias"])
    if wrong := _differences(builder, classes, options, ours):
        raise Unknown(f"is an X3D of another width than the published ones{_described(builder, wrong)}")
    return VideoWeights(builder, classes, ours, options)


def _build(builder: str, classes: int, options: dict) -> nn.Module:
    return OURS[builder](classes, **options) if builder in OURS else library_network(builder, classes)


def _differences(builder: str, classes: int, options: dict, tensors: Mapping[str, Tensor]) -> list[str]:
    """What the tensors lack, have too much, or have in another shape than the network, each in a few words."""
    try:
        with torch.device("meta"):
            state = _build(builder, classes, options).state_dict()
    except ConfigurationError as error:
        raise Unknown(f"is perhaps of PyTorchVideo: {error}") from None
    expected = {key: value.shape for key, value in state.items() if not key.endswith(".num_batches_tracked")}
    missing = [f"{key} is missing" for key in expected if key not in tensors]
    more = [f"{key} has no place" for key in tensors if key not in expected]
    wrong = [
        f"{key} is {tuple(tensors[key].shape)} in place of {tuple(shape)}"
        for key, shape in expected.items()
        if key in tensors and tensors[key].shape != shape
    ]
    return missing + more + wrong


def _described(nearest: str, wrong: list[str]) -> str:
    if not wrong:
        return ""
    more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    return f"; against {nearest}, {', '.join(wrong[:SHOWN])}{more}"
