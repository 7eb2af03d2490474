"""Which channels of the full network a tensor holds at a width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from a3d.configuration import channels_at


class Group:
    """Channels that are sliced together: those of one convolution, and of all that residual sums tie to it.

    size: how many there are at full width. fixed: whether all of them are kept at every width.
    """

    def __init__(self, size: int, fixed: bool = False) -> None:
        self.size, self._fixed = size, fixed
        self._same_as: Group | None = None

    @property
    def root(self) -> Group:
        """The group that stands for all that were tied together."""
        return self if self._same_as is None else self._same_as.root

    @property
    def fixed(self) -> bool:
        return self.root._fixed

    def tie(self, other: Group) -> None:
        """Make two groups of one size one; it is fixed if either is."""
        a, b = self.root, other.root
        if a is not b:
            b._fixed = a._fixed or b._fixed
            a._same_as = b

    def at(self, width: float) -> int:
        """Return how many channels, the first ones, are kept at a width."""
        return self.size if self.fixed else channels_at(self.size, width)


@dataclass(frozen=True)
class Layout:
    """A layout tells the channels of a tensor: groups side by side along one of its dimensions."""

    groups: tuple[Group, ...]
    dimension: int = 1

    @property
    def size(self) -> int:
        """Return channels at full width."""
        return sum(group.size for group in self.groups)

    @property
    def fixed(self) -> bool:
        return all(group.fixed for group in self.groups)

    def at(self, width: float) -> int:
        return sum(group.at(width) for group in self.groups)

    def segments(self, width: float) -> Iterator[tuple[int, int]]:
        """Yield (offset, count) of what is kept of each group, offsets in the full tensor."""
        offset = 0
        for group in self.groups:
            yield offset, group.at(width)
            offset += group.size

    def matches(self, other: Layout) -> bool:
        """Say whether two tensors may be added: the same sizes in the same order along the same dimension."""
        sizes = ([group.size for group in layout.groups] for layout in (self, other))
        return self.dimension == other.dimension and next(sizes) == next(sizes)

    def tie(self, other: Layout) -> None:
        for mine, theirs in zip(self.groups, other.groups, strict=True):
            mine.tie(theirs)

    def take(self, full: Tensor, width: float, dimension: int = 0) -> Tensor:
        """Return the part of a weight that belongs to the channels kept, along one of the weight's dimensions.

        A view where one group is kept, a copy where several are.
        """
        if self.at(width) == full.shape[dimension]:
            return full
        parts = [full.narrow(dimension, offset, count) for offset, count in self.segments(width)]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dimension)
