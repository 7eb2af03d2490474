"""A network on a stream, from the file to the trace."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from a3d.budgets.profile import Latency, Profile, ProfileError, Timing, device_name
from a3d.budgets.table import Table
from a3d.cli import main
from a3d.configuration import Configuration
from a3d.datasets import ClipFolder
from a3d.deploy.live.limit import LimitFile
from a3d.deploy.live.loop import Window
from a3d.deploy.live.trace import read_trace
from a3d.deploy.live.watch import Resident, options, watch
from a3d.inference.checkpoint import save, save_profile
from a3d.inference.prediction import predict
from a3d.testing.evaluation import build_table
from a3d.video import Sampling, VideoError, decode_views
from a3d.video.encode import write_video
from tests.trained import moving

SMALL, MIDDLE, FULL = Configuration(24, 2, 0.5), Configuration(24, 4, 0.5), Configuration(32, 4, 1.0)
TIMES = {SMALL: 2.0, MIDDLE: 30.0, FULL: 40.0}  # with the second that preparing takes


@pytest.fixture
def ready(network, clips):
    """Three rows, the larger the better, and their times; the middle one is slow for what it gives."""
    training, test = ClipFolder(clips, "train"), ClipFolder(clips, "val")
    rows = build_table(network, training, test, list(TIMES)).table.rows
    network.table = Table(replace(row, top1=top1) for row, top1 in zip(rows, (40.0, 50.0, 60.0), strict=True))
    one = Timing(1.0, 1.0)
    latencies = tuple(Latency(c, 1, one, one, Timing(ms - 1, ms), one) for c, ms in TIMES.items())
    network.profile = Profile(device_name(), torch.get_num_threads(), latencies, {})
    return network


@pytest.fixture
def clip(tmp_path):
    """1.5 s at 20 a second; a window spans 4 × 3 frames, 0.45 s from its first to its last."""
    return write_video(tmp_path / "clip.mp4", moving(1, 40, 56, 30), 20)


def test_a_file_is_answered_window_by_window(ready, clip):
    steps = list(watch(clip, ready, deadline=2000, every=200))
    assert [step.window for step in steps] == list(range(len(steps))) and len(steps) == 6
    assert [step.time for step in steps] == pytest.approx([0.45, 0.65, 0.85, 1.05, 1.25, 1.45])
    for step in steps:
        assert step.configuration == FULL and step.met and step.label in ready.labels and 0 < step.probability <= 1
        assert 0 < step.measured <= step.latency <= step.deadline == 2000


def test_a_short_deadline_is_answered_by_a_small_configuration(ready, clip):
    assert next(watch(clip, ready, deadline=20)).configuration == SMALL
    assert next(watch(clip, ready, deadline=2000, every=20)).configuration == SMALL  # or windows would pile up


def test_the_answer_is_that_of_predict(ready, clips):
    path = next(clips.rglob("*.mp4"))
    resident = Resident(ready)
    resident.warm(options(ready))
    window = Window(0, 0.0, 0.0, decode_views(path, ready.sampling, 1)[0][0])
    for configuration in TIMES:
        expected = predict(path, ready, configuration=configuration)
        label, probability = resident.answer(window, configuration)
        assert (label, probability) == (expected.label, pytest.approx(expected.probabilities[0], abs=1e-4))


def test_options_keep_to_a_limit_or_are_the_cheapest(ready):
    def chosen(**limit):
        return [(option.configuration, option.milliseconds) for option in options(ready, **limit)]

    assert chosen() == [(SMALL, 2.0), (MIDDLE, 30.0), (FULL, 40.0)]
    small, middle = (ready.table.row(c) for c in (SMALL, MIDDLE))
    assert chosen(gflops=middle.gflops) == [(SMALL, 2.0), (MIDDLE, 30.0)]
    assert chosen(megabytes=small.megabytes) == [(SMALL, 2.0), (MIDDLE, 30.0)]  # of the same width
    assert chosen(gflops=1e-9) == [(SMALL, 2.0)]
    ready.profile = None
    with pytest.raises(ProfileError, match=r"a3d profile --checkpoint DIR"):
        options(ready)


def test_a_limit_changes_while_it_runs(ready, clip):
    limits = [{}] * 4 + [{"gflops": ready.table.row(SMALL).gflops}] * 100
    steps = list(watch(clip, ready, deadline=2000, every=200, limit=lambda: limits.pop(0)))
    assert steps[0].configuration == FULL and steps[-1].configuration == SMALL


def test_the_limit_is_read_once_before_every_window(ready, clip):
    """A change made while the sub-networks are warmed up is seen at the first window."""
    asked = []

    def limit():
        asked.append(len(asked))
        return {} if len(asked) == 1 else {"gflops": ready.table.row(SMALL).gflops}

    steps = list(watch(clip, ready, deadline=2000, every=200, limit=limit))
    assert {step.configuration for step in steps} == {SMALL} and len(asked) == 1 + len(steps)


def test_options_go_by_what_the_table_goes_by(ready):
    rows = zip(ready.table.rows, (30.0, 60.0, 50.0), strict=True)
    ready.table = Table(replace(row, mean_ap=mean_ap) for row, mean_ap in rows)
    found = options(ready)
    assert [option.accuracy for option in found] == [30.0, 60.0] and found[-1].configuration == MIDDLE


def test_sub_networks_in_memory_are_bounded(ready, monkeypatch):
    resident, every = Resident(ready), {option.configuration: option for option in options(ready)}
    resident.warm(list(every.values()))
    assert len(resident._subs) == 3
    monkeypatch.setattr("a3d.deploy.live.watch.BYTES", resident.held - 1)
    resident.warm([every[SMALL]])
    assert SMALL in resident._subs and len(resident._subs) == 2  # what fits beside it stays
    monkeypatch.setattr("a3d.deploy.live.watch.BYTES", 0)
    resident.warm([every[FULL], every[SMALL]])
    assert set(resident._subs) == {FULL, SMALL}  # what may be asked for is there, whatever it takes


def test_limit_file(tmp_path):
    path, said = tmp_path / "limit", []
    limit = LimitFile(path, said.append)
    assert limit() == {}
    for text, expected in (("gflops 0.3\n", {"gflops": 0.3}), ("", {}), ("megabytes 5", {"megabytes": 5.0})):
        path.write_text(text)
        assert limit() == expected
    for text, cause in (("gflops", "unit and a number"), ("gflops -1", "positive"), ("milliseconds 5", "deadline")):
        path.write_text(text)
        assert limit() == limit() == {"megabytes": 5.0}
        assert cause in said.pop() and not said  # once
    path.unlink()
    assert limit() == {}


def test_a_limit_file_may_go_at_any_moment(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "is_file", lambda path: True)  # as if it went right after a look
    assert LimitFile(tmp_path / "limit", print)() == {}


def test_broken_sources(ready, tmp_path):
    (tmp_path / "text.mp4").write_text("no video\n" * 100)
    with pytest.raises(VideoError, match=r"text\.mp4: not a video"):
        next(watch(tmp_path / "text.mp4", ready, deadline=50))
    ready.sampling = Sampling(8, 8, 32)  # the stream ends before the first window is full
    short = write_video(tmp_path / "short.mp4", moving(1, 40, 56, 3), 20)
    assert len(list(watch(short, ready, deadline=2000))) == 1


@pytest.fixture
def checkpoint(ready, tmp_path):
    save(ready, tmp_path / "checkpoint")
    save_profile(ready.profile, tmp_path / "checkpoint")
    return str(tmp_path / "checkpoint")


def test_the_command(checkpoint, clip, tmp_path, capsys):
    arguments = ["watch", str(clip), "--checkpoint", checkpoint, "--deadline-ms", "2000", "--every-ms", "300"]
    assert main([*arguments, "--json", "--trace", str(tmp_path / "trace.jsonl")]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    steps = read_trace(tmp_path / "trace.jsonl")
    assert all(step.to_dict().items() <= line.items() for step, line in zip(steps, lines, strict=True))
    assert len(lines) == 4 and all(line["gflops"] > 0 for line in lines)
    assert {line["configuration"] for line in lines} == {FULL.key}
    assert main([*arguments, "--seconds", "0.5", "--gflops", "1e-3"]) == 0
    out = capsys.readouterr().out
    assert "24²×2, 0.5" in out and out.splitlines()[-1].startswith("1 windows, 100.0% within the deadline")


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        (["--deadline-ms", "0"], "give a positive number"),
        (["--deadline-ms", "nan"], "give a positive number"),
        (["--deadline-ms", "50", "--gflops", "1e-9"], "no tested configuration costs at most 1e-09 GFLOPs"),
        (["--deadline-ms", "50", "--trace", "trace.txt"], "name the trace .csv or .jsonl"),
    ],
)
def test_the_command_refuses(checkpoint, clip, capsys, more, cause):
    assert main(["watch", str(clip), "--checkpoint", checkpoint, *more]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ") and cause in said and len(said.splitlines()) == 1
