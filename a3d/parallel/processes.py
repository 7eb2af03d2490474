"""Several processes that work as one (`torchrun`): each has some rows of a batch, in the order of their ranks.

In a single process everything here is what it would be without. Sums and random draws are over the rows of all
processes, so that losses, gradients and dropout are those of one process with the whole batch.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn

from a3d.errors import A3DError, is_out_of_memory


class ProcessLost(A3DError, RuntimeError):
    """Another process of the run has ended; this one cannot go on."""


@contextmanager
def process_group() -> Iterator[None]:
    """Joins the processes that `torchrun` started, if it did: NCCL for tensors on GPUs, one a process, gloo on CPUs."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group()
    signal.signal(signal.SIGTERM, _stop)
    yield
    dist.destroy_process_group()  # not after an error: it would wait for processes that are no more


def _stop(number: int, frame: object) -> None:
    """`torchrun` ends all processes once one has ended."""
    ignore_termination()
    raise ProcessLost("another process of the run has ended")


def ignore_termination() -> None:
    """From now on `torchrun` does not interrupt this process: it ends soon by itself (or is killed in 30 seconds)."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def is_distributed() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def rank() -> int:
    return dist.get_rank() if is_distributed() else 0


def is_main() -> bool:
    """The process that writes files and prints."""
    return rank() == 0


def shard(items: Sequence, step: int = 1) -> Sequence:
    """This process's part of the items: contiguous, in the order of the ranks, cut at multiples of `step`."""
    if not is_distributed():
        return items
    world, groups = dist.get_world_size(), -(-len(items) // step)
    low, high = (step * (groups * place // world) for place in (rank(), rank() + 1))
    return items[low:high]


def all_reduce(x: Tensor) -> Tensor:
    """The sum of `x` over the processes; no gradient passes."""
    x = x.detach()
    if is_distributed():
        x = x.clone()
        _exchange(dist.all_reduce, x)
    return x


def gather(x: Tensor) -> Tensor:
    """The rows of all processes, in the order of the ranks, as many as each has."""
    if not is_distributed():
        return x
    counts = _counts(x)
    padded = torch.cat([x, x.new_zeros(max(counts) - len(x), *x.shape[1:])]).contiguous()
    parts = [torch.empty_like(padded) for _ in counts]
    _exchange(dist.all_gather, parts, padded)
    return torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])


def gather_objects(values: list) -> list:
    """Values that JSON can hold, of all processes, in the order of the ranks."""
    if not is_distributed():
        return values
    lines = "".join(json.dumps(value) + "\n" for value in values).encode()
    lines_of_all = gather(torch.tensor(list(lines), dtype=torch.uint8))
    return [json.loads(line) for line in bytes(lines_of_all.tolist()).splitlines()]


def broadcast(content: bytes | None) -> bytes | None:
    """What the first process has, to all; None if it has nothing."""
    if not is_distributed():
        return content
    length = torch.tensor(-1 if content is None or not is_main() else len(content))
    _exchange(dist.broadcast, length, 0)
    if length < 0:
        return None
    data = (
        torch.frombuffer(bytearray(content), dtype=torch.uint8) if is_main() else torch.empty(length, dtype=torch.uint8)
    )
    _exchange(dist.broadcast, data, 0)
    return data.numpy().tobytes()


def mean(per_row: Tensor) -> Tensor:
    """This process's part of the mean over the rows of all: the parts, and their gradients, add up to the whole."""
    return per_row.sum() / all_reduce(torch.tensor(float(len(per_row)), device=per_row.device))


def own_rows(x: Tensor) -> tuple[slice, int]:
    """Where the rows of `x` lie among those of all processes, and how many there are."""
    counts = _counts(x) if is_distributed() else [len(x)]
    begin = sum(counts[: rank()])
    return slice(begin, begin + len(x)), sum(counts)


def uniform(x: Tensor, *shape: int) -> Tensor:
    """Uniform draws (len(x), *shape), where `x` is: drawn for the rows of all processes, own rows given.

    Processes that were seeded alike so have what a single one draws for the whole batch.
    """
    rows, total = own_rows(x)
    return torch.rand(total, *shape, device=x.device)[rows]


def dropout(x: Tensor, share: float, training: bool) -> Tensor:
    """Drop features (rows, …) at random."""
    if not training or not share:
        return x
    return x * (uniform(x, *x.shape[1:]) >= share) / (1 - share)


@torch.no_grad()
def broadcast_parameters(parameters: Iterable[nn.Parameter]) -> None:
    """Every process gets the parameters of the first."""
    if is_distributed():
        for parameter in parameters:
            _exchange(dist.broadcast, parameter, 0)


def all_reduce_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Every gradient becomes its sum over the processes, in one exchange."""
    if not is_distributed():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    _exchange(dist.all_reduce, flat)
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def _counts(x: Tensor) -> list[int]:
    counts = torch.zeros(dist.get_world_size(), dtype=torch.int64, device=x.device)
    counts[rank()] = len(x)
    _exchange(dist.all_reduce, counts)
    return counts.tolist()


def _exchange(collective: Callable, *args) -> None:
    try:
        collective(*args)
    except RuntimeError as error:
        if not _of_connection(error):
            raise
        raise ProcessLost(f"another process of the run has ended ({str(error).splitlines()[0]})") from None


def _of_connection(error: RuntimeError) -> bool:
    """Whether a collective failed because the others do not answer: NCCL has an error class for it, gloo has none."""
    return not is_out_of_memory(error) and (isinstance(error, dist.DistError) or "gloo" in str(error).lower())
