"""An exported file against the network that it came from: the same answers, and how fast (`a3d export`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from a3d.benchmark.measure import Figure, Setting, interleaved, rival
from a3d.datasets import ClipFolder
from a3d.deploy import runner
from a3d.deploy.export import Deployed, export
from a3d.inference.checkpoint import load
from a3d.video import Sampling, decode_views
from a3d.video.views import squares

REST = 0.5  # seconds: threads of onnxruntime stay awake after a call and would slow ours down several times
Classify = Callable[[np.ndarray], np.ndarray]  # uint8 (B, T, S, S, 3) to logits (B, classes)


def onnx(setting: Setting) -> Iterator[Figure]:
    rival("onnxruntime")
    yield from _format(setting, "onnx")


def openvino(setting: Setting) -> Iterator[Figure]:
    rival("openvino")
    yield from _format(setting, "openvino")


def torch_export(setting: Setting) -> Iterator[Figure]:
    yield from _format(setting, "torch-export")


def _format(setting: Setting, name: str) -> Iterator[Figure]:
    """At the full configuration and at the one in the middle of the trade-off list."""
    network = load(setting.folder("checkpoint"))
    middle = network.table.trade_off()[len(network.table.trade_off()) // 2].configuration
    for configuration in (network.full, middle):
        with TemporaryDirectory() as folder:
            classify, about = runner.load(export(network, configuration, folder, name).path)
        title, deployed = f"{name}, {configuration}", Deployed(network, configuration)
        yield _speed(title, deployed, classify, about["sampling"])
        yield from _answers(title, deployed, classify, about["sampling"], setting.folder("data"))


def _speed(title: str, deployed: Deployed, classify: Classify, sampling: dict) -> Figure:
    frames = torch.randint(0, 256, (1, len(sampling["seen"]), sampling["size"], sampling["size"], 3), dtype=torch.uint8)
    calls = {"ours": lambda: deployed(frames), "file": lambda: classify(frames.numpy())}
    found = {}
    with torch.inference_mode():
        for name, call in calls.items():  # not by turns: see REST
            time.sleep(REST)
            found |= interleaved({name: call}, rounds=100, warmup=20)
    ours, file = (1000 * found[name].median for name in calls)
    note = f"rival: the file; spread {found['ours'].spread:.0%} and {found['file'].spread:.0%}"
    return Figure(f"{title}: a clip", ours, file, "ms", ours / file, note=note)


def _answers(title: str, deployed: Deployed, classify: Classify, sampling: dict, data: Path) -> Iterator[Figure]:
    """Over all validation clips: logits and top-1 of the same tensor, and top-1 of `run.py` from the video file."""
    paths = [item.path for item in ClipFolder(data, "val").items]
    clips = np.stack([_seen(path, deployed.sampling, sampling) for path in paths])
    with torch.inference_mode():
        ours = np.concatenate([deployed(part).numpy() for part in torch.from_numpy(clips).split(16)])
    theirs = np.concatenate([classify(part) for part in np.array_split(clips, len(clips) // 16 + 1)])
    read = np.concatenate([classify(runner.read(path, **sampling)[None]) for path in paths])
    note = f"over {len(paths)} clips"
    yield Figure(f"{title}: logits", ratio=float(np.abs(ours - theirs).max()), target="≤ 0.001", note=f"largest {note}")
    for name, answers in (("same top-1", theirs), ("same top-1 by run.py", read)):
        same = float((answers.argmax(1) == ours.argmax(1)).mean())
        yield Figure(f"{title}: {name}", ratio=same, target="≥ 1", note=f"share {note}")


def _seen(path: Path, whole: Sampling, sampling: dict) -> np.ndarray:
    """The frames that a configuration sees, as a test of the package reads them: uint8 (seen, S, S, 3)."""
    clip = squares(decode_views(path, whole, 1)[0], sampling["size"], 1)[0]
    return clip[sampling["seen"]].numpy()
