"""A run that is killed and resumed ends with the weights of an unbroken one."""

import csv
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from a3d.configuration import range_0016
from a3d.datasets import ClipFolder, TrainingClips
from a3d.networks import slow_r18
from a3d.training.loop import COLUMNS, Run
from a3d.training.mutual import TrainingError
from a3d.training.recipes import paper, small
from a3d.video import Sampling
from tests.clips import write_classes

RECIPE = replace(small(), epochs=3, batch=4, warmup=1, lesson=0.0, mixup=0.2)
SAMPLING = Sampling(4, 2, 32)

SCRIPT = """
import sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.training.test_loop import start
run = start(Path({data!r}), {folder!r})
run.resume()
def slowly(step):
    run.save_state()
    Path({folder!r}, "alive").write_text(str(step.step))
    time.sleep({pause} if step.step else 0)
run.train(slowly)
import torch
torch.save(run.network.state_dict(), Path({folder!r}, "last.pt"))
"""


def start(data, folder, recipe=RECIPE, seed=3, dropout=0.5):
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    clips = TrainingClips(ClipFolder(data, "train"), SAMPLING, areas=recipe.areas, seed=seed)
    network = slow_r18(2, base_channels=8, spatial=32, frames=4, dropout=dropout)
    return Run(network, clips, range_0016(32, 4), recipe, folder, seed, workers=0)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_classes(tmp_path_factory.mktemp("clips"), classes=2, train=5, val=1)


def test_killed_and_resumed_equals_unbroken(data, tmp_path):
    unbroken = start(data, tmp_path / "unbroken").train().state_dict()

    folder = str(tmp_path / "broken")
    root = str(Path(__file__).parents[2])
    script = SCRIPT.format(root=root, data=str(data), folder=folder, pause=600)
    process = subprocess.Popen([sys.executable, "-c", script])
    alive = tmp_path / "broken" / "alive"
    while not (alive.exists() and alive.read_text() not in ("", "0")):  # in the middle of an epoch
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    reached = int(alive.read_text())
    assert reached == 1 and not (tmp_path / "broken" / "last.pt").exists()

    again = SCRIPT.format(root=root, data=str(data), folder=folder, pause=0)
    subprocess.run([sys.executable, "-c", again], check=True)
    resumed = torch.load(tmp_path / "broken" / "last.pt", weights_only=True)
    assert all(torch.equal(resumed[name], unbroken[name]) for name in unbroken)
    with (tmp_path / "broken" / "metrics.csv").open() as file:
        steps = [int(row["step"]) for row in csv.DictReader(file)]
    assert steps == sorted(steps) and set(steps) == set(range(9)) and len(steps) == 27  # three networks a step


def test_weights_move_and_losses_are_logged(data, tmp_path):
    run = start(data, tmp_path)
    before = {n: p.clone() for n, p in run.network.state_dict().items()}
    seen = []
    after = run.train(seen.append).state_dict()
    assert [p.step for p in seen] == list(range(9))
    assert all(len(p.parts) == 3 for p in seen)
    assert not any(torch.equal(before[n], after[n]) for n in after if n.endswith("conv.weight"))


def test_what_a_run_without_a_state_has_logged_goes(data, tmp_path):
    """Killed before the first state and started anew: each step is in the log once, and no half line."""
    start(data, tmp_path)
    (tmp_path / "metrics.csv").write_text(",".join(COLUMNS) + "\n0,0,0.1,1.0,0,32x4@1.0,9,0\n1,0,0.1")
    start(data, tmp_path, replace(RECIPE, epochs=1)).train()
    with (tmp_path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [0] * 3 + [1] * 3 + [2] * 3 and rows[0]["loss"] != "9"


def test_stops_naming_step_and_configuration(data, tmp_path):
    run = start(data, tmp_path)
    run.network.network.pathway.stem.conv.conv.weight.data.fill_(float("inf"))
    with pytest.raises(TrainingError, match=r"step 0 \(epoch 0\), 20²×2, 1\.0: the loss is nan.*learning rate"):
        run.train()


def test_paper_recipe_runs(data, tmp_path):
    recipe = replace(paper(), epochs=1, batch=4, warmup=0, rate=0.01)
    assert start(data, tmp_path, recipe).train() is not None


def test_other_seed_other_weights(data, tmp_path):
    one = start(data, tmp_path / "a").train().state_dict()
    two = start(data, tmp_path / "b", seed=4).train().state_dict()
    assert not torch.equal(one["classifier.weight"], two["classifier.weight"])


def test_resuming_another_run_is_refused(data, tmp_path):
    start(data, tmp_path).save_state()
    with pytest.raises(TrainingError, match="batch 4, not 2: repeat its command"):
        start(data, tmp_path, replace(RECIPE, batch=2)).resume()
    assert not start(data, tmp_path / "empty").resume()
