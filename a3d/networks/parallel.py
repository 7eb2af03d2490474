"""Several processes that work as one (`torchrun`): each has some rows of a batch, in the order of their ranks.

Everything here does nothing, or what is plain, in a single process. Sums are over all rows of all processes, so that
losses, gradients and batch norm are those of one process with the whole batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.distributed as dist
from torch import Tensor


def active() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def rank() -> int:
    return dist.get_rank() if active() else 0


def first() -> bool:
    """The process that writes files and prints."""
    return rank() == 0


def share(items: Sequence, step: int = 1) -> Sequence:
    """This process's part of the items: contiguous, in the order of the ranks, cut at multiples of `step`."""
    if not active():
        return items
    world, groups = dist.get_world_size(), -(-len(items) // step)
    low, high = (step * (groups * place // world) for place in (rank(), rank() + 1))
    return items[low:high]


def summed(x: Tensor) -> Tensor:
    """The sum of `x` over the processes; no gradient passes."""
    if not active():
        return x
    x = x.detach().clone()
    dist.all_reduce(x)
    return x


def rows(x: Tensor) -> int:
    """How many rows (dimension 0) like those of `x` all processes have together."""
    return int(summed(torch.tensor(len(x), device=x.device)))


def mean(per_row: Tensor) -> Tensor:
    """This process's part of the mean over the rows of all: the parts, and their gradients, add up to the whole."""
    return per_row.sum() / rows(per_row)


def gathered(x: Tensor) -> Tensor:
    """The rows of all processes, in the order of the ranks; as many as each has."""
    if not active():
        return x
    counts = [torch.zeros((), dtype=torch.int64, device=x.device) for _ in range(dist.get_world_size())]
    dist.all_gather(counts, torch.tensor(len(x), device=x.device))
    most = int(max(counts))
    padded = torch.cat([x, x.new_zeros(most - len(x), *x.shape[1:])])
    parts = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(parts, padded)
    return torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])


def uniform(x: Tensor, *shape: int) -> Tensor:
    """Uniform draws, (len(x), *shape), where x is: one for every row of all processes, of which own rows are given.

    Processes with one seed so draw what a single process draws for the whole batch.
    """
    if not active():
        return torch.rand(len(x), *shape, device=x.device)
    counts = gathered(torch.tensor([len(x)], device=x.device)).tolist()
    begin = sum(counts[: rank()])
    return torch.rand(sum(counts), *shape, device=x.device)[begin : begin + len(x)]


def add_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Replaces every gradient by its sum over the processes, in one exchange."""
    if not active():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
