"""Resizing, crops, flips and normalisation of frames; everything is resized bilinearly with antialias."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from a3d.errors import InputError
from a3d.video.sampling import Sampling


class Box(NamedTuple):
    """A box is a rectangle in a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int


def resize(frames: Tensor, height: int, width: int) -> Tensor:
    """Resize uint8 (n, H, W, 3) to (n, height, width, 3)."""
    if frames.shape[1:3] == (height, width):
        return frames
    images = frames.permute(0, 3, 1, 2)  # channels last already, the layout that the kernel is fast in
    images = F.interpolate(images, (height, width), mode="bilinear", antialias=True)
    return images.permute(0, 2, 3, 1).contiguous()


def short_side(frames: Tensor, size: int) -> Tensor:
    """Bring the shorter side of uint8 (n, H, W, 3) to `size`, the aspect ratio kept."""
    height, width = frames.shape[1:3]
    scale = size / min(height, width)
    return resize(frames, max(size, round(height * scale)), max(size, round(width * scale)))


def crops(frames: Tensor, size: int, count: int = 1) -> Tensor:
    """`count` squares of uint8 (n, H, W, 3) as (count, n, size, size, 3): the centre, or 3 along the longer side.

    Three are left, centre, right of a wide picture and top, centre, bottom of a tall one (Sec. 4: 3 crops a clip).
    """
    height, width = frames.shape[1:3]
    if count not in (1, 3):
        raise InputError(f"{count} crops asked for: give 1 (the centre) or 3 (along the longer side)")
    if min(height, width) < size:
        raise InputError(f"a crop of {size}² does not fit in {height}×{width}: resize the short side to {size} first")
    shares = (0.5,) if count == 1 else (0.0, 0.5, 1.0)
    wide = width >= height
    return torch.stack([_square(frames, size, *((0.5, x) if wide else (x, 0.5))) for x in shares])


def _square(frames: Tensor, size: int, down: float, across: float) -> Tensor:
    """A square at a share of the free way, 0 at the top and the left, 1 at the bottom and the right."""
    top = int((frames.shape[1] - size) * down)
    left = int((frames.shape[2] - size) * across)
    return frames[:, top : top + size, left : left + size]


def jittered_box(height: int, width: int, size: int, short_sides: tuple[int, int], generator: Generator) -> Box:
    """Scale jitter: where a random `size`² crop lies once the short side is a random one of `short_sides`.

    The box is in pixels of the picture of `height` × `width`, so that one resize does both.
    """
    short = torch.randint(short_sides[0], short_sides[1] + 1, (), generator=generator).item()
    side = min(height, width, round(min(height, width) * size / short))
    return _placed(height, width, side, side, generator)


def area_box(
    height: int, width: int, areas: tuple[float, float], aspects: tuple[float, float], generator: Generator
) -> Box:
    """A random box of a share of the picture within `areas` and a width over height within `aspects`.

    The stronger crop, for small sets. A box that juts out is cut back to the picture.
    """
    area = height * width * _uniform(*areas, generator)
    aspect = math.exp(_uniform(math.log(aspects[0]), math.log(aspects[1]), generator))
    tall = min(height, max(1, round(math.sqrt(area / aspect))))
    wide = min(width, max(1, round(math.sqrt(area * aspect))))
    return _placed(height, width, tall, wide, generator)


def scaled_box(box: Box, down: float, across: float) -> Box:
    """Return the same box in a picture that is `down` times as high and `across` times as wide, a pixel at least."""
    top, left = math.floor(box.top * down), math.floor(box.left * across)
    bottom, right = math.ceil((box.top + box.height) * down), math.ceil((box.left + box.width) * across)
    return Box(top, left, bottom - top, right - left)


def crop_resized(frames: Tensor, box: Box, size: int) -> Tensor:
    """Resize the box of uint8 (n, H, W, 3) to (n, size, size, 3)."""
    part = frames[:, box.top : box.top + box.height, box.left : box.left + box.width]
    return resize(part, size, size)


def crop_boxes(
    boxes: Sequence[tuple[float, float, float, float]], box: Box, height: int, width: int, mirrored: bool
) -> tuple[Tensor, list[bool]]:
    """Shares of a picture of `height` × `width` to shares of its part `box`, float32 (n, 4); and which are to be seen.

    Only those are returned.
    """
    shares = torch.tensor(boxes, dtype=torch.float64).view(-1, 2, 2)  # (n, corner, x or y)
    corner, size = (torch.tensor(pair) for pair in ((box.left, box.top), (box.width, box.height)))
    inside = ((shares * torch.tensor((width, height)) - corner) / size).clamp(0, 1)
    if mirrored:
        inside[..., 0] = 1 - inside[..., 0].flip(1)
    kept = (inside[:, 1] - inside[:, 0] > 1e-6).all(1)
    return inside[kept].flatten(1).float(), kept.tolist()


def normalise(frames: Tensor, sampling: Sampling) -> Tensor:
    """Turn uint8 (..., T, S, S, 3) to float32 (..., 3, T, S, S): 0..1, minus the mean, over the standard deviation.

    In memory the channels stay last, the layout that 3D convolutions are fast in.
    """
    mean = torch.tensor(sampling.mean, device=frames.device) * 255
    std = torch.tensor(sampling.std, device=frames.device) * 255
    return ((frames - mean) / std).movedim(-1, -4)


def _placed(height: int, width: int, tall: int, wide: int, generator: Generator) -> Box:
    top = torch.randint(0, height - tall + 1, (), generator=generator).item()
    left = torch.randint(0, width - wide + 1, (), generator=generator).item()
    return Box(top, left, tall, wide)


def _uniform(low: float, high: float, generator: Generator) -> float:
    return low + (high - low) * torch.rand((), generator=generator).item()
