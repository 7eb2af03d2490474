"""The twelve exercises as motions of joints: one function each, returning who does what with which props.

A motion gives targets for trunk, hands and feet at N moments; `figure.pose` solves elbows and knees. Tempo, amplitude
and style are drawn once a clip; tempo and depth waver slowly, so that no two repetitions are quite the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from a3d.synthetic.figure import LEFT, Body, Looks, Pose, adult, baby, looks, person, pose, unit
from a3d.synthetic.raster import Part

SIDES = np.array([1.0, -1.0])
PADS = ((0.10, 0.25, 0.65), (0.12, 0.45, 0.25), (0.15, 0.15, 0.18), (0.75, 0.15, 0.15))
STEEL, WOOD, RUBBER = (0.62, 0.64, 0.68), (0.55, 0.38, 0.22), (0.10, 0.10, 0.11)


@dataclass(frozen=True)
class Sheet:
    """This is a flat convex prop behind every capsule: corners (N, K, 3) in metres, colour RGB 0..1."""

    corners: np.ndarray
    colour: tuple[float, float, float]


@dataclass(frozen=True)
class Performance:
    """What the camera is to film.

    poses: of the actors, for framing
    parts, sheets: actors and props
    views: ranges of the camera's azimuth in degrees, 0 faces the figure, 90 sees its left side
    places: names of suitable scenes
    elevation: range of the camera's height in degrees
    wall: z of a wall that is touched, if any
    mat: (width, length) in metres of a mat on the ground
    frame: further points (N, 3) that should be in view
    """

    poses: list[Pose]
    parts: list[Part]
    views: tuple[tuple[float, float], ...]
    places: tuple[str, ...]
    elevation: tuple[float, float] = (2.0, 14.0)
    wall: float | None = None
    mat: tuple[float, float] | None = None
    sheets: list[Sheet] = field(default_factory=list)
    frame: list[np.ndarray] = field(default_factory=list)


class Rhythm:
    """Gives the beat of one clip: `phase` (N,) in radians; its tempo and the size of the motion waver slowly."""

    def __init__(self, times: np.ndarray, frequency: float, rng: np.random.Generator) -> None:
        waver = 0.25 * rng.uniform(0, 1) * np.sin(2 * np.pi * rng.uniform(0.1, 0.3) * times + rng.uniform(0, 6.28))
        self.times = times
        self.phase = 2 * np.pi * frequency * times + rng.uniform(0, 2 * np.pi) + waver
        self.size = 1 + 0.05 * np.sin(self.phase * 0.37 + rng.uniform(0, 6.28))

    def swing(self, hold: float = 0.0) -> np.ndarray:
        """0 to 1 and back once a cycle; hold in 0..1 lingers at both ends."""
        wave = -np.cos(self.phase)
        return 0.5 + 0.5 * np.tanh((1 + 2 * hold) * wave) / np.tanh(1 + 2 * hold) * np.minimum(self.size, 1)


def xyz(x, y, z) -> np.ndarray:
    """Stack scalars and (N,) arrays to (N, 3)."""
    return np.stack(np.broadcast_arrays(x, y, z), axis=-1).astype(np.float64)


def pair(x, y, z) -> np.ndarray:
    """(2, N, 3), left and right: x is mirrored, y and z are shared unless they are (2, N)."""
    y, z = np.asarray(y, float), np.asarray(z, float)
    return xyz(np.asarray(x) * SIDES[:, None], y, z)


def turned(pitch) -> np.ndarray:
    """Return the direction (N, 3) of a spine that leans forward by pitch radians: 0 upright, pi upside down."""
    return xyz(0, np.cos(pitch), np.sin(pitch))


def smooth(share) -> np.ndarray:
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def place_at(p: Pose, turn, shift: np.ndarray) -> Pose:
    """Turn the pose about the vertical by radians, a number or (N,), and move it by (3,) or (N, 3)."""
    c, s = np.cos(turn), np.sin(turn)

    def place(points: np.ndarray, direction: bool) -> np.ndarray:
        x, y, z = np.moveaxis(points, -1, 0)
        return np.stack([c * x + s * z, y, c * z - s * x], -1) + (0 if direction else shift)

    return p.mapped(place)


def rod(start: np.ndarray, end: np.ndarray, radius: float, colour, n: int) -> Part:
    """Return a bar between two points (3,) or (N, 3)."""
    return Part(np.broadcast_to(start, (n, 3)), np.broadcast_to(end, (n, 3)), radius, radius, colour)


def ball(centre: np.ndarray, radius: float, colour, n: int) -> Part:
    return rod(centre, np.asarray(centre) + 1e-4, radius, colour, n)


def squats(times, rng) -> Performance:
    body, beat = adult(rng), Rhythm(times, rng.uniform(0.35, 0.65), rng)
    down, n = beat.swing(0.2), len(times)
    depth, stance, lean = rng.uniform(0.7, 1.05), rng.uniform(1.2, 2.6) * body.hip, np.deg2rad(rng.uniform(25, 45))
    pitch = 0.04 + lean * down
    tall = body.ankle + np.sqrt((body.legs - body.ankle - 0.006) ** 2 - (stance - body.hip) ** 2)  # with straight knees
    pelvis = xyz(0, tall - depth * body.thigh * down, -0.55 * depth * body.thigh * down)
    ankles = pair(stance, body.ankle, np.zeros(n))
    chest = pelvis + turned(pitch) * body.torso
    style = rng.choice(["front", "rise", "head", "chest"])
    p = pose(
        body,
        pelvis=pelvis,
        up=turned(pitch),
        side=xyz(1, 0, np.zeros(n)),
        ankles=ankles,
        wrists=_squat_hands(style, body, chest, pitch, down),
        knees=pair(0.55, 0, np.zeros(n) + 1),
        toes=pair(0.35, 0, np.zeros(n) + 1),
        elbows=pair(1.0, -0.6, np.zeros(n) - 0.2),
        head_up=turned(0.3 * pitch),
        head_front=xyz(0, -0.05, np.zeros(n) + 1),
    )
    outfit = looks(rng)
    return Performance(
        [p],
        person(body, outfit, p),
        ((-100, 100), (60, 120), (-120, -60)),
        ("gym", "hall", "room", "lawn", "studio", "yard"),
    )


def _squat_hands(style: str, body: Body, chest, pitch, down) -> np.ndarray:
    along, out = turned(pitch), np.stack([np.zeros_like(pitch), -np.sin(pitch), np.cos(pitch)], -1)
    sides = np.array([1, 0, 0]) * SIDES[:, None, None]
    if style == "head":
        return chest + along * (body.neck + body.head) + sides * body.head * 1.2 - out * 0.03
    if style == "chest":
        return chest - along * 0.05 + out * 0.17 - sides * 0.05
    rise = np.ones_like(down) if style == "front" else smooth(1.6 * down)
    angle = (rise * np.pi / 2)[:, None]  # 0 hangs, 90 degrees points ahead
    reach = xyz(0, -1, 0 * down) * np.cos(angle) + xyz(0, 0.05, 0 * down + 1) * np.sin(angle)
    return chest + sides * body.shoulder * 1.1 + reach * body.arm * 0.97


def jacks(times, rng) -> Performance:
    body, beat = adult(rng), Rhythm(times, rng.uniform(0.75, 1.2), rng)
    n, open_ = len(times), beat.swing(0.15)
    hop = 0.07 * np.abs(np.sin(beat.phase)) * rng.uniform(0.6, 1.3)
    spread, high = rng.uniform(0.28, 0.42) * body.legs, np.deg2rad(rng.uniform(140, 172))
    foot = body.hip * 0.9 + spread * open_
    pelvis = xyz(
        0,
        np.sqrt((body.legs - body.ankle - 0.02) ** 2 - (foot - body.hip) ** 2) + body.ankle + hop - 0.015,
        np.zeros(n),
    )
    chest = pelvis + xyz(0, body.torso, np.zeros(n))
    angle = np.deg2rad(12) + (high - np.deg2rad(12)) * open_
    arm = body.arm * (1 - rng.uniform(0.01, 0.12) * np.sin(np.pi * open_) - 0.01)
    wrists = chest + pair(body.shoulder + arm * np.sin(angle), -arm * np.cos(angle), 0.06 + np.zeros(n))
    p = pose(
        body,
        pelvis=pelvis,
        up=turned(0.03 + np.zeros(n)),
        side=xyz(1, 0, np.zeros(n)),
        wrists=wrists,
        ankles=pair(foot, body.ankle + hop, np.zeros(n)),
        knees=pair(0.3, 0, np.zeros(n) + 1),
        toes=pair(0.4, -0.5 * (hop > 0.03), np.zeros(n) + 1),
        elbows=pair(1.0, -0.3, np.zeros(n) - 0.4),
    )
    return Performance(
        [p],
        person(body, looks(rng), p),
        ((-35, 35), (-25, 25), (150, 210)),
        ("lawn", "park", "room", "hall", "studio", "gym", "yard"),
    )


def lunges(times, rng) -> Performance:
    body, n = adult(rng), len(times)
    beat = Rhythm(times, rng.uniform(0.22, 0.36), rng)
    reach = rng.uniform(0.42, 0.56) * body.legs * 2 * 0.85
    walking = rng.random() < 0.5
    pelvis, ankles, toes = (_walking_lunge if walking else _standing_lunge)(body, beat.phase / np.pi, reach)
    pitch = rng.uniform(0.02, 0.16) + np.zeros(n)
    chest = pelvis + turned(pitch) * body.torso
    style = rng.choice(["hips", "bells", "bar", "hang"])
    wrists, elbows = _lunge_hands(style, body, pelvis, chest)
    p = pose(
        body,
        pelvis=pelvis,
        up=turned(pitch),
        side=xyz(1, 0, np.zeros(n)),
        wrists=wrists,
        ankles=ankles,
        elbows=elbows,
        knees=pair(0.08, 0.1, np.zeros(n) + 1),
        toes=toes,
    )
    props = _weights(style, p, body, n)
    views = ((55, 125), (-125, -55), (20, 60)) if not walking else ((55, 125), (-125, -55), (-25, 25), (160, 200))
    return Performance([p], person(body, looks(rng), p) + props, views, ("gym", "hall", "lawn", "yard", "park", "room"))


def _walking_lunge(body: Body, step: np.ndarray, reach: float):
    """Feet leapfrog: the rear one swings ahead while the hip rises, then both hold while it sinks."""
    k, f = np.floor(step), step % 1
    swing = smooth((f - 0.25) / 0.5)
    rear, ahead = (k - 1 + 2 * swing) * reach, k * reach
    left = k % 2 == 0
    z = np.stack([np.where(left, rear, ahead), np.where(left, ahead, rear)])
    lift = 0.16 * np.sin(np.pi * swing)
    y = body.ankle + np.stack([np.where(left, lift, 0), np.where(left, 0, lift)])
    middle = (k - 0.5 + smooth(f)) * reach
    sink = np.cos(np.pi * f) ** 2
    heel = 0.55 * sink * body.ankle * 2.2
    y = y + np.where(z < middle - 0.1 * reach, heel, 0)
    z, middle = z - middle.mean(), middle - middle.mean()
    pelvis = xyz(0, body.legs - 0.02 - 0.40 * sink * body.thigh * 1.7, middle)
    toes = xyz(0, np.where(z < middle - 0.1 * reach, -1.1 * sink, 0), np.ones_like(z))
    return pelvis, pair(body.hip * 1.25, y, z), toes


def _standing_lunge(body: Body, step: np.ndarray, reach: float):
    """One foot steps ahead and back, then the other."""
    k, f = np.floor(step), step % 1
    out = smooth(2.2 * np.sin(np.pi * f) - 0.35)
    sink = smooth(1.5 * np.sin(np.pi * f) - 0.5)
    lift = 0.5 * out * (1 - out)
    left = k % 2 == 0
    z = np.stack([np.where(left, out, 0), np.where(left, 0, out)]) * reach
    rear = np.stack([np.where(left, 0, sink), np.where(left, sink, 0)])
    y = body.ankle * (1 + 1.2 * rear) + np.stack([np.where(left, lift, 0), np.where(left, 0, lift)])
    pelvis = xyz(0, body.legs - 0.02 - 0.68 * sink * body.thigh, 0.5 * out * reach)
    return pelvis, pair(body.hip * 1.25, y, z), xyz(0, -1.1 * rear, np.ones_like(z))


def _lunge_hands(style: str, body: Body, pelvis, chest):
    n = len(pelvis)
    if style == "hips":
        return pelvis + pair(body.hip + 0.10, 0.06, 0.05 + np.zeros(n)), pair(1, 0, np.zeros(n) - 0.6)
    if style == "bar":
        return chest + pair(body.shoulder * 1.9, 0.03, -0.06 + np.zeros(n)), pair(0.5, -1, np.zeros(n) - 0.3)
    return chest + pair(body.shoulder * 1.15, -0.985 * body.arm, 0.03 + np.zeros(n)), pair(0.2, 0, np.zeros(n) - 1)


def _weights(style: str, p: Pose, body: Body, n: int) -> list[Part]:
    across = np.array([1.0, 0, 0])
    if style == "bells":
        ahead = np.array([0, 0, 0.13])
        return [
            part
            for hand in p.hand
            for part in (
                rod(hand - ahead, hand + ahead, 0.014, STEEL, n),
                rod(hand - ahead, hand - ahead * 0.6, 0.06, RUBBER, n),
                rod(hand + ahead, hand + ahead * 0.6, 0.06, RUBBER, n),
            )
        ]
    if style == "bar":
        middle = (p.wrist[0] + p.wrist[1]) / 2
        discs = [part for x in (-0.72, 0.72) for part in _disc(middle + across * x, 0.17, n)]
        return [rod(middle - across * 0.85, middle + across * 0.85, 0.014, STEEL, n), *discs]
    return []


def _disc(centre: np.ndarray, radius: float, n: int) -> list[Part]:
    """A weight plate that faces along x: a thick rim and spokes."""
    rim = [np.array([0, np.sin(a), np.cos(a)]) * radius * 0.78 for a in np.linspace(0, 2 * np.pi, 11)]
    ring = [rod(centre + a, centre + b, 0.22 * radius, RUBBER, n) for a, b in pairwise(rim)]
    return ring + [rod(centre + a, centre - a, 0.2 * radius, RUBBER, n) for a in rim[:5]]


def pull_ups(times, rng) -> Performance:
    body, beat = adult(rng), Rhythm(times, rng.uniform(0.3, 0.6), rng)
    n, up = len(times), beat.swing(0.15)
    grip, bar = rng.uniform(1.1, 1.9) * body.shoulder, body.height * rng.uniform(1.22, 1.32)
    low = np.sqrt((0.985 * body.arm) ** 2 - (grip - body.shoulder) ** 2)
    high = rng.uniform(0.05, 0.25) * body.arm
    shoulder = bar - 0.10 - low + (low - high) * up
    sway = rng.uniform(0.02, 0.08)
    pitch = -0.05 - 0.18 * up
    pelvis = xyz(0, shoulder, -0.10 * up) - turned(pitch) * body.torso
    fold, kick = rng.choice([0.06, 0.45, 0.8]), rng.uniform(0, 0.12)
    ankles = pelvis + pair(
        body.hip * rng.uniform(0.3, 1.1),
        -(body.thigh + body.shin) * (0.99 - 0.28 * fold - kick * up * 0.5),
        -0.5 * fold * body.shin * 1.3 + sway * np.sin(beat.phase + 1),
    )
    p = pose(
        body,
        pelvis=pelvis,
        up=turned(pitch),
        side=xyz(1, 0, np.zeros(n)),
        wrists=pair(grip, bar - 0.10, np.zeros(n) - 0.015),
        ankles=ankles,
        knees=pair(0.15, 0, np.zeros(n) + 1),
        toes=pair(0.15, -0.9 - fold, np.zeros(n) + 0.6 - fold),
        elbows=pair(1.0, -0.6, np.zeros(n) - 0.25),
        hands=pair(0, 1, np.zeros(n) + 0.3),
        head_up=turned(-0.15 - 0.25 * up),
        head_front=xyz(0, 0.35, np.zeros(n) + 1),
    )
    outfit = looks(rng, bare=bool(rng.random() < 0.3))
    return Performance(
        [p],
        person(body, outfit, p) + _frame(rng, bar, grip, n),
        ((-50, 50), (130, 230), (130, 230), (-180, 180)),
        ("gym", "park", "yard", "hall", "lawn"),
        elevation=(-8.0, 6.0),
    )


def _frame(rng: np.random.Generator, bar: float, grip: float, n: int) -> list[Part]:
    """A bar on two posts, sometimes with a second cross-beam, as in a park or a power rack."""
    wide, colour = (
        grip + rng.uniform(0.25, 0.8),
        tuple(np.array(STEEL if rng.random() < 0.6 else WOOD) * rng.uniform(0.4, 1.1)),
    )
    thick = rng.uniform(0.025, 0.06)
    parts = [rod(np.array([-wide, bar, 0.0]), np.array([wide, bar, 0.0]), 0.017, STEEL, n)]
    parts += [rod(np.array([x, 0.0, 0.0]), np.array([x, bar + 0.05, 0.0]), thick, colour, n) for x in (-wide, wide)]
    if rng.random() < 0.5:
        deep = rng.uniform(0.6, 1.0)
        parts += [
            rod(np.array([x, 0.0, deep]), np.array([x, bar + 0.05, deep]), thick, colour, n) for x in (-wide, wide)
        ]
        parts += [
            rod(np.array([x, bar + 0.03, 0.0]), np.array([x, bar + 0.03, deep]), thick, colour, n)
            for x in (-wide, wide)
        ]
    return parts


def push_ups(times, rng) -> Performance:
    body, beat = adult(rng), Rhythm(times, rng.uniform(0.45, 0.95), rng)
    n, down = len(times), beat.swing(0.1)
    length = body.torso + body.thigh + body.shin
    wide, heel = body.shoulder * rng.uniform(1.1, 1.9), 0.115 * body.height
    low = rng.uniform(0.12, 0.22)
    high = np.sqrt((0.985 * body.arm) ** 2 - (wide - body.shoulder) ** 2) + 0.04
    angle = np.arcsin((high + (low - high) * down - heel) / length)
    along = turned(np.pi / 2 - angle)
    sag = rng.uniform(-0.05, 0.06)
    ankles = xyz(0, heel, np.zeros(n) - length / 2)
    pelvis = ankles + along * (body.thigh + body.shin) * 0.998 + xyz(0, sag, np.zeros(n))
    chest_z = (length * np.cos(np.arcsin((high - heel) / length)) - length / 2) + rng.uniform(-0.02, 0.1)
    p = pose(
        body,
        pelvis=pelvis,
        up=along - xyz(0, sag / body.torso, np.zeros(n)),
        side=xyz(1, 0, np.zeros(n)),
        wrists=pair(wide, 0.035, chest_z + np.zeros(n)),
        ankles=ankles + pair(body.hip * rng.uniform(0.5, 1.6), 0, np.zeros(n)),
        knees=pair(0, -1, np.zeros(n)),
        toes=pair(0, -1.0, np.zeros(n) + 0.25),
        elbows=pair(rng.uniform(0.4, 1.4), 0.4, np.zeros(n) - 1),
        hands=pair(0.05, -0.08, np.zeros(n) + 1),
        head_up=along + xyz(0, 0.25, np.zeros(n)),
        head_front=xyz(0, -1, np.zeros(n) + rng.uniform(0.2, 0.9)),
    )
    mat = (rng.uniform(0.6, 1.0), rng.uniform(1.9, 2.4)) if rng.random() < 0.6 else None
    return Performance(
        [p],
        person(body, looks(rng), p),
        ((65, 115), (-115, -65), (20, 70), (-70, -20)),
        ("room", "gym", "hall", "lawn", "yard", "studio"),
        elevation=(6.0, 24.0),
        mat=mat,
    )


def wall_push_ups(times, rng) -> Performance:
    body, beat = adult(rng), Rhythm(times, rng.uniform(0.35, 0.7), rng)
    n, near = len(times), beat.swing(0.1)
    length = body.torso + body.thigh + body.shin
    start = np.deg2rad(rng.uniform(10, 20))
    wall = length * np.sin(start) + 0.93 * body.arm + 0.03
    end = np.arcsin((wall - rng.uniform(0.16, 0.28)) / length)
    angle = start + (end - start) * near
    ankles = xyz(0, body.ankle + 0.03 * near, np.zeros(n))
    along = turned(angle)
    pelvis = ankles + along * (body.thigh + body.shin) * 0.998
    high = body.ankle + length * np.cos(start) - rng.uniform(0.0, 0.12)
    p = pose(
        body,
        pelvis=pelvis,
        up=along,
        side=xyz(1, 0, np.zeros(n)),
        wrists=pair(body.shoulder * rng.uniform(1.0, 1.5), high, wall - 0.035 + np.zeros(n)),
        ankles=ankles + pair(body.hip * rng.uniform(0.8, 1.6), 0, np.zeros(n)),
        knees=pair(0, 0, np.zeros(n) + 1),
        toes=pair(0.1, -0.25 * near, np.zeros(n) + 1),
        elbows=pair(rng.uniform(0.3, 1.2), -1, np.zeros(n) - 0.2),
        hands=pair(0.0, 1, np.zeros(n) + 0.05),
        head_up=turned(angle * 0.8),
        head_front=turned(angle + np.pi / 2),
    )
    return Performance(
        [p], person(body, looks(rng), p), ((88, 122), (-122, -88)), ("room", "hall", "gym", "yard", "studio"), wall=wall
    )


def handstand_push_ups(times, rng) -> Performance:
    body, beat = adult(rng), Rhythm(times, rng.uniform(0.35, 0.7), rng)
    n, down = len(times), beat.swing(0.1)
    wide = body.shoulder * rng.uniform(1.2, 1.9)
    high = np.sqrt((0.98 * body.arm) ** 2 - (wide - body.shoulder) ** 2) + 0.05
    low = body.neck + 2.1 * body.head + 0.02
    shoulder = high + (min(low, 0.8 * high) - high) * down
    lean = 0.05 + 0.10 * down
    along = turned(np.pi - lean)  # the chest faces -z
    pelvis = xyz(0, shoulder, 0.10 * down) - along * body.torso
    spread, bent = rng.uniform(0.2, 2.5), rng.choice([0.01, 0.02, 0.12])
    against = bool(rng.random() < 0.6)
    wobble = 0.02 * np.sin(beat.phase * 1.7)
    reach = (body.thigh + body.shin) * (0.995 - bent)
    ankles = pelvis + pair(body.hip * spread, reach, (0.14 if against else 0.0) + wobble)
    p = pose(
        body,
        pelvis=pelvis,
        up=along,
        side=xyz(1, 0, np.zeros(n)),
        wrists=pair(wide, 0.035, np.zeros(n)),
        ankles=ankles,
        knees=pair(0.5, 0, np.zeros(n) - 1),
        toes=pair(0.2, 1.0, np.zeros(n) - 0.35),
        elbows=pair(1.0, 0.2, np.zeros(n) - 0.6),
        hands=pair(0.1, -0.1, np.zeros(n) + 1),
        head_up=turned(np.pi - 0.1),
        head_front=xyz(0, -0.1, np.zeros(n) - 1),
    )
    wall = float(ankles[..., 2].max() + 0.11) if against else None
    views = ((140, 220), (95, 130), (-130, -95)) if against else ((-180, 180),)
    return Performance([p], person(body, looks(rng), p), views, ("room", "gym", "hall", "yard", "lawn"), wall=wall)


def handstand_walk(times, rng) -> Performance:
    body, n = adult(rng), len(times)
    beat = Rhythm(times, rng.uniform(0.7, 1.1), rng)
    step, stride = beat.phase / np.pi, rng.uniform(0.10, 0.22)
    k, f = np.floor(step), step % 1
    swing, left = smooth(f * 1.15), np.floor(step) % 2 == 0
    rear, ahead = (k - 1 + 2 * swing) * stride, k * stride
    middle = (k - 0.5 + f) * stride
    z = np.stack([np.where(left, rear, ahead), np.where(left, ahead, rear)]) - middle.mean()
    lift = 0.10 * np.sin(np.pi * swing)
    y = 0.035 + np.stack([np.where(left, lift, 0), np.where(left, 0, lift)])
    middle = middle - middle.mean()
    sway = 0.06 * np.cos(beat.phase) * rng.uniform(0.6, 1.5)
    along = xyz(-sway, -1, 0.10 + 0.05 * np.sin(beat.phase * 0.5))
    shoulder = xyz(sway, 0.93 * body.arm + 0.05, middle + 0.02)
    pelvis = shoulder - unit(along) * body.torso
    split, bent = rng.uniform(0.05, 0.4), rng.uniform(0.02, 0.3)
    legs = body.thigh + body.shin
    kick = split * np.sin(beat.phase * 0.5 + 1) + 0.1 * np.sin(beat.phase)
    ankles = pelvis + pair(
        body.hip * rng.uniform(0.8, 3.0),
        legs * (0.97 - 0.5 * bent),
        np.stack([kick, -kick]) * legs * 0.7 + bent * legs * 0.8,
    )
    p = pose(
        body,
        pelvis=pelvis,
        up=along,
        side=xyz(1, -sway, np.zeros(n)),
        wrists=pair(body.shoulder * 1.15, y, z),
        ankles=ankles,
        knees=pair(0.3, 0, np.zeros(n) - 1),
        toes=pair(0.1, 1.0, np.zeros(n) + 0.4),
        elbows=pair(0.8, 0, np.zeros(n) - 0.6),
        hands=pair(0.15, -0.2, np.zeros(n) + 1),
        head_up=along + xyz(0, 0, np.zeros(n) + 0.5),
        head_front=xyz(0, -0.4, np.zeros(n) - 1),
    )
    return Performance(
        [p], person(body, looks(rng), p), ((-180, 180),), ("gym", "lawn", "hall", "yard", "park", "room")
    )


def jump_rope(times, rng) -> Performance:
    body, beat = adult(rng), Rhythm(times, rng.uniform(1.6, 2.5), rng)
    n, phase = len(times), beat.phase
    hop = rng.uniform(0.05, 0.13) * np.maximum(np.cos(phase), -0.15)
    alternate = rng.random() < 0.4
    run = 0.22 * np.maximum(np.stack([np.sin(phase / 2), -np.sin(phase / 2)]), 0) if alternate else np.zeros((2, n))
    pelvis = xyz(0, body.legs - 0.03 + hop, np.zeros(n))
    ankles = pair(body.hip * rng.uniform(0.6, 1.1), np.maximum(body.ankle + hop, body.ankle) + run, -0.5 * run - 0.02)
    chest = pelvis + turned(0.05 + np.zeros(n)) * body.torso
    circle = 0.05 * np.stack([np.cos(phase), np.sin(phase)])
    wrists = chest + pair(
        body.shoulder + 0.62 * body.arm * rng.uniform(0.7, 1.0), -0.66 * body.arm + circle[0], 0.12 + circle[1]
    )
    p = pose(
        body,
        pelvis=pelvis,
        up=turned(0.05 + np.zeros(n)),
        side=xyz(1, 0, np.zeros(n)),
        wrists=wrists,
        ankles=ankles,
        knees=pair(0.1, 0, np.zeros(n) + 1),
        toes=pair(0.1, -0.3 - 3 * np.maximum(hop, 0) - 2 * run, np.zeros(n) + 1),
        elbows=pair(0.35, -0.5, np.zeros(n) - 1),
    )
    rope = _rope(p, phase, body, rng, n)
    return Performance(
        [p],
        person(body, looks(rng), p) + rope,
        ((-40, 40), (50, 130), (-130, -50), (150, 210)),
        ("gym", "hall", "studio", "yard", "lawn", "room"),
    )


def _rope(p: Pose, phase: np.ndarray, body: Body, rng: np.random.Generator, n: int) -> list[Part]:
    """A bow between the hands that turns once a hop: lowest when the feet are highest."""
    colour = ((0.9, 0.9, 0.85), (0.15, 0.15, 0.15), (0.85, 0.15, 0.15), (0.95, 0.8, 0.2))[rng.integers(4)]
    drop = float(p.hand[LEFT, :, 1].mean())
    points = []
    for u in np.linspace(0, 1, 15):
        bow = 1.01 * drop * (1 - (2 * u - 1) ** 4) ** 0.9
        points.append(p.hand[0] * (1 - u) + p.hand[1] * u + xyz(0, -bow * np.cos(phase), bow * np.sin(phase)))
    return [rod(a, b, 0.009, colour, n) for a, b in pairwise(points)]


def trampoline(times, rng) -> Performance:
    body, air = adult(rng), 0.68  # share of a period off the bed
    period = rng.uniform(1.05, 1.5)
    beat, n, bed = Rhythm(times, 1 / period, rng), len(times), rng.uniform(0.55, 0.85)
    share = (beat.phase / (2 * np.pi)) % 1
    u, v = np.clip(share / air, 0, 1), np.clip((share - air) / (1 - air), 0, 1)
    peak = 9.81 * (air * period) ** 2 / 8 * 0.85
    dip = rng.uniform(0.2, 0.32) * np.sin(np.pi * v) * (share > air)
    feet = bed + 4 * u * (1 - u) * peak - dip
    press = np.sin(np.pi * v) * (share > air)
    style = rng.choice(["straight", "straight", "tuck", "straddle"])
    mid = smooth(2 * np.sin(np.pi * u) - 0.8) * (share <= air)
    tuck = 0.5 * mid if style == "tuck" else 0.04 * mid
    wide = body.hip * 1.2 + (0.5 * body.legs * mid if style == "straddle" else 0)
    squat = 0.25 * press * body.legs
    pelvis = xyz(
        0.05 * np.sin(beat.phase * 0.31), feet + body.legs - 0.02 - squat - 0.1 * tuck, 0.05 * np.sin(beat.phase * 0.23)
    )
    lift = 0.15 * mid if style == "straddle" else 0
    ankles = pelvis + pair(wide, -(body.legs - body.ankle - 0.02 - squat) * (1 - 0.9 * tuck) + lift, 0.3 * tuck)
    chest = pelvis + turned(0.12 * press) * body.torso
    wrists = chest + _swung_arms(body, share, mid if style == "tuck" else None, rng)
    p = pose(
        body,
        pelvis=pelvis,
        up=turned(0.12 * press),
        side=xyz(1, 0, np.zeros(n)),
        wrists=wrists,
        ankles=ankles,
        knees=pair(0.2, 0, np.zeros(n) + 1),
        toes=pair(0.15, -1.2 * (1 - press), np.zeros(n) + 1),
        elbows=pair(1, -0.4, np.zeros(n) - 0.5),
    )
    p = place_at(p, rng.choice([0, 0, 0, 0.25, -0.25]) * beat.phase, np.zeros(3))
    outfit = looks(rng, shoes=(0.9, 0.9, 0.9)) if rng.random() < 0.5 else looks(rng)
    props, sheets, reach = _trampoline_bed(rng, bed, dip, n)
    return Performance(
        [p],
        person(body, outfit, p) + props,
        ((-180, 180),),
        ("lawn", "park", "yard", "lawn"),
        elevation=(-2.0, 12.0),
        frame=[xyz(x, 0.3, z + np.zeros(n)) for x, z in ((-reach, 0), (reach, 0), (0, -reach), (0, reach))],
        sheets=sheets,
    )


def _swung_arms(body: Body, share: np.ndarray, tucked: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Wrists seen from the chest (2, N, 3): high at the top of a jump, around the knees of one who tucks."""
    raised = 0.25 + 0.75 * np.cos(np.pi * (share - 0.12)) ** 2 * rng.uniform(0.7, 1.2)
    if tucked is None:
        angle = np.deg2rad(170) * np.clip(raised, 0, 1)
    else:
        angle = np.deg2rad(150) * np.clip(raised - 0.6 * tucked, 0.1, 1)
    side, down = body.shoulder + 0.55 * body.arm * np.sin(angle), -0.95 * body.arm * np.cos(angle) * 0.9
    return pair(side, down, 0.25 * np.sin(angle) + 0.05)


def _trampoline_bed(rng, bed: float, dip: np.ndarray, n: int) -> tuple[list[Part], list[Sheet], float]:
    """A dark sheet that sinks under the feet, a padded rim, legs, and at times the posts of a net."""
    radius, pad = rng.uniform(1.25, 1.7), PADS[rng.integers(len(PADS))]
    ring = [np.array([np.cos(a), 0, np.sin(a)]) for a in np.linspace(0, 2 * np.pi, 33)]
    up = np.array([0.0, 1.0, 0.0])
    sheets = []
    for a, b in pairwise(ring):
        inner = [np.broadcast_to(q * radius * 0.85 + up * bed, (n, 3)) for q in (a, b)]
        middle = [q * radius * 0.25 + xyz(0, bed - 0.85 * dip, np.zeros(n)) for q in (b, a)]
        outer = [np.broadcast_to(q * radius + up * (bed - 0.02), (n, 3)) for q in (b, a)]
        bright = 0.10 + 0.04 * a[0]
        sheets.append(Sheet(np.stack([*inner, *middle], 1), (bright, bright, bright * 1.1)))
        sheets.append(Sheet(np.stack([xyz(0, bed - dip, np.zeros(n)), *middle], 1), (bright * 0.9,) * 3))
        sheets.append(Sheet(np.stack([*inner, *outer], 1), tuple(np.array(pad) * (1 + 0.15 * a[0]))))
    parts = [
        rod(a * radius + up * (bed - 0.05), b * radius + up * (bed - 0.05), 0.04, tuple(np.array(pad) * 0.7), n)
        for a, b in pairwise(ring)
    ]
    parts += [rod(a * radius + up * bed, a * radius * 1.02, 0.028, STEEL, n) for a in ring[:-1:4]]
    if rng.random() < 0.4:
        parts += [
            rod(a * radius * 1.05 + up * bed, a * radius * 1.08 + up * (bed + 1.8), 0.028, pad, n) for a in ring[:-1:4]
        ]
    return parts, sheets, radius


def punch(times, rng) -> Performance:
    n, gap = len(times), rng.uniform(0.52, 0.68)
    drift = 0.25 * np.sin(2 * np.pi * rng.uniform(0.08, 0.2) * times + rng.uniform(0, 6.28))
    circle = rng.uniform(-0.15, 0.15) * times
    poses, parts, tall = [], [], rng.uniform(1.64, 1.9)
    for turn in (0.0, np.pi):
        body = adult(rng, tall - 0.04, tall + 0.04)
        colour = ((0.75, 0.08, 0.08), (0.08, 0.16, 0.55), (0.08, 0.08, 0.08), (0.85, 0.65, 0.15))[rng.integers(4)]
        outfit = looks(rng, bare=bool(rng.random() < 0.85), gloves=colour, legs=0.36, loose=1.3, sleeves=0.0)
        p = _boxer(body, times, rng)
        p = place_at(p, turn + rng.normal(0, 0.1), np.array([0, 0, -gap * np.cos(turn)]))
        spun = place_at(p, circle, xyz(0, 0, drift))
        poses.append(spun)
        parts += person(body, outfit, spun)
    return Performance(poses, parts + _ring_ropes(rng, n), ((62, 118), (-118, -62)), ("ring",), elevation=(3.0, 16.0))


def _boxer(body: Body, times: np.ndarray, rng: np.random.Generator) -> Pose:
    """Guard, bob and weave; jabs, crosses and hooks at random moments."""
    n, lead = len(times), int(rng.integers(2))
    bob = 2 * np.pi * rng.uniform(1.2, 1.9) * times + rng.uniform(0, 6.28)
    hits = np.stack([_hits(times, rng) for _ in range(2)])
    lean = 0.18 + 0.10 * np.sin(bob * 0.43) + 0.14 * hits.max(axis=0)
    ahead = 1 if lead == LEFT else -1
    twist = 0.35 * ahead + 0.5 * (hits[0] - hits[1])
    side = xyz(np.cos(twist), 0, np.sin(twist))
    shift = 0.10 * np.sin(bob * 0.5) + 0.13 * hits.max(axis=0)
    pelvis = xyz(0.05 * np.sin(bob * 0.37), body.legs - 0.075 + 0.02 * np.sin(bob), shift)
    chest = pelvis + turned(lean) * body.torso
    stance = 0.22 * ahead * np.outer(SIDES, np.ones(n))
    step = 0.05 * np.maximum(np.stack([np.sin(bob * 0.5), -np.sin(bob * 0.5)]), 0)
    guard = pair(0.11, 0.04 + 0.02 * np.sin(bob), 0.27 + np.zeros(n))
    target = pair(0.02, 0.10, 0.97 * body.arm + 0.12 + np.zeros(n))
    wrists = chest + guard + (target - guard) * hits[..., None]
    return pose(
        body,
        pelvis=pelvis,
        up=turned(lean),
        side=side,
        wrists=wrists,
        ankles=pair(0.14, body.ankle + step, stance + 0.6 * shift),
        knees=pair(0.3, 0, np.ones(n)),
        toes=pair(0.25, 0, np.ones(n)),
        elbows=pair(0.45, -1, -0.1 * np.ones(n)),
        head_up=turned(lean * 0.8),
        head_front=turned(lean * 0.5 + np.pi / 2),
    )


def _hits(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How far one fist is out, 0 to 1: quick blows with pauses between."""
    out, moment = np.zeros(len(times)), rng.uniform(0, 1.2)
    while moment < times[-1] + 0.5:
        out = np.maximum(out, np.exp(-(((times - moment) / rng.uniform(0.07, 0.11)) ** 2)) * rng.uniform(0.75, 1.0))
        moment += rng.choice([0.45, 0.8, 1.4, 2.0]) * rng.uniform(0.8, 1.2)
    return out


def _ring_ropes(rng: np.random.Generator, n: int) -> list[Part]:
    """Three ropes behind the boxers, on either side of them."""
    colours = rng.permutation(np.array(((0.85, 0.12, 0.12), (0.92, 0.92, 0.92), (0.12, 0.25, 0.70))))
    parts = []
    for x in (-1.7, 1.7):
        for level, colour in zip((0.45, 0.85, 1.25), colours, strict=True):
            parts.append(rod(np.array([x, level, -3.0]), np.array([x, level, 3.0]), 0.014, tuple(colour), n))
        parts += [rod(np.array([x, 0.0, z]), np.array([x, 1.4, z]), 0.06, (0.8, 0.8, 0.82), n) for z in (-3.0, 3.0)]
    return parts


def baby_crawl(times, rng) -> Performance:
    body, beat = baby(rng), Rhythm(times, rng.uniform(0.8, 1.5), rng)
    n, step = len(times), beat.phase / np.pi
    stride = rng.uniform(0.10, 0.17)
    middle = step * stride
    middle = middle - middle.mean()
    hands_z, hands_y = _crawl_steps(step, stride, 0.035)
    knees_z, knees_y = _crawl_steps(step + 1, stride, 0.012)
    rock = 0.012 * np.sin(beat.phase)
    hip_high = 0.97 * body.thigh + 0.06
    shoulder_high = 0.90 * body.arm + 0.03
    rise = np.arcsin(np.clip((shoulder_high - hip_high) / body.torso, -0.9, 0.9)) + 0.05 * np.sin(beat.phase * 0.5)
    along = turned(np.pi / 2 - rise)
    pelvis = xyz(rock, hip_high + 0.006 * np.cos(2 * beat.phase), middle - 0.5 * body.torso)
    knees = pair(body.hip * 1.4, 0.04 + knees_y, knees_z - 0.5 * body.torso)
    look = 0.35 + 0.25 * np.sin(2 * np.pi * rng.uniform(0.1, 0.3) * times + rng.uniform(0, 6.28))
    p = pose(
        body,
        pelvis=pelvis,
        up=along,
        side=xyz(1, 0.5 * rock / body.hip * 0.2, np.zeros(n)),
        wrists=pair(body.shoulder * 1.1, 0.025 + hands_y, hands_z + 0.5 * body.torso * np.cos(rise).mean() + 0.03),
        ankles=knees + xyz(0, 0.01, np.zeros(n) - body.shin),
        knees=pair(0.1, -1, np.zeros(n) + 0.6),
        toes=pair(0.15, -0.35, np.zeros(n) - 1),
        elbows=pair(0.7, 0, np.zeros(n) - 0.8),
        hands=pair(0.1, -0.15, np.zeros(n) + 1),
        head_up=xyz(0.1 * np.sin(beat.phase * 0.3), 1, 0.75 - look),
        head_front=xyz(0.3 * np.sin(beat.phase * 0.21), look - 0.5, np.zeros(n) + 1),
    )
    return Performance(
        [p],
        person(body, _baby_looks(rng), p) + _toys(rng, n),
        ((-50, 50), (40, 110), (-110, -40)),
        ("room", "room", "room", "lawn"),
        elevation=(10.0, 34.0),
        mat=(1.6, 1.6) if rng.random() < 0.35 else None,
    )


def _baby_looks(rng: np.random.Generator) -> Looks:
    return looks(
        rng,
        style=str(rng.choice(["short", "bald", "bald"])),
        legs=float(rng.choice([0.3, 1.0, 1.0])),
        loose=1.25,
        bare=False,
        sleeves=float(rng.choice([0.3, 1.0])),
        piping=False,
        shoes=(0.93, 0.86, 0.80),
    )


def _crawl_steps(step: np.ndarray, stride: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Positions ahead of the start (2, N) and lifts (2, N): left and right take turns, as legs do in walking."""
    k, f = np.floor(step), step % 1
    swing, left = smooth(f * 1.1), np.floor(step) % 2 == 0
    rear, ahead = (k - 0.5 + 2 * swing) * stride, (k + 0.5) * stride
    z = np.stack([np.where(left, rear, ahead), np.where(left, ahead, rear)])
    lift = high * np.sin(np.pi * swing)
    return z - (step * stride).mean(), np.stack([np.where(left, lift, 0), np.where(left, 0, lift)])


def _toys(rng: np.random.Generator, n: int) -> list[Part]:
    parts = []
    for _ in range(rng.integers(0, 5)):
        spot, radius = rng.uniform(0.35, 1.1) * unit(rng.normal(size=3) * np.array([1, 0, 1])), rng.uniform(0.03, 0.08)
        spot[1] = radius
        colour = tuple(rng.permutation(np.array([0.9, rng.uniform(0.1, 0.8), 0.12])))
        parts.append(ball(spot, radius, colour, n))
    return parts


def passer_by(times: np.ndarray, rng: np.random.Generator, start: np.ndarray, way: np.ndarray) -> list[Part]:
    """Somebody who walks through the background from start (3,) along way (3,) in metres a second."""
    body, n = adult(rng), len(times)
    step = times * np.linalg.norm(way) / 0.7 + rng.uniform(0, 2)
    k, f = np.floor(step), step % 1
    swing, left = smooth(f), np.floor(step) % 2 == 0
    rear, ahead = (k - 1 + 2 * swing) * 0.7, k * 0.7
    middle = (k - 0.5 + f) * 0.7
    z = np.stack([np.where(left, rear, ahead), np.where(left, ahead, rear)]) - middle
    lift = 0.10 * np.sin(np.pi * swing)
    y = body.ankle + np.stack([np.where(left, lift, 0), np.where(left, 0, lift)])
    pelvis = xyz(0, body.legs - 0.05 + np.zeros(n), np.zeros(n))
    wrists = pelvis + pair(0.22, 0.0, -0.6 * z[::1] * 0.6)
    p = pose(
        body,
        pelvis=pelvis,
        up=turned(0.04 + np.zeros(n)),
        side=xyz(1, 0, np.zeros(n)),
        wrists=wrists,
        ankles=pair(body.hip, y, z),
        knees=pair(0, 0, np.zeros(n) + 1),
        toes=pair(0.1, 0, np.zeros(n) + 1),
        elbows=pair(0.2, 0, np.zeros(n) - 1),
    )
    placed = place_at(p, float(np.arctan2(way[0], way[2])), start + times[:, None] * way)
    return person(body, looks(rng), placed, actor=False)


MOTIONS = {
    "BabyCrawling": baby_crawl,
    "BodyWeightSquats": squats,
    "HandstandPushups": handstand_push_ups,
    "HandstandWalking": handstand_walk,
    "JumpRope": jump_rope,
    "JumpingJack": jacks,
    "Lunges": lunges,
    "PullUps": pull_ups,
    "Punch": punch,
    "PushUps": push_ups,
    "TrampolineJumping": trampoline,
    "WallPushups": wall_push_ups,
}
