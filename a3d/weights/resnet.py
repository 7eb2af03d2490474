"""Image ResNets as torchvision and timm name them: `layer1.0.conv1.weight`, `layer1.0.downsample.0.weight`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from a3d.weights import names

TENSOR = r"(weight|bias|running_mean|running_var)"
BLOCKS = {(2, 2, 2, 2): "resnet18", (3, 4, 6, 3): "resnet50", (3, 4, 23, 3): "resnet101"}


def recognises(keys: set[str]) -> bool:
    return {"conv1.weight", "bn1.weight", "layer1.0.conv1.weight", "fc.weight"} <= keys


def family(tensors: Mapping[str, Tensor]) -> str | None:
    """Return "resnet18", "resnet50" or "resnet101", None for another depth or block."""
    found = [re.match(r"layer([1-4])\.(\d+)\.", key) for key in tensors]
    counts = tuple(len({m[2] for m in found if m and m[1] == str(stage)}) for stage in range(1, 5))
    name, bottleneck = BLOCKS.get(counts), "layer1.0.conv3.weight" in tensors
    return name if name and bottleneck != (name == "resnet18") else None


def rename(key: str, family: str) -> str | None:
    """Return our name of a tensor in Slow, None for one that it does not have."""
    if found := re.fullmatch(rf"(conv|bn)1\.{TENSOR}", key):
        return names.stem("pathway", found[1] == "bn", found[2])
    if found := re.fullmatch(rf"layer([1-4])\.(\d+)\.(conv|bn)([1-3])\.{TENSOR}", key):
        stage, number, kind, place, tensor = found.groups()
        return names.block("pathway", str(int(stage) + 1), number, f"branch2{' abc'[int(place)]}", kind == "bn", tensor)
    if found := re.fullmatch(rf"layer([1-4])\.(\d+)\.downsample\.([01])\.{TENSOR}", key):
        stage, number, place, tensor = found.groups()
        return names.block("pathway", str(int(stage) + 1), number, "branch1", place == "1", tensor)
    if found := re.fullmatch(r"fc\.(weight|bias)", key):
        return names.classifier(found[1])
    return None
