"""What a checkpoint may say: every number in its range, before anything is built from it."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from a3d.errors import InputError
from a3d.files import repeated

SIDE = 2**12  # pixels, frames, channels, layers: what no network here comes near
LONGEST = 1000  # characters of a name, entries of a list
DEEPEST = 20  # of objects in objects
FLOATS = (torch.float32, torch.float16, torch.bfloat16)


def check_config(config: Mapping[str, Any]) -> None:
    """Raise InputError, TypeError or KeyError for a config that no network can be built from."""
    _check_text(config)
    architecture, labels = config["architecture"], config["labels"]
    check_labels(labels)
    _check_numbers(architecture, "architecture", skipped=("classes",))
    if architecture["classes"] != len(labels):
        raise InputError(f"{len(labels)} labels for {architecture['classes']!r} classes")
    for name in ("range", "sampling"):
        _check_numbers(config[name], name)
    _check_numbers({name: config.get(name, []) for name in ("clip", "fixed")}, "clip")
    _check_sampling(config["sampling"])
    if not isinstance(config.get("provenance", {}), dict):
        raise InputError("provenance is no object")
    checksums = config.get("files", {})
    if not isinstance(checksums, dict) or not all(isinstance(value, str) for value in checksums.values()):
        raise InputError("files is no object of checksums")


def check_labels(labels: Any) -> None:
    """Raise InputError unless these are different, printable names."""
    if not isinstance(labels, list) or not labels:
        raise InputError("labels are no list of names")
    for label in labels:
        if not isinstance(label, str) or not 0 < len(label) <= LONGEST or not label.isprintable():
            raise InputError(f"label {str(label)[:40]!r} is no name that can be printed")
    if (twice := repeated(labels)) is not None:
        raise InputError(f"label {twice!r} is there twice")


def check_weights(tensors: Mapping[str, Tensor]) -> None:
    """Raise InputError for values that are not finite, and for numbers of another kind than weights are."""
    for name, tensor in tensors.items():
        if tensor.dtype not in FLOATS:
            raise InputError(f"{name!r} holds {str(tensor.dtype).removeprefix('torch.')}, not floats")
        if not is_finite(tensor):
            raise InputError(f"{name!r} holds values that are not finite")


def check_statistics(packed: Mapping[str, Tensor]) -> None:
    """Raise InputError for moments, (2, ΣC) each, that are not finite, or variances below 0."""
    for key, tensor in packed.items():
        if tensor.dtype != torch.float32:
            raise InputError(f"{key[:40]!r} holds {str(tensor.dtype).removeprefix('torch.')}, not float32")
        if not is_finite(tensor):
            raise InputError(f"{key[:40]!r} holds values that are not finite")
        if tensor.ndim == 2 and len(tensor) == 2 and (tensor[1] < 0).any():
            raise InputError(f"{key[:40]!r} holds variances below 0")


def is_finite(tensor: Tensor) -> bool:
    """Return whether all values are."""
    return not tensor.numel() or all(map(math.isfinite, (value.item() for value in torch.aminmax(tensor.float()))))


def _check_sampling(sampling: Mapping[str, Any]) -> None:
    for name in ("mean", "std"):
        if name in sampling and (len(sampling[name]) != 3 or not all(map(_is_number, sampling[name]))):
            raise InputError(f"{name} {sampling[name]!r}: three numbers are needed")
    if not all(value > 0 for value in sampling.get("std", [1.0])):
        raise InputError(f"std {sampling['std']!r}: a picture cannot be divided by that")


def _check_numbers(fields: Any, place: str, skipped: Iterable[str] = (), depth: int = 0) -> None:
    """Every number of an object, or of what lies in it, from 0 to SIDE and finite."""
    if depth > DEEPEST:
        raise InputError(f"{place} is nested too deeply")
    if isinstance(fields, dict | list):
        if len(fields) > LONGEST:
            raise InputError(f"{place} has {len(fields)} entries")
        entries = fields.items() if isinstance(fields, dict) else enumerate(fields)
        for name, value in entries:
            if name not in skipped:
                _check_numbers(value, f"{place} {name}"[:80], (), depth + 1)
    elif _is_number(fields) and not (math.isfinite(fields) and 0 <= fields <= SIDE):
        raise InputError(f"{place} {fields!r} is out of range")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_text(value: Any) -> None:
    """Raise InputError for characters that would steer a terminal."""
    if isinstance(value, str):
        if any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in value):
            raise InputError(f"{value[:40]!r} holds control characters")
    elif isinstance(value, dict | list):
        for part in (*value, *value.values()) if isinstance(value, dict) else value:
            _check_text(part)
