"""Slow and SlowFast seen as ordinary modules: running moments in the state dict, one clip in, at full width."""

import torch

from a3d.adaptive.slimmable import SlimmableBatchNorm3d
from a3d.configuration import Configuration
from a3d.weights.assembly import MOMENTS


class Ordinary(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.__dict__["network"] = network.eval()
        layers = {name: m for name, m in network.named_modules() if isinstance(m, SlimmableBatchNorm3d)}
        self.statistics = {n: (torch.zeros_like(m.bias), torch.ones_like(m.bias)) for n, m in layers.items()}

    def state_dict(self):
        pairs = [
            (f"{name}.{key}", t) for name, two in self.statistics.items() for key, t in zip(MOMENTS, two, strict=True)
        ]
        return self.network.state_dict() | {name: tensor.data for name, tensor in pairs}

    def load_state_dict(self, state):
        self.network.load_state_dict({name: t for name, t in state.items() if not name.endswith(MOMENTS)})
        self.statistics = {name: tuple(state[f"{name}.{moment}"] for moment in MOMENTS) for name in self.statistics}

    def forward(self, clip):
        configuration = Configuration(clip.shape[-1], self.network.architecture.frames, 1.0)
        self.network.statistics[configuration] = self.statistics
        return self.network(clip, configuration)
