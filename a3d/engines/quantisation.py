"""int8: the body of a sub-network quantised after training (NNCF), on clips, and kept as derived data."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from torch import Tensor

from a3d.adaptive.extraction import SubNetwork
from a3d.engines import openvino
from a3d.engines.entry import Entry
from a3d.engines.runtime import EngineError, check_installed
from a3d.files import replace

RECIPE = "2"  # changes when files that are there should not be used any more
FOLDER = "int8"


def quantised(sub: SubNetwork, entry: Entry, folder: Path | None, clips: Callable[[], Sequence[Tensor]] | None) -> Any:
    """Return the OpenVINO model of a body in int8: the file that is there, or one that is made now and kept.

    folder: of the checkpoint, beside whose files it is kept (else in the user's cache folder). clips: gives full clips
    (1, 3, T, S, S), normalised, of those that the network was calibrated on. Raises EngineError where both are lacking,
    and for a package that is.
    """
    found = find(sub, folder)
    if found is not None:
        try:
            return openvino.read(found)
        except (OSError, BadZipFile, KeyError, RuntimeError):  # damaged: derived data is made anew
            found.unlink(missing_ok=True)
    if clips is None:
        raise EngineError(
            f"{sub.configuration} is not quantised yet, and there are no clips to do it on: name those that it was "
            "calibrated on (--clips DIR), once"
        )
    model = quantise(openvino.model_of(sub.body, entry.shape), [entry(clip).permute(0, 2, 3, 4, 1) for clip in clips()])
    _keep(model, places(folder), file_name(sub))
    return model


def find(sub: SubNetwork, folder: Path | None) -> Path | None:
    """Return the quantised file of a sub-network, if there is one."""
    return next((place / file_name(sub) for place in places(folder) if (place / file_name(sub)).is_file()), None)


def file_name(sub: SubNetwork) -> str:
    return f"{sub.configuration.key}-{checksum(sub)}.zip"


def checksum(sub: SubNetwork) -> str:
    """Return 16 characters that change with any weight, statistic or operation of a sub-network."""
    found = hashlib.sha256(f"{RECIPE} {sub.configuration.key} {sub.body.code}".encode())
    for parameter in sub.body.parameters():
        found.update(parameter.detach().cpu().contiguous().numpy())
    return found.hexdigest()[:16]


def places(folder: Path | None) -> list[Path]:
    """Return where quantised files may lie: beside the checkpoint, and in the user's cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "a3d" / FOLDER
    return [cache] if folder is None else [folder / FOLDER, cache]


def quantise(model: Any, clips: Sequence[Tensor]) -> Any:
    """Return a model whose convolutions compute in int8: weights by channel, ranges of values from the clips.

    What quantising shifts is measured layer after layer and taken back by their biases: the quick way, which measures
    all at once, lost twice as much.
    clips: (1, T, S, S, 3), as the model takes them.
    """
    check_installed("openvino", "nncf")
    openvino.package()  # before NNCF, which would report its use over the network
    pictures = [np.ascontiguousarray(clip.numpy()) for clip in clips]
    with redirect_stdout(io.StringIO()), openvino.quiet():  # it draws bars, and looks for a card
        import nncf

        dataset = nncf.Dataset(pictures)
        return nncf.quantize(model, dataset, subset_size=len(pictures), fast_bias_correction=False)


def _keep(model: Any, places: Sequence[Path], name: str) -> None:
    """Write a model to the first place that can be written to."""
    for place in places:
        try:
            replace(place / name, lambda path: openvino.write(model, path))
            return
        except OSError:  # a folder that is not ours: it works without
            continue
