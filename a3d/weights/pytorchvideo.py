"""PyTorchVideo's hub files: `blocks.1.res_blocks.0.branch2.conv_a.weight`, of detection networks under `model.`."""

from __future__ import annotations

import re

from a3d.weights import names

TENSOR = r"(weight|bias|running_mean|running_var)"
BRANCHES = {"branch1_": "branch1", **{f"branch2.{kind}_{x}": f"branch2{x}" for kind in ("conv", "norm") for x in "abc"}}


def recognises(keys: set[str]) -> bool:
    stems = ("blocks.0.conv.weight", "blocks.0.multipathway_blocks.0.conv.weight")
    return any(prefix + stem in keys for prefix in ("", "model.") for stem in stems)


def ignored(key: str) -> bool:
    return key.endswith(".num_batches_tracked")


def detects(keys: set[str]) -> bool:
    """Tell a network with a head for boxes."""
    return "detection_head.proj.weight" in keys


def rename(key: str) -> str | None:
    """Our name of a tensor, None for one that Slow and SlowFast do not have."""
    pathway = r"(?:multipathway_blocks\.([01])\.)?"
    key = key.removeprefix("model.")
    if found := re.fullmatch(rf"blocks\.0\.{pathway}(conv|norm)\.{TENSOR}", key):
        return names.stem(found[1] or "0", found[2] == "norm", found[3])
    branch = r"(branch1_(?=conv|norm)|branch2\.(?:conv|norm)_[abc])(conv|norm)?"
    if found := re.fullmatch(rf"blocks\.([1-4])\.{pathway}res_blocks\.(\d+)\.{branch}\.{TENSOR}", key):
        stage, number, block, part, kind, tensor = found.groups()
        norm = "norm" in (kind or part)
        return names.block(number or "0", str(int(stage) + 1), block, BRANCHES[part], norm, tensor)
    if found := re.fullmatch(rf"blocks\.([0-3])\.multipathway_fusion\.(conv_fast_to_slow|norm)\.{TENSOR}", key):
        return names.fusion(str(int(found[1]) + 1), found[2] == "norm", found[3])
    if found := re.fullmatch(r"(?:blocks\.[56]|detection_head)\.proj\.(weight|bias)", key):
        return names.classifier(found[1])
    return None
