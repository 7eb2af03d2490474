"""What this machine can do at best: the measure of every share of the peak."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from a3d.benchmark.measure import Figure, Setting, peak


def peaks(setting: Setting) -> Iterator[Figure]:
    for dtype in (torch.float32, torch.bfloat16):
        name = f"large convolution, {str(dtype).removeprefix('torch.')}"
        yield Figure(name, ours=peak(dtype, setting.device), unit="GFLOP/s", note="two operations a multiply-add")
