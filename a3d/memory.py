"""Memory that is kept for the next pass or step once it is free."""

from __future__ import annotations

import ctypes
import os
import platform
from functools import cache

TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4  # of mallopt(3)
LARGEST = 32 << 20  # bytes; glibc takes no higher limit


@cache
def keep_freed_memory(everything: bool = False) -> bool:
    """Tell glibc, once a process, to keep freed blocks of up to 32 MB, or all of them; say whether it does.

    By itself it gives the maps of a pass back to the system, which clears each page anew at the next one: a fifth of
    the time of a small network, half of that of a training step. Where an environment variable of malloc is set, that
    holds instead.
    """
    if not _is_glibc() or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    kept = mallopt(MMAP_MAX, 0) if everything else mallopt(MMAP_THRESHOLD, LARGEST)
    return bool(kept and mallopt(TRIM_THRESHOLD, -1))


def give_back_freed_memory() -> None:
    """Give what is free to the system: before a fork, after which each page of it would be copied, and now and then.

    Maps of changing sizes leave gaps, so that what is kept grows.
    """
    if _is_glibc():
        ctypes.CDLL(None).malloc_trim(0)


@cache
def _is_glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"
