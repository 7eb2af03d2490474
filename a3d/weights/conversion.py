"""`convert`: a file of official weights to a network that is ready to run at full width."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from a3d.adaptive.architecture import Architecture
from a3d.adaptive.errors import NotAdaptable
from a3d.configuration import ComputationalRange, ConfigurationError, range_0016
from a3d.errors import one_line
from a3d.trained import TrainedNetwork
from a3d.video.sampling import Sampling
from a3d.weights import files, mmaction2, pyslowfast
from a3d.weights.assembly import ConversionError, Misfit, assemble, shape_of
from a3d.weights.files import WeightFile
from a3d.weights.labels import read_labels

LARGEST = 4096  # pixels, frames
SHOWN = 3  # names of a mismatch in its message


def convert(
    path: str | Path,
    labels: str | Path | None = None,
    frames: int | None = None,
    stride: int | None = None,
    alpha: int | None = None,
    spatial: int | None = None,
    task: str | None = None,
    aligned: bool | None = None,
    span: Callable[[int, int], ComputationalRange] = range_0016,
) -> TrainedNetwork:
    """Return the adaptive network with the weights of a PySlowFast, Caffe2 or PyTorchVideo file of Slow or SlowFast.

    labels: a file of class names. frames, stride: T × τ of the Slow pathway; alpha: Fast frames per Slow frame;
    spatial: the size it was trained at. Weights do not tell these: left out, they come from the configuration in the
    file, the `4x16` of its name, or else from what was published for such weights. task: "classification", "multilabel"
    or "detection"; told by PyTorchVideo's names and PySlowFast's configuration, not by Caffe2's names. aligned: of
    RoIAlign; only PySlowFast trains with it unless told otherwise. span: builder of the network's range.

    The file's running statistics belong to the size of training (224²); the network has them there and, as the
    official tests do, at 8/7 of it (256²), where those slide a pool of 7² and average its probabilities, and here
    logits are averaged over everything. Other configurations are to be calibrated (`a3d table`).
    Raises ConversionError, which names the tensors that do not fit.
    """
    file = files.read(path)
    tensors, theirs = _translated(file)
    shape = _shape(file, tensors)
    given = _given(frames=frames, stride=stride, alpha=alpha, spatial=spatial, task=task, aligned=aligned)
    told = _told(file, shape, given)
    stride, alpha = told.pop("stride"), told.pop("alpha")
    try:
        architecture = _architecture(shape, told, alpha)
        network, statistics = assemble(architecture, tensors)
    except (ConfigurationError, NotAdaptable) as error:
        raise ConversionError(f"{file.path}: {error}") from None
    except Misfit as misfit:
        raise ConversionError(f"{file.path} does not fit {architecture.name}: {_described(misfit, theirs)}") from None
    _check_values(tensors, theirs, file)
    count, step, covered = architecture.classes, network.graph.alpha, span(architecture.spatial, architecture.frames)
    names = read_labels(labels, count) if labels is not None else tuple(f"class {i}" for i in range(count))
    sampling = Sampling(architecture.frames * step, max(1, stride // step), architecture.spatial, rate=30.0)
    network.statistics = {covered.full: statistics, covered.largest: statistics}
    origin = {"converted": {"file": file.path.name, "format": file.format_name, "tensors": len(tensors)}}
    return TrainedNetwork(network, names, sampling, covered, provenance=origin)


def _told(file: WeightFile, shape: dict, given: dict) -> dict:
    """What the weights do not tell: as given, or by the file's settings and name, or as published."""
    told = _timing(file, shape) | _head(file) | given
    for name in ("frames", "stride", "alpha", "spatial"):
        if not 1 <= told[name] <= LARGEST:
            raise ConversionError(f"{file.path}: {name} {told[name]}, give 1 to {LARGEST} (--{name})")
    return told


def _architecture(shape: dict, told: dict, alpha: int) -> Architecture:
    """From what weights and the file's settings tell."""
    fields = {name: told.pop(name) for name in ("frames", "spatial", "task") if name in told}
    fields |= {name: shape.pop(name) for name in ("network", "classes")}
    options = shape | ({"alpha": alpha} if fields["network"].startswith("slowfast") else {})
    options |= {"aligned": told["aligned"]} if fields["task"] == "detection" else {}
    return Architecture(**fields, options=options)


def _check_values(tensors: dict[str, Tensor], theirs: dict[str, str], file: WeightFile) -> None:
    """Raise ConversionError for values that no network can have learnt."""
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ConversionError(f"{file.path}: {theirs[name]} holds values that are not finite")
        if name.endswith("running_var") and (tensor < 0).any():
            raise ConversionError(f"{file.path}: {theirs[name]} holds variances below 0")


def _translated(file: WeightFile) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by our names, and the file's name of each."""
    used = [key for key in file.tensors if not file.format.ignored(key)]
    renamed = {key: file.format.rename(key) for key in used}
    unknown = sorted(key for key, name in renamed.items() if name is None)
    if unknown:
        raise ConversionError(
            f"{file.path}: {_listed(unknown)} belong to no Slow or SlowFast network (non-local blocks and others are "
            "not supported)"
        )
    pathways = ("slow", "fast") if any(name[0] == "1" for name in renamed.values()) else ("pathway",)
    ours = {key: re.sub("^[01]", lambda number: pathways[int(number[0])], name) for key, name in renamed.items()}
    return {ours[key]: file.tensors[key] for key in used}, {ours[key]: key for key in used}


def _shape(file: WeightFile, tensors: dict[str, Tensor]) -> dict:
    try:
        found = shape_of(tensors)
        return found | {"spread": False} if "spread" in found and file.format is mmaction2 else found
    except KeyError as missing:
        raise ConversionError(f"{file.path} has no {missing}: the file is not whole, download it again") from None
    except ConversionError as error:
        raise ConversionError(f"{file.path}: {error}") from None
    except (IndexError, TypeError, ZeroDivisionError):  # tensors of other dimensions, or without entries
        raise ConversionError(f"{file.path}: the shapes of its tensors are of no Slow or SlowFast network") from None


def _timing(file: WeightFile, shape: dict) -> dict[str, int]:
    """frames, stride, alpha, spatial: from the file's configuration, its name, or what was published."""
    fast = shape["network"].startswith("slowfast")
    sparse = fast and shape["network"].endswith("r50") and shape["fusion_kernel"] == 5  # SlowFast 4×16, R-50
    found = {"frames": 4, "stride": 16} if sparse else {"frames": 8, "stride": 8}
    found |= {"alpha": 8 if sparse or not fast else 4, "spatial": 224}
    if "SLOWFAST.ALPHA" in file.settings and fast:
        found["alpha"] = _whole(file, "SLOWFAST.ALPHA")
    if named := re.search(r"(?<!\d)(\d{1,2})x(\d{1,2})(?!\d)", file.path.name):
        found |= _slow(*map(int, named.groups()), found["alpha"] if fast and int(named[1]) >= 32 else 1)
    if {"DATA.NUM_FRAMES", "DATA.SAMPLING_RATE"} <= file.settings.keys():
        told = (_whole(file, f"DATA.{key}") for key in ("NUM_FRAMES", "SAMPLING_RATE"))
        found |= _slow(*told, found["alpha"] if fast else 1)
        found["spatial"] = _whole(file, "DATA.TRAIN_CROP_SIZE") if "DATA.TRAIN_CROP_SIZE" in file.settings else 224
    return found


def _whole(file: WeightFile, key: str) -> int:
    """A number of the file's configuration."""
    text = file.settings[key]
    if not text.isdecimal() or not 0 < len(text) < 5 or not int(text):
        raise ConversionError(
            f"{file.path}: its configuration has {key} {one_line(text)[:40]!r}, which is no number of it"
        )
    return int(text)


def _head(file: WeightFile) -> dict[str, object]:
    """task and aligned."""
    yes = {key for key, value in file.settings.items() if value.lower() == "true"}
    detects = file.format.detects(set(file.tensors)) or "DETECTION.ENABLE" in yes
    several = "multilabel" if "DATA.MULTI_LABEL" in yes else "classification"
    told = "DETECTION.ALIGNED" in file.settings
    aligned = "DETECTION.ALIGNED" in yes if told else file.format is pyslowfast
    return {"task": "detection" if detects else several, "aligned": aligned}


def _slow(frames: int, stride: int, alpha: int) -> dict[str, int]:
    """T × τ of the Slow pathway from that of the clip."""
    return {"frames": max(1, frames // alpha), "stride": stride * alpha}


def _given(**options: int | None) -> dict[str, int]:
    return {name: value for name, value in options.items() if value is not None}


def _described(misfit: Misfit, theirs: dict[str, str]) -> str:
    """What does not fit, by the file's names where it has them."""
    parts = [f"it lacks {_listed(misfit.missing)}"] if misfit.missing else []
    parts += [f"{_listed([theirs[name] for name in misfit.more])} have no place"] if misfit.more else []
    shapes = [f"{theirs[name]} is {found} in place of {wanted}" for name, (found, wanted) in misfit.wrong.items()]
    return "; ".join(parts + ([_listed(shapes)] if shapes else []))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return one_line(", ".join(name[:120] for name in names[:SHOWN])) + more
