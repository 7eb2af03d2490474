"""A network at a width as an ordinary module of the sliced shapes, worked out without the engine.

The forward of the network is followed operation by operation, beside each tensor the list of the channels that it
holds. Every layer becomes a smaller one of PyTorch's own: the first outputs of it, the inputs that its tensor holds.
"""

import operator

import torch
from torch import fx, nn

from a3d.configuration import channels_at

LAYERS = (nn.Conv3d, nn.BatchNorm3d, nn.Linear)


class Leaves(fx.Tracer):
    def is_leaf_module(self, module, name):
        if isinstance(module, nn.Identity):
            return False
        return isinstance(module, LAYERS) or super().is_leaf_module(module, name)


def sliced(network, width, fixed=()):
    """An ordinary module of `network` at that width, its parts named in `fixed` whole, and what each layer has of it.

    Weights are copies. The second: by layer, the output and the input channels of the full weight, None for all.
    """
    defaults = {"bboxes": None} if type(network).__name__ == "DetectionBBoxNetwork" else None
    graph = Leaves().trace(network, concrete_args=defaults)
    classifier = [n for n in graph.nodes if n.op == "call_module"]
    classifier = [n for n in classifier if isinstance(network.get_submodule(n.target), nn.Conv3d | nn.Linear)][-1]
    slicer = _Slicer(network, width, tuple(fixed), classifier.target)
    for node in graph.nodes:
        slicer.follow(node)
    parts = dict(network.named_modules()) | slicer.small
    used = {node.target: parts[node.target] for node in graph.nodes if node.op == "call_module"}
    return fx.GraphModule(used, graph), slicer.slices


class _Slicer:
    def __init__(self, network, width, fixed, classifier):
        self.network, self.width, self.fixed, self.classifier = network, width, fixed, classifier
        self.held, self.small, self.slices = {}, {}, {}

    def follow(self, node):
        before = [self.held[n] for n in node.all_input_nodes]
        if node.op == "placeholder":
            self.held[node] = [0, 1, 2]
        elif node.op == "call_module":
            self.held[node] = self.layer(node.target, self.network.get_submodule(node.target), before[0])
        elif node.target is torch.cat:
            self.held[node] = self.joined(node, before)
        elif before:
            assert node.target not in (operator.add, operator.mul) or before[0] == before[-1] or len(before[-1]) == 1
            self.held[node] = before[0]

    def layer(self, path, layer, held):
        inside = any(path == part or path.startswith(f"{part}.") for part in self.fixed)
        if isinstance(layer, nn.BatchNorm3d):
            self.small[path], self.slices[path] = self.norm(layer, held), (held, None)
        elif isinstance(layer, nn.Conv3d) and layer.groups > 1:
            self.small[path], self.slices[path] = self.convolution(layer, held, [0], len(held)), (held, None)
        elif isinstance(layer, nn.Conv3d | nn.Linear):
            whole = inside or path == self.classifier
            outputs = list(range(len(layer.weight) if whole else channels_at(len(layer.weight), self.width)))
            make = self.convolution if isinstance(layer, nn.Conv3d) else self.linear
            self.small[path], self.slices[path] = make(layer, outputs, held), (outputs, held)
            return outputs
        return held

    def joined(self, node, before):
        """The channels of each follow those of the others, in the full tensor."""
        sizes = [self.full_size(n) for n in node.args[0]]
        offsets = [sum(sizes[:i]) for i in range(len(sizes))]
        return [offset + channel for offset, held in zip(offsets, before, strict=True) for channel in held]

    def full_size(self, node):
        """How many channels a tensor has in the full network: those of the layer that made it."""
        layer = self.network.get_submodule(node.target) if node.op == "call_module" else None
        if isinstance(layer, nn.Conv3d):
            return layer.out_channels
        if isinstance(layer, nn.BatchNorm3d):
            return layer.num_features
        if node.target is torch.cat:
            return sum(map(self.full_size, node.args[0]))
        return self.full_size(node.all_input_nodes[0])

    @staticmethod
    def convolution(layer, outputs, inputs, groups=1):
        weight = layer.weight.detach()[outputs][:, inputs]
        shape = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, groups, layer.bias is not None)
        small = nn.Conv3d(len(inputs) * groups, len(outputs), *shape)
        return _filled(small, weight, None if layer.bias is None else layer.bias.detach()[outputs])

    @staticmethod
    def linear(layer, outputs, inputs):
        small = nn.Linear(len(inputs), len(outputs), layer.bias is not None)
        bias = None if layer.bias is None else layer.bias.detach()[outputs]
        return _filled(small, layer.weight.detach()[outputs][:, inputs], bias)

    @staticmethod
    def norm(layer, held):
        small = nn.BatchNorm3d(len(held), layer.eps)
        return _filled(small, layer.weight.detach()[held], layer.bias.detach()[held])


def _filled(layer, weight, bias):
    layer.weight.data = weight.clone()
    if bias is not None:
        layer.bias.data = bias.clone()
    return layer
