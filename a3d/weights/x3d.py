"""X3D as PyTorchVideo and PySlowFast name it: `blocks.1.res_blocks.0.branch2.conv_a.weight`, `s2.pathway0_res0.…`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from a3d.networks.x3d import X3D_L, X3D_M

BUILDERS = {X3D_M.repeats: "x3d_m", X3D_L.repeats: "x3d_l"}
NORM = r"(weight|bias|running_mean|running_var)"
PAIR = r"(weight|bias)"
FIRST_SHORTCUT = "stages.0.0.shortcut.norm.weight"

# A pattern of a name, and ours; stages count from 1 in PyTorchVideo's and from 2 in PySlowFast's.
VIDEO_BLOCK, SLOWFAST_BLOCK = r"blocks\.([1-4])\.res_blocks\.(\d+)\.", r"s([2-5])\.pathway0_res(\d+)\."
PYTORCHVIDEO = (
    (r"blocks\.0\.conv\.conv_t\.weight", "stem.space.weight"),  # that library calls the one in space so
    (r"blocks\.0\.conv\.conv_xy\.weight", "stem.time.weight"),
    (rf"blocks\.0\.norm\.{NORM}", r"stem.norm.\1"),
    (rf"{VIDEO_BLOCK}branch1_(conv|norm)\.{NORM}", r"stages.\1.\2.shortcut.\3.\4"),
    (rf"{VIDEO_BLOCK}branch2\.(conv|norm)_([ac])\.{NORM}", r"stages.\1.\2.\4.\3.\5"),
    (rf"{VIDEO_BLOCK}branch2\.conv_b\.weight", r"stages.\1.\2.b.conv.weight"),
    (rf"{VIDEO_BLOCK}branch2\.norm_b\.0\.{NORM}", r"stages.\1.\2.b.norm.\3"),
    (rf"{VIDEO_BLOCK}branch2\.norm_b\.1\.block\.0\.{PAIR}", r"stages.\1.\2.excite.squeeze.\3"),
    (rf"{VIDEO_BLOCK}branch2\.norm_b\.1\.block\.2\.{PAIR}", r"stages.\1.\2.excite.expand.\3"),
    (rf"blocks\.5\.pool\.pre_(conv|norm)\.{NORM}", r"head.\1.\2"),
    (r"blocks\.5\.pool\.post_conv\.weight", "hidden.weight"),
    (rf"blocks\.5\.proj\.{PAIR}", r"classifier.\1"),
)
PYSLOWFAST = (
    (r"s1\.pathway0_stem\.conv_xy\.weight", "stem.space.weight"),
    (r"s1\.pathway0_stem\.conv\.weight", "stem.time.weight"),
    (rf"s1\.pathway0_stem\.bn\.{NORM}", r"stem.norm.\1"),
    (rf"{SLOWFAST_BLOCK}branch1\.weight", r"stages.\1.\2.shortcut.conv.weight"),
    (rf"{SLOWFAST_BLOCK}branch1_bn\.{NORM}", r"stages.\1.\2.shortcut.norm.\3"),
    (rf"{SLOWFAST_BLOCK}branch2\.([abc])\.weight", r"stages.\1.\2.\3.conv.weight"),
    (rf"{SLOWFAST_BLOCK}branch2\.([abc])_bn\.{NORM}", r"stages.\1.\2.\3.norm.\4"),
    (rf"{SLOWFAST_BLOCK}branch2\.se\.fc1\.{PAIR}", r"stages.\1.\2.excite.squeeze.\3"),
    (rf"{SLOWFAST_BLOCK}branch2\.se\.fc2\.{PAIR}", r"stages.\1.\2.excite.expand.\3"),
    (r"head\.conv_5\.weight", "head.conv.weight"),
    (rf"head\.conv_5_bn\.{NORM}", r"head.norm.\1"),
    (r"head\.lin_5\.weight", "hidden.weight"),
    (rf"head\.projection\.{PAIR}", r"classifier.\1"),
)


def recognises(keys: set[str]) -> bool:
    return "blocks.5.pool.pre_conv.weight" in keys or "head.lin_5.weight" in keys


def rename(key: str) -> str | None:
    """Return our name of a tensor in X3D, None for one that it does not have."""
    first = 1 if key.startswith("blocks.") else 2
    for pattern, ours in PYTORCHVIDEO + PYSLOWFAST:
        if found := re.fullmatch(pattern, key):
            head, _, tail = found.expand(ours).partition("stages.")
            return f"stages.{int(tail[0]) - first}{tail[1:]}" if tail else head
    return None


def reshaped(name: str, tensor: Tensor) -> Tensor:
    """Return the tensor in our shape: the hidden layer is a convolution of 1×1² there."""
    return tensor.flatten(1) if name == "hidden.weight" else tensor


def builder(tensors: Mapping[str, Tensor]) -> tuple[str, dict] | None:
    """Return our builder's name and its options for tensors by our names, None for another depth.

    XS, S and M are one network, called x3d_m here.
    """
    blocks = {tuple(name.split(".")[1:3]) for name in tensors if name.startswith("stages.")}
    repeats = tuple(sum(stage == str(number) for stage, _ in blocks) for number in range(4))
    options = {} if FIRST_SHORTCUT in tensors else {"shortcut_norm": False}
    return (BUILDERS[repeats], options) if repeats in BUILDERS else None
