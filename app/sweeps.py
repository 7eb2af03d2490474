"""What every configuration of the dial answers about a clip: found once, in the background, kept for everybody."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import streamlit as st
from clips import Shown
from sources import Source, network_of

from a3d.configuration import Configuration
from a3d.errors import A3DError
from a3d.maps import Finding, sweep
from a3d.trained import TrainedNetwork

MOST = 12  # classes whose maps are kept: of more, the most probable ones to the full network

_turn = threading.Lock()  # one clip at a time: several at once would only take the processor from each other


@dataclass
class Sweep:
    """What is known of one clip. findings: by configuration, the full network's first. labels: classes with maps.

    total: how many were asked for. error: why the rest did not come.
    """

    findings: dict[Configuration, Finding] = field(default_factory=dict)
    labels: list[int] = field(default_factory=list)
    total: int = 0
    error: str = ""
    running: threading.Lock = field(default_factory=threading.Lock)

    @property
    def done(self) -> int:
        return len(self.findings)


@st.cache_resource(max_entries=16, show_spinner=False)
def _sweep(source: Source, key: str) -> Sweep:
    return Sweep()


def sweep_of(source: Source, shown: Shown, full: Configuration, chosen: Configuration) -> Sweep:
    """The findings so far, among them at least those of the full network and the chosen configuration."""
    found, network = _sweep(source, shown.key), network_of(source)
    with _turn:
        if not found.labels:
            found.labels = _labels(shown, network, full)
        _find(found, shown, network, [full, chosen])
    return found


def go_on(source: Source, found: Sweep, shown: Shown, configurations: Iterable[Configuration]) -> bool:
    """Find the rest in the background. Whether there is anything left to wait for."""
    missing = [one for one in configurations if one not in found.findings]
    found.total = found.done + len(missing)
    if not missing or found.error:
        return False
    if found.running.acquire(blocking=False):
        arguments = (found, shown, network_of(source), missing)
        threading.Thread(target=_run, args=arguments, daemon=True).start()
    return True


def _run(found: Sweep, shown: Shown, network: TrainedNetwork, missing: list[Configuration]) -> None:
    try:
        for configuration in missing:
            with _turn:
                _find(found, shown, network, [configuration])
    except (A3DError, RuntimeError, MemoryError) as error:
        found.error = str(error)
    finally:
        found.running.release()


def _find(found: Sweep, shown: Shown, network: TrainedNetwork, configurations: list[Configuration]) -> None:
    wanted = [one for one in dict.fromkeys(configurations) if one not in found.findings]
    for finding in sweep(shown.clip, network, wanted, found.labels):
        found.findings[finding.configuration] = finding


def _labels(shown: Shown, network: TrainedNetwork, full: Configuration) -> list[int]:
    (first,) = sweep(shown.clip, network, [full], [])
    return np.argsort(-first.probabilities, kind="stable")[:MOST].tolist()
