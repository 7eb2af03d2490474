"""What Slow and SlowFast share: one set of weights, statistics by configuration, one line to run at any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from a3d import parallel
from a3d.adaptive.resampling import short_sides
from a3d.adaptive.resident import Residents
from a3d.adaptive.slimmable import Moments, Pass, SlimmableBatchNorm3d, SlimmableLinear, Statistics
from a3d.configuration import Configuration, ConfigurationError
from a3d.networks import detection
from a3d.networks.blocks import BasicBlock, Bottleneck, Stage, Stem, initialise

DEPTHS = {
    18: (BasicBlock, (2, 2, 2, 2)),
    26: (Bottleneck, (2, 2, 2, 2)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}
STRIDES = (1, 2, 2, 2)
TASKS = ("classification", "multilabel", "detection")


class MissingStatistics(ConfigurationError):
    """The configuration has not been calibrated."""


@dataclass(frozen=True)
class Architecture:
    """Everything that the shape of a network depends on.

    base_channels: channels of the (Slow) stem, 64 as published. spatial, frames: the reference size and the
    frames T of the full Slow pathway. alpha: Fast frames per Slow frame; beta: Slow channels per Fast channel,
    the paper's 1/β. dropout: before the classifier, in training. task: "classification" (one class a clip),
    "multilabel" (any number of classes a clip) or "detection" (any number a person box: the last stage then has
    stride 1 and dilation 2, and its maps are pooled by box). aligned: whether RoIAlign takes cells by their centres.
    fusion_kernel: in time, of the lateral convolutions.
    temporal_blocks: how many blocks of the third stage look along time, one number a pathway; all of them if empty.
    spread: the Slow pathway sees frames from the first to the last of the clip, as the official SlowFast code picks
    them, not every α-th.
    """

    family: str
    depth: int
    classes: int
    base_channels: int = 64
    spatial: int = 224
    frames: int = 8
    alpha: int = 8
    beta: int = 8
    dropout: float = 0.5
    task: str = "classification"
    fusion_kernel: int = 5
    temporal_blocks: tuple[int, ...] = ()
    spread: bool = False
    aligned: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "temporal_blocks", tuple(self.temporal_blocks))  # a list in config.json
        if self.depth not in DEPTHS:
            raise ConfigurationError(f"depth {self.depth}: choose one of {', '.join(map(str, DEPTHS))}")
        if self.base_channels < 8 or self.base_channels % 8:
            raise ConfigurationError(f"base_channels {self.base_channels}: give a multiple of 8")
        for name in ("classes", "spatial", "frames"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"{name} {getattr(self, name)}: give at least 1")
        if self.task not in TASKS:
            raise ConfigurationError(f"task {self.task!r}: choose one of {', '.join(TASKS)}")

    @property
    def name(self) -> str:
        return f"{self.family}_r{self.depth}"


class Pathway(nn.Module):
    """Stem and four residual stages.

    number: 0 is Slow, 1 is Fast. temporal: kernel sizes in time of the stem and of each stage. tails: channels fused
    into each stage. fixed: whether all channels are used at every width.
    """

    def __init__(
        self,
        architecture: Architecture,
        number: int,
        base: int,
        temporal: tuple[int, ...],
        tails: tuple[int, ...] = (0,) * 4,
        fixed: bool = False,
    ) -> None:
        super().__init__()
        block, depths = DEPTHS[architecture.depth]
        self.stem = Stem(base, temporal[0], fixed)
        inner = [base * 2**i for i in range(4)]
        inputs = [base, *(c * block.expansion for c in inner)]
        kernels = [(temporal[i + 1],) * depths[i] for i in range(4)]
        if architecture.temporal_blocks:
            looking = architecture.temporal_blocks[number]
            kernels[2] = kernels[2][:looking] + (1,) * (depths[2] - looking)
        strides, dilations = list(STRIDES), [1, 1, 1, 1]
        if architecture.task == "detection":
            strides[3], dilations[3] = 1, 2
        self.stages = nn.ModuleList(
            Stage(block, kernels[i], inputs[i], inner[i], strides[i], dilations[i], tails[i], fixed) for i in range(4)
        )
        self.channels = inputs  # out of the stem and of each stage, at full width


class AdaptiveNetwork(nn.Module):
    """Base of `Slow` and `SlowFast`. `logits = network(clip, configuration)` is all of it.

    In training mode batch norm uses the batch's moments; in evaluation mode it uses `statistics[configuration]`.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.statistics: dict[Configuration, Statistics] = {}
        self.residents = Residents()
        # What a checkpoint adds (`a3d.load`): class names, T × τ and normalisation, the range, the table, the times
        # on this device, the origin.
        self.labels: tuple[str, ...] = tuple(f"class {i}" for i in range(architecture.classes))
        self.sampling = None
        self.range = None
        self.table = None
        self.profile = None
        self.provenance: dict = {}

    def _finish(self, features: int, tail: int = 0) -> None:
        self.classifier = SlimmableLinear(features, self.architecture.classes, tail)
        for name, module in self.named_modules():
            if isinstance(module, SlimmableBatchNorm3d):
                module.name = name
        initialise(self)

    def forward(self, clip: Tensor, configuration: Configuration, boxes: Tensor | None = None) -> Tensor:
        """clip: (B, 3, T, S, S), normalised, full or already at the configuration's shape; logits (B, classes).

        A clip that is not square is brought to S on its shorter side.
        boxes: for a network that detects, (K, 5): number of the clip in the batch, then x1, y1, x2, y2 as shares 0..1
        of its picture; logits are (K, classes). Left out, the whole picture of every clip is a box.
        """
        maps = self.features(clip, configuration)
        return self.classify(maps, None if boxes is None else self.places(boxes, clip.shape, configuration))

    def features(self, clip: Tensor, configuration: Configuration) -> tuple[Tensor, ...]:
        """Maps before pooling, (B, C, t, h, w), one a pathway: (slow,) or (slow, fast)."""
        return self.run(clip, configuration, self._pass(configuration))

    def classify(self, maps: tuple[Tensor, ...], places: tuple[Tensor, ...] | None = None) -> Tensor:
        """Mean over time and space, pathways side by side, and the linear classifier: logits (B, classes).

        places: boxes on the map of each pathway, as `places` gives them, for a network that detects: (K, classes).
        """
        if self.architecture.task == "detection":
            places = places or tuple(map(detection.whole, maps))
            aligned = self.architecture.aligned
            pooled = [detection.pool(x, place, aligned) for x, place in zip(maps, places, strict=True)]
        else:
            pooled = [x.mean((2, 3, 4)) for x in maps]
        pooled = torch.cat(pooled, 1)
        return self.classifier(parallel.dropout(pooled, self.architecture.dropout, self.training))

    def probabilities(self, logits: Tensor) -> Tensor:
        """Of logits (B, classes): a softmax if one class is right, else a sigmoid for each."""
        exclusive = self.architecture.task == "classification"
        return logits.float().softmax(1) if exclusive else logits.float().sigmoid()

    def run(self, clip: Tensor, configuration: Configuration, how: Pass) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def places(self, boxes: Tensor, shape: tuple[int, ...], configuration: Configuration) -> tuple[Tensor, ...]:
        """Boxes (K, 5) as `forward` takes them, in cells of each pathway's maps; shape: of the clip they belong to."""
        return tuple(detection.places(boxes, *sides) for sides in self.picture_sides(*shape[3:], configuration))

    def picture_sides(self, height: int, width: int, configuration: Configuration) -> tuple[tuple[int, int], ...]:
        """Pixels, height and width, of the picture that each pathway sees of a clip of that size."""
        return (short_sides(height, width, configuration.spatial),)

    def slow_frames(self, frames: int) -> list[int]:
        """Numbers of the frames of a full clip that the Slow pathway picks its own from."""
        return list(range(frames))

    def clip_shape(self, configuration: Configuration) -> tuple[int, int]:
        """Frames and side of the full clip that this configuration is resampled from, when testing."""
        raise NotImplementedError

    def measure(self, clip: Tensor, configuration: Configuration, moments: Moments) -> None:
        """Adds the batch-norm moments of a batch at a configuration: one step of calibration (no dropout, no loss)."""
        self.run(clip, configuration, Pass(configuration.width, moments=moments))

    def extract(self, configuration: Configuration, dtype: torch.dtype = torch.float32) -> nn.Module:
        """An ordinary module with only the parameters of this configuration; see `a3d.adaptive.extraction`."""
        from a3d.adaptive.extraction import extract

        return extract(self, configuration, dtype)

    def resident(self, configuration: Configuration, dtype: torch.dtype = torch.float32) -> nn.Module:
        """As `extract`, but kept in `residents` for whoever asks next, and shared with them."""
        return self.residents.get(self, configuration, dtype)

    def _pass(self, configuration: Configuration) -> Pass:
        if self.training:
            return Pass(configuration.width)
        if configuration not in self.statistics:
            raise MissingStatistics(
                f"no batch-norm statistics for {configuration}: calibrate it (a3d table), "
                f"or choose one of the {len(self.statistics)} calibrated configurations"
            )
        return Pass(configuration.width, self.statistics[configuration])

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> AdaptiveNetwork:
        """Statistics move between devices with the parameters."""
        super()._apply(fn, recurse)
        self.statistics = {
            configuration: {name: (fn(mean), fn(variance)) for name, (mean, variance) in layers.items()}
            for configuration, layers in self.statistics.items()
        }
        return self
