"""Networks of the EfficientNet-Lite shapes whose depthwise convolutions also look along time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn

from a3d.networks.layers import ConvNorm, initialise

KERNELS = (3, 3, 5, 3, 5, 5, 3)  # in space, of the depthwise convolutions of each stage
STRIDES = (1, 2, 2, 2, 1, 2, 1)
EXPANSIONS = (1, 6, 6, 6, 6, 6, 6)
EPS = 1e-3  # of batch norm, as published


@dataclass(frozen=True)
class LiteShape:
    """How deep and wide such a network is.

    repeats, channels: blocks of each stage, and what they hand on. stem, features: channels of the first and of the
    last convolution. temporal: kernel size in time of the depthwise convolutions, one for all stages or one each; 1
    makes a stage see every frame by itself, which costs a third where pictures are large. dropout: before the
    classifier, in training.
    """

    repeats: tuple[int, ...]
    channels: tuple[int, ...]
    stem: int = 32
    features: int = 1280
    temporal: int | tuple[int, ...] = 3
    dropout: float = 0.2


LITE0 = LiteShape((1, 2, 2, 3, 3, 4, 1), (16, 24, 40, 80, 112, 192, 320))
LITE1 = LiteShape((1, 3, 3, 4, 4, 5, 1), (16, 24, 40, 80, 112, 192, 320))
LITE2 = LiteShape((1, 3, 3, 4, 4, 5, 1), (16, 24, 48, 88, 120, 208, 352), dropout=0.3)


class Lite(nn.Module):
    """Stem, seven stages of inverted residuals, a last convolution, the mean over time and space, the classifier.

    clip: (B, 3, T, S, S), normalised as (pixel - 127) / 128; logits (B, classes). Space is divided by 32, time is kept.
    Strided convolutions are padded as TensorFlow does for an even S, one zero less on the left and top, because the
    image networks were trained so: with an S that is a multiple of 32 every size on the way is even.
    """

    def __init__(self, shape: LiteShape, classes: int = 400) -> None:
        super().__init__()
        self.stem = strided(3, shape.stem, (1, 3, 3))
        self.stages = nn.ModuleList()
        inputs = shape.stem
        temporal = (shape.temporal,) * len(KERNELS) if isinstance(shape.temporal, int) else shape.temporal
        settings = zip(shape.repeats, shape.channels, KERNELS, STRIDES, EXPANSIONS, temporal, strict=True)
        for repeats, outputs, size, stride, expansion, frames in settings:
            kernel, stage = (frames, size, size), nn.Sequential()
            for number in range(repeats):
                stage.append(InvertedResidual(inputs, outputs, kernel, 1 if number else stride, expansion))
                inputs = outputs
            self.stages.append(stage)
        self.head = ConvNorm(inputs, shape.features, (1, 1, 1), activation=nn.ReLU6(), eps=EPS)
        self.dropout = nn.Dropout(shape.dropout)
        self.classifier = nn.Linear(shape.features, classes)
        initialise(self)

    def forward(self, clip: Tensor) -> Tensor:
        x = self.stem(clip)
        for stage in self.stages:
            x = stage(x)
        x = self.head(x).mean((2, 3, 4))
        return self.classifier(self.dropout(x))


class InvertedResidual(nn.Sequential):
    """Widen with 1×1², look around channel by channel with t×k², narrow with 1×1²; added to the input where it fits."""

    def __init__(self, inputs: int, outputs: int, kernel: tuple[int, int, int], stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        if expansion > 1:
            self.expand = ConvNorm(inputs, inner, (1, 1, 1), activation=nn.ReLU6(), eps=EPS)
        if stride == 2:
            self.depthwise = strided(inner, inner, kernel, groups=inner)
        else:
            self.depthwise = ConvNorm(inner, inner, kernel, groups=inner, activation=nn.ReLU6(), eps=EPS)
        self.project = ConvNorm(inner, outputs, (1, 1, 1), eps=EPS)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x) if self.residual else super().forward(x)


def strided(inputs: int, outputs: int, kernel: tuple[int, int, int], groups: int = 1) -> ConvNorm:
    """Return a convolution of spatial stride 2 with its batch norm and ReLU6, padded as TensorFlow pads even sizes."""
    padding, after = (kernel[0] // 2, 0, 0), kernel[1] // 2
    pad = nn.ZeroPad3d((after - 1, after, after - 1, after, 0, 0))
    return ConvNorm(inputs, outputs, kernel, (1, 2, 2), padding, groups, nn.ReLU6(), EPS, pad)


def lite0(classes: int = 400, **options) -> Lite:
    """Return EfficientNet-Lite0 along time: 3.6 GFLOPs at 224²×8, 5.0 M parameters at 1000 classes.

    Options of every builder: the fields of `LiteShape`.
    """
    return Lite(replace(LITE0, **options), classes)


def lite1(classes: int = 400, **options) -> Lite:
    """Return EfficientNet-Lite1, a block more in five of the seven stages: 4.8 GFLOPs at 224²×8, 5.9 M parameters."""
    return Lite(replace(LITE1, **options), classes)


def lite2(classes: int = 400, **options) -> Lite:
    """Return EfficientNet-Lite2, as deep as `lite1` and a tenth wider: 5.4 GFLOPs at 224²×8, 6.6 M parameters."""
    return Lite(replace(LITE2, **options), classes)
