"""What the layers are called here. The prefix of a pathway is its number, until it is known whether there are two."""

from __future__ import annotations

PARTS = {"branch1": "shortcut", "branch2a": "a", "branch2b": "b", "branch2c": "c"}


def stem(pathway: str, norm: bool, tensor: str) -> str:
    return f"{pathway}.stem.conv.{_layer(norm)}.{tensor}"


def block(pathway: str, stage: str, number: str, part: str, norm: bool, tensor: str) -> str:
    """stage: 2 to 5, as the papers count (res2 to res5). part: branch1, branch2a, branch2b or branch2c."""
    return f"{pathway}.stages.{int(stage) - 2}.{int(number)}.{PARTS[part]}.{_layer(norm)}.{tensor}"


def fusion(stage: str, norm: bool, tensor: str) -> str:
    """stage: 1 to 4, after which Fast is fused into Slow."""
    return f"fusions.{int(stage) - 1}.lateral.{_layer(norm)}.{tensor}"


def classifier(tensor: str) -> str:
    return f"classifier.{tensor}"


def _layer(norm: bool) -> str:
    return "norm" if norm else "conv"
