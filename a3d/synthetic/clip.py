"""One synthetic clip: frames, masks, and the seed that made them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from a3d.errors import InputError
from a3d.synthetic.film import Film
from a3d.synthetic.motions import MOTIONS

ACTIONS: tuple[str, ...] = tuple(MOTIONS)


@dataclass(frozen=True)
class Clip:
    """This is a rendered clip with its ground truth.

    frames: uint8 (N, H, W, 3) RGB
    masks: bool (N, H, W), the moving body: the visible pixels of those parts of the performers (both boxers, but no
        passer-by and no prop) that travel more than 2.5 cm within the clip, grown by 1/128 of the height. The feet of
        squats and the hands of push-ups are at rest and left out; a jumper is in it whole.
    bodies: bool (N, H, W), all visible pixels of the performers, not grown
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

    Person, clothes, tempo and style follow from action and seed alone, whatever the size.
    Raises ValueError for an unknown action or an impossible size.
    """
    return _render(action, seed, seconds, frame_rate, size)


def _render(
    action: str, seed: int, seconds: float, frame_rate: float, size: tuple[int, int], still: bool = False
) -> Clip:
    """still: nothing moves but performers and props, which is how tests see what the masks must cover."""
    if action not in MOTIONS:
        raise InputError(f"unknown action {action!r}: choose one of {', '.join(ACTIONS)}")
    if min(size) < 16 or size[0] % 2 or size[1] % 2:
        raise InputError(f"size {size[0]}x{size[1]}: width and height must be even and at least 16 pixels")
    rng = np.random.default_rng([seed, ACTIONS.index(action)])
    times = np.arange(max(1, round(seconds * frame_rate))) / frame_rate
    film = Film(MOTIONS[action](times, rng), times, size, rng, still)
    shots = [film.frame(index) for index in range(len(times))]
    frames, masks, bodies = (np.stack(kind) for kind in zip(*shots, strict=True))
    return Clip(frames, masks, bodies, action, seed, frame_rate)
