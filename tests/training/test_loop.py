"""A run that is killed and resumed ends with the weights of an unbroken one."""

import csv
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import pytest
import torch

from a3d.configuration import range_0016
from a3d.datasets import ClipFolder, TrainingClips
from a3d.datasets.items import fingerprint
from a3d.files import MACHINE
from a3d.networks import slow_r18
from a3d.stopping import Stopped
from a3d.training.loop import COLUMNS, Run
from a3d.training.mutual import TrainingError
from a3d.training.recipes import paper, small
from a3d.video import Sampling, VideoError
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


def test_the_clips_of_a_step_that_went_wrong_are_named(data, tmp_path):
    run = start(data, tmp_path)
    run.network.network.pathway.stem.conv.conv.weight.data.fill_(float("inf"))
    with pytest.raises(TrainingError) as error:
        run.train()
    order = torch.randperm(10, generator=torch.Generator().manual_seed(3 * 100003))
    assert all(str(run.clips.dataset.items[i].path) in str(error.value) for i in order[:4].tolist())
    assert str(error.value).count(".mp4") == 4 and "begin anew" in str(error.value)


def test_a_ruined_run_goes_on_from_its_last_good_epoch_at_a_lower_rate(data, tmp_path):
    """Ruined by a step whose effect the next one shows: what was saved between them is as bad."""
    run, states = start(data, tmp_path, replace(RECIPE, epochs=4)), {}

    def ruin(report):
        if report.step in (2, 5):  # the ends of two epochs of three steps, before their states are written
            states[report.step + 1] = {name: tensor.clone() for name, tensor in run.network.state_dict().items()}
        if report.step == 8:
            run.network.network.pathway.stem.conv.conv.weight.data.fill_(1e38)

    with pytest.raises(TrainingError, match=r"step 9 .*--resume, from the beginning of the last epoch that went well"):
        run.train(ruin)
    again = start(data, tmp_path, replace(RECIPE, epochs=4, rate=RECIPE.rate / 10))
    assert again.resume() and again.step == 6
    assert all(torch.equal(tensor, states[6][name]) for name, tensor in again.network.state_dict().items())
    again.train()
    assert again.step == 12 and {path.name for path in tmp_path.iterdir()} == {"metrics.csv", "run.json", "state.pt"}


def test_an_epoch_whose_loss_rose_far_is_not_gone_back_to(data, tmp_path):
    run = start(data, tmp_path)
    for losses, good in (([2.0, 2.0], True), ([1.0], True), ([1.9], True), ([2.1], False), ([1.5], True)):
        run.step += run.steps_per_epoch
        run._losses = losses
        begun = torch.load(tmp_path / "begun.pt")["step"] if (tmp_path / "begun.pt").exists() else None
        run._end_epoch()
        if begun is not None:
            assert (torch.load(tmp_path / "before.pt")["step"] == begun) == good


@pytest.mark.parametrize("change", ["label", "path", "class"])
def test_resuming_on_other_clips_is_refused(data, tmp_path, change):
    start(data, tmp_path).save_state()
    run = start(data, tmp_path)
    dataset = run.clips.dataset
    first = dataset.items[0]
    if change == "label":
        dataset.items[0] = first._replace(label=1)
    elif change == "path":
        dataset.items[0] = first._replace(path=first.path.with_name("other.mp4"))
    else:
        dataset.classes = tuple(reversed(dataset.classes))
    with pytest.raises(TrainingError, match="other clips, or with other labels, than these 10: give its data"):
        run.resume()


def test_a_state_of_a_version_that_knew_fewer_settings_is_resumed(data, tmp_path):
    start(data, tmp_path).save_state()
    state = torch.load(tmp_path / "state.pt")
    assert state["settings"].pop("scenes") == "0.0" and state["settings"].pop("masks") == "none"
    torch.save(state, tmp_path / "state.pt")
    assert start(data, tmp_path).resume()
    with pytest.raises(TrainingError, match=r"trained with smoothing 0\.1, not 0\.2: repeat"):
        start(data, tmp_path, replace(RECIPE, smoothing=0.2)).resume()


def test_a_process_without_clips_has_masks_where_the_others_have_some(data, tmp_path):
    """Else it would leave out an exchange that they wait in."""
    run = start(data, tmp_path)
    assert run._nothing().people is None
    run.clips.masks = {}
    assert run._nothing().people.shape == (0, *run.clips[0].people.shape)


def test_data_that_was_moved_is_the_same(data, tmp_path):
    shutil.copytree(data, tmp_path / "moved")
    assert fingerprint(ClipFolder(data, "train")) == fingerprint(ClipFolder(tmp_path / "moved", "train"))
    assert fingerprint(ClipFolder(data, "train")) != fingerprint(ClipFolder(data, "val"))


@pytest.mark.parametrize(("number", "workers"), [(signal.SIGTERM, 0), (signal.SIGINT, 2)])
def test_a_signal_in_the_middle_of_a_step_ends_the_run_after_it(data, tmp_path, number, workers, monkeypatch, capsys):
    """Between the weights' change and the count of steps; also where others prepare the clips."""
    unbroken = start(data, tmp_path / "unbroken").train().state_dict()
    run = start(data, tmp_path / "broken")
    run.workers, step = workers, run.optimiser.step

    def interrupted(*args):
        step(*args)
        if run.step == 1:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(run.optimiser, "step", interrupted)
    before = signal.getsignal(number)
    with pytest.raises(Stopped, match=r"2 of 9 steps are done.*state\.pt.*--resume goes on") as stopped:
        run.train()
    assert stopped.value.code == 128 + number and signal.getsignal(number) == before
    again = start(data, tmp_path / "broken")
    assert again.resume() and again.step == 2
    resumed = again.train().state_dict()
    assert all(torch.equal(resumed[name], unbroken[name]) for name in unbroken)


def test_weights_that_are_changed_and_not_yet_counted_are_not_saved(data, tmp_path, monkeypatch):
    """A second Ctrl-C, or a worker's end, comes at any moment."""
    run, step = start(data, tmp_path), None
    step = run.optimiser.step

    def interrupted(*args):
        step(*args)
        if run.step == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(run.optimiser, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.train()
    again = start(data, tmp_path)
    assert again.resume() and again.step == 3  # the end of the first epoch


def test_a_worker_that_is_killed_is_one_line(data, tmp_path):
    run = start(data, tmp_path)
    run.workers = 1

    def kill(report):
        for child in active_children():
            os.kill(child.pid, signal.SIGKILL)
            child.join()

    with pytest.raises(
        TrainingError, match=r"step \d, a process that prepares clips was ended.*start again and resume"
    ):
        run.train(kill)
    assert start(data, tmp_path).resume()


def test_a_broken_file_is_one_line_from_a_worker_too(tmp_path):
    write_classes(tmp_path / "data", classes=2, train=1, val=1)
    (tmp_path / "data" / "train" / "class_0" / "0.mp4").write_text("not a video")
    run = start(tmp_path / "data", tmp_path / "run")
    run.workers, run.clips.strict = 1, True
    with pytest.raises(VideoError) as error:
        run.train()
    assert len(str(error.value).splitlines()) == 1 and "0.mp4: not a video" in str(error.value)


def test_a_full_disk_is_one_line_and_the_state_stays(data, tmp_path):
    run = start(data, tmp_path)
    run.save_state()
    before = (tmp_path / "state.pt").read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit[1]))
    try:
        with pytest.raises(OSError, match=r"state\.pt"):
            run.train()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert (tmp_path / "state.pt").read_bytes() == before and not list(tmp_path.glob(".*"))


def test_what_a_killed_run_left_half_written_goes(data, tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = tmp_path / f".state.pt.{MACHINE}-{dead.pid}.tmp"
    other, running = tmp_path / ".state.pt.elsewhere-1.tmp", tmp_path / f".state.pt.{MACHINE}-{os.getpid()}.tmp"
    for path in (left, other, running):
        path.write_text("half")
    start(data, tmp_path)
    assert not left.exists() and other.exists() and running.exists()


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
