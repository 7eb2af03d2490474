"""`a3d benchmark`: figures of this machine, each a ratio against a rival that was timed in the same run.

A group is a file of rows: functions from a `Setting` to figures, one by one as they are measured. Rivals are imported
through `rival` in these files and nowhere else; a row that lacks one says so and the rest goes on (`attempted`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from a3d.benchmark import decoding, deployment, engines, live, machine, speed, switching, training, whole
from a3d.benchmark.measure import Figure, RivalMissing, Setting, Timing, interleaved, peak, rival
from a3d.errors import A3DError


@dataclass(frozen=True)
class Group:
    """What it answers, its rows, the packages that they compare with, the devices where they mean something."""

    title: str
    rows: tuple[Callable[[Setting], Iterator[Figure]], ...]
    rivals: tuple[str, ...] = ()
    devices: tuple[str, ...] = ("cpu", "cuda")


GROUPS: dict[str, Group] = {
    "machine": Group("what this machine can do", (machine.peaks,)),
    "speed": Group(
        "a sub-network's latency",
        (speed.full_network, speed.answers_in_bfloat16, speed.by_cost, speed.against_small),
        ("pytorchvideo",),
    ),
    "engines": Group(
        "what runs a sub-network, and in what precision",
        (engines.slow, engines.depthwise, engines.int8_answers),
        ("pytorchvideo", "openvino", "nncf", "onnxruntime", "efficientnet-lite-pytorch"),
        ("cpu",),
    ),
    "whole": Group(
        "from a video to its answer, and from a thousand",
        (whole.one_clip, whole.from_cold, whole.archive),
        ("pytorchvideo", "onnxruntime"),
        ("cpu",),
    ),
    "switching": Group("changing the budget", (switching.change, switching.memory), (), ("cpu",)),
    "live": Group("deadlines held while the machine is slowed down", (live.deadlines,), (), ("cpu",)),
    "training": Group(
        "the cost of a mutual step, and of a table", (training.mutual, training.decoding, training.table)
    ),
    "decoding": Group(
        "8 frames out of a video, from the closed file",
        (decoding.made_clips, decoding.real_clips),
        ("torchcodec", "eva-decord"),
        ("cpu",),
    ),
    "deployment": Group(
        "exported files against the network",
        (deployment.onnx, deployment.openvino, deployment.torch_export),
        ("onnxruntime", "openvino"),
        ("cpu",),
    ),
}


def attempted(group: Group, setting: Setting) -> Iterator[Figure]:
    """The figures of a group; where a package or a folder is missing, a row that says so instead of its figures."""
    for row in group.rows:
        try:
            yield from row(setting)
        except A3DError as error:
            yield Figure(row.__name__.replace("_", " "), note=str(error))
