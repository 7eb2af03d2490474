"""From a trained network to other classes or another task (Sec. 4.1: Kinetics to Charades and AVA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from a3d.adaptive.network import AdaptiveNetwork
from a3d.networks.builders import build
from a3d.trained import TrainedNetwork


def transfer(
    start: TrainedNetwork, classes: Sequence[str], task: str = "classification", **shape: int
) -> AdaptiveNetwork:
    """A network with the weights of `start`, for these classes.

    Its classifier is a fresh one unless classes and task are those of `start`. task: as in `Architecture`. shape:
    other `spatial` and `frames` for the full network. It has neither statistics nor a table: both are to be made again
    after training.
    """
    network = build(replace(start.architecture, classes=len(classes), task=task, **shape))
    weights = start.state_dict()
    if not keeps_classifier(start, classes, task):
        classifier = network.classifier_path + "."
        fresh = {name: tensor for name, tensor in network.state_dict().items() if name.startswith(classifier)}
        weights = {**weights, **fresh}
    network.load_state_dict(weights)
    return network


def keeps_classifier(start: TrainedNetwork, classes: Sequence[str], task: str) -> bool:
    return start.labels == tuple(classes) and start.task == task
