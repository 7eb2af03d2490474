"""What a configuration uses of a network, and that part alone as an ordinary module."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from a3d.adaptive.fused import FusedConv3d
from a3d.adaptive.network import AdaptiveNetwork, Architecture, MissingStatistics
from a3d.adaptive.slimmable import Pass, SlimmableBatchNorm3d, SlimmableConv3d, SlimmableLinear
from a3d.configuration import Configuration, ConfigurationError
from a3d.networks.slow import Slow
from a3d.networks.slowfast import SlowFast

FAMILIES = {"slow": Slow, "slowfast": SlowFast}


def build(architecture: Architecture) -> AdaptiveNetwork:
    """A freshly initialised network of that architecture."""
    if architecture.family not in FAMILIES:
        raise ConfigurationError(f"network family {architecture.family!r}: choose one of {', '.join(FAMILIES)}")
    return FAMILIES[architecture.family](architecture)


@dataclass(frozen=True)
class Use:
    """What one layer does at a configuration: channels in and out, positions of its output (T·H·W).

    kernel: weights for each pair of channels, 0 for batch norm. biases: additive parameters of a classifier.
    """

    layer: str
    inputs: int
    outputs: int
    positions: int
    kernel: int
    biases: int


@lru_cache(maxsize=512)
def trace(architecture: Architecture, configuration: Configuration) -> tuple[Use, ...]:
    """Runs one clip without data (shapes alone) and notes what every layer uses."""
    network = _skeleton(architecture)
    uses: list[Use] = []

    def note(name: str):
        def hook(layer: nn.Module, inputs: tuple, output: Tensor) -> None:
            kernel = 0 if isinstance(layer, SlimmableBatchNorm3d) else math.prod(getattr(layer, "kernel_size", ()))
            biases = output.shape[1] if isinstance(layer, SlimmableLinear) else 0
            uses.append(Use(name, inputs[0].shape[1], output.shape[1], math.prod(output.shape[2:]), kernel, biases))

        return hook

    handles = [
        module.register_forward_hook(note(name))
        for name, module in network.named_modules()
        if isinstance(module, SlimmableConv3d | SlimmableBatchNorm3d | SlimmableLinear)
    ]
    try:
        frames, size = network.clip_shape(configuration)
        clip = torch.empty(2, 3, frames, size, size, device="meta")  # 2: batch norm refuses a single value
        network.classify(network.run(clip, configuration, Pass(configuration.width)))
    finally:
        for handle in handles:
            handle.remove()
    return tuple(uses)


def _skeleton(architecture: Architecture) -> AdaptiveNetwork:
    """The network without memory behind its parameters."""
    return copy.deepcopy(_template(architecture))  # three times as fast as to build it


@lru_cache(maxsize=16)
def _template(architecture: Architecture) -> AdaptiveNetwork:
    with torch.device("meta"):
        return build(architecture).eval()


class SubNetwork(nn.Module):
    """One configuration as an ordinary, immutable module: its parameters alone, its statistics folded into them.

    It stays in evaluation mode, and its parameters ask for no gradient. `.compile()` compiles it, as any module.
    """

    def __init__(self, body: AdaptiveNetwork, configuration: Configuration) -> None:
        super().__init__()
        self.body = body
        self.configuration = configuration
        self.requires_grad_(False)
        super().train(False)

    def forward(self, clip: Tensor, boxes: Tensor | None = None) -> Tensor:
        """clip: (B, 3, T, S, S), normalised, full or at the configuration's shape; logits (B, classes).

        boxes: as of the full network, for one that detects.
        """
        maps = self.features(clip)
        return self.classify(maps, None if boxes is None else self.body.places(boxes, clip.shape, self.configuration))

    def features(self, clip: Tensor) -> tuple[Tensor, ...]:
        """Maps before pooling, (B, C, t, h, w), one a pathway, in the precision of the classifier."""
        maps = self.body.run(clip, self.configuration, Pass())
        return tuple(x.to(self.classifier.weight.dtype) for x in maps)

    def classify(self, maps: tuple[Tensor, ...], places: tuple[Tensor, ...] | None = None) -> Tensor:
        return self.body.classify(maps, places)

    @property
    def classifier(self) -> nn.Linear:
        return self.body.classifier

    def train(self, mode: bool = True) -> SubNetwork:
        """Has no effect: a sub-network is trained as a part of its full network."""
        return self


@torch.inference_mode(False)  # its parameters are ordinary tensors wherever it is called
@torch.no_grad()
def extract(network: AdaptiveNetwork, configuration: Configuration, dtype: torch.dtype = torch.float32) -> SubNetwork:
    """The sub-network at a configuration, batch norm folded into the convolutions. Its logits are the network's.

    dtype: what the convolutions run in; with torch.bfloat16 logits are within 1%, and `fast_dtype` says where it pays.
    Raises MissingStatistics if the configuration is not calibrated.
    """
    if configuration not in network.statistics:
        raise MissingStatistics(f"no batch-norm statistics for {configuration}: calibrate it first (a3d table)")
    body, statistics = _skeleton(network.architecture), network.statistics[configuration]
    for use in trace(network.architecture, configuration):
        layer = network.get_submodule(use.layer)
        if isinstance(layer, SlimmableConv3d):
            name = use.layer.removesuffix(".conv")
            moments = statistics[f"{name}.norm"]
            fused = FusedConv3d(network.get_submodule(name), use.inputs, configuration.width, *moments, dtype)
            body.set_submodule(name, fused)
        elif isinstance(layer, SlimmableLinear):
            body.set_submodule(use.layer, _linear(layer, use))
    return SubNetwork(body, configuration)


def fast_dtype(device: str | torch.device = "cpu") -> torch.dtype:
    """bfloat16 where the device multiplies it faster than float32, else float32."""
    if torch.device(device).type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if fast else torch.float32


def _linear(layer: SlimmableLinear, use: Use) -> nn.Linear:
    with torch.device("meta"):
        linear = nn.Linear(use.inputs, use.outputs)
    linear.weight = nn.Parameter(layer.sliced(use.inputs).clone())
    linear.bias = nn.Parameter(layer.bias.clone())
    return linear
