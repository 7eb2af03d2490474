"""Numbers out of a pickle, and nothing else: the only place where one is read.

A pickle is a program that may call anything it names. Here every name is refused but the four that NumPy arrays are
written with, and those stand for the plain classes and functions below: no code of the file's choosing ever runs.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from a3d.errors import A3DError, one_line
from a3d.files import FileError, check_file, read_bytes

KINDS = "biuf"  # bool, integers and floats: what a weight may be
LARGEST = 2**30  # bytes of a file
PIECE = 2**26  # of one array, or of a line
STEPS = 2**17  # of the program that a pickle is: an array takes some thirty
DEEPEST = 8  # tuples in tuples: an array's state has two
GROWTH = 4  # bytes of numbers, as float32, to those of the file
ROOM = 2**20  # beside them


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
            raise UnsafeFile(f"it calls {one_line(f'{module}.{name}')[:80]}")
        return ALLOWED[module, name]

    def persistent_load(self, key: object) -> object:
        raise UnsafeFile("it refers to something outside of itself")


class Limited(NumbersOnly):
    """Also keeps the copies of bytes that a pickle asks for below what its size explains."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._left = len(content) + ROOM

    def find_class(self, module: str, name: str) -> object:
        found = super().find_class(module, name)
        return self._copied if found is _bytes else found

    def _copied(self, text: object, encoding: str = "latin1") -> bytes:
        self._left -= len(text)
        if self._left < 0:
            raise UnsafeFile("it holds more bytes than its size explains")
        return _bytes(text, encoding)


class Pieces:
    """A file of which no more is read at once than the largest array takes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.tell = file, file.tell

    def read(self, count: int) -> bytes:
        if count > PIECE:
            raise UnsafeFile(f"it asks for {count} bytes at once")
        return self._file.read(count)

    def readline(self) -> bytes:
        line = self._file.readline(PIECE + 1)
        if len(line) > PIECE:
            raise UnsafeFile(f"it has a line of more than {PIECE} bytes")
        return line


def check_steps(file: BinaryIO, most: int = STEPS) -> None:
    """Raise UnsafeFile for a pickle that would take time or memory without end, before it is run.

    A step of five bytes can ask for a memo of 32 GB, and tuples that hold the same tuple twice, thirty deep, take hours
    as the key of a dictionary. Leaves the file at the end of the pickle.
    """
    depths, memo = [], {}  # of tuples in tuples: of what is on the pickle's stack, None for a mark
    for count, (step, argument, _) in enumerate(pickletools.genops(Pieces(file))):
        if count > most:
            raise UnsafeFile(f"it has more than {most} steps")
        if "PUT" in step.name and not 0 <= argument <= most:
            raise UnsafeFile(f"it asks for a memo of {argument} entries")
        if step.name == "GLOBAL" and argument.rpartition(" ")[2] == "bytearray":  # of any size
            raise UnsafeFile(f"it calls {argument.replace(' ', '.')}")
        _follow(step, argument, depths, memo)
        if depths and (depths[-1] or 0) > DEEPEST:
            raise UnsafeFile(f"it holds tuples in tuples, more than {DEEPEST} deep")


def _follow(step: pickletools.OpcodeInfo, argument: Any, depths: list[int | None], memo: dict[int, int | None]) -> None:
    """Do to the depths what a step does to the stack."""
    if "PUT" in step.name or step.name == "MEMOIZE":
        memo[len(memo) if argument is None else argument] = depths[-1] if depths else 0
        return
    if "GET" in step.name:
        depths.append(memo.get(argument, 0))
        return
    if step.name == "DUP":
        depths.append(depths[-1] if depths else 0)
        return
    taken = []
    for kind in reversed(step.stack_before):
        if kind is pickletools.stackslice:
            while depths and depths[-1] is not None:
                taken.append(depths.pop())
        elif depths:
            taken.append(depths.pop())
    depth = 1 + max((found or 0 for found in taken), default=0) if "TUPLE" in step.name else 0
    depths += [None if kind is pickletools.markobject else depth for kind in step.stack_after]


def _check_size(found: object, size: int, seen: set[int]) -> int:
    """The bytes of all arrays as float32; raises UnsafeFile where they are more than the file explains."""
    if id(found) in seen and not isinstance(found, Numbers):
        return 0
    seen.add(id(found))
    if isinstance(found, Numbers):
        return 4 * found.array.size
    parts = found.values() if isinstance(found, dict) else found if isinstance(found, list | tuple) else ()
    total = 0
    for part in parts:
        total += _check_size(part, size, seen)
        if total > GROWTH * size + ROOM:
            raise UnsafeFile("it holds more numbers than its size explains")
    return total


def read_numbers(path: Path) -> object:
    """What the pickle at `path` holds: dictionaries, lists, text, numbers, and `Numbers` in place of arrays.

    Raises UnsafeFile, naming what was refused, and for a file that is damaged or no pickle.
    """
    try:
        check_file(path, LARGEST)
        with path.open("rb") as file:
            check_steps(file)
        content = read_bytes(path, LARGEST)
        found = Limited(content).load()
        _check_size(found, len(content), set())
        return found
    except FileError as error:
        raise UnsafeFile(str(error)) from None
    except UnsafeFile as error:
        raise UnsafeFile(f"{path} is refused: {error}, and only arrays of numbers are read") from None
    except Exception as error:
        # Whatever a damaged stream makes of itself: indices, attributes, sizes that do not fit, no memory for them.
        raise UnsafeFile(
            f"{path} cannot be read as a pickle of arrays ({one_line(error)[:200]}): download it again"
        ) from None
