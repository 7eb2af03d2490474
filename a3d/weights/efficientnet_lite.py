"""EfficientNet-Lite as its PyTorch packages name it: `_blocks.3._depthwise_conv.weight`, `_bn0.weight`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from a3d.networks.lite import LITE0, LITE1, LITE2

SHAPES = {"lite0": LITE0, "lite1": LITE1, "lite2": LITE2}
TENSOR = r"(weight|bias|running_mean|running_var)"
WHOLE = {"conv_stem": "stem.conv", "bn0": "stem.norm", "conv_head": "head.conv", "bn1": "head.norm", "fc": "classifier"}
BLOCK = {
    "expand_conv": "expand.conv",
    "bn0": "expand.norm",
    "depthwise_conv": "depthwise.conv",
    "bn1": "depthwise.norm",
    "project_conv": "project.conv",
    "bn2": "project.norm",
}


def recognises(keys: set[str]) -> bool:
    return {"_conv_stem.weight", "_blocks.0._depthwise_conv.weight", "_fc.weight"} <= keys


def family(tensors: Mapping[str, Tensor]) -> str | None:
    """Return "lite0", "lite1" or "lite2" by the number of blocks and the channels of the last, None for another."""
    blocks = len({key.split(".")[1] for key in tensors if key.startswith("_blocks.")})
    head = tensors["_conv_head.weight"].shape[1]
    found = [name for name, shape in SHAPES.items() if (sum(shape.repeats), shape.channels[-1]) == (blocks, head)]
    return found[0] if found else None


def rename(key: str, family: str) -> str | None:
    """Return our name of a tensor in `Lite`, None for one that it does not have."""
    if found := re.fullmatch(rf"_({'|'.join(WHOLE)})\.{TENSOR}", key):
        return f"{WHOLE[found[1]]}.{found[2]}"
    if found := re.fullmatch(rf"_blocks\.(\d+)\._({'|'.join(BLOCK)})\.{TENSOR}", key):
        stage, number = _place(int(found[1]), SHAPES[family].repeats)
        return f"stages.{stage}.{number}.{BLOCK[found[2]]}.{found[3]}"
    return None


def _place(block: int, repeats: tuple[int, ...]) -> tuple[int, int]:
    """Stage, and number in it, of a block counted over all stages."""
    for stage, count in enumerate(repeats):
        if block < count:
            return stage, block
        block -= count
    return len(repeats), block
