"""Sub-networks of one network that stay in memory side by side: changing the budget costs milliseconds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock

from a3d.adaptive.extraction import Adaptive, SubNetwork
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
        return 2 * (sum(parameter.nbytes for parameter in self.sub.parameters()) + getattr(self.sub.body, "nbytes", 0))


class Residents:
    """The sub-networks asked for last, in `limit` bytes at most; the latest is always kept.

    They are copies: a batch norm cannot be folded into weights that others share, and leaving it apart costs more at
    every pass than a copy does once. Safe for many threads, since a sub-network never changes. One is extracted anew
    when weights or statistics of the network have changed since (training, loading, calibration; what is written into
    `parameter.data` nobody can notice).
    """

    def __init__(self, limit: int = BYTES) -> None:
        self.limit = limit
        self._kept: OrderedDict[tuple[Configuration, Hashable], Resident] = OrderedDict()
        self._weights: list[tuple[int, int]] = []
        self._lock = Lock()

    def __reduce__(self) -> tuple:
        return Residents, (self.limit,)  # a copy of a network extracts its own

    @property
    def held(self) -> int:
        """Bytes in use now."""
        return sum(kept.bytes for kept in self._kept.values())

    def get(
        self, network: Adaptive, configuration: Configuration, how: Hashable, make: Callable[[], SubNetwork]
    ) -> SubNetwork:
        """The sub-network that `make` makes, at hand or made now. how: tells apart those of one configuration."""
        key, statistics, weights = (configuration, how), network.statistics.get(configuration), _weights(network)
        with self._lock:
            if weights != self._weights:
                self._kept.clear()
                self._weights = weights
            if key not in self._kept or self._kept[key].statistics is not statistics:
                self._kept[key] = Resident(make(), statistics)
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and self.held > self.limit:
                self._kept.popitem(last=False)
            return self._kept[key].sub


def _weights(network: Adaptive) -> list[tuple[int, int]]:
    """Where the weights are, and how often they were written."""
    return [(p.data_ptr(), 0 if p.is_inference() else p._version) for p in network.network.parameters()]
