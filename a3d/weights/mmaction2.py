"""mmaction2's SlowOnly and SlowFast: `backbone.slow_path.layer1.0.conv1.conv.weight`."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from a3d.weights import names

TENSOR = r"(weight|bias|running_mean|running_var)"
PATHWAYS = {None: "0", "slow": "0", "fast": "1"}
PARTS = {"downsample": "branch1", "conv1": "branch2a", "conv2": "branch2b", "conv3": "branch2c"}


def recognises(keys: set[str]) -> bool:
    return any(f"backbone.{path}layer1.0.conv1.conv.weight" in keys for path in ("", "slow_path."))


def ignored(key: str) -> bool:
    return key.endswith(".num_batches_tracked")


def detects(keys: set[str]) -> bool:
    """Detection networks of mmaction2 have other names, which are not read."""
    return False


def rename(key: str) -> str | None:
    """Our name of a tensor, None for one that Slow and SlowFast do not have."""
    pathway = r"backbone\.(?:(slow|fast)_path\.)?"
    if found := re.fullmatch(rf"{pathway}conv1\.(conv|bn)\.{TENSOR}", key):
        return names.stem(PATHWAYS[found[1]], found[2] == "bn", found[3])
    if found := re.fullmatch(rf"{pathway}layer([1-4])\.(\d+)\.({'|'.join(PARTS)})\.(conv|bn)\.{TENSOR}", key):
        path, stage, number, part, kind, tensor = found.groups()
        return names.block(PATHWAYS[path], str(int(stage) + 1), number, PARTS[part], kind == "bn", tensor)
    if found := re.fullmatch(rf"backbone\.slow_path\.(?:conv1|layer([1-3]))_lateral\.(conv|bn)\.{TENSOR}", key):
        return names.fusion(str(int(found[1] or 0) + 1), found[2] == "bn", found[3])
    if found := re.fullmatch(r"cls_head\.fc_cls\.(weight|bias)", key):
        return names.classifier(found[1])
    return None


def slow_first(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors with the classifier's inputs in our order: mmaction2 puts the features of Fast first."""
    last = [t for key, t in tensors.items() if re.match(r"backbone\.fast_path\.layer4\.0\.downsample\.conv", key)]
    fast = len(last[0]) if last else 0
    weight = "cls_head.fc_cls.weight"
    return {key: torch.roll(t, -fast, 1) if key == weight else t for key, t in tensors.items()}
