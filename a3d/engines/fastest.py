"""Which runtime is best, by what was measured."""

from __future__ import annotations

from collections.abc import Mapping

from a3d.engines.runtime import PRECISIONS, Runtime

NOISE = 0.03  # share of the time by which a runtime has to be faster than a plainer one


def fastest(milliseconds: Mapping[Runtime, float]) -> Runtime:
    """Return the runtime to use of those that were measured: the plainest of the fastest.

    Plainer is more exact (float32 before bfloat16 before int8), then nearer to PyTorch. One that computes in fewer bits
    is never taken for being able to: only for having been faster, by more than what medians differ by.
    """
    limit = min(milliseconds.values()) * (1 + NOISE)
    return min((runtime for runtime, took in milliseconds.items() if took <= limit), key=_plainness)


def _plainness(runtime: Runtime) -> tuple[int, int]:
    return PRECISIONS["openvino"].index(runtime.precision), list(PRECISIONS).index(runtime.engine)
