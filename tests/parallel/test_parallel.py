"""Two processes (gloo) reach what one process with the whole batch reaches: weights, statistics, table."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from a3d import parallel
from a3d.budgets.table import Table
from a3d.configuration import ComputationalRange
from a3d.datasets import ClipFolder, TrainingClips
from a3d.networks import slow_r18
from a3d.testing.evaluation import build_table
from a3d.trained import TrainedNetwork
from a3d.training.loop import Run
from a3d.training.recipes import small
from a3d.video import Sampling
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
    network = TrainedNetwork(network, ("class_0", "class_1", "class_2"), Sampling(4, 2, 32), SPAN)
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
    if parallel.is_main():
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
from a3d import parallel
from tests.parallel.test_parallel import work
with parallel.process_group():
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
    tables = [Table.read_csv(folder / "table.csv") for folder in folders]  # weights differ in their last digits
    one_table, two_table = ([replace(row, weights="") for row in table.rows] for table in tables)
    assert one_table == two_table
    assert one["statistics"].keys() == two["statistics"].keys()
    assert len(one["broken"]) == 1 and one["broken"] == two["broken"]
    logs = [(folder / "run" / "metrics.csv").read_text().count("\n") for folder in folders]
    assert logs == [1 + 3 * STEPS] * 2


def launched(data, folder, *more):
    """`a3d train` under `torchrun`, as it is typed."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "a3d.cli"]
    shape = ["--network", "slow_r18", "--base-channels", "8", "--spatial", "32", "--frames", "4", "--stride", "2"]
    settings = ["--recipe", "from_scratch", "--epochs", "40", "--batch", "4", "--workers", "0", *more]
    return subprocess.Popen(
        [*command, "train", "--data", str(data), "--out", str(folder), *shape, *settings],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def worker(launcher, rank):
    """The process of that rank, by what the launcher gave it."""
    for child in Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split():
        if f"RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            return int(child)
    raise LookupError(f"no process of rank {rank}")


@pytest.mark.slow
def test_a_dead_process_ends_the_run_and_it_can_be_resumed(data, tmp_path):
    folder = tmp_path / "run"
    launcher = launched(data, folder)
    while not (folder / "metrics.csv").exists() or (folder / "metrics.csv").read_text().count("\n") < 20:
        assert launcher.poll() is None, launcher.communicate()
        time.sleep(0.1)
    os.kill(worker(launcher, 1), signal.SIGKILL)
    said = launcher.communicate(timeout=100)[1]
    assert launcher.returncode != 0
    line = next(line for line in said.splitlines() if line.startswith("error: "))
    assert "another process of the run has ended" in line and "state.pt holds the steps before" in line
    reached = torch.load(folder / "state.pt", weights_only=True)["step"]
    logged = int((folder / "metrics.csv").read_text().splitlines()[-1].split(",")[0])
    assert f"error: step {reached}, " in line and reached == logged + 1  # nothing that was done is lost
    assert not (folder / "checkpoint").exists() and not list(folder.glob(".*tmp"))

    again = launched(data, folder, "--resume")
    told, said = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert told.count("wrote") == 1 and (folder / "checkpoint" / "weights.safetensors").exists()
    steps = [int(line.split(",")[0]) for line in (folder / "metrics.csv").read_text().splitlines()[1:]]
    assert steps == sorted(steps) and set(steps) == set(range(40 * 3))
