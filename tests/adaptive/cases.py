"""Networks that the engine is tested on: small ones of ours and of others, and those of two libraries as published."""

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torchvision.models import video as torchvision

from a3d.networks.lite import lite0
from a3d.networks.slow import Slow
from a3d.networks.slowfast import SlowFast
from a3d.networks.x3d import X3D, X3DShape

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fvcore, which it imports, uses interfaces that have been renamed
    from pytorchvideo.models import hub


class Own(nn.Module):
    """A network of a reader's own: a stem, a residual block, a depthwise convolution, channels joined, a classifier."""

    def __init__(self, classes=5):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv3d(3, 24, (1, 5, 5), (1, 2, 2), (0, 2, 2)), nn.BatchNorm3d(24), nn.ReLU(True))
        self.first = nn.Conv3d(24, 40, (3, 1, 1), padding=(1, 0, 0), bias=False)
        self.second = nn.Conv3d(40, 24, (1, 3, 3), padding=(0, 1, 1), bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm3d(40), nn.BatchNorm3d(24)])
        self.depthwise = nn.Conv3d(24, 24, (3, 3, 3), (1, 2, 2), 1, groups=24)
        self.other = nn.Conv3d(24, 16, 1, (1, 2, 2))
        self.last = nn.Conv3d(40, 32, 1)
        self.norm = nn.BatchNorm3d(40)  # of what was joined
        self.dropout, self.classifier = nn.Dropout(0.2), nn.Linear(32, classes)

    def forward(self, clip):
        x = self.stem(clip)
        y = self.norms[0](self.first(x)).relu()
        x = torch.relu(x + self.norms[1](self.second(y)))
        x = self.norm(torch.cat([self.other(x), self.depthwise(x)], 1))
        x = nn.functional.silu(self.last(x))
        return self.classifier(self.dropout(x.mean((2, 3, 4))))


class OneClip(nn.Module):
    """A network that takes [slow, fast], as one that takes the fast clip."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, clip):
        return self.network([clip[:, :, ::4], clip])


@dataclass(frozen=True)
class Case:
    """build: gives the network. frames, side: of its full clip. small: frames and side at which widths are compared.

    fixed: parts that keep all channels. two: whether it takes [slow, fast].
    """

    build: Callable[[], nn.Module]
    frames: int
    side: int
    small: tuple[int, int]
    fixed: tuple[str, ...] = ()
    two: bool = False

    def network(self):
        """The network as if it were trained: moments and scales of its own, no dropout, answers that are logits."""
        torch.manual_seed(0)
        network = self.build()
        generator = torch.Generator().manual_seed(0)
        for name, module in network.named_modules():
            if isinstance(module, nn.BatchNorm3d):
                module.running_mean.normal_(0, 0.1, generator=generator)
                module.running_var.uniform_(0.8, 1.2, generator=generator)
                module.weight.data.uniform_(0.8, 1.2, generator=generator)
                module.bias.data.normal_(0, 0.1, generator=generator)
            elif isinstance(module, nn.Dropout | nn.Dropout3d):
                module.p = 0.0
            elif name.startswith("blocks.") and name.endswith(".activation") and isinstance(module, nn.Softmax):
                network.get_submodule(name.rpartition(".")[0]).activation = None
        return network.eval()

    def clip(self, batch=2, small=False):
        frames, side = self.small if small else (self.frames, self.side)
        moving = torch.randn(batch, 3, frames, 5, 5, generator=torch.Generator().manual_seed(1))
        return 2 * nn.functional.interpolate(moving, (frames, side, side), mode="trilinear")

    def taken(self, clip):
        """The clip as the network itself takes it."""
        return [clip[:, :, ::4], clip] if self.two else clip

    @staticmethod
    def of_any_size(network):
        """A copy of the network whose last pool has no size of its own."""
        network = copy.deepcopy(network)
        for name, module in tuple(network.named_modules()):
            if isinstance(module, nn.AvgPool3d):  # of the size of the last maps
                parent = network.get_submodule(name.rpartition(".")[0])
                setattr(parent, name.rpartition(".")[2], nn.AdaptiveAvgPool3d(1))
        return network

    def alone(self, network):
        """The network as one that takes a clip of any size, and the fixed parts of it: what the engine makes of it."""
        network = self.of_any_size(network)
        if not self.two:
            return network, self.fixed
        return OneClip(network), tuple(f"network.{part}" for part in self.fixed)


def fast_parts():
    """The Fast pathway and the laterals of PyTorchVideo's SlowFast."""
    blocks = [f"blocks.{i}.multipathway_{part}" for i in range(4) for part in ("blocks.1", "fusion")]
    return (*blocks, "blocks.4.multipathway_blocks.1")


TINY_X3D = X3DShape((1, 2, 2, 1), (24, 48, 96, 192), (54, 108, 216, 432), (8, 8, 16, 32), hidden=128)
CASES = {
    "slow_r18": Case(lambda: Slow(18, 5, base_channels=16), 8, 32, (4, 48)),
    "slow_r26": Case(lambda: Slow(26, 5, base_channels=16), 8, 64, (4, 48)),
    "slowfast_r18": Case(lambda: SlowFast(18, 5, base_channels=64), 16, 32, (16, 32), ("fast", "fusions")),
    "x3d": Case(lambda: X3D(TINY_X3D, 5), 4, 64, (4, 64)),
    "lite0": Case(lambda: lite0(5), 4, 64, (3, 64)),
    "own": Case(Own, 4, 16, (3, 24)),
    "torchvision r3d_18": Case(lambda: torchvision.r3d_18(num_classes=5), 16, 32, (16, 32)),
    "torchvision mc3_18": Case(lambda: torchvision.mc3_18(num_classes=5), 16, 32, (8, 32)),
    "torchvision r2plus1d_18": Case(lambda: torchvision.r2plus1d_18(num_classes=5), 16, 32, (16, 32)),
}
PUBLISHED = {
    "r3d_18": Case(torchvision.r3d_18, 16, 112, (16, 48)),
    "mc3_18": Case(torchvision.mc3_18, 16, 112, (8, 48)),
    "r2plus1d_18": Case(torchvision.r2plus1d_18, 16, 112, (16, 48)),
    "s3d": Case(torchvision.s3d, 16, 224, (16, 64)),
    "slow_r50": Case(hub.slow_r50, 8, 224, (4, 64)),
    "slowfast_r50": Case(hub.slowfast_r50, 32, 224, (32, 64), fast_parts(), two=True),
    "i3d_r50": Case(hub.i3d_r50, 8, 224, (8, 64)),
    "x3d_xs": Case(hub.x3d_xs, 4, 160, (4, 64)),
    "x3d_m": Case(hub.x3d_m, 16, 224, (4, 64)),
    "csn_r101": Case(hub.csn_r101, 32, 224, (8, 64)),
    "r2plus1d_r50": Case(hub.r2plus1d_r50, 16, 224, (8, 64)),
}
ALL = [pytest.param(case, id=name) for name, case in CASES.items()]
ALL += [pytest.param(case, id=name, marks=pytest.mark.slow) for name, case in PUBLISHED.items()]
