"""A network's operations in order, read once from its own forward (`torch.fx`)."""

from __future__ import annotations

import inspect
import operator
import threading
import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import fx, nn

from a3d.adaptive.errors import NotAdaptable

CONVOLUTIONS = (nn.Conv3d,)
NORMS = (nn.BatchNorm3d, nn.BatchNorm2d, nn.BatchNorm1d, nn.SyncBatchNorm)
LAYERS = (*CONVOLUTIONS, *NORMS, nn.Linear)
REASONS = {
    nn.LayerNorm: "a layer norm over a fixed shape",
    nn.GroupNorm: "a group norm, whose groups would be cut",
    nn.MultiheadAttention: "attention, whose heads would be cut",
    nn.RNNBase: "a recurrent layer",
    nn.Embedding: "an embedding",
}
ANSWERS = (nn.Softmax, nn.LogSoftmax, nn.Sigmoid)
ANSWER_FUNCTIONS = (torch.softmax, F.softmax, F.log_softmax, torch.log_softmax, torch.sigmoid, F.sigmoid)
TURN = threading.Lock()  # a trace changes how all modules are called; of two at once, one would leave its change behind
PASSING = (nn.Dropout, nn.Dropout3d, nn.Flatten, nn.AdaptiveAvgPool3d, nn.AvgPool3d, nn.Identity)


def trace(network: nn.Module, fixed: tuple[str, ...] = ()) -> fx.Graph:
    """Return the graph of a network, whose nodes name its layers by their path. Softmax or sigmoid at the end is left
    out: an adaptive network answers with logits.

    Raises NotAdaptable if a layer has parameters of a kind that cannot be sliced, or the forward depends on data.
    """
    _check_layers(network, fixed)
    extra = list(inspect.signature(network.forward).parameters.values())[1:]
    tracer, training = _Tracer(), network.training
    try:
        with TURN, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # networks written for older versions
            graph = tracer.trace(
                network.eval(), concrete_args={p.name: p.default for p in extra if p.default is not p.empty} or None
            )
    except (fx.proxy.TraceError, TypeError, AssertionError, RuntimeError, AttributeError) as error:
        where = f"{tracer.path}: " if tracer.path else ""
        raise NotAdaptable(
            f"{where}its forward cannot be traced ({(str(error).splitlines() or [type(error).__name__])[0]})"
            ": give a network whose operations do not depend on what is in the clip"
        ) from error
    finally:
        network.train(training)
    _drop_answers(network, graph)
    graph.eliminate_dead_code(lambda node: node.op in ("placeholder", "output"))
    return graph


class _Tracer(fx.Tracer):
    """Layers are leaves, also where a class of the user's extends one of PyTorch's.

    Networks that other threads run meanwhile are none of its business: torch.fx takes their calls for its own.
    """

    path = ""  # of the module whose forward is being read

    def __init__(self) -> None:
        super().__init__()
        self.thread = threading.get_ident()

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        if isinstance(module, nn.Identity):  # its input may be a list
            return False
        return isinstance(module, LAYERS) or super().is_leaf_module(module, name)

    def call_module(self, module: nn.Module, forward: Callable, args: tuple, kwargs: dict):
        if threading.get_ident() != self.thread:
            return forward(*args, **kwargs)
        self.path = self.path_of_module(module)
        return super().call_module(module, forward, args, kwargs)


def inside(path: str, parts: tuple[str, ...]) -> bool:
    """Say whether a path in a network lies in one of its parts."""
    return any(path == part or path.startswith(part + ".") for part in parts)


def name_of(node: fx.Node) -> str:
    """Return what a user knows a node by: a layer's path, or the operation and the module that it is in."""
    if node.op in ("call_module", "get_attr"):
        return str(node.target)
    operation = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    stack = node.meta.get("nn_module_stack") or {}
    where = next(reversed(stack.values()))[0] if stack else ""
    return f"{where}: {operation}" if where else operation


def _check_layers(network: nn.Module, fixed: tuple[str, ...]) -> None:
    names = dict(network.named_modules())
    for part in fixed:
        if part not in names:
            raise NotAdaptable(f"fixed part {part!r} is not in the network: name one of its modules")
    for path, module in names.items():
        if (reason := _unsliceable(module)) and not inside(path, fixed):
            name = path or type(module).__name__
            raise NotAdaptable(f"{name} is {reason}: keep it at full width (fixed=[...]) or replace it")
    owners: dict[int, str] = {}
    for path, module in names.items():
        for parameter in module.parameters(recurse=False):
            if (owner := owners.setdefault(id(parameter), path)) != path:
                raise NotAdaptable(f"{path} shares a weight with {owner}: give each a weight of its own")


def _unsliceable(module: nn.Module) -> str | None:
    """Return why a layer cannot be sliced, None where it can."""
    if isinstance(module, LAYERS) or (isinstance(module, nn.PReLU) and module.num_parameters == 1):
        return None
    known = next((text for kind, text in REASONS.items() if isinstance(module, kind)), None)
    if known or not any(True for _ in module.parameters(recurse=False)):
        return known
    return f"a {type(module).__name__} with parameters of its own, which nobody knows how to slice"


def _drop_answers(network: nn.Module, graph: fx.Graph) -> None:
    """Leave out a softmax or sigmoid after the last layer."""
    node = graph.output_node().args[0]
    while isinstance(node, fx.Node):
        module = network.get_submodule(node.target) if node.op == "call_module" else None
        before = node.all_input_nodes[0] if node.all_input_nodes else None
        answers = isinstance(module, ANSWERS) or node.target in ANSWER_FUNCTIONS
        answers = answers or (node.op == "call_method" and node.target in ("softmax", "log_softmax", "sigmoid"))
        if isinstance(module, LAYERS) or before is None or node.target in (torch.cat, operator.add):
            return
        if answers:
            node.replace_all_uses_with(before)
            graph.erase_node(node)
        node = before
