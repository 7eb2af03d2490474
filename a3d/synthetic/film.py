"""Films a performance: place, light and camera are set up once, then each frame is drawn with its masks."""

from __future__ import annotations

import cv2
import numpy as np

from a3d.synthetic import raster
from a3d.synthetic.camera import UP, Camera, CameraWork
from a3d.synthetic.lens import Lens
from a3d.synthetic.motions import Performance, passer_by
from a3d.synthetic.raster import Light, Part
from a3d.synthetic.scene import Place, build, wall_texture

OVERSAMPLING = 2  # pixels drawn along each side of a pixel of the film
AT_REST = 0.025  # metres: a part that travels less within the clip does not count as moving
MATS = ((0.15, 0.30, 0.62), (0.45, 0.20, 0.52), (0.20, 0.45, 0.35), (0.12, 0.12, 0.14), (0.70, 0.25, 0.22))


class Film:
    """Everything of one clip that is decided before the first frame.

    still: nothing changes between frames but performers and props: no shadow, noise or passer-by, a fixed camera.
    """

    def __init__(
        self, show: Performance, times: np.ndarray, size: tuple[int, int], rng: np.random.Generator, still: bool
    ) -> None:
        self.show, self.size, self.still = show, size, still
        self.large = (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING)
        name = str(show.places[rng.integers(len(show.places))])
        self.work = work = CameraWork(show, times, self.large, rng, still)
        density = 1.15 * work.focal.max() / work.distance
        near, half = max(work.distance, 1.0) * np.cos(work.elevation), 0.5 * self.large[0] / work.focal.min()
        self.place = build(name, rng, near, half, density)
        self.wall = None if show.wall is None else wall_texture(name, rng, 7.5, 4.5, density)
        if show.mat is not None:
            _lay_mat(self.place, work, show.mat, rng)
        walker = (
            [] if still or not self.place.walkers or self.wall else _walker(name, self.place, work, half, times, rng)
        )
        self._tables([*show.parts, *walker])
        self.sun = _sun(self.place, work, show.wall, rng)
        self.lens = Lens(size, len(times), rng, noisy=not still)
        self.textures = [canvas.texture() for canvas in (self.place.ground, self.place.backdrop, self.wall) if canvas]
        self.kept: np.ndarray | None = None  # the background of the first frame, if the camera stands still

    def _tables(self, parts: list[Part]) -> None:
        self.ends = np.stack([[p.start, p.end] for p in parts]).transpose(2, 0, 1, 3)  # (N, P, 2, 3)
        self.radii = np.array([[p.radius, p.end_radius] for p in parts])
        self.colours = np.array([p.colour for p in parts])
        self.actor = np.array([p.actor for p in parts])
        self.moving = np.array([p.actor and p.travel > AT_REST for p in parts])

    def frame(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return frame uint8 (H, W, 3), mask of the moving body and mask of the whole body, bool (H, W)."""
        camera = self.work.camera(index)
        picture = self._background(camera)
        if not self.still:
            self._cast_shadow(picture, camera, index)
        self._draw_sheets(picture, camera, index)
        mask, body = self._draw_parts(picture, camera, index)
        return self.lens.develop(picture, index), _grown(mask), body

    def _background(self, camera: Camera) -> np.ndarray:
        """Ground, backdrop and, where one is touched, a wall."""
        if self.kept is not None:
            return self.kept.copy()
        place, work = self.place, self.work
        picture = np.empty((self.large[1], self.large[0], 3), np.uint8)
        picture[:] = self.textures[0][-1].mean(0)
        planes = [
            camera.plane(place.ground, work.ground - work.away * place.near, work.right, work.away),
            camera.plane(place.backdrop, work.ground + work.away * place.depth, work.right, UP),
        ]
        if self.wall is not None:
            planes.append(camera.plane(self.wall, np.array([0, 0, self.show.wall]), np.array([1.0, 0, 0]), UP))
        for texture, plane in zip(self.textures, planes, strict=True):
            cv2.warpPerspective(texture, plane, self.large, dst=picture, borderMode=cv2.BORDER_TRANSPARENT)
        if work.fixed:
            self.kept = picture.copy()
        return picture

    def _cast_shadow(self, picture: np.ndarray, camera: Camera, index: int) -> None:
        """Every part throws a line on ground and wall along the sun; a blur makes it as soft as the place demands."""
        ends = self.ends[index]
        way = ends[..., 1:2] / self.sun[1]  # to the ground, or to a wall if that is nearer
        if self.show.wall is not None:
            way = np.minimum(way, np.maximum((self.show.wall - ends[..., 2:]) / -self.sun[2], 0))
        seen = camera.project(ends - self.sun * way)
        spots = np.round(seen[..., :2] / OVERSAMPLING * 16).clip(-(2**18), 2**18).astype(int).tolist()
        widths = 1.5 * self.radii.mean(1) * camera.focal / np.maximum(seen[..., 2].mean(1), 0.3) / OVERSAMPLING
        shade = np.zeros((self.size[1], self.size[0]), np.uint8)
        for part in np.flatnonzero((seen[..., 2] > 0.2).all(1)):
            cv2.line(shade, *spots[part], 255, max(1, round(widths[part])), cv2.LINE_AA, 4)
        shade = cv2.GaussianBlur(shade, (0, 0), self.size[1] / 128 * (0.7 + 3.2 * (1 - self.place.hard)))
        dark = 256 - cv2.resize(shade, self.large).astype(np.uint16) * (0.30 + 0.25 * self.place.hard)
        picture[:] = (picture * dark.astype(np.uint16)[..., None]) >> 8

    def _draw_sheets(self, picture: np.ndarray, camera: Camera, index: int) -> None:
        light = self.place.light * 0.8 + self.place.ambient
        for sheet in self.show.sheets:
            corners = np.round(camera.project(sheet.corners[index])[:, :2] * 16).astype(np.int32)
            colour = np.clip(np.array(sheet.colour) * light * 255, 0, 255).tolist()
            cv2.fillConvexPoly(picture, corners, colour, cv2.LINE_8, 4)

    def _draw_parts(self, picture: np.ndarray, camera: Camera, index: int) -> list[np.ndarray]:
        """Draws bodies and props into the picture; the masks, bool (H, W), of the moving and of the whole body."""
        scale = camera.focal / self.work.distance  # pixels a metre
        layer = raster.draw(_on_screen(camera, self.ends[index], self.radii, scale), self.large)
        masks = np.zeros((2, self.large[1], self.large[0]), np.uint8)
        if layer is not None:
            light = Light(camera.axes @ self.sun, self.place.light, self.place.ambient)
            shaded = np.clip(raster.shade(layer, self.colours, light, scale) * 255, 0, 255).astype(np.uint8)
            height, width = layer.depth.shape
            area = slice(layer.top, layer.top + height), slice(layer.left, layer.left + width)
            np.copyto(picture[area], shaded, where=layer.covered[..., None])
            for mask, wanted in zip(masks, (self.moving, self.actor), strict=True):
                mask[area] = 255 * (layer.covered & wanted[layer.part])
        return [cv2.resize(mask, self.size, interpolation=cv2.INTER_AREA) > 100 for mask in masks]


def _on_screen(camera: Camera, ends: np.ndarray, radii: np.ndarray, scale: float) -> np.ndarray:
    """Capsules (P, 2, 3) with radii (P, 2) in metres to (P, 2, 4) in pixels; none is thinner than can be seen."""
    seen = camera.project(ends)
    radius = np.maximum(radii / np.maximum(seen[..., 2], 0.1) * camera.focal, 0.8)
    return np.concatenate([seen[..., :2], seen[..., 2:] * scale, radius[..., None]], -1)


def _grown(mask: np.ndarray) -> np.ndarray:
    radius = max(1, round(mask.shape[0] / 128))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel).astype(bool)


def _lay_mat(place: Place, work: CameraWork, extent: tuple[float, float], rng: np.random.Generator) -> None:
    """Paints a mat of (width, length) under the performer, along its length."""
    middle, colour = work.track.mean(0), np.array(MATS[rng.integers(len(MATS))])
    for size, shade in ((1.03, 0.6), (1.0, 1.0)):
        wide, long = np.array(extent) * size / 2
        corners = middle + np.array([[-wide, 0, -long], [wide, 0, -long], [wide, 0, long], [-wide, 0, long]])
        away = corners - work.ground
        place.ground.polygon(np.stack([away @ work.right, away @ work.away + place.near], -1), tuple(colour * shade))


def _walker(
    name: str, place: Place, work: CameraWork, half: float, times: np.ndarray, rng: np.random.Generator
) -> list[Part]:
    """In two clips of five somebody walks by behind the performer, or a referee around the boxers."""
    depth, speed = (1.2, 0.25) if name == "ring" else (min(place.depth * 0.75, 4.5), rng.uniform(0.3, 1.2))
    side, share = rng.choice([-1.0, 1.0]), rng.uniform(0.2, 1.0)
    if rng.random() > 0.4 or depth < 1.2:
        return []
    start = work.ground + work.away * depth - work.right * side * share * half * (work.distance + depth)
    return passer_by(times, rng, start, work.right * side * speed)


def _sun(place: Place, work: CameraWork, wall: float | None, rng: np.random.Generator) -> np.ndarray:
    """The direction (3,) to the light: from above and the camera's side, or from the open side of a wall."""
    side, height = rng.uniform(-1.2, 1.2), np.deg2rad(place.sun)
    flat = work.right * np.sin(side) - work.away * np.cos(side)
    if wall is not None:  # low, so that the wall catches the shadow
        height = np.deg2rad(rng.uniform(30, 50))
        flat = np.array([0.6 * flat[0], 0, -0.8])
        flat = flat / np.linalg.norm(flat)
    return flat * np.cos(height) + UP * np.sin(height)
