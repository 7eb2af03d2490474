"""Finer maps that are not exact: where an earlier stage of a network found its evidence (LayerCAM)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, fx

from a3d.adaptive.extraction import SubNetwork
from a3d.configuration import ConfigurationError


def layer_cam(network: SubNetwork, clip: Tensor, label: int, against: int | None = None) -> np.ndarray:
    """Return LayerCAM of the last stage of at least twice the cells a side, float32 (t, h, w), in logit units.

    clip: (1, 3, T, S, S). Of N positions it is N Σ_c max(∂logit/∂f_c, 0) f_c: place by place what a first-order look
    says, so that cells are half as large as those of an exact map; their mean is not the logit less its bias.
    Raises ConfigurationError for a network of two pathways, or one whose maps never had twice the cells.
    """
    if len(network.graph.features) > 1:
        raise ConfigurationError("layercam is for networks of one pathway: choose cam or gradcam")
    run = _Tapped(network.body, clip)
    with torch.enable_grad():
        logits = network.classify(run.run(clip))[0]
        score = logits[label] if against is None else logits[label] - logits[against]
        (gradient,) = torch.autograd.grad(score, run.value)
    found = (gradient.clamp(min=0) * run.value)[0].sum(0)
    return (found * found.numel()).detach().float().cpu().numpy()


class _Tapped(fx.Interpreter):
    """A body whose gradients begin at the last maps of at least twice the side. value: those maps."""

    def __init__(self, body: fx.GraphModule, clip: Tensor) -> None:
        super().__init__(body)
        self.tap, self.value = None, None
        self.sides: dict[fx.Node, int] = {}
        with torch.no_grad():
            (last,) = self.run(clip)
        wide = [node for node, side in self.sides.items() if side >= 2 * last.shape[3] - 1 and side > last.shape[3]]
        if not wide:
            raise ConfigurationError("layercam needs maps of twice the cells before the last ones: choose cam")
        self.tap = wide[-1]

    def run_node(self, n: fx.Node):
        """Run one node, note its side, and cut the graph of gradients at the tap."""
        found = super().run_node(n)
        if isinstance(found, Tensor) and found.ndim == 5 and n.op != "placeholder":
            self.sides[n] = found.shape[3]
        if n is self.tap:
            found = self.value = found.detach().requires_grad_()
        return found
