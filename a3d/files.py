"""Writing a file whole or not at all, and reading one that anybody may have written."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import socket
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from a3d.errors import A3DError, InputError

MACHINE = re.sub(r"\W", "", socket.gethostname())  # folders are shared: another machine's processes are unknown here


def replace(path: str | Path, write: Callable[[Path], object]) -> None:
    """Call `write` with a temporary name beside `path`, then rename: the file is old or new, never half.

    Folders are made as needed. An OSError names the file.
    """
    path = Path(path)
    temporary = temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(temporary)):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)


def temporary_name(path: Path) -> Path:
    """Return a hidden name beside `path` that `remove_leftovers` knows, should this process be killed."""
    return path.with_name(f".{path.name}.{MACHINE}-{os.getpid()}.tmp")


def replace_bytes(path: str | Path, content: bytes) -> None:
    """Write `content` whole or not at all."""
    replace(path, lambda temporary: temporary.write_bytes(content))


def remove_leftovers(folder: str | Path) -> None:
    """Remove what processes of this machine that are no more, killed while they wrote, have left in a folder."""
    for path in Path(folder).glob(".*.tmp"):
        found = re.fullmatch(rf"\..+\.{MACHINE}-(\d+)\.tmp", path.name)
        if found and not _runs(int(found[1])):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def is_full(error: OSError) -> bool:
    """Return whether an error says that no more can be written: the disk, or a quota, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _runs(process: int) -> bool:
    with suppress(PermissionError):  # it runs, for somebody else
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True


class FileError(A3DError, ValueError):
    """A file that is not what it should be; the message names it, the cause and the remedy."""


def read_bytes(path: str | Path, limit: int) -> bytes:
    """Return what an ordinary file holds. Raises FileError, before it takes memory, for others and for larger ones."""
    check_file(path, limit)
    return Path(path).read_bytes()


def check_file(path: str | Path, limit: int) -> None:
    """Raise FileError for what is no ordinary file, or one of more than `limit` bytes."""
    status = Path(path).stat()
    if not stat.S_ISREG(status.st_mode):
        raise FileError(f"{path} is no ordinary file: give one")
    if status.st_size > limit:
        raise FileError(
            f"{path} has {status.st_size} bytes, more than the {limit} that such a file can have: restore it"
        )


def declared_shapes(path: str | Path, limit: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a safetensors file by its header of at most `limit` bytes, before memory is taken for more.

    Raises FileError where the header is none, or declares other bytes than the file has.
    """
    check_file(path, 2**63)
    with Path(path).open("rb") as file:
        size, whole = int.from_bytes(file.read(8), "little"), os.fstat(file.fileno()).st_size
        if not 0 < size <= min(limit, whole - 8):
            raise FileError(f"{path} is damaged (a header of {size} bytes): restore the file")
        header = parse_json(file.read(size), path)
    try:
        tensors = {name: about for name, about in header.items() if name != "__metadata__"}
        declared = 8 + size + max((about["data_offsets"][1] for about in tensors.values()), default=0)
        shapes = {name: tuple(about["shape"]) for name, about in tensors.items()}
    except (AttributeError, IndexError, KeyError, TypeError):
        raise FileError(f"{path} is damaged (its header names no tensors): restore the file") from None
    if declared != whole:
        raise FileError(f"{path} is damaged (its header declares other bytes than its {whole}): restore the file")
    return shapes


def parse_json(content: bytes, path: str | Path) -> Any:
    """Return what JSON says, as strictly as it can be read. Raises FileError, also for a key twice or no number."""
    try:
        return strict_json(content)
    except ValueError as error:
        raise FileError(f"{path} is not JSON ({error}): restore the file") from None


def strict_json(content: bytes) -> Any:
    """Return the same where the file is named by who asks. Raises ValueError."""
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError as error:
        raise InputError(str(error)) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InputError(f"{repeated(name for name, _ in pairs)!r} is there twice")
    return found


def repeated(names: Iterable[str]) -> str | None:
    """Return the first name that was there before, None if each is there once."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _refuse(constant: str) -> None:
    raise InputError(f"{constant} is no number")
