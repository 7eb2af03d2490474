"""A network of two pathways that takes a list, as one that takes a clip."""

from __future__ import annotations

from torch import Tensor, nn


class Pathways(nn.Module):
    """Feeds a network of a list [slow, fast]: fast is the clip, slow every α-th frame of it.

    State-dict names stay those of the network inside.
    """

    def __init__(self, network: nn.Module, alpha: int) -> None:
        super().__init__()
        self.network, self.alpha, self.training = network, alpha, network.training

    def forward(self, clip: Tensor) -> Tensor:
        """Return what the network answers to a clip (B, 3, αT, S, S)."""
        return self.network([clip[:, :, :: self.alpha], clip])

    def state_dict(self, *args, **kwargs):
        return self.network.state_dict(*args, **kwargs)

    def load_state_dict(self, *args, **kwargs):
        return self.network.load_state_dict(*args, **kwargs)
