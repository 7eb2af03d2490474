"""Video networks as torchvision and PyTorchVideo build them, by name: `torchvision:r2plus1d_18`."""

from __future__ import annotations

import warnings

from torch import nn

from a3d.configuration import ConfigurationError

NAMES = {
    "torchvision": ("r3d_18", "mc3_18", "r2plus1d_18", "s3d"),
    "pytorchvideo": (
        *("slow_r50", "slowfast_r50", "c2d_r50", "i3d_r50", "csn_r101", "r2plus1d_r50"),
        *("x3d_xs", "x3d_s", "x3d_m", "x3d_l"),
    ),
}


def library_network(name: str, classes: int = 400) -> nn.Module:
    """Return a network with random weights that answers a clip (B, 3, T, S, S) with logits (B, classes).

    name: a library and one of its networks, as in `NAMES`. PyTorchVideo's answer with logits here, where some of them
    answer with probabilities otherwise.
    Raises ConfigurationError for a name that is not known, or whose library is not installed.
    """
    library, _, network = name.partition(":")
    if network not in NAMES.get(library, ()):
        known = ", ".join(f"{library}:{network}" for library, networks in NAMES.items() for network in networks)
        raise ConfigurationError(f"network {name!r}: choose one of {known}")
    if library == "torchvision":
        from torchvision.models import video

        return getattr(video, network)(weights=None, num_classes=classes)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # fvcore, which it imports, uses interfaces that have been renamed
            from pytorchvideo.models import hub
    except ImportError as error:
        raise ConfigurationError(f"{name} needs {error.name}, which is missing: pip install pytorchvideo") from None
    return getattr(hub, network)(model_num_class=classes, head_activation=None)
