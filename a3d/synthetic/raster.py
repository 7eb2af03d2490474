"""Draws bodies made of tapered capsules: depth, normals and part numbers per pixel, then light on top.

Every limb, piece of cloth and prop is a ball swept along a segment with a radius that changes from end to end. Its
outline and its front surface have closed forms, so a figure needs no mesh, and a depth buffer settles what hides what.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

FAR = np.float32(1e9)


@dataclass(frozen=True)
class Part:
    """A capsule over time: ends start and end (N, 3) in metres, radii in metres, colour RGB 0..1."""

    start: np.ndarray
    end: np.ndarray
    radius: float
    end_radius: float
    colour: tuple[float, float, float]
    actor: bool = False

    @property
    def travel(self) -> float:
        """The longest way any end is moved within the clip, metres along one axis."""
        return float(max(np.ptp(self.start, axis=0).max(), np.ptp(self.end, axis=0).max()))


@dataclass(frozen=True)
class Light:
    """direction: unit vector to the light in camera axes (right, down, away); colours RGB, 1 is neutral."""

    direction: np.ndarray
    colour: np.ndarray
    ambient: np.ndarray


@dataclass
class Layer:
    """What the capsules of one frame look like at (h, w) pixels whose top left corner is at (left, top)."""

    left: int
    top: int
    depth: np.ndarray  # (h, w) float32, pixels, FAR where nothing is
    normal: np.ndarray  # (2, h, w) float32, right and down
    part: np.ndarray  # (h, w) int16, -1 where nothing is

    @property
    def covered(self) -> np.ndarray:
        return self.part >= 0


def draw(ends: np.ndarray, size: tuple[int, int]) -> Layer | None:
    """Rasterises capsules ends (P, 2, 4): x, y, depth and radius in pixels, for start and end; size is (w, h).

    Returns None if nothing is in view. Parts whose depth is not positive (behind the camera) are left out.
    """
    low = (ends[..., :2] - ends[..., 3:]).min(axis=1)
    high = (ends[..., :2] + ends[..., 3:]).max(axis=1)
    low = np.maximum(np.floor(low), 0).astype(int)
    high = np.minimum(np.ceil(high) + 1, size).astype(int)
    seen = np.flatnonzero((low < high).all(axis=1) & (ends[..., 2] > 0).all(axis=1))
    if not len(seen):
        return None
    (left, top), (right, bottom) = low[seen].min(axis=0), high[seen].max(axis=0)
    shape = (bottom - top, right - left)
    layer = Layer(left, top, np.full(shape, FAR), np.zeros((2, *shape), np.float32), np.full(shape, -1, np.int16))
    for index in seen:
        _draw_capsule(layer, index, ends[index].astype(np.float32), low[index], high[index])
    return layer


def _draw_capsule(layer: Layer, index: int, ends: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """The nearest point, along each pixel's ray, of all balls on the segment."""
    (x, y, z, r), (dx, dy, dz, dr) = ends[0], ends[1] - ends[0]
    length = float(np.hypot(dx, dy))
    ux, uy = (dx / length, dy / length) if length > 1e-3 else (np.float32(1), np.float32(0))  # a ball, or end on
    length = max(length, 1e-3)
    across = np.arange(low[0], high[0], dtype=np.float32) + np.float32(0.5) - x
    down = (np.arange(low[1], high[1], dtype=np.float32) + np.float32(0.5) - y)[:, None]
    along = across * ux + down * uy
    aside = down * ux - across * uy
    square = aside * aside
    share = np.clip(along / length, 0, 1)  # the ball whose centre is nearest on screen
    height = np.sqrt(np.maximum((r + dr * share) ** 2 - square, 0))
    # A segment that points away shows its near end: the touching ball is not the nearest one on screen.
    share = np.clip((along - height * np.float32(dz / np.hypot(length, dz))) / length, 0, 1)
    offset = along - share * length
    radius = r + dr * share
    height = radius * radius - offset * offset - square
    depth = z + dz * share - np.sqrt(np.maximum(height, 0))
    rows, columns = slice(low[1] - layer.top, high[1] - layer.top), slice(low[0] - layer.left, high[0] - layer.left)
    front = (height > 0) & (depth < layer.depth[rows, columns])
    np.copyto(layer.depth[rows, columns], depth, where=front)
    np.copyto(layer.part[rows, columns], np.int16(index), where=front)
    np.copyto(layer.normal[0, rows, columns], (offset * ux - aside * uy) / radius, where=front)
    np.copyto(layer.normal[1, rows, columns], (offset * uy + aside * ux) / radius, where=front)


def shade(layer: Layer, colours: np.ndarray, light: Light, pixels_per_metre: float) -> np.ndarray:
    """Colours (h, w, 3) float32 0..1 of a layer under a light; colours (P, 3) are those of the parts.

    Lambert's law wrapped a little around the edge, a soft sky above, dark creases where a nearer part is close.
    """
    covered = layer.covered
    nx, ny = _smooth(layer.normal, covered, max(1, round(0.013 * pixels_per_metre)))
    nz = -np.sqrt(np.maximum(1 - nx * nx - ny * ny, 0))
    lx, ly, lz = (np.float32(v) for v in light.direction)
    facing = np.maximum((nx * lx + ny * ly + nz * lz + np.float32(0.25)) / np.float32(1.25), 0)
    sky = np.float32(0.72) - np.float32(0.28) * ny
    crease = _creases(layer.depth, covered, pixels_per_metre)
    bright = facing[..., None] * light.colour.astype(np.float32) + sky[..., None] * light.ambient.astype(np.float32)
    bright *= crease[..., None]
    return colours.astype(np.float32)[layer.part] * bright


def _smooth(normal: np.ndarray, covered: np.ndarray, radius: int) -> np.ndarray:
    size = (2 * radius + 1, 2 * radius + 1)
    weight = cv2.blur(covered.astype(np.float32), size)
    return np.stack([cv2.blur(axis, size) for axis in normal]) / np.maximum(weight, 1e-3)


def _creases(depth: np.ndarray, covered: np.ndarray, pixels_per_metre: float) -> np.ndarray:
    """1 in the open, down to 0.5 beside something nearer: the shadow that tells an arm from the chest behind it."""
    size = (2 * max(1, round(0.04 * pixels_per_metre)) + 1,) * 2
    weight = covered.astype(np.float32)
    flat = np.where(covered, depth, 0)
    around = cv2.blur(flat, size) / np.maximum(cv2.blur(weight, size), 1e-3)
    sunk = np.clip((depth - around) / np.float32(0.12 * pixels_per_metre), 0, 1)
    return 1 - np.float32(0.5) * sunk
