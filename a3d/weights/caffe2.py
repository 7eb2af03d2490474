"""The Model Zoo's Caffe2 `.pkl`: `res2_0_branch2a_w`, `t_` before the names of Fast; numbers alone are read."""

from __future__ import annotations

import re

from a3d.weights import names

CONVOLUTION = {"w": "weight", "b": "bias"}
NORM = {"s": "weight", "b": "bias", "rm": "running_mean", "riv": "running_var"}  # riv holds variances all the same


def recognises(keys: set[str]) -> bool:
    return "conv1_w" in keys and "res_conv1_bn_s" in keys


def ignored(key: str) -> bool:
    """What only training needs."""
    return "momentum" in key or key in ("lr", "model_iter")


def detects(keys: set[str]) -> bool:
    """The names do not tell."""
    return False


def rename(key: str) -> str | None:
    """Our name of a tensor, None for one that Slow and SlowFast do not have."""
    if found := re.fullmatch(r"(t_)?(?:conv1_(w)|res_conv1_bn_(s|b|rm|riv))", key):
        return names.stem(_pathway(found[1]), found[3] is not None, _tensor(found[2], found[3]))
    if found := re.fullmatch(r"(t_)?res([2-5])_(\d+)_(branch1|branch2[abc])_(?:(w)|bn_(s|b|rm|riv))", key):
        fast, stage, number, part, weight, norm = found.groups()
        return names.block(_pathway(fast), stage, number, part, norm is not None, _tensor(weight, norm))
    last = r"(?:pool1|res([2-4])_\d+_branch2c_bn)"  # the layer whose output is fused
    if found := re.fullmatch(rf"t_{last}_subsample_(?:(w)|bn_(s|b|rm|riv))", key):
        return names.fusion(found[1] or "1", found[3] is not None, _tensor(found[2], found[3]))
    if found := re.fullmatch(r"pred_(w|b)", key):
        return names.classifier(CONVOLUTION[found[1]])
    return None


def _pathway(fast: str | None) -> str:
    return "1" if fast else "0"


def _tensor(weight: str | None, norm: str | None) -> str:
    return CONVOLUTION[weight] if weight else NORM[norm]
