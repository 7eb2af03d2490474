"""PySlowFast's `.pyth`: `s2.pathway0_res0.branch2.a.weight`, beside optimiser, epoch and the configuration's text."""

from __future__ import annotations

import re

from a3d.weights import names

TENSOR = r"(weight|bias|running_mean|running_var)"


def recognises(keys: set[str]) -> bool:
    return "s1.pathway0_stem.conv.weight" in keys


def ignored(key: str) -> bool:
    return key.endswith(".num_batches_tracked")


def detects(keys: set[str]) -> bool:
    """The names do not tell."""
    return False


def rename(key: str) -> str | None:
    """Our name of a tensor, None for one that Slow and SlowFast do not have."""
    if found := re.fullmatch(rf"s1\.pathway([01])_stem\.(conv|bn)\.{TENSOR}", key):
        return names.stem(found[1], found[2] == "bn", found[3])
    if found := re.fullmatch(rf"s([2-5])\.pathway([01])_res(\d+)\.(branch1|branch2\.[abc])(_bn)?\.{TENSOR}", key):
        stage, pathway, number, part, norm, tensor = found.groups()
        return names.block(pathway, stage, number, part.replace(".", ""), norm is not None, tensor)
    if found := re.fullmatch(rf"s([1-4])_fuse\.(conv_f2s|bn)\.{TENSOR}", key):
        return names.fusion(found[1], found[2] == "bn", found[3])
    if found := re.fullmatch(r"head\.projection\.(weight|bias)", key):
        return names.classifier(found[1])
    return None


def settings(text: str) -> dict[str, str]:
    """`SECTION.KEY` to value, of the configuration that a checkpoint carries as YAML: plain values, two levels."""
    found, section = {}, ""
    for line in text.splitlines():
        if match := re.fullmatch(r"(\w+):\s*", line):
            section = match[1]
        elif match := re.fullmatch(r"  (\w+): ([^\s{}\[\]]+)\s*", line):
            found[f"{section}.{match[1]}"] = match[2]
    return found
