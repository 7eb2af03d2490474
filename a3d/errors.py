"""The errors of the package: what was given cannot be used, said in one line with the remedy."""

from __future__ import annotations

# How PyTorch's allocators, and the libraries of CUDA, say so.
FULL_MEMORY = ("out of memory", "can't allocate memory", "STATUS_ALLOC_FAILED")


class A3DError(Exception):
    """What was given cannot be used; the message is one line that names the value and the remedy."""


class InputError(A3DError, ValueError):
    """An argument or an option that cannot be used, where no other error class says more."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that a memory is full, a GPU's or the machine's."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in FULL_MEMORY)


def one_line(text: object) -> str:
    """Return a message as one line, without what would steer a terminal: a file's name may hold anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(str(text).split()))
