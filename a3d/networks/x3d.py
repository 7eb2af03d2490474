"""X3D: one pathway of inverted bottlenecks that keeps every frame to the end (Feichtenhofer, 2020)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from torch import Tensor, nn

from a3d.networks.layers import ConvNorm, initialise


@dataclass(frozen=True)
class X3DShape:
    """How deep and wide such a network is.

    repeats, channels, inner, squeezed: of each stage, its blocks, what they hand on, the channels of their depthwise
    convolutions and those that squeeze-and-excitation has inside. hidden: of the layer before the classifier. dropout:
    after it, in training. shortcut_norm: whether the shortcut of the very first block, which keeps its channels, has a
    batch norm; PySlowFast's has one and PyTorchVideo's has none.
    """

    repeats: tuple[int, ...] = (3, 5, 11, 7)
    channels: tuple[int, ...] = (24, 48, 96, 192)
    inner: tuple[int, ...] = (54, 108, 216, 432)
    squeezed: tuple[int, ...] = (8, 8, 16, 32)
    hidden: int = 2048
    dropout: float = 0.5
    shortcut_norm: bool = True


X3D_M = X3DShape()
X3D_L = replace(X3D_M, repeats=(5, 10, 25, 15))


class X3D(nn.Module):
    """Stem, four stages, a last convolution, the mean over time and space, a hidden layer, the classifier.

    clip: (B, 3, T, S, S); logits (B, classes). Space is divided by 32, time is kept. The published network averages
    over a window of its training size and slides it over larger pictures; here the mean is over everything, so that any
    T and S work, which is the same at that size.
    """

    def __init__(self, shape: X3DShape, classes: int = 400) -> None:
        super().__init__()
        self.stem = Stem(shape.channels[0])
        self.stages = nn.ModuleList()
        inputs, norm = shape.channels[0], shape.shortcut_norm
        settings = zip(shape.repeats, shape.channels, shape.inner, shape.squeezed, strict=True)
        for repeats, outputs, inner, squeezed in settings:
            stage = nn.Sequential(Block(inputs, outputs, inner, squeezed, 2, norm or inputs != outputs))
            for number in range(1, repeats):
                stage.append(Block(outputs, outputs, inner, 0 if number % 2 else squeezed))
            self.stages.append(stage)
            inputs = outputs
        self.head = ConvNorm(inputs, shape.inner[-1], (1, 1, 1), activation=nn.ReLU())
        self.hidden = nn.Linear(shape.inner[-1], shape.hidden, bias=False)
        self.act = nn.ReLU()
        self.dropout = nn.Dropout(shape.dropout)
        self.classifier = nn.Linear(shape.hidden, classes)
        initialise(self)

    def forward(self, clip: Tensor) -> Tensor:
        x = self.stem(clip)
        for stage in self.stages:
            x = stage(x)
        x = self.head(x).mean((2, 3, 4))
        x = self.act(self.hidden(x))
        return self.classifier(self.dropout(x))


class Stem(nn.Sequential):
    """Runs a convolution of 1×3² with spatial stride 2, one along time channel by channel, batch norm, ReLU."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.space = nn.Conv3d(3, outputs, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False)
        self.time = nn.Conv3d(outputs, outputs, (5, 1, 1), padding=(2, 0, 0), groups=outputs, bias=False)
        self.norm = nn.BatchNorm3d(outputs)
        self.act = nn.ReLU()


class Block(nn.Module):
    """Widen with 1×1², look around channel by channel with 3×3², narrow with 1×1²; a shortcut, and a ReLU on the sum.

    squeezed: channels inside squeeze-and-excitation, none if 0. norm: of the shortcut, where that is a convolution.
    """

    def __init__(
        self, inputs: int, outputs: int, inner: int, squeezed: int, stride: int = 1, norm: bool = True
    ) -> None:
        super().__init__()
        step = (1, stride, stride)
        self.a = ConvNorm(inputs, inner, (1, 1, 1), activation=nn.ReLU())
        self.b = ConvNorm(inner, inner, (3, 3, 3), step, groups=inner)
        self.excite = SqueezeExcitation(inner, squeezed) if squeezed else nn.Identity()
        self.swish = nn.SiLU()
        self.c = ConvNorm(inner, outputs, (1, 1, 1))
        if stride == 1:
            self.shortcut = nn.Identity()
        elif norm:
            self.shortcut = ConvNorm(inputs, outputs, (1, 1, 1), step)
        else:
            self.shortcut = nn.Sequential(OrderedDict(conv=nn.Conv3d(inputs, outputs, 1, step, bias=False)))
        self.act = nn.ReLU()
        nn.init.zeros_(self.c.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        y = self.swish(self.excite(self.b(self.a(x))))
        return self.act(self.shortcut(x) + self.c(y))


class SqueezeExcitation(nn.Module):
    """Each channel is multiplied by a number between 0 and 1 that the means of all channels decide."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv3d(channels, squeezed, 1)
        self.expand = nn.Conv3d(squeezed, channels, 1)
        self.act = nn.ReLU()
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3, 4), keepdim=True)  # (B, C, 1, 1, 1)
        return x * self.gate(self.expand(self.act(self.squeeze(mean))))


def x3d_xs(classes: int = 400, **options) -> X3D:
    """Return X3D-XS, the shape of X3D-M for clips of 4 frames of 160²: 0.6 GFLOPs, 3.8 M parameters.

    Options of every builder: the fields of `X3DShape`.
    """
    return X3D(replace(X3D_M, **options), classes)


def x3d_s(classes: int = 400, **options) -> X3D:
    """Return X3D-S, the shape of X3D-M for clips of 13 frames of 160²: 2.0 GFLOPs, 3.8 M parameters."""
    return X3D(replace(X3D_M, **options), classes)


def x3d_m(classes: int = 400, **options) -> X3D:
    """Return X3D-M, for clips of 16 frames of 224²: 4.7 GFLOPs, 3.8 M parameters."""
    return X3D(replace(X3D_M, **options), classes)


def x3d_l(classes: int = 400, **options) -> X3D:
    """Return X3D-L, more than twice as deep, for clips of 16 frames of 312²: 18.4 GFLOPs, 6.2 M parameters."""
    return X3D(replace(X3D_L, **options), classes)
