"""The stage: film, maps, answers and dial as one component, and what it is sent."""

from __future__ import annotations

from base64 import b64encode
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st
import words
from clips import Shown
from dial import Choice, buyable, choose
from films import Reading
from sources import Source
from streamlit.runtime import get_instance
from sweeps import Sweep

from a3d.budgets.profile import Profile
from a3d.budgets.table import Table
from a3d.configuration import Configuration
from a3d.inference.segments import Moment
from a3d.maps import Finding
from a3d.maps.overlay import TABLE, opacity
from a3d.trained import TrainedNetwork

FOLDER = Path(__file__).parent
SCRIPTS = (
    "maps.js",
    "film.js",
    "dial.js",
    "answers.js",
    "race.js",
    "picture.js",
    "stage.js",
)  # one module, in this order
SUFFIXES = {"gflops": " GFLOPs", "milliseconds": " ms", "share": "%", "params": " parameters"}


def _component(name: str, *scripts: str):
    def read(*files: str) -> str:
        return "\n".join((FOLDER / name / file).read_text(encoding="utf-8") for file in files)

    parts = {"html": read(f"{name}.html"), "css": read(f"{name}.css"), "js": read(*scripts)}
    return st.components.v2.component(f"a3d_{name}", **parts)


_stage = _component("stage", *SCRIPTS)
_ribbon = _component("ribbon", "ribbon.js")


def stage(data: dict) -> None:
    """Draw the stage; what is chosen on it becomes the choice."""
    _stage(key="stage", data=data, on_picked_change=_picked)


def ribbon(data: dict) -> None:
    """Draw a film's answers; the moment to look at is kept under "looked", in seconds."""
    _ribbon(key="ribbon", data=data, on_looked_change=_looked)


def _looked() -> None:
    middle = st.session_state["ribbon"]["looked"]
    if isinstance(middle, int | float):
        st.session_state["looked"] = float(middle)


def _picked() -> None:
    key = st.session_state["stage"]["picked"]
    if isinstance(key, str):
        choose(key)


def dial_data(source: Source, table: Table, choice: Choice, profile: Profile | None) -> dict:
    """The dial alone: every tested configuration as a point, and which of them can be bought."""
    cost = words.costs(table, choice.unit, profile)
    bought = buyable(table, choice.unit, profile)
    rows = [row for row in table.rows if choice.unit != "milliseconds" or row.configuration in profile]
    rows += [row for row in (table.full, choice.row) if row not in rows]
    places = {row: place for place, row in enumerate(rows)}
    return {
        "about": f"{source.name} {source.stamp}",
        "points": [
            {
                "key": row.configuration.key,
                "cost": float(f"{cost(row):.4g}"),
                "accuracy": round(row.accuracy, 2),
                "listed": row in bought,
                "spoken": words.point(row, table, choice.unit, cost(row)),
                "numbers": words.numbers(row, table),
            }
            for row in rows
        ],
        "list": [places[row] for row in bought],
        "unit": {"name": words.UNIT_NAMES[choice.unit].removeprefix("in "), "suffix": SUFFIXES[choice.unit]},
        "metric": table.metric,
        "full": table.full.configuration.key,
        "choice": choice.row.configuration.key,
        "clip": None,
    }


def clip_data(source: Source, shown: Shown, found: Sweep, full: Configuration, network: TrainedNetwork) -> dict:
    """The clip with all that is known of it."""
    findings = dict(found.findings)  # the thread goes on adding
    times = shown.clip.times[network.entry_frames(len(shown.clip.times))]
    pack = partial(_finding_data, source, shown.key, _full=findings[full], _labels=network.labels, _times=times)
    return {
        "name": shown.name,
        "film": _address(shown),
        "start": shown.start,
        "seconds": shown.seconds,
        "width": shown.size[0],
        "height": shown.size[1],
        "labels": [words.class_name(label) for label in network.labels],
        "mapped": found.labels,
        "explained": found.labels.index(findings[full].label),
        "scales": _scales(findings, found.labels),
        "colours": _packed(colours()),
        "slowed": words.slowed(findings[full].milliseconds),
        "measured": words.measured(findings[full].milliseconds),
        "sheet": {"title": words.TITLE, "about": f"{shown.name}, by {source.title}", "machine": words.MACHINE},
        "file": words.file_name(shown.name),
        "findings": {one.key: pack(one, _finding=findings[one]) for one in findings},
    }


def ribbon_data(about: str, found: Reading, moments: list[Moment], numbers: tuple[int, int], labels) -> dict:
    """What is known of a film. numbers: of the full network and the sub-network among its configurations."""
    classes = {label: number for number, label in enumerate(labels)}
    full, sub = (
        [(classes[one.label], one.probability, one.none) for one in (moment.answers[number] for moment in moments)]
        for number in numbers
    )
    return {
        "about": about,
        "duration": found.duration,
        "ratio": found.ratio,
        "edges": [round(moment.start, 3) for moment in moments] + [round(moments[-1].end, 3)],
        "labels": [words.class_name(label) for label in labels],
        "full": full,
        "sub": sub,
        "pictures": {number: text for number, text in found.pictures.copy().items() if number < len(moments)},
    }


def colours() -> np.ndarray:
    """uint8 (n, 4): red, green, blue and opacity from the strongest evidence against to the strongest for."""
    level = np.linspace(-1, 1, len(TABLE))
    return np.concatenate([TABLE, 255 * opacity(level)[:, None]], 1).round().astype(np.uint8)


@st.cache_resource(max_entries=512, show_spinner=False)
def _finding_data(
    source: Source,
    key: str,
    configuration: Configuration,
    _finding: Finding,
    _full: Finding,
    _labels: tuple[str, ...],
    _times: np.ndarray,
) -> dict:
    evidence = list(_finding.evidence.values())
    return {
        "pixels": configuration.spatial,
        "cells": list(evidence[0].map.shape[1:]),
        "times": evidence[0].times.round(4).tolist(),
        "maps": _packed(np.stack([one.map for one in evidence]).astype(np.float32)),
        "shares": _packed(np.stack([one.shares for one in evidence]).astype(np.float32)),
        "probabilities": [round(float(value), 6) for value in _finding.probabilities],
        "none": _finding.none,
        "milliseconds": float(f"{_finding.milliseconds:.2g}"),
        "pace": words.pace(_full.milliseconds, _finding.milliseconds),
        "verdict": words.verdict_of(_full, _finding, _labels),
        "evidence": [words.evidence(_full, _finding, label, _labels, _times) for label in _finding.evidence],
    }


def _scales(findings: dict[Configuration, Finding], labels: list[int]) -> list[float]:
    """The strongest evidence for or against each class in any map: one scale for all that the dial shows."""
    strongest = {
        label: max(float(np.abs(one.evidence[label].map).max()) for one in findings.values()) for label in labels
    }
    return [round(strongest[label], 4) for label in labels]


def _address(shown: Shown) -> str:
    """Where the browser finds the film, as long as the page shows it."""
    place = get_instance().media_file_mgr.add(shown.film, "video/mp4", "stage")
    base = st.get_option("server.baseUrlPath").strip("/")
    return f"/{base}{place}" if base else place


def _packed(array: np.ndarray) -> str:
    return b64encode(np.ascontiguousarray(array).tobytes()).decode()
