"""Networks as if they were trained: weights as built, batch norms with a scale, a shift and moments of their own."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def trained(network, sample):
    """In evaluation mode, so that its answers depend on every parameter. sample: an input it runs on."""
    generator = torch.Generator().manual_seed(0)
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.weight.data.uniform_(0.5, 1.5, generator=generator)
        norm.bias.data.normal_(0, 0.2, generator=generator)
        norm.momentum = 1.0  # the moments of the last batch alone
    with torch.no_grad():
        network.train()(sample)
    for norm in norms:
        norm.running_mean += 0.1 * norm.running_var.sqrt() * torch.randn(norm.num_features, generator=generator)
        norm.running_var *= 1 + 0.3 * torch.rand(norm.num_features, generator=generator)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.weight.data.normal_(0, 0.1, generator=generator)
    return network.eval()
