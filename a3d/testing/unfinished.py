"""What a long test has found so far, in a file, so that it goes on where it was stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from a3d.adaptive.moments import Statistics
from a3d.configuration import Configuration
from a3d.files import replace_bytes

SECONDS = 60.0  # between two writings at least, and
SHARE = 20  # so many times as long as the last one took


class Unfinished:
    """The statistics, and what every configuration has answered about the first clips.

    settings: all that the answers depend on; a file of others, or a damaged one, is begun anew. Enter it: what was
    found is written now and then, and if the work ends in an error or is stopped.

    .opened, .decoded, .broken: as of `Clips`, with which `.clips` (label, path and
    seconds of each) and `.answers` (clips, classes) belong together.
    """

    def __init__(self, path: str | Path, settings: Mapping[str, str]) -> None:
        self.path, self.settings = Path(path), dict(settings)
        self.statistics: dict[Configuration, Statistics] = {}
        self.answers: dict[Configuration, list[Tensor]] = {}
        self.opened, self.decoded, self.broken, self.clips = 0, 0, [], []
        self._written, self._took = time.monotonic(), 0.0
        if self.path.exists():
            self._read()

    def __enter__(self) -> Unfinished:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if kind is not None and (self.statistics or self.clips):
            self._write()

    def calibrated(self, configuration: Configuration, statistics: Statistics) -> None:
        """Take note of statistics."""
        self.statistics[configuration] = statistics
        self._write_now_and_then()

    def tested(self, opened: int, decoded: int, broken: list[str], clips: list) -> None:
        """Take note that every configuration has answered about these clips, in the lists of `answers`."""
        self.opened, self.decoded, self.broken, self.clips = opened, decoded, list(broken), list(clips)
        self._write_now_and_then()

    def _write_now_and_then(self) -> None:
        if time.monotonic() - self._written > max(SECONDS, SHARE * self._took):
            self._write()

    def _write(self) -> None:
        begun, tensors = time.monotonic(), {}
        for configuration, statistics in self.statistics.items():
            for layer, moments in statistics.items():
                tensors[f"{configuration.key} {layer}"] = torch.stack(moments).cpu().contiguous()
        for configuration, parts in self.answers.items():
            tensors[configuration.key] = torch.cat(parts)[: len(self.clips)].contiguous()
        names = ("settings", "opened", "decoded", "broken", "clips")
        about = json.dumps({name: getattr(self, name) for name in names})
        replace_bytes(self.path, save(tensors, {"about": about}))
        self._written = time.monotonic()
        self._took = self._written - begun

    def _read(self) -> None:
        try:
            with safe_open(self.path, "pt") as file:
                about = json.loads(file.metadata()["about"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, TypeError, ValueError):  # not ours, or damaged
            return
        if about.pop("settings") != self.settings:
            return
        for name, value in about.items():
            setattr(self, name, value)
        for name, tensor in tensors.items():
            key, _, layer = name.partition(" ")
            if layer:
                self.statistics.setdefault(Configuration.parse(key), {})[layer] = tuple(tensor.unbind())
            else:
                self.answers[Configuration.parse(key)] = [tensor]
