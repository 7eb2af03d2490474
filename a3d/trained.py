"""A trained network: what it answers with, how clips are sampled for it, and what was found out about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from a3d.adaptive.extraction import SubNetwork, extract
from a3d.adaptive.network import AdaptiveNetwork
from a3d.adaptive.residents import Residents
from a3d.budgets.profile import Profile
from a3d.budgets.table import Table
from a3d.configuration import ComputationalRange, Configuration, ConfigurationError
from a3d.engines.choice import DTYPES, Choice, ready
from a3d.engines.runtime import PLAIN, Runtime
from a3d.rejection import described, rejected
from a3d.temperature import tempered
from a3d.video.sampling import Sampling


class Untrained(ConfigurationError):
    """A network without class names and sampling, asked what only a trained one can answer."""


class TrainedNetwork(AdaptiveNetwork):
    """An adaptive network with what training and testing add.

    labels: class names. sampling: T × τ and normalisation. range: the configurations that it was trained over.
    table: the configurations that were tested, None before `a3d table`. profile: times on this device, None before
    `a3d profile`. provenance: where it comes from, plain values. choice: what runs its sub-networks.

    rejections: by configuration, how to tell a clip of none of its classes (`a3d.rejection`), where it has learnt that.
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
        choice: Choice | None = None,
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
        self.choice: Choice = choice or Choice()
        self.rejections: dict[Configuration, Tensor] = {}

    @property
    def full(self) -> Configuration:
        """Return all channels at the reference size and frames: the teacher of training (Fig. 2)."""
        return self.range.full

    def run_by(self, choice: Choice) -> TrainedNetwork:
        """Return the same network, its weights and statistics shared, whose sub-networks are run otherwise."""
        facts = (self.labels, self.sampling, self.range, self.table, self.profile, self.provenance)
        found = TrainedNetwork(self, *facts, choice)
        found.rejections = self.rejections
        return found

    def none(self, configuration: Configuration, maps: Sequence[Tensor], logits: Tensor) -> Tensor | None:
        """Return the probability (B,) that a clip shows none of the classes, None where it has not learnt to tell.

        maps, logits: of the sub-network at this configuration, (B, C, t, h, w) a pathway and (B, classes).
        """
        line = self.rejections.get(configuration)
        return None if line is None else rejected(line, described(maps, logits))

    def temperature(self, configuration: Configuration) -> float:
        """Return what the log-probabilities at a configuration are divided by: its row's in the table, else 1."""
        known = self.task == "classification" and self.table is not None and configuration in self.table
        return (self.table.row(configuration).temperature or 1.0) if known else 1.0

    def probabilities(self, logits: Tensor, configuration: Configuration | None = None) -> Tensor:
        """Return those of logits (B, classes), 0..1: a softmax if one class is right, else a sigmoid for each.

        configuration: whose temperature they are at; left out, they are at temperature 1.
        """
        found = super().probabilities(logits)
        return found if configuration is None else tempered(found, self.temperature(configuration))

    def runtime(self, configuration: Configuration, dtype: torch.dtype | None = None) -> Runtime:
        """Return what runs a sub-network: PyTorch in that dtype, or as chosen when the network was loaded.

        Where the choice was left open, what the profile measured to be fastest, else float32 on PyTorch.
        """
        if dtype is not None:
            return Runtime("pytorch", str(dtype).removeprefix("torch."))
        allowed = self.choice.runtimes()
        if self.choice.is_open and self.profile is not None and configuration in self.profile:
            measured = self.profile.latency(configuration).runtime
            return measured if measured in allowed else allowed[0]
        return PLAIN if PLAIN in allowed else allowed[0]

    def compiled(self, configuration: Configuration, runtime: Runtime) -> SubNetwork:
        """Return the sub-network at a configuration as a runtime runs it. Raises EngineError, MissingStatistics."""
        dtype = DTYPES[runtime.precision] if runtime.engine == "pytorch" else torch.float32
        sub = extract(self, configuration, dtype)
        if runtime.precision == "int8" and self.choice.is_open and not self.choice.can_quantise(sub):
            runtime = Runtime(runtime.engine)  # its file is gone since it was measured: never required
        return ready(sub, runtime, self.choice, self.clip_shape(configuration))

    def resident(
        self, configuration: Configuration, dtype: torch.dtype | None = None, kept: Residents | None = None
    ) -> SubNetwork:
        """Return the sub-network as its runtime runs it, kept for whoever asks next in `kept`, by default `residents`.

        dtype: what the convolutions compute in, by PyTorch; if left out, as chosen when the network was loaded.
        """
        runtime = self.runtime(configuration, dtype)
        among = self.residents if kept is None else kept
        return among.get(self, configuration, runtime, lambda: self.compiled(configuration, runtime))


def check_trained(network: AdaptiveNetwork) -> None:
    """Raise Untrained for a network that has no class names and sampling."""
    if not isinstance(network, TrainedNetwork):
        raise Untrained(
            "the network has no class names, sampling and range: train it (a3d train) and load the checkpoint, or give "
            "them to a3d.TrainedNetwork"
        )
