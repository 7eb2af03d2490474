"""How the sub-networks of a network are to be run, and one of them made ready to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from a3d.adaptive.extraction import SubNetwork
from a3d.engines import quantisation
from a3d.engines.clips import CalibrationClips
from a3d.engines.entry import Entry
from a3d.engines.runtime import AUTO, EngineError, Runtime, runtimes

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Choice:
    """engine, precision: as named, or "auto" for what was measured to be fastest; an engine left out is PyTorch, or the
    one that runs the precision.

    folder: of the checkpoint, beside whose files quantised ones are kept. clips: to quantise on. device: of the
    network.
    """

    engine: str | None = None
    precision: str = "float32"
    folder: Path | None = None
    clips: CalibrationClips | None = field(default=None, compare=False, repr=False)
    device: str = "cpu"

    @property
    def is_open(self) -> bool:
        """Whether it is left to what was measured."""
        return AUTO in (self.engine, self.precision)

    def runtimes(self) -> tuple[Runtime, ...]:
        """Return what may run a sub-network. Raises EngineError if nothing here does, naming the remedy."""
        plain = {"int8": "openvino", AUTO: AUTO}.get(self.precision, "pytorch")
        return runtimes(self.engine or plain, self.precision, self.device)

    def can_quantise(self, sub: SubNetwork) -> bool:
        """Whether the int8 file of a sub-network is there, or the clips to make it from."""
        return self.clips is not None or quantisation.find(sub, self.folder) is not None


def ready(sub: SubNetwork, runtime: Runtime, choice: Choice, clip_shape: tuple[int, int]) -> SubNetwork:
    """Return a sub-network of float32 as one whose body an engine runs; its head stays PyTorch's.

    clip_shape: frames and side of the full clip that it is tested on. Raises EngineError.
    """
    if runtime.engine == "pytorch":
        return sub
    if sub.task == "detection":
        raise EngineError(
            f"{runtime.engine} takes squares, not the whole picture that a network looks at that detects "
            "people: choose --engine pytorch"
        )
    entry = Entry.of(sub, clip_shape)
    if runtime.engine == "onnxruntime":
        from a3d.engines.onnx import OnnxBody

        sub.body = OnnxBody(sub.body, entry)
        return sub
    from a3d.engines.openvino import OpenVinoBody, model_of

    if runtime.precision == "int8":
        clips = None if choice.clips is None else lambda: choice.clips.at(clip_shape[1])
        model = quantisation.quantised(sub, entry, choice.folder, clips)
    else:
        model = model_of(sub.body, entry.shape)
    sub.body = OpenVinoBody(model, runtime.precision, entry)
    return sub
