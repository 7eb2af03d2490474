"""What the networks say about a clip and how it is drawn, kept for whoever asks again."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st
import words
from clips import Shown
from sources import Source, network_of

from a3d.configuration import Configuration
from a3d.figures import Caption, film_strip, probabilities_figure, shares_figure, small_multiples
from a3d.figures.animation import write_animation
from a3d.maps import Comparison, Explanation, Occlusion, explain, occlude
from a3d.maps.overlay import write_overlay


@st.cache_data(max_entries=128, show_spinner=False)
def _explanation(
    source: Source,
    key: str,
    configuration: Configuration,
    label: str | None,
    method: str,
    against: str | None,
    _shown: Shown,
) -> Explanation:
    return explain(
        _shown.clip, network_of(source), configuration=configuration, label=label, method=method, against=against
    )


def explanation(
    source: Source,
    shown: Shown,
    configuration: Configuration,
    label: str | None = None,
    method: str = "cam",
    against: str | None = None,
) -> Explanation:
    """One configuration on a clip; `label` is its own answer if left out. against: a class to tell it from."""
    return _explanation(source, shown.key, configuration, label, method, against, shown)


@st.cache_data(max_entries=64, show_spinner=False)
def _occlusion(
    source: Source, key: str, configuration: Configuration, question: tuple, _shown: Shown, _told: Explanation
) -> Occlusion:
    return occlude(_shown.clip, network_of(source), _told)


def occlusion(source: Source, shown: Shown, told: Explanation) -> Occlusion:
    """What is left of the class without the places that a map calls hottest."""
    return _occlusion(source, shown.key, told.configuration, _question(told), shown, told)


def comparison(
    source: Source,
    shown: Shown,
    pair: tuple[Configuration, Configuration],
    label: str | None,
    method: str = "cam",
    against: str | None = None,
) -> Comparison:
    """Two configurations on a clip, both for one class: `label`, or what the first answers."""
    first = explanation(source, shown, pair[0], label, method, against)
    return Comparison(first, explanation(source, shown, pair[1], first.name, method, against))


# Figures are kept as they are, not copied: nobody changes one after it was made.
@st.cache_resource(max_entries=64, show_spinner=False)
def _figures(
    source: Source, key: str, pair: tuple[Configuration, Configuration], question: tuple, _both: Comparison
) -> dict[str, go.Figure]:
    return {
        "Answers": probabilities_figure(*map(_in_words, (_both.full, _both.sub)), names=_both.names),
        "When they look": shares_figure(_both),
        "Where they look": film_strip(_both),
    }


def _in_words(found: Explanation) -> list[tuple[str, float]]:
    """What it answers, classes as words."""
    return [(words.class_name(name), probability) for name, probability in found.predictions]


def figures(source: Source, shown: Shown, both: Comparison) -> dict[str, go.Figure]:
    """By what they show: answers, time, space."""
    return _figures(source, shown.key, _pair(both), _question(both.full), both)


@st.cache_data(max_entries=32, show_spinner=False)
def _multiples(
    source: Source,
    key: str,
    configurations: tuple[Configuration, ...],
    question: tuple,
    captions: tuple[Caption, ...],
    _told: list[Explanation],
) -> str:
    return small_multiples(_told, captions)


def multiples(source: Source, shown: Shown, told: list[Explanation], captions: tuple[Caption, ...]) -> str:
    """Several networks on a clip as rows of pictures, HTML."""
    configurations = tuple(one.configuration for one in told)
    return _multiples(source, shown.key, configurations, _question(told[0]), captions, told)


@st.cache_data(max_entries=32, show_spinner="Drawing the video …")
def _overlay(
    source: Source, key: str, pair: tuple[Configuration, Configuration], question: tuple, _both: Comparison
) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_overlay(_both, Path(folder) / "overlay.mp4").read_bytes()


def overlay(source: Source, shown: Shown, both: Comparison) -> bytes:
    """The overlay video of both, H.264 in MP4."""
    return _overlay(source, shown.key, _pair(both), _question(both.full), both)


@st.cache_data(max_entries=32, show_spinner=False)
def _animation(source: Source, key: str, pair: tuple[Configuration, Configuration], _shown: Shown) -> bytes:
    both = comparison(source, _shown, pair, None)
    both = Comparison(*(replace(one, labels=tuple(map(words.class_name, one.labels))) for one in (both.full, both.sub)))
    names = ("full network", "full network" if pair[0] == pair[1] else "sub-network")
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        film.write_bytes(_shown.film)
        return write_animation(both, film, Path(folder) / "maps.gif", _shown.start, names).read_bytes()


def animation(source: Source, shown: Shown, full: Configuration, sub: Configuration) -> bytes:
    """What both see of a clip and answer, as a GIF that loops."""
    return _animation(source, shown.key, (full, sub), shown)


def _pair(both: Comparison) -> tuple[Configuration, Configuration]:
    return both.full.configuration, both.sub.configuration


def _question(told: Explanation) -> tuple:
    """What a map answers: for which class, against which, by which method."""
    return told.name, told.other, told.method
