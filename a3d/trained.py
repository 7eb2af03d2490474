"""A trained network: what it answers with, how clips are sampled for it, and what was found out about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from a3d.adaptive.network import AdaptiveNetwork
from a3d.budgets.profile import Profile
from a3d.budgets.table import Table
from a3d.configuration import ComputationalRange, Configuration, ConfigurationError
from a3d.video.sampling import Sampling


class Untrained(ConfigurationError):
    """A network without class names and sampling, asked what only a trained one can answer."""


class TrainedNetwork(AdaptiveNetwork):
    """An adaptive network with what training and testing add.

    labels: class names. sampling: T × τ and normalisation. range: the configurations that it was trained over.
    table: the configurations that were tested, None before `a3d table`. profile: times on this device, None before
    `a3d profile`. provenance: where it comes from, plain values.
    """

    def __init__(
        self,
        network: AdaptiveNetwork,
        labels: Sequence[str],
        sampling: Sampling,
        range: ComputationalRange,
        table: Table | None = None,
        profile: Profile | None = None,
        provenance: dict[str, Any] | None = None,
    ) -> None:
        """Shares weights and statistics with `network`."""
        super().__init__(network.network, network.graph, network.architecture)
        self.training, self.statistics = network.training, network.statistics
        self.labels: tuple[str, ...] = tuple(labels)
        self.sampling: Sampling = sampling
        self.range: ComputationalRange = range
        self.table: Table | None = table
        self.profile: Profile | None = profile
        self.provenance: dict[str, Any] = provenance or {}

    @property
    def full(self) -> Configuration:
        """Return all channels at the reference size and frames: the teacher of training (Fig. 2)."""
        return self.range.full


def check_trained(network: AdaptiveNetwork) -> None:
    """Raise Untrained for a network that has no class names and sampling."""
    if not isinstance(network, TrainedNetwork):
        raise Untrained(
            "the network has no class names, sampling and range: train it (a3d train) and load the checkpoint, or give "
            "them to a3d.TrainedNetwork"
        )
