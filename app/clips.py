"""The clip to look at: a rendered sample or an upload, in either case the bytes of a video file."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import streamlit as st
from sources import Source, network_of

from a3d.explain import Clip, read_clip
from a3d.video import Sampling, VideoError
from a3d.video.synthetic import render, write

SUFFIXES = ("mp4", "mov", "avi", "webm", "mkv")
SAMPLES = {  # what is done, and a seed that exercise12 mostly gets right: the help says so
    "Pull-ups": ("PullUps", 2),
    "Push-ups": ("PushUps", 4),
    "Handstand walking": ("HandstandWalking", 4),
    "Body-weight squats": ("BodyWeightSquats", 1),
    "Baby crawling": ("BabyCrawling", 4),
    "Lunges": ("Lunges", 9004),
    "Jump rope": ("JumpRope", 9004),
    "Jumping jack": ("JumpingJack", 3),
}
SIZE, SECONDS = (320, 240), 3.0  # of a sample: rendered in about two seconds


@dataclass(frozen=True)
class VideoFile:
    """name: as the visitor knows it. data: the file's bytes."""

    name: str
    data: bytes

    @cached_property
    def key(self) -> str:
        """What caches go by."""
        return hashlib.sha256(self.data).hexdigest()


@st.cache_data(max_entries=len(SAMPLES), show_spinner="Rendering the sample …")
def sample(title: str) -> VideoFile:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{title}.mp4"
        write(render(*SAMPLES[title], seconds=SECONDS, size=SIZE), path)
        return VideoFile(path.name, path.read_bytes())


@st.cache_data(max_entries=8, show_spinner="Decoding the clip …")
def _decode(key: str, _source: Source, sampling: Sampling, _video: VideoFile) -> Clip:
    """The frames that any configuration is cut from. The file lives on disk for as long as it is decoded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(_video.name).name or "clip")
        path.write_bytes(_video.data)
        try:
            return read_clip(path, network_of(_source))
        except VideoError as error:
            raise VideoError(str(error).replace(str(path), path.name)) from None


def decode(video: VideoFile, source: Source) -> Clip:
    """Raises VideoError, which names the file as the visitor does."""
    return _decode(video.key, source, network_of(source).sampling, video)
