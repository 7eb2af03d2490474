"""Whose weights a file holds: the one place that asks every reader."""

from __future__ import annotations

from pathlib import Path

from a3d.weights import files
from a3d.weights.assembly import ConversionError
from a3d.weights.files import WeightFile
from a3d.weights.images import KNOWN, ImageWeights, Variant, image_weights
from a3d.weights.video import Unknown, VideoWeights, video_weights


def recognise(path: str | Path) -> ImageWeights | VideoWeights | WeightFile:
    """Return what a file of weights holds; numbers alone are read.

    An image network, which can start a video network (`inflate`); a video network as its library builds it, or X3D; or
    Slow or SlowFast under the names of a `WeightFile`'s format, which `convert` makes a network of.
    Raises ConversionError for a file that is missing, unsafe or damaged, or of a network that is not known here.
    """
    tensors = files.read_tensors(path)
    try:
        if (image := image_weights(tensors)) is not None:
            return image
    except Variant as variant:
        raise ConversionError(f"{path} {variant}") from None
    try:
        return video_weights(tensors)
    except Unknown as unknown:
        if any(layout.recognises(set(tensors)) for layout in files.FORMATS):
            return files.read(path)
        raise ConversionError(f"{path} {unknown}; image networks that are read: {KNOWN}") from None
