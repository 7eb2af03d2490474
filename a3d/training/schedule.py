"""The learning rate over a run."""

from __future__ import annotations

import math
from collections.abc import Sequence


def learning_rate(
    step: int, steps: int, warmup: int, base: float, start: float = 0.1, drops: Sequence[int] = ()
) -> float:
    """Rate at `step` of `steps`: linear from `start · base` over `warmup` steps, then along a half cosine to 0.

    drops: with them there is no cosine; at each of these steps the rate falls to a tenth.
    """
    if step < warmup:
        return (start + (1 - start) * step / warmup) * _after_warmup(warmup, steps, base, drops)
    return _after_warmup(step, steps, base, drops)


def _after_warmup(step: int, steps: int, base: float, drops: Sequence[int]) -> float:
    if drops:
        return base * 0.1 ** sum(step >= drop for drop in drops)
    return base * 0.5 * (1 + math.cos(math.pi * step / steps))
