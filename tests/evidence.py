"""Maps made by hand."""

import numpy as np
import pytest

from a3d.configuration import Configuration
from a3d.maps import Comparison, Evidence, Explanation

NAMES = ("crawl", "jump", "lunge", "punch", "squat")


def made(configuration, seen, maps, times, probabilities=(0.7, 0.2, 0.06, 0.03, 0.01)):
    """An explanation of class 0 with given Slow maps (t, h, w)."""
    maps, times = np.asarray(maps, np.float32), np.asarray(times, float)
    frames = np.full((len(times), 16, 16, 3), 128, np.uint8)
    evidence = Evidence("slow", maps, np.asarray(seen), times[list(seen)])
    probabilities = np.array(probabilities, np.float32)
    return Explanation(
        configuration, 0, float(maps.mean()), 0.0, probabilities, NAMES, "cam", (evidence,), frames, times
    )


@pytest.fixture
def comparison():
    """Full sees four frames, half a second apart, sub the first and the third; the strongest evidence is 4 logits."""
    times = [0.0, 0.5, 1.0, 1.5]
    full = made(Configuration(16, 4, 1.0), range(4), np.arange(16).reshape(4, 2, 2) / 3.75 - 1, times)
    sub = made(Configuration(8, 2, 0.5), (0, 2), np.full((2, 1, 1), 4.0), times, (0.1, 0.2, 0.3, 0.15, 0.25))
    return Comparison(full, sub)
