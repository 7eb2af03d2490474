"""From the weights of an image network to those of a video network, which answers alike while nothing moves."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from a3d.weights.assembly import ConversionError

# With 18 layers the image network has no convolution in its first shortcut, where features of Fast come in here.
FUSED_SHORTCUT = "slow.stages.0.0.shortcut."
OF_VIDEO = ("classifier.", "fast.", "fusions.", FUSED_SHORTCUT)  # what an image network need not have


def inflate(image_weights: Mapping[str, Tensor], network: nn.Module, classifier: bool = False) -> dict[str, Tensor]:
    """Return a state dict of `network` that starts from an image network.

    image_weights: by the names of the network, or of Slow for a SlowFast, whose Slow pathway they start.
    classifier: take the image network's too, which must have as many classes; else the one of the network stays.

    A kernel k×k becomes t×k×k with the image kernel in its middle frame and zeros around it, for depthwise and dense
    convolutions alike. The usual 1/t in each frame of a dense one is right only away from the first and the last frame,
    where zeros of the padding count as frames; a clip is 4 to 16 frames, and the error grows layer by layer. So each
    frame is seen as the image network sees it, and training finds out what to do with its neighbours. Input channels
    where features of a Fast pathway come in start at zero; Fast and the laterals stay as they are in the network, which
    is to be a fresh one. A still clip has the features of the image network, and with its classifier, its logits.
    Raises ConversionError, naming the tensor, where one does not fit.
    """
    state = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    slowfast, fresh = any(name.startswith("slow.") for name in state), set(state)
    for name, tensor in image_weights.items():
        if name.startswith("classifier.") and not classifier:
            continue
        name = re.sub("^pathway", "slow", name) if slowfast else name
        if name not in state:
            raise ConversionError(f"the network has no {name}: give the image network of its kind and depth")
        fused = slowfast and not name.startswith("slow.stem")
        state[name] = _inflated(name, tensor.to(state[name]), state[name].shape, fused)
        fresh.remove(name)
    if f"{FUSED_SHORTCUT}conv.weight" in fresh:
        nn.init.dirac_(state[f"{FUSED_SHORTCUT}conv.weight"])  # the identity, as there; a fresh batch norm is one
    for name in sorted(fresh):
        if not name.startswith(OF_VIDEO) and not name.endswith(".num_batches_tracked"):
            raise ConversionError(f"the image network has no {name}: give one of the kind and depth of the network")
    return state


def _inflated(name: str, image: Tensor, shape: torch.Size, fused: bool) -> Tensor:
    """An image tensor amid zeros: frames before and after it, and where features are fused, inputs after its own."""
    tensor = image[:, :, None] if image.ndim == 4 else image  # (outputs, inputs, 1, k, k)
    more = [wanted - found for found, wanted in zip(tensor.shape, shape, strict=False)]
    free = {1: fused, 2: image.ndim == 4}  # inputs and frames may be more than the image network's
    if tensor.ndim != len(shape) or any(count < 0 or (count and not free.get(i)) for i, count in enumerate(more)):
        raise ConversionError(
            f"{name} is {tuple(image.shape)}, the network's {tuple(shape)}: give one of its depth and width"
        )
    before = [count // 2 if i == 2 else 0 for i, count in enumerate(more)]
    around = [(first, count - first) for first, count in zip(before, more, strict=True)]
    return F.pad(tensor, [side for pair in reversed(around) for side in pair])
