"""Latency of every configuration: measured by turns, stored for one device, a budget from then on."""

import json

import pytest
import torch

from a3d.budgets import latency
from a3d.budgets.budget import BudgetError
from a3d.budgets.latency import profile
from a3d.budgets.profile import Latency, Profile, ProfileError, Timing, device_name, file_name
from a3d.cli import main
from a3d.configuration import Configuration
from a3d.datasets import ClipFolder
from a3d.inference.checkpoint import load, save, save_profile
from a3d.inference.prediction import chosen
from a3d.testing.evaluation import build_table

SMALL, FULL = Configuration(24, 2, 0.5), Configuration(32, 4, 1.0)


@pytest.fixture
def ready(network, clips):
    """With a table of two rows, of which the full one is made the more accurate."""
    training, test = ClipFolder(clips, "train"), ClipFolder(clips, "val")
    network.table = build_table(network, training, test, [SMALL, FULL]).table
    network.table = type(network.table)(
        [
            r.__class__(r.configuration, r.gflops, r.params, 40.0 + 20 * (r.configuration == FULL))
            for r in network.table.rows
        ]
    )
    return network


def told(**milliseconds):
    """A profile of this device in which the network takes so long."""
    timing = Timing(1.0, 2.0)
    latencies = tuple(
        Latency(c, 1, timing, timing, Timing(milliseconds[name], 2 * milliseconds[name]), timing)
        for name, c in (("small", SMALL), ("full", FULL))
    )
    return Profile(device_name(), torch.get_num_threads(), latencies, {"date": "today"})


def test_every_row_and_batch_is_measured(ready, clips):
    video, seen = next(clips.rglob("*.mp4")), []
    threads = torch.get_num_threads()
    found = profile(ready, video, (1, 2), rounds=2, threads=1, progress=lambda done, total: seen.append((done, total)))
    assert {(latency.configuration, latency.batch) for latency in found.latencies} == {
        (c, batch) for c in (SMALL, FULL) for batch in (1, 2)
    }
    for one in found.latencies:
        assert all(0 < t.median <= t.p90 for t in (one.decode, one.prepare, one.network, one.both))
        assert one.both.p90 >= max(one.decode.median, one.network.median)
    assert seen == [(i, 8) for i in range(1, 9)]
    assert (found.threads, torch.get_num_threads()) == (1, threads)
    assert found.notes["video"] == video.name and found.notes["torch"] == torch.__version__


def test_only_the_configurations_that_are_asked_for(ready, clips):
    found = profile(ready, next(clips.rglob("*.mp4")), rounds=1, configurations=[SMALL])
    assert SMALL in found and FULL not in found


@pytest.mark.parametrize("known", [(torch.float32,), (torch.float32, torch.bfloat16)])
def test_left_open_a_precision_that_the_processor_emulates_is_not_timed(ready, clips, tmp_path, monkeypatch, known):
    save(ready, tmp_path / "open")
    monkeypatch.setattr(latency, "fused_dtypes", lambda: known)
    given = load(tmp_path / "open", engine="pytorch", precision="auto")
    found = profile(given, next(clips.rglob("*.mp4")), rounds=1, configurations=[SMALL])
    assert {line.runtime.precision for line in found.latencies} == {str(dtype)[6:] for dtype in known}
    asked = load(tmp_path / "open", precision="bfloat16")  # who asks for it in particular has it timed
    found = profile(asked, next(clips.rglob("*.mp4")), rounds=1, configurations=[SMALL])
    assert {line.runtime.precision for line in found.latencies} == {"bfloat16"}


def test_rounds_are_interleaved_and_summed_up_by_median_and_ninth_decile(ready, clips, monkeypatch):
    turns = []

    def canned(network, path, configuration, batch, subs):
        turns.append(configuration)
        return {runtime: [1.0, 2.0, float(turns.count(configuration)), 5.0] for runtime in subs}

    monkeypatch.setattr(latency, "_milliseconds", canned)
    found = profile(ready, next(clips.rglob("*.mp4")), rounds=11)
    rounds = [tuple(turns[i : i + 2]) for i in range(0, 22, 2)]
    assert set(rounds) == {(SMALL, FULL), (FULL, SMALL)}  # both in every round, in either order
    assert found.latency(SMALL).network == Timing(6.0, 10.0)
    assert found.milliseconds(SMALL) == 6.0 and found.latency(SMALL).decode == Timing(1.0, 1.0)


@pytest.mark.parametrize(
    ("options", "cause"), [({"rounds": 0}, "rounds 0"), ({"batches": (1, 0)}, "batch 0"), ({"threads": 0}, "threads 0")]
)
def test_refused(ready, options, cause):
    with pytest.raises(ProfileError, match=f"{cause}: give at least 1"):
        profile(ready, **options)
    ready.table = None
    with pytest.raises(ProfileError, match=r"no table.*\(a3d table\)"):
        profile(ready)


def test_a_checkpoint_brings_the_profile_of_this_device(ready, tmp_path):
    save(ready, tmp_path)
    assert load(tmp_path).profile is None
    with pytest.raises(BudgetError, match="a3d profile"):
        chosen(load(tmp_path), milliseconds=10)
    times = told(small=3.0, full=9.0)
    path = save_profile(times, tmp_path)
    assert path.parent == tmp_path and [p.name for p in tmp_path.glob("*profile*")] == [path.name]
    network = load(tmp_path)
    assert network.profile == times
    assert chosen(network, milliseconds=9) == FULL and chosen(network, milliseconds=8.9) == SMALL
    with pytest.raises(BudgetError, match=r"at most 1 ms; the cheapest, 24²×2, 0\.5, costs 3$"):
        chosen(network, milliseconds=1)
    save_profile(told(small=5.0, full=4.0), tmp_path)  # narrow, and slower: never chosen
    assert chosen(load(tmp_path), milliseconds=5) == FULL
    with pytest.raises(ProfileError, match=r"64²×4, 1\.0 with batch 1 was not measured"):
        times.milliseconds(Configuration(64, 4, 1.0))


def test_the_profile_of_other_threads_is_not_taken(ready, tmp_path):
    save(ready, tmp_path)
    times = told(small=3.0, full=9.0)
    save_profile(Profile(times.device, times.threads + 1, times.latencies, {}), tmp_path)
    assert load(tmp_path).profile is None


@pytest.mark.parametrize(
    ("device", "threads", "name"),
    [
        (
            "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz",
            2,
            "profile-intel-xeon-platinum-8481c-cpu-2.70ghz-2-threads.json",
        ),
        ("NVIDIA H100 80GB HBM3", 16, "profile-nvidia-h100-80gb-hbm3-16-threads.json"),
        ("../é/", 1, "profile-..-1-thread.json"),
        ("龍芯", 1, "profile-device-1-thread.json"),
    ],
)
def test_file_names(device, threads, name):
    assert file_name(device, threads) == name


def damaged(change):
    whole = json.loads(told(small=3.0, full=9.0).to_json())
    change(whole)
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "Expecting value"),
        ("[1, 2]", "list indices"),
        (damaged(lambda whole: whole.update(format=7)), "format 7 is not 1"),
        (damaged(lambda whole: whole.pop("threads")), "no 'threads'"),
        (damaged(lambda whole: whole["milliseconds"][0].pop("network")), "no 'network'"),
        (damaged(lambda whole: whole["milliseconds"][0].update(network=[2, 1])), "network .* is no median"),
        (damaged(lambda whole: whole["milliseconds"][0].update(network=[float("nan"), 1])), "NaN is no number"),
        (damaged(lambda whole: whole["milliseconds"][1].update(configuration="32x4")), "SPATIALxFRAMES@WIDTH"),
    ],
)
def test_malformed_files(ready, tmp_path, text, cause):
    save(ready, tmp_path)
    path = tmp_path / told(small=1.0, full=1.0).file_name
    path.write_text(text)
    with pytest.raises(ProfileError, match=f"is no profile .*{cause}.*: delete it") as caught:
        load(tmp_path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_the_command(ready, clips, tmp_path, capsys):
    save(ready, tmp_path)
    video = str(next(clips.rglob("*.mp4")))
    arguments = ["profile", "--checkpoint", str(tmp_path), "--video", video, "--rounds", "1"]
    assert main([*arguments, "--threads", "1", "--threads", "2", "--batch", "2", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["threads"] for row in rows] == [1] * 4 + [2] * 4 and len({row["file"] for row in rows}) == 2
    assert {row["configuration"] for row in rows} == {SMALL.key, FULL.key} and {row["batch"] for row in rows} == {1, 2}
    assert main(arguments) == 0
    assert "wrote" in capsys.readouterr().out
    limit = 1.01 * load(tmp_path).profile.milliseconds(SMALL)
    assert main(["predict", video, "--checkpoint", str(tmp_path), "--milliseconds", str(limit), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["configuration"] in {SMALL.key, FULL.key}
