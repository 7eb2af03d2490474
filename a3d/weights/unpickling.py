"""Numbers out of a pickle, and nothing else: the only place where one is read.

A pickle is a program that may call anything it names. Here every name is refused but the four that NumPy arrays are
written with, and those stand for the plain classes and functions below: no code of the file's choosing ever runs.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from a3d.errors import A3DError

KINDS = "biuf"  # bool, integers and floats: what a weight may be


class UnsafeFile(A3DError, ValueError):
    """The file asks for more than numbers."""


class Kind:
    """Stands for `numpy.dtype`: its code, and from its state the order of bytes."""

    def __init__(self, code: str, align: object = False, copy: object = False) -> None:
        self.code, self.order = code, "="

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]

    def dtype(self) -> np.dtype:
        found = np.dtype(str(self.code))
        if found.kind not in KINDS:
            raise UnsafeFile(f"an array of {self.code!r}, which are not numbers")
        return found if self.order == "|" else found.newbyteorder(str(self.order))


class Numbers:
    """Stands for `numpy.ndarray`: what its state holds becomes `.array`."""

    array = np.zeros(0)

    def __setstate__(self, state: tuple) -> None:
        _, shape, kind, transposed, raw = state
        flat = np.frombuffer(_bytes(raw), kind.dtype())
        self.array = flat.reshape(shape, order="F" if transposed else "C")


def _empty(kind: object, shape: object, code: object) -> Numbers:
    return Numbers()


def _scalar(kind: Kind, raw: object) -> np.generic:
    return np.frombuffer(_bytes(raw), kind.dtype())[0]


def _bytes(text: object, encoding: str = "latin1") -> bytes:
    """What Python 2 wrote as a string holds one byte a character."""
    if encoding != "latin1":
        raise UnsafeFile(f"text encoded as {encoding!r}")
    return text.encode("latin1") if isinstance(text, str) else bytes(text)


ALLOWED = {
    ("numpy", "dtype"): Kind,
    ("numpy", "ndarray"): Numbers,
    ("_codecs", "encode"): _bytes,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _empty for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
}


class NumbersOnly(pickle.Unpickler):
    """Refuses every name but those in `ALLOWED`."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in ALLOWED:
            raise UnsafeFile(f"it calls {module}.{name}")
        return ALLOWED[module, name]

    def persistent_load(self, key: object) -> object:
        raise UnsafeFile("it refers to something outside of itself")


def read_numbers(path: Path) -> object:
    """What the pickle at `path` holds: dictionaries, lists, text, numbers, and `Numbers` in place of arrays.

    Raises UnsafeFile, naming what was refused, and for a file that is damaged or no pickle.
    """
    try:
        with path.open("rb") as file:
            return NumbersOnly(file, encoding="latin1").load()
    except UnsafeFile as error:
        raise UnsafeFile(f"{path} is refused: {error}, and only arrays of numbers are read") from None
    except Exception as error:
        # Whatever a damaged stream makes of itself: indices, attributes, sizes that do not fit, no memory for them.
        raise UnsafeFile(f"{path} cannot be read as a pickle of arrays ({error}): download it again") from None
