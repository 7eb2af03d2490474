"""What the networks say about a clip, kept for whoever asks again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st
from clips import VideoFile, decode
from sources import Source, network_of, table_of

from a3d.configuration import Configuration
from a3d.explain import Comparison, Explanation, explain
from a3d.explain.overlay import write_overlay


@st.cache_data(max_entries=256, show_spinner=False)
def _explanation(
    source: Source, key: str, configuration: Configuration, label: str | None, method: str, _video: VideoFile
) -> Explanation:
    clip = decode(_video, source)
    return explain(clip, network_of(source), configuration=configuration, label=label, method=method)


def explanation(
    source: Source, video: VideoFile, configuration: Configuration, label: str | None = None, method: str = "cam"
) -> Explanation:
    """One configuration on a clip; `label` is its own answer if left out."""
    return _explanation(source, video.key, configuration, label, method, video)


def comparison(
    source: Source, video: VideoFile, configuration: Configuration, label: str | None, method: str
) -> Comparison:
    """The full network and a configuration on a clip, both for one class: `label`, or the full network's answer."""
    full = explanation(source, video, table_of(source).full.configuration, label, method)
    return Comparison(full, explanation(source, video, configuration, full.name, method))


@st.cache_data(max_entries=32, show_spinner="Drawing the video …")
def _overlay(
    source: Source, key: str, configuration: Configuration, label: str, method: str, _both: Comparison
) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_overlay(_both, Path(folder) / "overlay.mp4").read_bytes()


def overlay(source: Source, video: VideoFile, both: Comparison) -> bytes:
    """The overlay video of both, H.264 in MP4."""
    return _overlay(source, video.key, both.sub.configuration, both.full.name, both.full.method, both)
