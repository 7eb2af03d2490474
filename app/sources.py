"""What can be chosen from: checkpoints on disk, and the tables of the paper."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from a3d.budgets.published import TITLES, published
from a3d.budgets.table import Table
from a3d.inference.checkpoint import load
from a3d.trained import TrainedNetwork

CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"


@dataclass(frozen=True)
class Source:
    """A checkpoint folder, or, without one, a published table.

    stamp: when the checkpoint was written, so that a newer one is read again.
    """

    name: str
    title: str
    folder: Path | None = None
    stamp: float = 0.0

    @property
    def published(self) -> bool:
        return self.folder is None


def sources() -> list[Source]:
    """Checkpoints by name, then the published tables. The environment variable A3D_CHECKPOINTS moves the folder."""
    root = Path(os.environ.get("A3D_CHECKPOINTS") or CHECKPOINTS)
    configs = sorted(root.glob("*/config.json"))
    own = [Source(path.parent.name, path.parent.name, path.parent, path.stat().st_mtime) for path in configs]
    return own + [Source(name, _published_title(title)) for name, title in TITLES.items()]


def _published_title(title: str) -> str:
    """The table's number first, so that a narrow list tells them apart."""
    what, _, number = title.removesuffix(")").rpartition(" (")
    return f"Published {number}: {what}"


@st.cache_resource(max_entries=4, show_spinner="Reading the checkpoint …")
def network_of(source: Source) -> TrainedNetwork:
    """One network for all visitors: nobody sets anything on it, the configuration is an argument of every call."""
    return load(source.folder).requires_grad_(False)


def table_of(source: Source) -> Table | None:
    """None for a checkpoint that has not been tested yet."""
    return published(source.name) if source.published else network_of(source).table
