"""A folder of clips whose classes are known, tested with every stop of the dial in the background."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

import streamlit as st
import torch
from films import PICTURE, jpeg
from sources import Source, network_of

from a3d.configuration import Configuration
from a3d.datasets import ClipFolder
from a3d.errors import A3DError
from a3d.temperature import tempered
from a3d.testing.confusion import Judged, hardest_first
from a3d.testing.evaluation import Result, evaluate_all
from a3d.testing.metrics import mean_class_accuracy, top_k
from a3d.trained import TrainedNetwork
from a3d.video import Video, VideoError, short_side

AT_ONCE = 16  # clips between two looks at the page


def folder() -> Path | None:
    """The environment variable A3D_GALLERY names it (`a3d app --gallery`)."""
    named = os.environ.get("A3D_GALLERY")
    return Path(named) if named else None


@dataclass
class Gallery:
    """Clips and what is known of them. parts: results of some clips each. broken: a line for what cannot be read."""

    clips: ClipFolder
    configurations: tuple[Configuration, ...]
    parts: list[dict[Configuration, Result]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    done: int = 0
    error: str = ""

    @property
    def over(self) -> bool:
        return bool(self.error) or self.done == len(self.clips)

    def result(self, configuration: Configuration) -> Result | None:
        """What a configuration answered so far; None before there is anything."""
        parts = [part[configuration] for part in list(self.parts)]
        if not parts:
            return None
        probabilities, labels = (torch.cat([getattr(x, name) for x in parts]) for name in ("probabilities", "labels"))
        found = {"top1": top_k(probabilities, labels), "mean_class": mean_class_accuracy(probabilities, labels)}
        found |= {"top5": top_k(probabilities, labels, 5), "clips": len(labels)}
        files = tuple(file for part in parts for file in part.files)
        return replace(parts[0], probabilities=probabilities, labels=labels, files=files, **found)


@st.cache_resource(max_entries=4, show_spinner=False)
def gallery_of(source: Source, root: Path, configurations: tuple[Configuration, ...]) -> Gallery:
    """The clips below `root`; to test them begins at once. Raises DatasetError."""
    found = Gallery(ClipFolder(root), configurations)
    random.Random(0).shuffle(found.clips.items)  # what is known of half of them is then true of all
    threading.Thread(target=_test, args=(found, network_of(source)), daemon=True).start()
    return found


def _test(found: Gallery, network: TrainedNetwork) -> None:
    part = copy(found.clips)
    for start in range(0, len(found.clips), AT_ONCE):
        part.items = found.clips.items[start : start + AT_ONCE]
        try:
            results = evaluate_all(network, part, found.configurations, (1, 1))
            found.parts.append({c: _tempered(result, network) for c, result in results.items()})
            found.broken += next(iter(results.values())).broken
        except (A3DError, RuntimeError, MemoryError) as error:
            if not found.parts:
                found.error = str(error)
                return
            found.broken.append(str(error))
        found.done += len(part.items)


def _tempered(result: Result, network: TrainedNetwork) -> Result:
    return replace(result, probabilities=tempered(result.probabilities, network.temperature(result.configuration)))


@dataclass(frozen=True)
class Pair:
    """What two networks answer about one clip."""

    full: Judged
    sub: Judged


def pairs(full: Result, sub: Result, labels: Sequence[str]) -> list[Pair]:
    """Every clip, those first whose right class the sub-network holds least probable."""
    by_path = {judged.path: judged for judged in hardest_first(full, labels)}
    return [Pair(by_path[judged.path], judged) for judged in hardest_first(sub, labels) if judged.path in by_path]


@st.cache_data(max_entries=512, show_spinner=False)
def picture(path: Path) -> str:
    """The middle of a clip as an address that holds it, "" for one that cannot be read."""
    try:
        video = Video(path)
        frame = short_side(video.read([len(video) // 2]), PICTURE)[0]
    except VideoError:
        return ""
    return f"data:image/jpeg;base64,{jpeg(frame)}"
