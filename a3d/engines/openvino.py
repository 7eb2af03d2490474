"""A sub-network run by OpenVINO: the body by its engine, the head, which is small, by PyTorch in float32."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from torch import Tensor, fx, nn

from a3d.engines.entry import Entry
from a3d.engines.runtime import check_installed

HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}  # int8: of what is not quantised
SHAPES = 4  # of clips that a network stays compiled for


def package() -> Any:
    """Return the module `openvino`. Raises EngineError, naming the extra, if it is not installed."""
    check_installed("openvino")
    sys.modules.setdefault("openvino_telemetry", None)  # it would report each use to its maker over the network
    import openvino

    return openvino


@cache
def core() -> Any:
    """Return the one `openvino.Core` of this process.

    Its CPU plugin gives the thread that makes it a stack for signals, and takes it away again when it ends: of two
    plugins that do not end in turn, the later one leaves the stack of the other behind, which is no more, and the
    next signal is written over what lies there by then.
    """
    return package().Core()


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings and log lines of a package that converts: none of them is about what a user gave."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


class OpenVinoBody(nn.Module):
    """The body of a sub-network as a compiled OpenVINO model: (B, 3, T, H, W) to its maps, (B, C, t, h, w), float32.

    It is compiled for the shape of a clip at the first pass of that shape. Threads take turns: one pass keeps all
    processors busy.
    """

    def __init__(self, model: Any, precision: str, entry: Entry) -> None:
        """model: as `model_of` gives it. entry: what brings a clip to the shape that the model takes."""
        super().__init__()
        self.model, self.precision, self.entry = model, precision, entry
        self.nbytes = sum(op.get_byte_size() for op in model.get_ops() if op.get_type_name() == "Constant")
        self._requests: dict[tuple, Any] = {}
        self._lock = Lock()

    def forward(self, clip: Tensor) -> tuple[Tensor, ...]:
        frames = np.ascontiguousarray(self.entry(clip).permute(0, 2, 3, 4, 1).numpy())  # as decoded: no copy
        with self._lock:
            found = self._request(frames.shape).infer([frames])
            return tuple(torch.from_numpy(found[number].copy()) for number in range(len(self.model.outputs)))

    def _request(self, shape: tuple[int, ...]) -> Any:
        purpose = shape, torch.get_num_threads()
        if purpose not in self._requests:
            while len(self._requests) >= SHAPES:
                del self._requests[next(iter(self._requests))]
            self._requests[purpose] = self._compiled(shape).create_infer_request()
        return self._requests[purpose]

    def _compiled(self, shape: tuple[int, ...]) -> Any:
        model = self.model.clone()
        model.reshape(list(shape))
        how = {
            "INFERENCE_PRECISION_HINT": HINTS[self.precision],
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "ENABLE_CPU_PINNING": False,  # other processes are there too
        }
        return core().compile_model(model, "CPU", how)


def model_of(body: fx.GraphModule, shape: tuple[int, int, int]) -> Any:
    """Return the OpenVINO model of a body, float32 (B, T, H, W, 3) to its maps; shape: (T, H, W) of what it takes."""
    package()
    from a3d.engines.translation import Unknown, translate

    try:
        return translate(body, shape)
    except Unknown:
        return _exported(body, shape)


def _exported(body: fx.GraphModule, shape: tuple[int, int, int]) -> Any:
    """By way of torch.export, which knows every operation and takes seconds."""
    example = torch.zeros(2, *shape, 3)
    with torch.no_grad():
        program = torch.export.export(_Last(body), (example,), dynamic_shapes={"clip": {0: torch.export.Dim("batch")}})
    with quiet():
        model = package().convert_model(program)
    model.reshape([-1, *shape, 3])
    return model


class _Last(nn.Module):
    """A body that takes channels last."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, clip: Tensor) -> tuple[Tensor, ...]:
        return self.body(clip.permute(0, 4, 1, 2, 3))


def write(model: Any, path: Path) -> None:
    """Write a model as OpenVINO's two files, graph and weights, into one, which is a zip file."""
    with TemporaryDirectory() as folder:
        package().serialize(model, Path(folder) / "model.xml", Path(folder) / "model.bin")
        with ZipFile(path, "w") as file:
            for name in ("model.xml", "model.bin"):
                file.write(Path(folder) / name, name)


def read(path: Path) -> Any:
    """Return the model of a file that `write` wrote. Raises OSError, BadZipFile or RuntimeError for another file."""
    with ZipFile(path) as file:
        graph, weights = (file.read(name) for name in ("model.xml", "model.bin"))
    return core().read_model(graph, package().Tensor(np.frombuffer(weights, np.uint8).copy()))
