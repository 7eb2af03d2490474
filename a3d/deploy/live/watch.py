"""A network on a stream: its table and profile are the options, its sub-networks wait in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import torch

from a3d.adaptive.extraction import SubNetwork
from a3d.adaptive.residents import BYTES
from a3d.budgets.budget import Budget, Limits
from a3d.budgets.profile import ProfileError
from a3d.configuration import Configuration
from a3d.deploy.live.controller import Controller, Option
from a3d.deploy.live.loop import Window, answer_in_time
from a3d.deploy.live.trace import Step
from a3d.deploy.live.windows import windows_of
from a3d.trained import TrainedNetwork, check_trained
from a3d.video import crop_views
from a3d.video.stream import Stream
from a3d.video.views import DECODED_SIDE

NO_LIMIT: Limits = {}


def watch(
    source: str | Path,
    network: TrainedNetwork,
    deadline: float,
    every: float | None = None,
    limit: Callable[[], Limits] = lambda: NO_LIMIT,
    dtype: torch.dtype | None = None,
) -> Iterator[Step]:
    """Classifies sliding windows of a stream, each as accurately as its deadline allows at that moment.

    source: as in `Stream`. deadline: milliseconds from a window's last frame to its answer. every: milliseconds from
    window to window, the deadline if left out. limit: asked before every window, a budget in `gflops`, `params` or
    `megabytes` that its configuration keeps to; where nothing does, the cheapest runs.
    dtype: what the convolutions compute in, by PyTorch; by default as the network was loaded to run, which its
    profile is of.
    Raises ProfileError for a network without a profile of this device, VideoError for a source that gives no frames.
    """
    check_trained(network)
    every = every or deadline
    side = max(DECODED_SIDE, 2 * network.sampling.spatial)
    known = limit()
    policy = Controller(options(network, **known), min(deadline, every))
    resident = Resident(network, dtype)
    resident.warm(policy.options)
    with Stream(source, side) as stream, closing(windows_of(stream, network.sampling, every / 1000)) as windows:
        limited = _limited(windows, policy, resident, limit, known)
        yield from answer_in_time(policy, limited, resident.answer, deadline)


def options(network: TrainedNetwork, **limit: float | None) -> list[Option]:
    """The rows of the table that were measured on this device and keep to the limit, or else the cheapest of them."""
    if network.profile is None or network.table is None:
        raise ProfileError("no times are known of this device; measure them (a3d profile --checkpoint DIR), load again")
    rows = network.table.trade_off("milliseconds", network.profile)
    budget = Budget.of(**limit)
    if budget is not None:
        measured = [row for row in network.table.rows if row.configuration in network.profile]
        cost = network.table.costs(budget.unit, network.profile)
        rows = [row for row in measured if cost(row) <= budget.limit] or [min(measured, key=cost)]
    return [Option(row.configuration, milliseconds(network, row.configuration), row.accuracy) for row in rows]


def milliseconds(network: TrainedNetwork, configuration: Configuration) -> float:
    """From decoded frames to the answer, by the profile."""
    latency = network.profile.latency(configuration)
    return latency.prepare.median + latency.network.median


class Resident:
    """Sub-networks in memory: those that may be asked for now, and of those before what fits beside them."""

    def __init__(self, network: TrainedNetwork, dtype: torch.dtype | None = None) -> None:
        self.network, self.dtype = network, dtype
        self._subs: dict[Configuration, SubNetwork] = {}

    @torch.inference_mode()
    def warm(self, options: Sequence[Option]) -> None:
        """Extracts what may be asked for and runs it once, so that no window waits for it."""
        for option in options:
            sub = self._subs.pop(option.configuration, None)
            if sub is None:
                runtime = self.network.runtime(option.configuration, self.dtype)
                sub = self.network.compiled(option.configuration, runtime)
                frames, size = self.network.clip_shape(option.configuration)
                sub(torch.zeros(1, 3, frames, size, size, device=sub.device))
            self._subs[option.configuration] = sub  # the last ones are the newest
        asked = {option.configuration for option in options}
        for configuration in [c for c in self._subs if c not in asked]:
            if self.held > BYTES:
                del self._subs[configuration]

    @property
    def held(self) -> int:
        """Bytes of the weights in memory."""
        return sum(parameter.nbytes for sub in self._subs.values() for parameter in sub.parameters())

    @torch.inference_mode()
    def answer(self, window: Window, configuration: Configuration) -> tuple[str, float]:
        """The most probable class of a window, and its probability."""
        sub = self._subs[configuration]
        size = self.network.clip_shape(configuration)[1]
        clip = crop_views(window.frames[None], self.network.sampling, 1, size).to(sub.device)
        probability, label = self.network.probabilities(sub(clip), configuration)[0].max(0)
        return self.network.labels[int(label)], float(probability)


def _limited(
    windows: Iterable[Window], policy: Controller, resident: Resident, limit: Callable[[], Limits], known: Limits
) -> Iterator[Window]:
    """The windows; before each, the options are those of the limit of the moment. known: that of the options now."""
    for window in windows:
        if (now := limit()) != known:
            known = now
            policy.options = options(resident.network, **known)
            resident.warm(policy.options)
        yield window
