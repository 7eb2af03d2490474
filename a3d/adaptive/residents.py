"""Sub-networks of one network that stay in memory side by side: changing the budget costs milliseconds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import torch

from a3d.adaptive.extraction import Adaptive, SubNetwork, extract
from a3d.adaptive.moments import Statistics
from a3d.configuration import Configuration

BYTES = 512 * 2**20


@dataclass(frozen=True)
class Resident:
    """A sub-network and the statistics that are folded into it."""

    sub: SubNetwork
    statistics: Statistics | None

    @property
    def bytes(self) -> int:
        """Of its weights, each with its copy in the layout of its kernel."""
        return sum(2 * parameter.nbytes for parameter in self.sub.parameters())


class Residents:
    """The sub-networks asked for last, in `limit` bytes at most; the latest is always kept.

    They are copies: a batch norm cannot be folded into weights that others share, and leaving it apart costs more at
    every pass than a copy does once. Safe for many threads, since a sub-network never changes. One is extracted anew
    when weights or statistics of the network have changed since (training, loading, calibration; what is written into
    `parameter.data` nobody can notice).
    """

    def __init__(self, limit: int = BYTES) -> None:
        self.limit = limit
        self._kept: OrderedDict[tuple[Configuration, torch.dtype], Resident] = OrderedDict()
        self._weights: list[tuple[int, int]] = []
        self._lock = Lock()

    def __reduce__(self) -> tuple:
        return Residents, (self.limit,)  # a copy of a network extracts its own

    @property
    def held(self) -> int:
        """Bytes in use now."""
        return sum(kept.bytes for kept in self._kept.values())

    def get(self, network: Adaptive, configuration: Configuration, dtype: torch.dtype) -> SubNetwork:
        """The sub-network, at hand or extracted now. Raises MissingStatistics."""
        key, statistics, weights = (configuration, dtype), network.statistics.get(configuration), _weights(network)
        with self._lock:
            if weights != self._weights:
                self._kept.clear()
                self._weights = weights
            if key not in self._kept or self._kept[key].statistics is not statistics:
                self._kept[key] = Resident(extract(network, configuration, dtype), statistics)
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and self.held > self.limit:
                self._kept.popitem(last=False)
            return self._kept[key].sub


def _weights(network: Adaptive) -> list[tuple[int, int]]:
    """Where the weights are, and how often they were written."""
    return [(p.data_ptr(), 0 if p.is_inference() else p._version) for p in network.network.parameters()]
