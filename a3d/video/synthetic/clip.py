"""Films a performance: camera, light and lens, frame by frame, with the masks of the body."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from a3d.video.synthetic import raster
from a3d.video.synthetic.motions import MOTIONS, Performance, passer_by
from a3d.video.synthetic.raster import Light, Part
from a3d.video.synthetic.scene import Canvas, Place, build, wall_texture

ACTIONS: tuple[str, ...] = tuple(MOTIONS)
OVERSAMPLING = 2  # pixels drawn along each side of a pixel of the film
STILL = 0.04  # metres: a part that travels less within the clip counts as at rest
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Clip:
    """A rendered clip with its ground truth.

    frames: uint8 (N, H, W, 3) RGB
    masks: bool (N, H, W), the moving body: every visible pixel of those parts of the performers (both boxers, but no
        passer-by and no prop) that travel more than 4 cm within the clip, grown by one pixel in a hundred of the height.
        The feet of squats and the hands of push-ups are at rest and left out; a jumper is in it whole.
    bodies: bool (N, H, W), every visible pixel of the performers, not grown
    """

    frames: np.ndarray
    masks: np.ndarray
    bodies: np.ndarray
    action: str
    seed: int
    frame_rate: float


def render(
    action: str, seed: int, *, seconds: float = 4.0, frame_rate: float = 25, size: tuple[int, int] = (170, 128)
) -> Clip:
    """A clip of one of ACTIONS, the same for the same arguments; size is (width, height) in pixels, both even.

    Person, clothes, place, camera, light, tempo and style follow from action and seed, whatever the size and length.
    """
    return _render(action, seed, seconds, frame_rate, size)


def _render(
    action: str, seed: int, seconds: float, frame_rate: float, size: tuple[int, int], still: bool = False
) -> Clip:
    """still: nothing changes from frame to frame but the performer and props (fixed camera, no shadow, no noise)."""
    if action not in MOTIONS:
        raise ValueError(f"unknown action {action!r}: choose one of {', '.join(ACTIONS)}")
    if min(size) < 16 or size[0] % 2 or size[1] % 2:
        raise ValueError(f"size {size[0]}x{size[1]}: width and height must be even and at least 16 pixels")
    rng = np.random.default_rng([seed, ACTIONS.index(action)])
    times = np.arange(max(1, round(seconds * frame_rate))) / frame_rate
    film = Film(MOTIONS[action](times, rng), times, size, rng, still)
    shots = [film.frame(index) for index in range(len(times))]
    frames, masks, bodies = (np.stack(part) for part in zip(*shots, strict=True))
    return Clip(frames, masks, bodies, action, seed, frame_rate)


@dataclass(frozen=True)
class Camera:
    """A pinhole at `position` (3,) with rows right, down, away in `axes` (3, 3); focal and centre in pixels."""

    position: np.ndarray
    axes: np.ndarray
    focal: float
    centre: tuple[float, float]

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) in metres to (..., 3): x, y in pixels and distance in metres."""
        seen = (points - self.position) @ self.axes.T
        depth = np.maximum(seen[..., 2:], 1e-3)
        return np.concatenate([seen[..., :2] / depth * self.focal + self.centre, seen[..., 2:]], -1)

    def plane(self, canvas: Canvas, origin: np.ndarray, right: np.ndarray, up: np.ndarray) -> np.ndarray:
        """The homography (3, 3) from a canvas, whose lower middle is at origin, to the picture."""
        scale = 1 / canvas.density
        corner = origin - right * canvas.width / 2 + up * canvas.height
        to_world = np.stack([right * scale, -up * scale, corner - self.position], -1)
        lens = np.array([[self.focal, 0, self.centre[0]], [0, self.focal, self.centre[1]], [0, 0, 1]])
        return lens @ self.axes @ to_world


class Film:
    """Everything of one clip that is decided before the first frame."""

    def __init__(
        self, show: Performance, times: np.ndarray, size: tuple[int, int], rng: np.random.Generator, still: bool
    ) -> None:
        self.show, self.times, self.size, self.still = show, times, size, still
        self.large = (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING)
        self.azimuth = np.deg2rad(rng.uniform(*show.views[rng.integers(len(show.views))]))
        self.elevation = np.deg2rad(rng.uniform(*show.elevation))
        self.name = str(show.places[rng.integers(len(show.places))])
        self._aim(rng)
        density = 1.15 * self.focal.max() / self.distance
        self.half = 0.5 * self.large[0] / self.focal.min()
        self.place = build(self.name, rng, max(self.distance, 1.0) * np.cos(self.elevation), self.half, density)
        self._mat(rng)
        self.wall = (
            None
            if show.wall is None
            else wall_texture(self.name, rng, 6.0 + abs(np.sin(self.azimuth)) * 1.5, 4.5, density)
        )
        self.parts = [*show.parts, *self._walker(rng)]
        self._tables()
        self._lights(rng)
        self._lens(rng)

    # --- camera ---------------------------------------------------------------------------------------------------

    def _aim(self, rng: np.random.Generator) -> None:
        """Where the camera looks: far enough that the action fills a share of the picture, with pan, zoom and shake."""
        n = len(self.times)
        points = np.concatenate(
            [np.stack([p.head + p.head_up * 0.15, *p.hand, *p.toe, *p.knee, p.pelvis]) for p in self.show.poses]
        )
        follow = rng.choice([0.0, 0.8, 1.0])
        path = np.mean([p.pelvis for p in self.show.poses], axis=0) * np.array([1, 0, 1])
        self.track = follow * (path - path.mean(0)) + path.mean(0)
        points = np.concatenate([points, *(edge[None] for edge in self.show.frame)]) if self.show.frame else points
        held = points - self.track
        middle = (held.reshape(-1, 3).min(0) + held.reshape(-1, 3).max(0)) / 2
        self.target = self.track + middle
        self.centre_ground = self.track.mean(0) + middle * np.array([1, 0, 1])
        fov, fill = np.deg2rad(rng.uniform(28, 48)), rng.uniform(0.6, 0.97)
        focal = 0.5 * self.large[1] / np.tan(fov / 2)
        self.distance = self._fit(held, middle, focal, fill)
        moving = 0.0 if self.still else 1.0
        zoom = 1 + moving * rng.choice([0, 0, 1]) * rng.uniform(-0.14, 0.14) * np.sin(
            np.linspace(-1.5, 1.5, n) + rng.normal(0, 0.5)
        )
        self.focal = focal * zoom
        shake = moving * rng.choice([0.0, 0.15, 0.5, 1.0]) * 0.012
        pan = moving * rng.choice([0, 0, 1]) * rng.uniform(-0.05, 0.05)
        self.turn = pan * np.linspace(-1, 1, n) + shake * wander(self.times, rng) + rng.normal(0, 0.03)
        self.tilt = shake * 0.7 * wander(self.times, rng) + rng.normal(0, 0.015)
        self.roll = shake * 0.5 * wander(self.times, rng) + rng.normal(0, 0.012)

    def _fit(self, held: np.ndarray, middle: np.ndarray, focal: float, fill: float) -> float:
        """The distance at which the points (K, N, 3) about the track span `fill` of the picture."""
        distance = 4.0
        for _ in range(4):
            camera = self._camera_at(middle, distance, focal)
            seen = camera.project(held)[..., :2].reshape(-1, 2)
            span = ((seen.max(0) - seen.min(0)) / self.large).max()
            distance = max(distance * span / fill, 0.6)
        return distance

    def _camera_at(self, target: np.ndarray, distance: float, focal: float, turn=0.0, tilt=0.0, roll=0.0) -> Camera:
        azimuth, elevation = self.azimuth, self.elevation
        back = np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])
        position = target + back * distance
        position[1] = max(position[1], 0.12)
        away = target - position
        away = away / np.linalg.norm(away)
        right = np.cross(away, UP)
        right = right / np.linalg.norm(right)
        down = np.cross(away, right)
        away = away + turn * right + tilt * down
        away = away / np.linalg.norm(away)
        right = right - (right @ away) * away + roll * down
        right = right / np.linalg.norm(right)
        axes = np.stack([right, np.cross(away, right), away])
        return Camera(position, axes, focal, (self.large[0] / 2, self.large[1] / 2))

    def camera(self, index: int) -> Camera:
        return self._camera_at(
            self.target[index], self.distance, self.focal[index], self.turn[index], self.tilt[index], self.roll[index]
        )

    @property
    def right(self) -> np.ndarray:
        return np.array([np.cos(self.azimuth), 0, -np.sin(self.azimuth)])

    @property
    def away(self) -> np.ndarray:
        return np.array([-np.sin(self.azimuth), 0, -np.cos(self.azimuth)])

    # --- what is in the picture -----------------------------------------------------------------------------------

    def _mat(self, rng: np.random.Generator) -> None:
        if self.show.mat is None:
            return
        wide, long = self.show.mat
        corners = np.array([[-wide, 0, -long], [wide, 0, -long], [wide, 0, long], [-wide, 0, long]]) / 2
        flat = lambda points: np.stack(
            [(points - self.centre_ground) @ self.right, (points - self.centre_ground) @ self.away + self.place.near],
            -1,
        )  # noqa: E731
        base = self.track.mean(0)
        colour = np.array(
            [(0.15, 0.30, 0.62), (0.45, 0.20, 0.52), (0.20, 0.45, 0.35), (0.12, 0.12, 0.14), (0.70, 0.25, 0.22)][
                rng.integers(5)
            ]
        )
        self.place.ground.polygon(flat(base + corners * 1.03), tuple(colour * 0.6))
        self.place.ground.polygon(flat(base + corners), tuple(colour))

    def _walker(self, rng: np.random.Generator) -> list[Part]:
        if not self.place.walkers or self.still or rng.random() > 0.4 or self.wall is not None:
            return []
        depth = min(self.place.depth * 0.75, 4.5) if self.name != "ring" else 1.2
        if depth < 1.3 and self.name != "ring":
            return []
        side, speed = rng.choice([-1.0, 1.0]), rng.uniform(0.3, 1.2) if self.name != "ring" else 0.25
        start = (
            self.centre_ground * np.array([1, 0, 1])
            + self.away * depth
            - self.right * side * rng.uniform(0.2, 1.0) * self.half * (self.distance + depth)
        )
        return passer_by(self.times, rng, start, self.right * side * speed)

    def _tables(self) -> None:
        parts = self.parts
        self.ends = np.stack([[p.start, p.end] for p in parts]).transpose(2, 0, 1, 3)  # (N, P, 2, 3)
        self.radii = np.array([[p.radius, p.end_radius] for p in parts])
        self.colours = np.array([p.colour for p in parts])
        self.glow = np.array([p.glow for p in parts])
        self.actor = np.array([p.actor for p in parts])
        self.moving = np.array([p.actor and p.travel > STILL for p in parts])

    # --- light and lens -------------------------------------------------------------------------------------------

    def _lights(self, rng: np.random.Generator) -> None:
        side, height = rng.uniform(-0.9, 0.9), np.deg2rad(self.place.sun)
        toward = np.array([np.sin(side * 1.3), 0, np.cos(side * 1.3)])  # right and towards the camera
        flat = self.right * toward[0] - self.away * toward[2]
        self.sun = flat * np.cos(height) + UP * np.sin(height)
        tinted = np.array(np.mean(self.place.ground.image, axis=(0, 1)))
        self.place.ambient = self.place.ambient * (0.85 + 0.3 * tinted / max(tinted.mean(), 1e-3) * 0.5)

    def _lens(self, rng: np.random.Generator) -> None:
        width, height = self.size
        x, y = np.linspace(-1, 1, width)[None], np.linspace(-1, 1, height)[:, None]
        vignette = 1 - rng.uniform(0, 0.28) * (x**2 + y**2) / 2
        cast = np.array([1 + rng.normal(0, 0.035), 1.0, 1 + rng.normal(0, 0.05)])
        self.gain = (rng.uniform(0.78, 1.12) * vignette[..., None] * cast).astype(np.float32)
        self.contrast, self.fog = np.float32(rng.uniform(0.85, 1.12)), np.float32(rng.uniform(0.0, 0.06))
        self.blur = float(rng.choice([0.0, 0.35, 0.6])) * height / 128
        strength = 0.0 if self.still else rng.uniform(0.003, 0.022)
        bank = rng.standard_normal((height + 32, width + 32, 3), dtype=np.float32) * 0.7
        self.noise = np.float32(strength * 255) * (bank + bank.mean(-1, keepdims=True))
        self.offsets = rng.integers(0, 32, (len(self.times), 2))

    # --- one frame ------------------------------------------------------------------------------------------------

    def frame(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        camera = self.camera(index)
        picture = self._background(camera)
        seen = camera.project(self.ends[index])
        scale = self.focal[index] / self.distance
        pixels = np.concatenate(
            [
                seen[..., :2],
                seen[..., 2:] * scale,
                np.maximum(self.radii / np.maximum(seen[..., 2], 0.1) * self.focal[index], 0.8)[..., None],
            ],
            -1,
        )
        if not self.still:
            self._shadow(picture, camera, index)
        layer = raster.draw(pixels, self.large)
        masks = np.zeros((2, self.large[1], self.large[0]), np.uint8)
        if layer is not None:
            light = Light(camera.axes @ self.sun, self.place.light, self.place.ambient)
            shaded = raster.shade(layer, self.colours, self.glow, light, scale)
            rows, columns = (
                slice(layer.top, layer.top + shaded.shape[0]),
                slice(layer.left, layer.left + shaded.shape[1]),
            )
            np.copyto(
                picture[rows, columns], np.clip(shaded * 255, 0, 255).astype(np.uint8), where=layer.covered[..., None]
            )
            masks[0, rows, columns] = 255 * (layer.covered & self.moving[layer.part])
            masks[1, rows, columns] = 255 * (layer.covered & self.actor[layer.part])
        mask, body = (cv2.resize(one, self.size, interpolation=cv2.INTER_AREA) > 100 for one in masks)
        return self._develop(picture, index), _grown(mask, self.size[1]), body

    def _background(self, camera: Camera) -> np.ndarray:
        if not self.still and not hasattr(self, "_painted"):
            self._painted = (
                self.place.ground.texture(),
                self.place.backdrop.texture(),
                None if self.wall is None else self.wall.texture(),
            )
        if self.still and hasattr(self, "_kept"):
            return self._kept.copy()
        ground, backdrop, wall = getattr(self, "_painted", None) or (
            self.place.ground.texture(), self.place.backdrop.texture(), None if self.wall is None else self.wall.texture())  # fmt: skip
        place, centre = self.place, self.centre_ground * np.array([1, 0, 1])
        picture = np.empty((self.large[1], self.large[0], 3), np.uint8)
        picture[:] = ground[-1].mean(0)
        _paint(picture, ground, camera.plane(place.ground, centre - self.away * place.near, self.right, self.away))
        _paint(picture, backdrop, camera.plane(place.backdrop, centre + self.away * place.depth, self.right, UP))
        if wall is not None:
            along = (
                np.array([1.0, 0, 0])
                if np.cos(self.azimuth) < 0 and abs(np.sin(self.azimuth)) < 0.6
                else np.array([1.0, 0, 0])
            )
            _paint(picture, wall, camera.plane(self.wall, np.array([0, 0, self.show.wall]) - along * 0.0, along, UP))
        if self.still:
            self._kept = picture.copy()
        return picture

    def _shadow(self, picture: np.ndarray, camera: Camera, index: int) -> None:
        """Every part casts a line on the ground along the sun; a blur makes it as soft as the place demands."""
        ends = self.ends[index]
        fallen = ends - self.sun * (ends[..., 1:2] / self.sun[1])
        seen = camera.project(fallen)
        shade = np.zeros((self.size[1], self.size[0]), np.uint8)
        spots = np.round(seen[..., :2] / OVERSAMPLING * 16).clip(-(2**18), 2**18).astype(int)
        widths = self.radii.mean(1) * self.focal[index] / np.maximum(seen[..., 2].mean(1), 0.3) / OVERSAMPLING
        for part in np.flatnonzero((seen[..., 2] > 0.2).all(1)):
            cv2.line(
                shade,
                tuple(map(int, spots[part, 0])),
                tuple(map(int, spots[part, 1])),
                255,
                max(1, round(1.5 * widths[part])),
                cv2.LINE_AA,
                4,
            )
        sigma = self.size[1] / 128 * (0.7 + 3.2 * (1 - self.place.hard))
        shade = cv2.resize(cv2.GaussianBlur(shade, (0, 0), sigma), self.large, interpolation=cv2.INTER_LINEAR)
        dark = 1 - shade.astype(np.float32) * np.float32((0.30 + 0.25 * self.place.hard) / 255)
        np.copyto(picture, (picture * dark[..., None]).astype(np.uint8))

    def _develop(self, picture: np.ndarray, index: int) -> np.ndarray:
        small = cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA)
        if self.blur > 0.1:
            small = cv2.GaussianBlur(small, (0, 0), self.blur)
        exposed = small * self.gain
        exposed = (exposed - 128) * self.contrast + 128 + 255 * self.fog
        dy, dx = self.offsets[index]
        exposed += self.noise[dy : dy + self.size[1], dx : dx + self.size[0]]
        return np.clip(exposed, 0, 255).astype(np.uint8)


def _paint(picture: np.ndarray, texture: np.ndarray, homography: np.ndarray) -> None:
    size = (picture.shape[1], picture.shape[0])
    cv2.warpPerspective(
        texture, homography, size, dst=picture, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )


def _grown(mask: np.ndarray, height: int) -> np.ndarray:
    radius = max(1, round(height / 128))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel).astype(bool)


def wander(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An unsteady hand: a few slow sinusoids, standard deviation about 1."""
    waves = [
        np.sin(2 * np.pi * rng.uniform(low, 2.5 * low) * times + rng.uniform(0, 6.28)) / (1 + low)
        for low in (0.15, 0.5, 1.3, 3.0)
    ]
    return np.sum(waves, axis=0)
