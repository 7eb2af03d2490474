"""Video networks as torchvision and PyTorchVideo build them, by name: `torchvision:r2plus1d_18`."""

from __future__ import annotations

import warnings

from torch import nn

from a3d.configuration import ConfigurationError

# Spatial size and frames that each was published with.
SIZES = {
    **{f"torchvision:{name}": (112, 16) for name in ("r3d_18", "mc3_18", "r2plus1d_18")},
    "torchvision:s3d": (224, 16),
    **{f"pytorchvideo:{name}": (224, 8) for name in ("slow_r50", "c2d_r50", "i3d_r50", "slowfast_r50")},
    "pytorchvideo:x3d_xs": (160, 4),
    "pytorchvideo:x3d_s": (160, 13),
    "pytorchvideo:x3d_m": (224, 16),
    "pytorchvideo:x3d_l": (312, 16),
    "pytorchvideo:csn_r101": (224, 32),
    "pytorchvideo:r2plus1d_r50": (224, 16),
}


def library_network(name: str, classes: int = 400) -> nn.Module:
    """Return a network with random weights that answers a clip (B, 3, T, S, S) with logits (B, classes).

    name: a library and one of its networks, as in `SIZES`; PyTorchVideo's SlowFast takes a list [slow, fast].
    PyTorchVideo's answer with logits here, where some of them answer with probabilities otherwise.
    Raises ConfigurationError for a name that is not known, or whose library is not installed.
    """
    if name not in SIZES:
        raise ConfigurationError(f"network {name!r}: choose one of {', '.join(SIZES)}")
    library, _, network = name.partition(":")
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
