"""Milliseconds on the machine that serves the app: known with the checkpoint, or measured here, in the background."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st
from sources import Source, network_of

import a3d
from a3d.budgets.profile import Profile, ProfileError, device_name, file_name
from a3d.engines import PLAIN
from a3d.inference.checkpoint import save_profile

ROUNDS = 3  # of all configurations: less exact than `a3d profile`, and done in a minute or two


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


def offer(source: Source) -> None:
    """A button that starts a measurement, or how far it is."""
    measured = _measurement(source)
    if measured.error:
        st.error(measured.error, icon=":material/timer_off:")
    if measured.lock.locked():
        _watch(source)
        return
    st.info("How long a clip takes on this machine was not measured yet. Until then the dial counts GFLOPs.")
    st.button("Measure it now (a minute or two)", icon=":material/timer:", on_click=start, args=(source,))


def start(source: Source) -> threading.Thread | None:
    """Measures in the background; None if somebody does already."""
    measured = _measurement(source)
    if not measured.lock.acquire(blocking=False):
        return None
    measured.done, measured.error = 0, ""
    thread = threading.Thread(target=_measure, args=(source, network_of(source), measured), daemon=True)
    thread.start()
    return thread


def _measure(source: Source, network, measured: Measurement) -> None:
    def told(done: int, total: int) -> None:
        measured.done, measured.total = done, total

    try:
        profile = a3d.profile(network, rounds=ROUNDS, progress=told)
        folder = _folder(source)
        folder.mkdir(parents=True, exist_ok=True)
        save_profile(profile, folder)
        measured.profile = profile
    except (ValueError, OSError, RuntimeError) as error:
        measured.error = f"The measurement failed: {error}"
    finally:
        measured.lock.release()


@st.fragment(run_every=1.0)
def _watch(source: Source) -> None:
    measured = _measurement(source)
    share = measured.done / measured.total
    st.progress(share, f"Measuring this machine: {share:.0%}. Everything else goes on meanwhile.")
    if not measured.lock.locked():
        st.rerun()


def _folder(source: Source) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "a3d" / f"{source.name}-{source.stamp:.0f}"


def _file_name() -> str:
    import torch

    return file_name(device_name(), torch.get_num_threads())
