"""Two processes (gloo) reach what one process with the whole batch reaches: weights, statistics, table."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from a3d.configuration import ComputationalRange
from a3d.inference.evaluation import build_table
from a3d.networks import parallel, slow_r18
from a3d.training.loop import Run
from a3d.training.recipes import small
from a3d.video import ClipFolder, Sampling, TrainingClips
from tests.clips import write_classes

ROOT = Path(__file__).parents[2]
SPAN = ComputationalRange("small", (24, 32), (2, 4), (0.5, 1.0))
# 9 clips in batches of 4: the last batch is 1 clip, so that one process has none. Everything random is on.
RECIPE = replace(small(), epochs=2, batch=4, warmup=1, lesson=0.0, optimiser="sgd", rate=0.005)
STEPS = 6
TESTED = [SPAN.full, SPAN.smallest]


def work(data, folder):
    """Trains, calibrates and tests; the first process writes what it has found to `folder`."""
    torch.set_num_threads(1)
    torch.manual_seed(3 + parallel.rank())  # the others get the weights of the first
    network = slow_r18(3, base_channels=8, spatial=32, frames=4)
    network.labels, network.range, network.sampling = ("class_0", "class_1", "class_2"), SPAN, Sampling(4, 2, 32)
    clips = TrainingClips(ClipFolder(data, "train"), network.sampling, areas=RECIPE.areas, seed=3)
    steps = []
    Run(network, clips, SPAN, RECIPE, folder / "run", 3, workers=0).train(steps.append)
    built = build_table(
        network, ClipFolder(data, "train"), ClipFolder(data, "val"), TESTED, calibration_clips=8, batch=3
    )
    found = {
        "weights": network.state_dict(),
        "losses": torch.tensor([[part.loss for part in step.parts] for step in steps]),
        "hits": torch.tensor([[part.top1 for part in step.parts] for step in steps]),
        "clips": [step.clips for step in steps],
        "statistics": {c.key: s for c, s in network.statistics.items()},
        "decoded": built.decoded,
        "broken": list(built.broken),
    }
    if parallel.first():
        torch.save(found, folder / "found.pt")
        built.table.write_csv(folder / "table.csv")


def processes(count, code):
    """Starts `code` in so many processes that know of each other as those of `torchrun` do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
    shared |= {"TORCHELASTIC_RUN_ID": "test", "PYTHONPATH": str(ROOT)}
    return [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = write_classes(tmp_path_factory.mktemp("clips"), classes=3, train=3, val=2)
    (folder / "val" / "class_1" / "broken.mp4").write_text("not a video")
    return folder


def test_two_processes_equal_one(data, tmp_path):
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    code = f"""
from pathlib import Path
from a3d.networks import parallel
from tests.training.test_parallel import work
with parallel.joined():
    work(Path({str(data)!r}), Path({str(folders[1])!r}))
"""
    started = processes(2, code)
    work(data, folders[0])
    said = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    one, two = (torch.load(folder / "found.pt", weights_only=True) for folder in folders)
    assert len(one["losses"]) == STEPS and one["clips"] == two["clips"] == [4, 4, 1] * 2
    for name in one["weights"]:
        torch.testing.assert_close(two["weights"][name], one["weights"][name], atol=1e-5, rtol=0)
    torch.testing.assert_close(two["losses"], one["losses"], atol=1e-4, rtol=1e-3)
    assert torch.equal(two["hits"], one["hits"]) and one["decoded"] == two["decoded"] == 8 + 6
    assert (folders[0] / "table.csv").read_text() == (folders[1] / "table.csv").read_text()
    assert one["statistics"].keys() == two["statistics"].keys()
    assert len(one["broken"]) == 1 and one["broken"] == two["broken"]
    logs = [(folder / "run" / "metrics.csv").read_text().count("\n") for folder in folders]
    assert logs == [1 + 3 * STEPS] * 2
