"""What tells the weights of two networks apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor

from a3d.adaptive.network import AdaptiveNetwork

MOMENTS = (".running_mean", ".running_var", ".num_batches_tracked")  # kept by configuration, not among the weights


def weights(network: AdaptiveNetwork) -> dict[str, Tensor]:
    """Return the weights of a network by name: all that it learns, without batch-norm statistics."""
    return {name: tensor for name, tensor in network.state_dict().items() if not name.endswith(MOMENTS)}


def weights_checksum(network: AdaptiveNetwork, dtype: torch.dtype = torch.float32) -> str:
    """Return 12 hexadecimal digits of the weights, as they are once they have been rounded to `dtype`."""
    return checksum(weights(network), dtype)


def checksum(tensors: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> str:
    """Return the same of tensors by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        values = tensor.detach().cpu().to(dtype).float().contiguous()
        digest.update(f"{name} {tuple(values.shape)}\n".encode())
        digest.update(values.numpy().data)
    return digest.hexdigest()[:12]
