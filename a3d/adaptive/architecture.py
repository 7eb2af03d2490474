"""What a network is built from again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from a3d.configuration import ConfigurationError

LARGEST = {"classes": 10**6, "spatial": 2**12, "frames": 2**12}
TASKS = ("classification", "multilabel", "detection")


@dataclass(frozen=True)
class Architecture:
    """What a network is built from again: a builder's name and its options.

    network: a builder of `a3d.networks`, or `torchvision:NAME`, `pytorchvideo:NAME`; "" for a network of one's own.
    spatial, frames: the reference size and the frames T of the full (Slow) pathway. task: "classification" (one class a
    clip), "multilabel" (any number of classes a clip) or "detection" (any number a person box). options: the builder's.
    """

    network: str
    classes: int
    spatial: int = 224
    frames: int = 8
    task: str = "classification"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("classes", "spatial", "frames"):
            if not 1 <= getattr(self, name) <= LARGEST[name]:
                raise ConfigurationError(f"{name} {getattr(self, name)}: give 1 to {LARGEST[name]}")
        if self.task not in TASKS:
            raise ConfigurationError(f"task {self.task!r}: choose one of {', '.join(TASKS)}")

    @property
    def name(self) -> str:
        return self.network or "a network of one's own"
