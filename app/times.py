"""Milliseconds on the machine that serves the app: known with the checkpoint, or measured here, in the background."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st
import words
from sources import Source, network_of

import a3d
from a3d.budgets.profile import Profile, ProfileError, device_name, file_name
from a3d.configuration import Configuration
from a3d.engines import PLAIN
from a3d.inference.checkpoint import save_profile

ROUNDS = 3  # of all configurations: less exact than `a3d profile`, and the dial's are done in a few seconds


@dataclass
class Measurement:
    """One at a time for each source, whoever asked for it. All that visitors do to it is read."""

    done: int = 0
    total: int = 1
    profile: Profile | None = None
    error: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


@st.cache_resource(max_entries=16)
def _measurement(source: Source) -> Measurement:
    found = Measurement()
    path = _folder(source) / _file_name()
    if path.exists():
        try:
            found.profile = Profile.read(path).only(lambda line: line.runtime == PLAIN)
        except ProfileError as error:
            found.error = str(error)
    return found


def profile_of(source: Source) -> Profile | None:
    """None for published tables, and as long as this machine was not measured."""
    if source.published:
        return None
    return network_of(source).profile or _measurement(source).profile


def follow(source: Source) -> Profile | None:
    """The times that are known, None if there are none yet. What is missing is measured, and the page says so."""
    measured = _measurement(source)
    if measured.error:
        st.error(measured.error, icon=":material/timer_off:")
        st.button("Measure again", icon=":material/timer:", on_click=_forgive, args=(measured,))
    elif _missing(source):
        start(source)
    if measured.lock.locked():
        _watch(source, measured.profile)
    return profile_of(source)


def start(source: Source) -> threading.Thread | None:
    """Measures what is missing in the background; None if somebody does already."""
    measured = _measurement(source)
    if not measured.lock.acquire(blocking=False):
        return None
    measured.done = 0
    thread = threading.Thread(target=_measure, args=(source, network_of(source), measured), daemon=True)
    thread.start()
    return thread


def _forgive(measured: Measurement) -> None:
    measured.error = ""


def _missing(source: Source) -> list[list[Configuration]]:
    """Configurations without a time, those of the dial first. None where `a3d profile` has measured."""
    network, measured = network_of(source), _measurement(source)
    if network.profile is not None:
        return []
    table = network.table
    dial = list(dict.fromkeys(row.configuration for row in (*table.trade_off(), table.full)))
    others = [row.configuration for row in table.rows if row.configuration not in dial]
    known = measured.profile or ()
    parts = ([one for one in part if one not in known] for part in (dial, others))
    return [part for part in parts if part]


def _measure(source: Source, network, measured: Measurement) -> None:
    def told(done: int, total: int) -> None:
        measured.done, measured.total = done, total

    try:
        folder = _folder(source)
        folder.mkdir(parents=True, exist_ok=True)
        for part in _missing(source):
            found = a3d.profile(network, rounds=ROUNDS, progress=told, configurations=part)
            measured.profile = found if measured.profile is None else found.updated(measured.profile)
            save_profile(measured.profile, folder)
    except (ValueError, OSError, RuntimeError) as error:
        measured.error = f"The measurement failed: {error}"
    finally:
        measured.lock.release()


@st.fragment(run_every=1.0)
def _watch(source: Source, known: Profile | None) -> None:
    """How far it is; the page is drawn again when there are more times than it knows of."""
    measured = _measurement(source)
    share = measured.done / measured.total
    st.progress(share, words.measuring(share, known is None))
    if measured.profile is not known or not measured.lock.locked():
        st.rerun()


def _folder(source: Source) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "a3d" / f"{source.name}-{source.stamp:.0f}"


def _file_name() -> str:
    import torch

    return file_name(device_name(), torch.get_num_threads())
