"""Places: a ground and a backdrop painted to scale, and the light that falls there.

A place is two textured planes in the camera's mean direction: the ground, and an upright backdrop that stands on it.
Both are painted once a clip at about the resolution of the film, so that a frame costs two perspective warps.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

Colour = tuple[float, float, float]
MAX_SIDE = 1600  # pixels of a painted plane: more than the film can show, at any size worth making


class Canvas:
    """This is a plane to paint on in metres: x from -width/2 to the right, y from 0 at the lower edge upwards."""

    def __init__(self, width: float, height: float, density: float, colour: Colour) -> None:
        self.width, self.height = width, height
        self.density = min(density, MAX_SIDE / max(width, height))
        shape = (max(2, round(height * self.density)), max(2, round(width * self.density)), 3)
        self.image = np.full(shape, colour, np.float32)

    def pixels(self, points) -> np.ndarray:
        """Metres (..., 2) to texture pixels, as cv2 wants them with 4 fractional bits."""
        points = np.asarray(points, float)
        flat = np.stack([points[..., 0] + self.width / 2, self.height - points[..., 1]], -1) * self.density
        return np.round(flat * 16).astype(np.int32)

    def polygon(self, points, colour: Colour) -> None:
        cv2.fillPoly(self.image, [self.pixels(points)], colour, cv2.LINE_AA, 4)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        self.polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        centre = self.pixels((x, y))
        cv2.circle(
            self.image, tuple(map(int, centre)), max(1, round(radius * self.density * 16)), colour, -1, cv2.LINE_AA, 4
        )

    def line(self, start, end, width: float, colour: Colour) -> None:
        a, b = (tuple(map(int, self.pixels(point))) for point in (start, end))
        cv2.line(self.image, a, b, colour, max(1, round(width * self.density)), cv2.LINE_AA, 4)

    def fade(self, top: float, bottom: float) -> None:
        self.image *= np.linspace(top, bottom, len(self.image), dtype=np.float32)[:, None, None]

    def grain(self, rng: np.random.Generator, amount: float, size: float, stretch: float = 1.0) -> None:
        """Vary brightness by about `amount` in blots of `size` metres, `stretch` times as long as high."""
        self.image *= (
            1 + np.float32(amount) * cloudy(rng, self.image.shape[:2], size * self.density, stretch)[..., None]
        )

    def texture(self) -> np.ndarray:
        return np.clip(self.image * 255, 0, 255).astype(np.uint8)


def cloudy(rng: np.random.Generator, shape: tuple[int, int], size: float, stretch: float = 1.0) -> np.ndarray:
    """Return a smooth random field (h, w) float32 of standard deviation about 1, blots of `size` pixels."""
    coarse = (max(2, round(shape[1] / max(size * stretch, 1))), max(2, round(shape[0] / max(size, 1))))
    grain = np.random.default_rng(rng.integers(2**32))  # one draw whatever the size, so that all else stays the same
    field = grain.standard_normal((coarse[1], coarse[0]), dtype=np.float32)
    return cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


@dataclass
class Place:
    """ground: away runs up the canvas, y = 0 at the near edge; depth: metres from the centre to the backdrop.

    near: metres from the near edge to the centre. sun: elevation in degrees; hard: 0 soft indoor shadow to 1 sharp.
    """

    ground: Canvas
    backdrop: Canvas
    depth: float
    near: float
    sun: float
    hard: float
    light: np.ndarray
    ambient: np.ndarray
    walkers: bool


def tone(rng: np.random.Generator, low, high) -> Colour:
    """Return a colour between two, and a little beside."""
    low, high = np.array(low), np.array(high)
    return tuple(np.clip(low + (high - low) * rng.random() + rng.normal(0, 0.02, 3), 0.02, 1.0))


def build(name: str, rng: np.random.Generator, distance: float, half_width: float, density: float) -> Place:
    """A place filmed from `distance` metres whose half field of view is `half_width` per metre, at pixels per metre."""
    outdoors = name in ("lawn", "park", "yard")
    depth = rng.uniform(2.0, 3.5) * max(distance, 1.8) if outdoors and name != "yard" else rng.uniform(1.6, 3.8)
    if name == "ring":
        depth = rng.uniform(4.0, 6.0)
    width = 2.6 * half_width * (distance + depth) + 2.5
    height = 1.6 * half_width * (distance + depth) + 3.5
    ground = Canvas(width, distance + depth, density, (0.5, 0.5, 0.5))
    backdrop = Canvas(width, height, density, (0.6, 0.6, 0.6))
    GROUNDS[name](ground, rng)
    BACKDROPS[name](backdrop, rng)
    if not outdoors:
        ground.image[: max(1, round(0.35 * ground.density))] *= np.linspace(
            0.72, 1, max(1, round(0.35 * ground.density)), dtype=np.float32
        )[:, None, None]
    light, ambient = _light(rng, outdoors, name)
    return Place(
        ground,
        backdrop,
        depth,
        distance,
        sun=rng.uniform(30, 65) if outdoors else rng.uniform(55, 80),
        hard=rng.uniform(0.5, 1.0) if outdoors else rng.uniform(0.0, 0.4),
        light=light,
        ambient=ambient,
        walkers=name not in ("room", "studio"),
    )


def _light(rng: np.random.Generator, outdoors: bool, name: str) -> tuple[np.ndarray, np.ndarray]:
    warm = rng.normal(0.02, 0.04)
    colour = np.array([1 + warm, 1.0, 1 - 1.4 * warm])
    strength = rng.uniform(0.75, 0.95) if outdoors else rng.uniform(0.5, 0.75)
    sky = np.array([0.92, 0.97, 1.08]) if outdoors else np.array([1.0, 0.98, 0.95])
    return colour * strength, sky * rng.uniform(0.42, 0.58)


def planks(canvas: Canvas, rng: np.random.Generator, colour: Colour, size: float, upright: bool) -> None:
    canvas.image[:] = colour
    extent = canvas.width if upright else canvas.height
    for start in np.arange(-canvas.width / 2 if upright else 0, extent, size):
        shade = tuple(np.array(colour) * (1 + rng.normal(0, 0.07)))
        at = (start, 0, size, canvas.height) if upright else (-canvas.width / 2, start, canvas.width, size)
        canvas.box(*at, shade)
        end = (start, canvas.height) if upright else (canvas.width / 2, start)
        canvas.line((start, 0) if upright else (-canvas.width / 2, start), end, 0.012, tuple(np.array(colour) * 0.6))
    canvas.grain(rng, 0.05, 0.03, 0.1 if upright else 12.0)


def tiles(
    canvas: Canvas, rng: np.random.Generator, colour: Colour, joint: Colour, width: float, height: float, bond: float
) -> None:
    """Paint bricks or tiles: rows shifted by `bond` of a width, each of its own tone."""
    canvas.image[:] = joint
    gap = 0.08 * height
    for row, y in enumerate(np.arange(0, canvas.height, height)):
        for x in np.arange(-canvas.width / 2 - width * bond * (row % 2), canvas.width / 2, width):
            canvas.box(x + gap, y + gap, width - gap, height - gap, tuple(np.array(colour) * (1 + rng.normal(0, 0.09))))
    canvas.grain(rng, 0.05, 0.08)


def _grass(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.image[:] = tone(rng, (0.24, 0.38, 0.12), (0.42, 0.52, 0.20))
    canvas.grain(rng, 0.09, 1.3)
    canvas.grain(rng, 0.10, 0.25, 2.0)
    canvas.grain(rng, 0.14, 0.03, 1.5)
    if rng.random() < 0.4:
        for x in np.arange(-canvas.width / 2, canvas.width / 2, 1.4):
            canvas.image[
                :, slice(*(np.clip((np.array([x, x + 0.7]) + canvas.width / 2) * canvas.density, 0, None).astype(int)))
            ] *= 1.09


def _gym_floor(canvas: Canvas, rng: np.random.Generator) -> None:
    if rng.random() < 0.55:
        tiles(canvas, rng, tone(rng, (0.14, 0.15, 0.17), (0.30, 0.32, 0.36)), (0.10, 0.10, 0.11), 1.0, 1.0, 0)
    else:
        canvas.image[:] = tone(rng, (0.14, 0.22, 0.45), (0.45, 0.46, 0.48))
    canvas.grain(rng, 0.06, 0.02)


def _wood_floor(canvas: Canvas, rng: np.random.Generator) -> None:
    planks(canvas, rng, tone(rng, (0.46, 0.30, 0.17), (0.78, 0.60, 0.40)), 0.11, rng.random() < 0.5)


def _room_floor(canvas: Canvas, rng: np.random.Generator) -> None:
    kind = rng.random()
    if kind < 0.35:
        return _wood_floor(canvas, rng)
    if kind < 0.5:
        return tiles(canvas, rng, tone(rng, (0.62, 0.50, 0.40), (0.82, 0.78, 0.72)), (0.45, 0.42, 0.40), 0.4, 0.4, 0)
    canvas.image[:] = (
        tone(rng, (0.42, 0.38, 0.34), (0.76, 0.71, 0.63))
        if kind < 0.85
        else tone(rng, (0.45, 0.15, 0.13), (0.25, 0.32, 0.50))
    )
    canvas.grain(rng, 0.05, 0.6)
    canvas.grain(rng, 0.08, 0.02)
    if rng.random() < 0.45:
        _rug(canvas, rng)


def _rug(canvas: Canvas, rng: np.random.Generator) -> None:
    x, y, wide, deep = (
        rng.uniform(-2.2, -1),
        canvas.height * rng.uniform(0.35, 0.5),
        rng.uniform(2.2, 3.4),
        rng.uniform(1.4, 2.2),
    )
    for inset in (0, 0.1, 0.2, 0.5):
        canvas.box(
            x + inset, y + inset, wide - 2 * inset, deep - 2 * inset, tone(rng, (0.3, 0.12, 0.12), (0.8, 0.72, 0.58))
        )


def _paving(canvas: Canvas, rng: np.random.Generator) -> None:
    if rng.random() < 0.5:
        tiles(canvas, rng, tone(rng, (0.50, 0.48, 0.45), (0.68, 0.60, 0.52)), (0.35, 0.34, 0.32), 0.5, 0.5, 0.5)
    else:
        canvas.image[:] = tone(rng, (0.42, 0.42, 0.43), (0.66, 0.65, 0.62))
    canvas.grain(rng, 0.06, 1.0)
    canvas.grain(rng, 0.08, 0.03)


def _plain_floor(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.image[:] = tone(rng, (0.25, 0.25, 0.28), (0.85, 0.84, 0.82))
    canvas.grain(rng, 0.03, 0.9)
    canvas.grain(rng, 0.03, 0.02)


def _ring_floor(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.image[:] = tone(rng, (0.28, 0.48, 0.72), (0.78, 0.80, 0.84))
    canvas.grain(rng, 0.03, 0.8)
    mark = tone(rng, (0.7, 0.1, 0.1), (0.9, 0.8, 0.2))
    canvas.disc(rng.uniform(-1, 1), canvas.height * 0.5, 0.9, mark)
    canvas.disc(rng.uniform(-1, 1), canvas.height * 0.5, 0.6, tone(rng, (0.9, 0.9, 0.9), (0.95, 0.95, 0.95)))


def _gym_wall(canvas: Canvas, rng: np.random.Generator) -> None:
    wall = tone(rng, (0.30, 0.32, 0.36), (0.84, 0.83, 0.79))
    canvas.image[:] = wall
    canvas.box(
        -canvas.width / 2, 0, canvas.width, rng.uniform(0.8, 1.3), tone(rng, (0.12, 0.14, 0.20), (0.75, 0.18, 0.12))
    )
    if rng.random() < 0.6:
        _mirrors(canvas, rng, wall)
    for x in np.arange(-canvas.width / 2 + rng.uniform(0, 1), canvas.width / 2, rng.uniform(1.2, 2.0)):
        rng.choice([_rack, _bench, _rack, _treadmill])(canvas, rng, x)
    for x in np.arange(-canvas.width / 2, canvas.width / 2, 2.4):
        canvas.box(x, canvas.height * 0.82, 1.4, 0.10, (1.0, 1.0, 0.96))
    canvas.grain(rng, 0.03, 0.8)


def _mirrors(canvas: Canvas, rng: np.random.Generator, wall: Colour) -> None:
    for x in np.arange(-canvas.width / 2, canvas.width / 2, 1.5):
        canvas.box(x + 0.02, 0.35, 1.46, 2.0, tuple(np.array(wall) * rng.uniform(0.62, 0.72)))
        canvas.polygon(
            [(x + 0.3, 0.35), (x + 0.6, 0.35), (x + 1.2, 2.35), (x + 0.9, 2.35)], tuple(np.array(wall) * 0.8)
        )


def _rack(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    steel = tone(rng, (0.10, 0.10, 0.12), (0.55, 0.56, 0.60))
    for at in (x, x + 0.9):
        canvas.box(at, 0, 0.07, 2.1, steel)
    for y in (0.3, 0.85, 1.4, 2.03):
        canvas.box(x, y, 0.97, 0.05, steel)
        for at in np.arange(x + 0.15, x + 0.9, 0.19):
            if rng.random() < 0.7 and y < 1.6:
                canvas.disc(at, y + 0.14, rng.uniform(0.07, 0.13), tone(rng, (0.06, 0.06, 0.07), (0.30, 0.30, 0.33)))


def _bench(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    pad = tone(rng, (0.08, 0.08, 0.09), (0.55, 0.12, 0.12))
    canvas.box(x, 0.42, 1.15, 0.11, pad)
    canvas.polygon([(x + 0.8, 0.5), (x + 0.92, 0.45), (x + 1.25, 1.1), (x + 1.13, 1.15)], pad)
    for at in (x + 0.12, x + 0.95):
        canvas.box(at, 0, 0.06, 0.43, (0.5, 0.5, 0.52))


def _treadmill(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    dark = tone(rng, (0.12, 0.12, 0.13), (0.32, 0.32, 0.34))
    canvas.box(x, 0.05, 1.1, 0.17, dark)
    canvas.polygon([(x + 0.9, 0.2), (x + 1.0, 0.2), (x + 1.12, 1.3), (x + 1.02, 1.3)], dark)
    canvas.box(x + 0.85, 1.2, 0.42, 0.3, (0.14, 0.14, 0.16))
    canvas.box(x + 0.95, 1.28, 0.22, 0.15, tone(rng, (0.2, 0.5, 0.7), (0.4, 0.8, 0.5)))


def _hall_wall(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.image[:] = tone(rng, (0.62, 0.58, 0.48), (0.90, 0.89, 0.86))
    if rng.random() < 0.5:
        planks(canvas, rng, tone(rng, (0.60, 0.44, 0.26), (0.80, 0.66, 0.46)), 0.25, True)
    canvas.box(
        -canvas.width / 2, rng.uniform(0.8, 1.4), canvas.width, 0.12, tone(rng, (0.15, 0.25, 0.55), (0.75, 0.20, 0.15))
    )
    canvas.box(-canvas.width / 2, 0, canvas.width, 0.12, tone(rng, (0.2, 0.18, 0.16), (0.45, 0.32, 0.22)))
    for x in np.arange(-canvas.width / 2 + rng.uniform(0, 1.5), canvas.width / 2, rng.uniform(2.0, 3.2)):
        rng.choice([_window, _door, _poster, _bars])(canvas, rng, x)
    canvas.grain(rng, 0.04, 1.0)


def _window(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    wide, low, high = rng.uniform(0.9, 1.5), rng.uniform(0.9, 1.2), rng.uniform(1.1, 1.5)
    frame = tone(rng, (0.45, 0.35, 0.25), (0.95, 0.95, 0.93))
    canvas.box(x - 0.07, low - 0.07, wide + 0.14, high + 0.14, frame)
    canvas.box(x, low, wide, high, tone(rng, (0.70, 0.82, 0.92), (0.96, 0.97, 0.97)))
    canvas.box(x, low, wide, high * rng.uniform(0.2, 0.45), tone(rng, (0.35, 0.50, 0.30), (0.62, 0.70, 0.55)))
    canvas.box(x + wide / 2 - 0.03, low, 0.06, high, frame)
    canvas.box(x, low + high * 0.55, wide, 0.05, frame)
    if rng.random() < 0.5:
        drape = tone(rng, (0.5, 0.2, 0.15), (0.85, 0.80, 0.70))
        for at in (x - 0.3, x + wide - 0.05):
            for fold in range(5):
                canvas.box(
                    at + 0.07 * fold, low - 0.6, 0.07, high + 0.8, tuple(np.array(drape) * (0.9 + 0.12 * (fold % 2)))
                )


def _door(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    colour = tone(rng, (0.35, 0.22, 0.14), (0.90, 0.88, 0.84))
    canvas.box(x - 0.08, 0, 1.06, 2.13, tuple(np.array(colour) * 0.8))
    canvas.box(x, 0, 0.9, 2.05, colour)
    for y in (0.2, 1.1):
        canvas.box(x + 0.15, y, 0.6, 0.75, tuple(np.array(colour) * 0.9))
    canvas.disc(x + 0.82, 1.0, 0.04, (0.8, 0.7, 0.4))


def _poster(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    wide, high, y = rng.uniform(0.4, 1.0), rng.uniform(0.4, 0.9), rng.uniform(1.2, 1.6)
    canvas.box(x - 0.03, y - 0.03, wide + 0.06, high + 0.06, tone(rng, (0.1, 0.1, 0.1), (0.6, 0.5, 0.35)))
    canvas.box(x, y, wide, high, tone(rng, (0.2, 0.25, 0.4), (0.95, 0.9, 0.8)))
    for _ in range(4):
        canvas.disc(
            x + wide * rng.uniform(0.2, 0.8),
            y + high * rng.uniform(0.2, 0.8),
            rng.uniform(0.04, 0.14),
            tone(rng, (0.1, 0.2, 0.5), (0.95, 0.7, 0.3)),
        )


def _bars(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    wood = tone(rng, (0.50, 0.34, 0.18), (0.72, 0.54, 0.32))
    for y in np.arange(0.3, 2.3, 0.16):
        canvas.box(x, y, 1.1, 0.05, wood)
    for at in (x, x + 1.05):
        canvas.box(at, 0, 0.08, 2.4, wood)


def _room_wall(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.image[:] = (
        tone(rng, (0.52, 0.50, 0.36), (0.93, 0.90, 0.84))
        if rng.random() < 0.8
        else tone(rng, (0.35, 0.45, 0.55), (0.65, 0.42, 0.35))
    )
    canvas.box(-canvas.width / 2, 0, canvas.width, 0.11, tone(rng, (0.85, 0.84, 0.80), (0.97, 0.96, 0.94)))
    x = -canvas.width / 2 + rng.uniform(0, 0.6)
    while x < canvas.width / 2:
        item = rng.choice([_sofa, _shelf, _window, _cabinet, _plant, _door, _lamp])
        item(canvas, rng, x)
        if item in (_sofa, _cabinet) and rng.random() < 0.7:
            _poster(canvas, rng, x + 0.4)
        x += {_sofa: 2.2, _window: 1.9, _door: 1.4, _plant: 0.8, _lamp: 0.8}.get(item, 1.3) + rng.uniform(0, 0.5)
    canvas.grain(rng, 0.03, 1.5)


def _sofa(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    colour = np.array(tone(rng, (0.26, 0.24, 0.30), (0.75, 0.62, 0.46)))
    canvas.box(x, 0.08, 2.0, 0.80, tuple(colour * 0.85))
    for seat in (0.22, 1.02):
        canvas.box(x + seat, 0.45, 0.76, 0.42, tuple(colour * 1.08))
        canvas.box(x + seat, 0.28, 0.76, 0.18, tuple(colour))
    for arm in (0, 1.8):
        canvas.box(x + arm, 0.08, 0.2, 0.6, tuple(colour * 0.95))
        canvas.disc(x + arm + 0.1, 0.68, 0.1, tuple(colour * 1.02))
    canvas.polygon(
        [(x + 0.4, 0.5), (x + 0.75, 0.48), (x + 0.8, 0.8), (x + 0.45, 0.82)],
        tone(rng, (0.6, 0.2, 0.2), (0.9, 0.8, 0.5)),
    )


def _shelf(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    wood = tone(rng, (0.30, 0.20, 0.12), (0.75, 0.60, 0.42))
    canvas.box(x, 0, 1.0, 1.9, wood)
    for y in (0.1, 0.55, 1.0, 1.45):
        canvas.box(x + 0.05, y, 0.9, 0.38, tuple(np.array(wood) * 0.55))
        at = x + 0.07
        while at < x + 0.85:
            wide = rng.uniform(0.03, 0.08)
            canvas.box(at, y, wide, rng.uniform(0.22, 0.35), tone(rng, (0.15, 0.15, 0.25), (0.85, 0.65, 0.45)))
            at += wide + (0.2 if rng.random() < 0.12 else 0.005)


def _cabinet(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    wood = tone(rng, (0.22, 0.15, 0.10), (0.85, 0.80, 0.72))
    canvas.box(x, 0.05, 1.2, 0.75, wood)
    for at in (0.04, 0.62):
        canvas.box(x + at, 0.1, 0.54, 0.65, tuple(np.array(wood) * 0.88))
    if rng.random() < 0.5:
        canvas.box(x + 0.1, 0.85, 1.0, 0.6, (0.06, 0.06, 0.07))
        canvas.box(x + 0.14, 0.89, 0.92, 0.52, tone(rng, (0.08, 0.09, 0.12), (0.3, 0.4, 0.5)))


def _plant(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    canvas.polygon(
        [(x + 0.12, 0), (x + 0.38, 0), (x + 0.44, 0.35), (x + 0.06, 0.35)],
        tone(rng, (0.5, 0.25, 0.15), (0.85, 0.82, 0.78)),
    )
    for _ in range(26):
        angle, size = rng.uniform(0.3, 2.84), rng.uniform(0.3, 0.8)
        tip = (x + 0.25 + np.cos(angle) * size * 0.6, 0.35 + np.sin(angle) * size)
        canvas.line((x + 0.25, 0.35), tip, 0.045, tone(rng, (0.10, 0.28, 0.10), (0.32, 0.52, 0.22)))


def _lamp(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    canvas.box(x + 0.28, 0, 0.03, 1.4, (0.3, 0.28, 0.26))
    canvas.box(x + 0.15, 0, 0.3, 0.04, (0.3, 0.28, 0.26))
    canvas.polygon(
        [(x + 0.08, 1.35), (x + 0.52, 1.35), (x + 0.42, 1.7), (x + 0.18, 1.7)],
        tone(rng, (0.95, 0.85, 0.6), (1, 0.97, 0.85)),
    )


def _sky(canvas: Canvas, rng: np.random.Generator) -> None:
    high, low = (
        np.array(tone(rng, (0.28, 0.48, 0.80), (0.62, 0.74, 0.88))),
        np.array(tone(rng, (0.75, 0.84, 0.92), (0.92, 0.92, 0.90))),
    )
    share = np.linspace(0, 1, len(canvas.image), dtype=np.float32)[:, None, None]
    canvas.image[:] = high * (1 - share) + low * share
    shape = canvas.image.shape[:2]
    field = cloudy(rng, shape, 1.6 * canvas.density, 3) + 0.5 * cloudy(rng, shape, 0.5 * canvas.density, 2)
    cover = np.clip((field - rng.uniform(-0.3, 1.0)) * 0.6, 0, 0.9)[..., None]
    canvas.image += (0.97 - canvas.image) * cover


def _tree(canvas: Canvas, rng: np.random.Generator, x: float, high: float) -> None:
    leaf = np.array(tone(rng, (0.12, 0.24, 0.09), (0.36, 0.46, 0.18)))
    canvas.line(
        (x, 0), (x + rng.normal(0, 0.2), high * 0.6), 0.09 * high / 2, tone(rng, (0.20, 0.14, 0.10), (0.38, 0.30, 0.22))
    )
    wide = high * rng.uniform(0.28, 0.42)
    for order in range(90):
        spot = np.clip(rng.normal(0, 1, 2), -1.7, 1.7) * (wide * 0.45, high * 0.15)
        light = 0.62 + 0.5 * order / 90 + 0.25 * spot[1] / high
        canvas.disc(
            x + spot[0],
            high * 0.68 + spot[1],
            rng.uniform(0.05, 0.13) * high * 0.8,
            tuple(leaf * light * (1 + rng.normal(0, 0.08))),
        )


def _hedge(canvas: Canvas, rng: np.random.Generator, high: float) -> None:
    leaf = np.array(tone(rng, (0.12, 0.25, 0.09), (0.34, 0.46, 0.18)))
    canvas.box(-canvas.width / 2, 0, canvas.width, high * 0.8, tuple(leaf * 0.7))
    for _ in range(int(canvas.width * 26)):
        x, y = rng.uniform(-canvas.width / 2, canvas.width / 2), high * rng.uniform(0, 1) ** 0.8
        canvas.disc(x, y, rng.uniform(0.05, 0.17), tuple(leaf * (0.55 + 0.6 * y / high) * (1 + rng.normal(0, 0.1))))


def _fence(canvas: Canvas, rng: np.random.Generator) -> None:
    colour, high = tone(rng, (0.40, 0.29, 0.20), (0.80, 0.76, 0.70)), rng.uniform(1.4, 2.0)
    for x in np.arange(-canvas.width / 2, canvas.width / 2, 0.17):
        shade = tuple(np.array(colour) * (1 + rng.normal(0, 0.07)))
        canvas.box(x, 0, 0.155, high + rng.normal(0, 0.01), shade)
    for y in (0.35, high - 0.3):
        canvas.box(-canvas.width / 2, y, canvas.width, 0.07, tuple(np.array(colour) * 0.8))


def _house(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    wide, high, wall = rng.uniform(4, 7), rng.uniform(2.6, 4.5), tone(rng, (0.60, 0.42, 0.34), (0.92, 0.90, 0.84))
    canvas.box(x, 0, wide, high, wall)
    canvas.polygon(
        [(x - 0.4, high), (x + wide + 0.4, high), (x + wide * 0.8, high + 1.5), (x + wide * 0.2, high + 1.5)],
        tone(rng, (0.28, 0.22, 0.22), (0.55, 0.34, 0.28)),
    )
    for at in np.arange(x + 0.6, x + wide - 1, 1.7):
        canvas.box(at - 0.06, 0.94, 1.02, 1.22, (0.93, 0.93, 0.92))
        canvas.box(at, 1.0, 0.9, 1.1, tone(rng, (0.16, 0.20, 0.26), (0.45, 0.52, 0.60)))


def _garden(canvas: Canvas, rng: np.random.Generator) -> None:
    _sky(canvas, rng)
    if rng.random() < 0.5:
        _house(canvas, rng, rng.uniform(-canvas.width / 2, canvas.width / 4))
    for _ in range(rng.integers(2, 7)):
        _tree(canvas, rng, rng.uniform(-0.5, 0.5) * canvas.width, rng.uniform(3.0, 6.5))
    rng.choice([_fence, lambda c, r: _hedge(c, r, r.uniform(0.7, 1.8))])(canvas, rng)


def _park(canvas: Canvas, rng: np.random.Generator) -> None:
    _sky(canvas, rng)
    hill = np.cumsum(rng.normal(0, 0.12, 24))
    xs = np.linspace(-canvas.width / 2, canvas.width / 2, 24)
    ridge = [*zip(xs, 1.6 + np.clip(hill, -0.8, 1.5), strict=True)]
    canvas.polygon(
        [(-canvas.width / 2, 0), *ridge, (canvas.width / 2, 0)], tone(rng, (0.35, 0.45, 0.42), (0.50, 0.56, 0.50))
    )
    for x in np.sort(rng.uniform(-0.5, 0.5, rng.integers(5, 12))) * canvas.width:
        _tree(canvas, rng, x, rng.uniform(2.5, 7.0))
    _hedge(canvas, rng, rng.uniform(0.3, 0.7))


def _yard_wall(canvas: Canvas, rng: np.random.Generator) -> None:
    if rng.random() < 0.6:
        tiles(
            canvas,
            rng,
            tone(rng, (0.48, 0.22, 0.16), (0.70, 0.48, 0.36)),
            tone(rng, (0.55, 0.53, 0.50), (0.75, 0.73, 0.70)),
            0.24,
            0.09,
            0.5,
        )
    else:
        canvas.image[:] = tone(rng, (0.55, 0.52, 0.48), (0.88, 0.84, 0.76))
        canvas.grain(rng, 0.05, 0.4)
    canvas.grain(rng, 0.05, 1.2)
    for x in np.arange(-canvas.width / 2 + rng.uniform(0, 2), canvas.width / 2, rng.uniform(2.0, 3.5)):
        rng.choice([_window, _door, _plant, _plant])(canvas, rng, x)


def _studio_wall(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.image[:] = tone(rng, (0.22, 0.24, 0.30), (0.88, 0.87, 0.85))
    canvas.fade(rng.uniform(0.75, 1.1), rng.uniform(0.85, 1.1))
    canvas.grain(rng, 0.05, 1.5)
    canvas.grain(rng, 0.02, 0.05)


def _crowd(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.image[:] = tone(rng, (0.03, 0.03, 0.06), (0.10, 0.09, 0.13))
    for row, y in enumerate(np.linspace(2.6, 0.2, 8)):
        bright = 0.35 + 0.08 * row
        for x in np.arange(-canvas.width / 2 + rng.uniform(0, 0.4), canvas.width / 2, 0.46):
            at, skin = x + rng.normal(0, 0.06), np.array(tone(rng, (0.40, 0.26, 0.20), (0.90, 0.72, 0.60)))
            cloth = np.array(tone(rng, (0.05, 0.05, 0.1), (0.6, 0.5, 0.5)))
            canvas.box(at - 0.2, y - 0.45, 0.4, 0.5, tuple(cloth * bright))
            canvas.disc(at, y + 0.19, 0.115, tuple(np.array(tone(rng, (0.05, 0.04, 0.04), (0.5, 0.4, 0.3))) * bright))
            canvas.disc(at, y + 0.14, 0.10, tuple(skin * bright))
    for x in np.arange(-canvas.width / 2, canvas.width / 2, 2.5):
        canvas.disc(x, canvas.height * 0.9, 0.12, (1.0, 1.0, 0.95))


GROUNDS = {
    "gym": _gym_floor,
    "hall": _wood_floor,
    "room": _room_floor,
    "lawn": _grass,
    "park": _grass,
    "yard": _paving,
    "studio": _plain_floor,
    "ring": _ring_floor,
}
BACKDROPS = {
    "gym": _gym_wall,
    "hall": _hall_wall,
    "room": _room_wall,
    "lawn": _garden,
    "park": _park,
    "yard": _yard_wall,
    "studio": _studio_wall,
    "ring": _crowd,
}


def wall_texture(name: str, rng: np.random.Generator, width: float, height: float, density: float) -> Canvas:
    """Return a wall to lean on: plain plaster with a skirting, or brick in a yard."""
    canvas = Canvas(width, height, density, tone(rng, (0.50, 0.49, 0.42), (0.92, 0.90, 0.86)))
    if name == "yard":
        tiles(canvas, rng, tone(rng, (0.48, 0.22, 0.16), (0.70, 0.48, 0.36)), (0.65, 0.63, 0.60), 0.24, 0.09, 0.5)
    else:
        canvas.box(-width / 2, 0, width, 0.11, tone(rng, (0.35, 0.28, 0.2), (0.95, 0.94, 0.92)))
    canvas.grain(rng, 0.04, 0.8)
    canvas.image[-max(1, round(0.25 * canvas.density)) :] *= 0.88
    return canvas
