"""A person: proportions, looks, and the way from a pose to capsules.

Axes of a figure: x to its left, y up, z ahead; the ground is y = 0. Lengths in metres, one value per frame where N is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from a3d.synthetic.raster import Part

Colour = tuple[float, float, float]
LEFT, RIGHT = 0, 1

SKINS = (
    (0.96, 0.80, 0.69),
    (0.91, 0.72, 0.58),
    (0.82, 0.61, 0.45),
    (0.68, 0.47, 0.32),
    (0.50, 0.33, 0.22),
    (0.36, 0.23, 0.16),
)
HAIRS = (
    (0.07, 0.05, 0.04),
    (0.20, 0.12, 0.07),
    (0.36, 0.22, 0.11),
    (0.72, 0.54, 0.27),
    (0.55, 0.54, 0.53),
    (0.45, 0.16, 0.07),
)
CLOTHS = (
    (0.85, 0.12, 0.12),
    (0.95, 0.42, 0.12),
    (0.96, 0.78, 0.18),
    (0.16, 0.55, 0.28),
    (0.12, 0.30, 0.68),
    (0.20, 0.62, 0.82),
    (0.46, 0.20, 0.58),
    (0.88, 0.42, 0.60),
    (0.92, 0.92, 0.90),
    (0.55, 0.57, 0.60),
    (0.10, 0.10, 0.12),
    (0.22, 0.25, 0.32),
)
DARKS = (
    (0.08, 0.08, 0.10),
    (0.13, 0.16, 0.28),
    (0.22, 0.23, 0.26),
    (0.34, 0.31, 0.24),
    (0.42, 0.43, 0.46),
    (0.50, 0.10, 0.12),
)


SOCKS = ((0.9, 0.9, 0.9), (0.1, 0.1, 0.1))


@dataclass(frozen=True)
class Body:
    """Lengths and radii in metres; `thick` scales the radii of limbs, `belly` that of the waist."""

    height: float
    torso: float
    thigh: float
    shin: float
    upper_arm: float
    forearm: float
    shoulder: float  # half the distance between the shoulder joints
    hip: float  # half the distance between the hip joints
    head: float  # radius
    neck: float
    ankle: float  # height of the ankle above the ground
    thick: float
    belly: float

    @property
    def legs(self) -> float:
        return self.thigh + self.shin + self.ankle

    @property
    def arm(self) -> float:
        return self.upper_arm + self.forearm


def adult(rng: np.random.Generator, shortest: float = 1.52, tallest: float = 1.95) -> Body:
    """Return a grown person of a height in metres between two, slim to heavy."""
    height, wide, thick = rng.uniform(shortest, tallest), rng.uniform(0.88, 1.12), rng.uniform(0.84, 1.22)
    limbs = rng.uniform(0.95, 1.05)
    return Body(
        height=height,
        torso=0.295 * height,
        thigh=0.245 * height * limbs,
        shin=0.235 * height * limbs,
        upper_arm=0.175 * height * limbs,
        forearm=0.155 * height * limbs,
        shoulder=0.108 * height * wide,
        hip=0.052 * height * rng.uniform(0.9, 1.15),
        head=0.062 * height * rng.uniform(0.95, 1.08),
        neck=0.062 * height,
        ankle=0.042 * height,
        thick=height * thick,
        belly=rng.uniform(0.82, 1.0) * thick + max(0.0, rng.normal(0, 0.12)),
    )


def baby(rng: np.random.Generator) -> Body:
    """Return a baby, about 0.7 m long: a large head, short limbs."""
    height, thick = rng.uniform(0.66, 0.78), rng.uniform(1.1, 1.35)
    return Body(
        height=height,
        torso=0.34 * height,
        thigh=0.215 * height,
        shin=0.19 * height,
        upper_arm=0.15 * height,
        forearm=0.14 * height,
        shoulder=0.115 * height,
        hip=0.065 * height,
        head=0.118 * height,
        neck=0.055 * height,
        ankle=0.045 * height,
        thick=height * thick,
        belly=1.25,
    )


@dataclass(frozen=True)
class Looks:
    """Colours and cut of one person's skin, hair and clothes."""

    skin: Colour
    hair: Colour
    style: str  # "short", "long", "tail", "bald", "cap"
    shirt: Colour
    stripe: Colour
    pattern: str  # "plain", "stripes", "block", "print"
    sleeves: float  # share of the arm covered: 0 bare, 0.3 T-shirt, 1 long
    bare: bool  # no shirt
    trousers: Colour
    legs: float  # share of the leg covered: 0.35 shorts, 1 trousers
    piping: bool  # a light line down the side of the legs
    loose: float  # cloth over limb, factor
    shoes: Colour
    socks: Colour
    gloves: Colour | None = None


def looks(rng: np.random.Generator, **fixed: object) -> Looks:
    """A random outfit; `fixed` names fields of Looks that an action wants so."""
    chosen = {
        "skin": pick(rng, SKINS),
        "hair": pick(rng, HAIRS),
        "style": str(rng.choice(["short", "short", "short", "long", "tail", "bald", "cap"])),
        "shirt": pick(rng, CLOTHS),
        "stripe": pick(rng, CLOTHS),
        "pattern": str(rng.choice(["plain", "plain", "stripes", "block", "print"])),
        "sleeves": float(rng.choice([0.0, 0.27, 0.27, 0.3, 1.0])),
        "bare": bool(rng.random() < 0.12),
        "trousers": pick(rng, DARKS if rng.random() < 0.7 else CLOTHS),
        "legs": float(rng.choice([0.3, 0.38, 1.0, 1.0, 0.75])),
        "piping": bool(rng.random() < 0.3),
        "loose": float(rng.uniform(1.02, 1.28)),
        "shoes": pick(rng, CLOTHS),
        "socks": pick(rng, SOCKS),
    }
    return Looks(**{**chosen, **fixed})


def pick(rng: np.random.Generator, choices: tuple[Colour, ...]) -> Colour:
    """One of the colours, or one close to it."""
    return tuple(np.clip(np.array(choices[rng.integers(len(choices))]) + rng.normal(0, 0.03, 3), 0.03, 0.97))


@dataclass(frozen=True)
class Pose:
    """Joints of one figure over time, each (N, 3); pairs are (2, N, 3), left first."""

    pelvis: np.ndarray
    chest: np.ndarray  # between the shoulder joints
    side: np.ndarray  # unit vector to the figure's left, at the hips
    chest_side: np.ndarray
    front: np.ndarray  # unit vector out of the chest
    head: np.ndarray
    head_up: np.ndarray
    head_front: np.ndarray
    shoulder: np.ndarray
    elbow: np.ndarray
    wrist: np.ndarray
    hand: np.ndarray  # finger tips
    hip: np.ndarray
    knee: np.ndarray
    ankle: np.ndarray
    toe: np.ndarray

    def mapped(self, place) -> Pose:
        """The same pose elsewhere: `place(points, is_direction)` is applied to every field."""
        directions = ("side", "chest_side", "front", "head_up", "head_front")
        return Pose(**{name: place(value, name in directions) for name, value in vars(self).items()})


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)


def bend(
    root: np.ndarray, target: np.ndarray, upper: float, lower: float, pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Two bones from root towards target, the joint between them pushed towards pole: (joint, end).

    The end is the target if the bones reach it, else the farthest point on the way.
    """
    way = target - root
    distance = np.clip(np.linalg.norm(way, axis=-1, keepdims=True), abs(upper - lower) + 1e-3, (upper + lower) * 0.9995)
    way = unit(way)
    forward = (upper**2 + distance**2 - lower**2) / (2 * distance)
    outward = np.sqrt(np.maximum(upper**2 - forward**2, 0))
    push = unit(pole - (pole * way).sum(-1, keepdims=True) * way)
    return root + way * forward + push * outward, root + way * distance


def pose(
    body: Body,
    *,
    pelvis,
    up,
    side,
    wrists,
    ankles,
    elbows,
    knees,
    toes,
    hands=None,
    chest_up=None,
    chest_side=None,
    head_up=None,
    head_front=None,
) -> Pose:
    """Solve the limbs between trunk and targets.

    pelvis, up, side: (N, 3). wrists, ankles: targets (2, N, 3). elbows, knees: where those joints point, toes and
    hands: directions of feet and fingers (2, N, 3). chest_up, head_up default to up, the gaze to the chest's front.
    """
    chest_up = unit(up if chest_up is None else chest_up)
    chest_side = unit(side if chest_side is None else chest_side)
    up, side = unit(up), unit(side)
    chest = pelvis + up * (0.45 * body.torso) + chest_up * (0.55 * body.torso)
    front = unit(np.cross(chest_side, chest_up))
    head_up = chest_up if head_up is None else unit(head_up)
    head_front = front if head_front is None else unit(head_front)
    head = chest + chest_up * body.neck * 0.35 + head_up * (body.neck * 0.65 + body.head)
    shoulder, hip = _both(chest, chest_side * body.shoulder), _both(pelvis, side * body.hip)
    elbow, wrist = bend(shoulder, wrists, body.upper_arm, body.forearm, elbows)
    knee, ankle = bend(hip, ankles, body.thigh, body.shin, knees)
    hands = unit(wrist - elbow) if hands is None else unit(hands)
    fingers = wrist + hands * 0.085 * body.height * (body.arm / body.height / 0.33)
    limbs = (shoulder, elbow, wrist, fingers, hip, knee, ankle, ankle + unit(toes) * 0.105 * body.height)
    return Pose(pelvis, chest, side, chest_side, front, head, head_up, head_front, *limbs)


def _both(middle: np.ndarray, aside: np.ndarray) -> np.ndarray:
    """Left and right of a middle (N, 3): (2, N, 3)."""
    return np.stack([middle + aside, middle - aside])


def person(body: Body, outfit: Looks, p: Pose, actor: bool = True) -> list[Part]:
    """Return all capsules of a dressed figure."""
    parts = [*_trunk(body, outfit, p), *_head(body, outfit, p)]
    for i in (LEFT, RIGHT):
        parts += [*_arm(body, outfit, p, i), *_leg(body, outfit, p, i)]
    return [Part(*part, actor=actor) for part in parts]


def _mix(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    return a + (b - a) * share


SPINE = np.array([-0.06, 0.06, 0.18, 0.32, 0.46, 0.60, 0.74, 0.87, 0.97, 1.04])  # shares of the way pelvis to chest
WIDE = np.array([0.045, 0.050, 0.044, 0.040, 0.045, 0.053, 0.062, 0.072, 0.082, 0.060])  # half widths, body heights
DEEP = np.array([0.058, 0.060, 0.056, 0.053, 0.055, 0.060, 0.063, 0.057, 0.045, 0.036])  # radii, body heights
SLICES = np.linspace(SPINE[0], SPINE[-1], 19)


def _trunk(body: Body, outfit: Looks, p: Pose) -> list[tuple]:
    """A stack of stadium-shaped slices from the hips to the shoulders."""
    parts = []
    build = body.thick / body.height
    for at, wide, deep in zip(SLICES, np.interp(SLICES, SPINE, WIDE), np.interp(SLICES, SPINE, DEEP), strict=True):
        centre = _mix(p.pelvis, p.chest, at) - p.front * (0.01 * body.height)
        side = unit(_mix(p.side, p.chest_side, float(np.clip(at, 0, 1))))
        belly = build + (body.belly - build) * float(np.exp(-(((at - 0.32) / 0.3) ** 2)))
        radius = deep * body.height * belly
        wide = wide * body.height * (body.shoulder / (0.108 * body.height)) ** (0.4 + 0.6 * at)
        parts.append((centre + side * wide, centre - side * wide, radius, radius, _cloth(outfit, at)))
    return parts + _chest(body, outfit, p, build)


def _chest(body: Body, outfit: Looks, p: Pose, build: float) -> list[tuple]:
    """What gives a front to a trunk: breast muscles, and the print of a shirt."""
    h = body.height
    if outfit.bare:
        front, thick = _mix(p.pelvis, p.chest, 0.78) + p.front * (0.0035 * h * build), 0.049 * h * build
        ends = [front + p.chest_side * (x * h) for x in (0.058, 0.03, -0.058, -0.03)]
        return [(ends[0], ends[1], thick, thick, outfit.skin), (ends[2], ends[3], thick, thick, outfit.skin)]
    if outfit.pattern == "print":
        mark, wide = _mix(p.pelvis, p.chest, 0.66) + p.front * (0.032 * h * build), p.chest_side * (0.03 * h)
        return [(mark + wide, mark - wide, 0.026 * h, 0.026 * h, outfit.stripe)]
    return []


def _cloth(outfit: Looks, at: float) -> Colour:
    """The colour of the trunk at a share of its height."""
    if at < 0.08:
        return outfit.trousers
    if outfit.bare or (outfit.sleeves == 0 and at > 0.97):  # a vest leaves the top of the shoulders free
        return outfit.skin
    striped = (outfit.pattern == "stripes" and int(at * 9) % 2) or (outfit.pattern == "block" and at > 0.66)
    return outfit.stripe if striped else outfit.shirt


def _head(body: Body, outfit: Looks, p: Pose) -> list[tuple]:
    r, up, front = body.head, p.head_up, p.head_front
    left = unit(np.cross(up, front))
    skin, dark = outfit.skin, tuple(0.82 * c for c in outfit.skin)

    def at(x: float, y: float, z: float) -> np.ndarray:
        """A point of the head: to the left, up and ahead of its centre, in radii."""
        return p.head + left * (x * r) + up * (y * r) + front * (z * r)

    parts = [
        (_mix(p.chest, p.head, -0.1), _mix(p.chest, p.head, 0.75), 0.62 * r, 0.52 * r, dark),
        (at(0, 0.25, -0.08), at(0, -0.42, 0.16), 0.92 * r, 0.66 * r, skin),
        (at(0, 0.05, 0.80), at(0, -0.20, 0.92), 0.10 * r, 0.15 * r, skin),
        (
            at(0.17, -0.56, 0.68),
            at(-0.17, -0.56, 0.68),
            0.07 * r,
            0.07 * r,
            (0.62 * skin[0], 0.36 * skin[1], 0.34 * skin[2]),
        ),
    ]
    for x in (0.33, -0.33):
        parts.append((at(x, 0.10, 0.74), at(x * 1.15, 0.10, 0.73), 0.095 * r, 0.09 * r, (0.06, 0.05, 0.05)))
        parts.append((at(x * 0.7, 0.34, 0.76), at(x * 1.5, 0.34, 0.66), 0.06 * r, 0.05 * r, outfit.hair))
        parts.append((at(x * 2.75, 0.05, -0.05), at(x * 2.75, -0.15, -0.05), 0.17 * r, 0.12 * r, skin))
    return parts + _hair(r, outfit, at)


def _hair(r: float, outfit: Looks, at) -> list[tuple]:
    colour = outfit.hair if outfit.style != "cap" else outfit.stripe
    if outfit.style == "bald":
        return []
    parts = [
        (at(0, 0.45, -0.18), at(0, 0.20, -0.30), 0.90 * r, 0.88 * r, colour),
        (at(0.45, 0.72, 0.25), at(-0.45, 0.72, 0.25), 0.36 * r, 0.36 * r, colour),
    ]
    if outfit.style == "cap":
        parts.append((at(0.3, 0.62, 0.95), at(-0.3, 0.62, 0.95), 0.20 * r, 0.20 * r, colour))
    if outfit.style == "long":
        parts += [(at(x, 0.1, -0.45), at(x, -1.15, -0.45), 0.55 * r, 0.40 * r, colour) for x in (0.38, -0.38)]
    if outfit.style == "tail":
        parts.append((at(0, 0.45, -1.05), at(0, -0.95, -1.25), 0.34 * r, 0.18 * r, colour))
    return parts


def _arm(body: Body, outfit: Looks, p: Pose, i: int) -> list[tuple]:
    h, skin = body.thick, outfit.skin
    shoulder, elbow, wrist, hand = p.shoulder[i], p.elbow[i], p.wrist[i], p.hand[i]
    sleeve = 0.0 if outfit.bare else outfit.sleeves
    parts = [
        (shoulder, elbow, 0.034 * h, 0.025 * h, skin),
        (elbow, _mix(elbow, wrist, 0.35), 0.025 * h, 0.0265 * h, skin),
        (_mix(elbow, wrist, 0.35), wrist, 0.0265 * h, 0.0165 * h, skin),
    ]
    if outfit.gloves:
        parts.append((wrist, hand, 0.034 * h, 0.050 * h, outfit.gloves))
    else:
        parts.append((wrist, _mix(wrist, hand, 0.75), 0.019 * h, 0.021 * h, skin))
        parts.append((_mix(wrist, hand, 0.5), hand, 0.017 * h, 0.010 * h, skin))
    if sleeve:
        colour = outfit.stripe if outfit.pattern == "block" else outfit.shirt
        parts.append(
            (shoulder, _mix(shoulder, elbow, min(1.0, 2 * sleeve)), 0.040 * h, 0.034 * h * outfit.loose, colour)
        )
    if sleeve == 1.0:
        parts.append(
            (elbow, _mix(elbow, wrist, 0.93), 0.031 * h * outfit.loose, 0.022 * h * outfit.loose, outfit.shirt)
        )
    return parts


def _leg(body: Body, outfit: Looks, p: Pose, i: int) -> list[tuple]:
    h, skin, cloth, loose = body.thick, outfit.skin, outfit.trousers, outfit.loose
    hip, knee, ankle, toe = p.hip[i], p.knee[i], p.ankle[i], p.toe[i]
    calf, down = _mix(knee, ankle, 0.3), unit(ankle - knee)
    parts = [
        (hip, knee, 0.055 * h, 0.036 * h, skin),
        (knee, calf, 0.035 * h, 0.037 * h, skin),
        (calf, ankle, 0.037 * h, 0.021 * h, skin),
        (_mix(knee, ankle, 0.85), ankle, 0.024 * h, 0.024 * h, outfit.socks),
        *_shoe(body, outfit, ankle, toe, down),
    ]
    cover = 2 * outfit.legs
    parts.append(
        (hip, _mix(hip, knee, min(1.0, cover)), 0.059 * h, _mix(0.058, 0.040, min(1.0, cover)) * h * loose, cloth)
    )
    if cover > 1:
        parts.append((knee, _mix(knee, ankle, min(0.95, cover - 1)), 0.040 * h * loose, 0.031 * h * loose, cloth))
    return parts + (_piping(body, outfit, p, i) if outfit.piping else [])


def _piping(body: Body, outfit: Looks, p: Pose, i: int) -> list[tuple]:
    """A white line down the outer side of shorts or trousers."""
    h, cover = body.thick, 2 * outfit.legs
    hip, knee, ankle = p.hip[i], p.knee[i], p.ankle[i]
    out, white = p.side * ((0.048 if i == LEFT else -0.048) * h), (0.92, 0.92, 0.92)
    line = [(hip + out, _mix(hip, knee, min(1.0, cover)) + out * 0.72, 0.014 * h, 0.013 * h, white)]
    if cover > 1:
        line.append((knee + out * 0.72, _mix(knee, ankle, cover - 1) + out * 0.5, 0.013 * h, 0.012 * h, white))
    return line


def _shoe(body: Body, outfit: Looks, ankle: np.ndarray, toe: np.ndarray, down: np.ndarray) -> list[tuple]:
    r, ahead = 0.026 * body.height, unit(toe - ankle)
    sole = unit(down - (down * ahead).sum(-1, keepdims=True) * ahead + 1e-6)
    heel = ankle + sole * (body.ankle - 1.1 * r) - ahead * 0.018 * body.height
    tip = ankle + sole * (body.ankle - r) + ahead * 0.095 * body.height
    return [
        (heel, tip, 1.1 * r, 0.85 * r, outfit.shoes),
        (ankle, _mix(heel, tip, 0.5), 1.05 * r, 0.95 * r, outfit.shoes),
    ]
