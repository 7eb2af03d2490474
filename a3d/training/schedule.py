"""The learning rate over a run."""

import math


def learning_rate(step: int, steps: int, warmup: int, base: float, start: float = 0.1) -> float:
    """Rate at `step` of `steps`: linear from `start · base` over `warmup` steps, along a half cosine to 0."""
    if step < warmup:
        return base * (start + (1 - start) * step / warmup) * _cosine(warmup, steps)
    return base * _cosine(step, steps)


def _cosine(step: int, steps: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * step / steps))
