"""What a network that detects answers about: boxes in the picture, whose features RoIAlign cuts out (Sec. 4, AVA).

As in the official configuration: mean over time, RoIAlign to 7×7 on maps of stride 16, the largest value of each
channel; a linear classifier follows, with a sigmoid a class.
"""

from __future__ import annotations

import torch
from torch import Tensor

STRIDE = 16  # pixels of the picture a cell of the maps, since the last stage keeps the resolution
CELLS = 7  # of a box, each way


def places(boxes: Tensor, height: int, width: int) -> Tensor:
    """Boxes (K, 5), clip number and corners as shares of a picture of that size in pixels, in cells of its map."""
    return boxes * boxes.new_tensor([1.0, *(side / STRIDE for side in (width, height, width, height))])


def whole(maps: Tensor) -> Tensor:
    """One place a clip, (B, 5), that covers all of the map."""
    height, width = maps.shape[3:]
    numbers = torch.arange(len(maps), device=maps.device, dtype=torch.float32)
    corners = torch.tensor([0, 0, width, height], device=maps.device, dtype=torch.float32)
    return torch.cat([numbers[:, None], corners.expand(len(maps), 4)], 1)


def pool(maps: Tensor, places: Tensor, aligned: bool) -> Tensor:
    """Features (K, C) of the places (K, 5) on maps (B, C, t, h, w)."""
    from torchvision.ops import roi_align  # takes a second to import, which networks that classify clips are spared

    flat = maps.mean(2).float()  # roi_align knows no bfloat16 on a CPU
    cells = roi_align(flat, places.float(), CELLS, sampling_ratio=0, aligned=aligned)  # (K, C, 7, 7)
    return cells.amax((2, 3)).to(maps.dtype)
