"""How far an accuracy can be trusted that was counted on so many clips."""

from __future__ import annotations

import math

NORMAL_95 = 1.959964  # a standard normal variable lies within ± this in 95 of 100 draws


def wilson(accuracy: float, clips: int) -> tuple[float, float]:
    """Return the 95% Wilson score interval of an accuracy measured on so many clips: its ends, all in percent."""
    share, square = accuracy / 100, NORMAL_95**2
    centre = share + square / (2 * clips)
    reach = NORMAL_95 * math.sqrt(share * (1 - share) / clips + square / (4 * clips**2))
    low, high = ((centre + side * reach) / (1 + square / clips) for side in (-1, 1))
    return 100 * max(0.0, low), 100 * min(1.0, high)
