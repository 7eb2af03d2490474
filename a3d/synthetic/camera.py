"""The camera: a pinhole, and the way somebody holds it while filming."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from a3d.synthetic.figure import unit
from a3d.synthetic.motions import Performance
from a3d.synthetic.scene import Canvas

UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Camera:
    """A pinhole stands at `position` (3,) with rows right, down, away in `axes` (3, 3); focal and centre in pixels."""

    position: np.ndarray
    axes: np.ndarray
    focal: float
    centre: tuple[float, float]

    def project(self, points: np.ndarray) -> np.ndarray:
        """Bring world points (..., 3) in metres to (..., 3): x, y in pixels and distance in metres."""
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


class CameraWork:
    """Sets viewpoint, framing, pan, zoom and shake of one clip, for a picture of size (width, height) pixels.

    right, away: horizontal unit vectors (3,) of the mean view. ground: the point (3,) on the ground that it centres on.
    track: (N, 3), the point on the ground that is followed. fixed: the camera stands still throughout.
    """

    def __init__(
        self, show: Performance, times: np.ndarray, size: tuple[int, int], rng: np.random.Generator, still: bool
    ) -> None:
        self.times, self.size = times, size
        self.azimuth = np.deg2rad(rng.uniform(*show.views[rng.integers(len(show.views))]))
        self.elevation = np.deg2rad(rng.uniform(*show.elevation))
        self.right = np.array([np.cos(self.azimuth), 0, -np.sin(self.azimuth)])
        self.away = np.array([-np.sin(self.azimuth), 0, -np.cos(self.azimuth)])
        focal = 0.5 * size[1] / np.tan(np.deg2rad(rng.uniform(28, 48)) / 2)
        self._frame(show, focal, rng, 0.0 if still else rng.choice([0.0, 0.8, 1.0]))
        self._hold(focal, rng, 0.0 if still else 1.0)

    def _frame(self, show: Performance, focal: float, rng: np.random.Generator, follow: float) -> None:
        """Stands where the whole action fills a share of the picture; follows who moves along to a share."""
        points = [np.stack([p.head + p.head_up * 0.15, *p.hand, *p.toe, *p.knee, p.pelvis]) for p in show.poses]
        points = np.concatenate([*points, *(edge[None] for edge in show.frame)])
        path = np.mean([p.pelvis for p in show.poses], axis=0) * (1, 0, 1)
        way = _drift(path)
        goes = np.linalg.norm(way[-1] - way[0]) > 0.4
        self.track = path.mean(0) + follow * goes * way
        held = (points - self.track).reshape(-1, 3)
        middle = (held.min(0) + held.max(0)) / 2
        self.target = self.track + middle
        self.ground = self.track.mean(0) + middle * (1, 0, 1)
        self.distance = self._fit(held, middle, focal, rng.uniform(0.6, 0.97))

    def _fit(self, held: np.ndarray, middle: np.ndarray, focal: float, fill: float) -> float:
        """The distance at which points (K, 3) about the track span `fill` of the picture."""
        distance = 4.0
        for _ in range(4):
            seen = self._stand(middle, distance, focal).project(held)[..., :2]
            distance = max(distance * (np.ptp(seen, axis=0) / self.size).max() / fill, 0.6)
        return distance

    def _hold(self, focal: float, rng: np.random.Generator, moving: float) -> None:
        """Draws zoom, pan and shake; `moving` 0 switches them off."""
        n = len(self.times)
        wave = np.sin(np.linspace(-1.5, 1.5, n) + rng.normal(0, 0.5))
        self.focal = focal * (1 + moving * rng.choice([0, 0, 1]) * rng.uniform(-0.14, 0.14) * wave)
        shake = moving * rng.choice([0.0, 0.15, 0.5, 1.0]) * 0.012
        pan = moving * rng.choice([0, 0, 1]) * rng.uniform(-0.05, 0.05)
        self.turn = pan * np.linspace(-1, 1, n) + shake * wander(self.times, rng) + rng.normal(0, 0.03)
        self.tilt = shake * 0.7 * wander(self.times, rng) + rng.normal(0, 0.015)
        self.roll = shake * 0.5 * wander(self.times, rng) + rng.normal(0, 0.012)
        paths = (self.target, self.focal, self.turn, self.tilt, self.roll)
        self.fixed = all(np.ptp(path, axis=0).max() < 1e-9 for path in paths)

    def camera(self, index: int) -> Camera:
        """Return the camera at frame `index`."""
        lens = (self.focal[index], self.turn[index], self.tilt[index], self.roll[index])
        return self._stand(self.target[index], self.distance, *lens)

    def _stand(self, target: np.ndarray, distance: float, focal: float, turn=0.0, tilt=0.0, roll=0.0) -> Camera:
        position = target + distance * (UP * np.sin(self.elevation) - self.away * np.cos(self.elevation))
        position[1] = max(position[1], 0.12)  # never under the ground
        away = unit(target - position)
        right = unit(np.cross(away, UP))
        down = np.cross(away, right)
        away = unit(away + turn * right + tilt * down)
        right = unit(right - (right @ away) * away + roll * down)
        axes = np.stack([right, np.cross(away, right), away])
        return Camera(position, axes, focal, (self.size[0] / 2, self.size[1] / 2))


def _drift(path: np.ndarray) -> np.ndarray:
    """The straight, even way (N, 3) that fits a path best, about its mean: how a calm hand follows somebody."""
    moments = np.arange(len(path)) - (len(path) - 1) / 2
    return np.outer(moments, moments @ path / max(moments @ moments, 1.0))


def wander(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the path of an unsteady hand: a few slow sinusoids, standard deviation about 1."""
    waves = [
        np.sin(2 * np.pi * rng.uniform(low, 2.5 * low) * times + rng.uniform(0, 6.28)) / (1 + low)
        for low in (0.15, 0.5, 1.3, 3.0)
    ]
    return np.sum(waves, axis=0)
