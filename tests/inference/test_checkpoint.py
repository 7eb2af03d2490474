"""A checkpoint folder: what is written comes back, and damage is named."""

import json
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from a3d.adaptive import adapt
from a3d.adaptive.checksum import weights_checksum
from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration, range_0016
from a3d.inference.checkpoint import CheckpointError, load, pack, save, save_table
from a3d.inference.contents import Contents
from a3d.networks import slow_r18, slow_r26, slowfast_r18, slowfast_r26
from a3d.testing.calibration import calibrate
from a3d.trained import TrainedNetwork
from a3d.video import Sampling

ONE, TWO = Configuration(32, 4, 1.0), Configuration(20, 2, 0.63)


@pytest.fixture(params=["slow", "slowfast"])
def network(request, tiny):
    return trained(
        tiny if request.param == "slow" else slowfast_r18(classes=3, base_channels=8, spatial=32, dropout=0.0)
    )


@pytest.fixture
def slow(tiny):
    return trained(tiny)


def trained(network):
    for configuration in (ONE, TWO):
        calibrate(network.eval(), configuration, [torch.randn(2, 3, network.clip_shape(ONE)[0], 32, 32)])
    rows = [Row(c, gflops=g, params=p, top1=t) for c, g, p, t in ((ONE, 0.2, 900, 60.0), (TWO, 0.1, 400, 50.0))]
    sampling, origin = Sampling(network.clip_shape(ONE)[0], 2, 32), {"data": "synthetic"}
    labels = ("climb", "jump", "run")
    return TrainedNetwork(network, labels, sampling, range_0016(32, 4), Table(rows), provenance=origin)


def test_comes_back_whole(network, tmp_path):
    save(network, tmp_path / "mine")
    back = load(tmp_path / "mine")
    assert not back.training
    assert (back.architecture, back.labels, back.range) == (network.architecture, network.labels, network.range)
    assert (back.sampling, back.table, back.provenance) == (network.sampling, network.table, network.provenance)
    clip = torch.randn(2, 3, network.clip_shape(ONE)[0], 32, 32)
    for configuration in (ONE, TWO):
        assert torch.equal(back(clip, configuration), network(clip, configuration))


def test_a_network_without_batch_norm_is_calibrated_and_comes_back(tmp_path):
    module = nn.Sequential(
        nn.Conv3d(3, 8, 3, (1, 2, 2), 1), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(8, 3)
    )
    network = adapt(module, clip=torch.randn(1, 3, 4, 32, 32))
    for configuration in (ONE, TWO):
        calibrate(network, configuration, [])
    save(TrainedNetwork(network, ("a", "b", "c"), Sampling(4, 2, 32), range_0016(32, 4)), tmp_path / "own")
    loaded, clip = load(tmp_path / "own", network=module), torch.randn(2, 3, 4, 32, 32)
    assert set(loaded.statistics) == {ONE, TWO}
    with torch.no_grad():
        torch.testing.assert_close(loaded.resident(TWO)(clip), network(clip, TWO))


def test_half_precision_rounds_the_weights_alone(network, tmp_path):
    save(network, tmp_path, half=True)
    back = load(tmp_path)
    assert torch.equal(back.network.classifier.weight, network.network.classifier.weight.half().float())
    assert all(p.dtype == torch.float32 for p in back.parameters())
    for name, (mean, variance) in network.statistics[ONE].items():
        assert torch.equal(back.statistics[ONE][name][0], mean) and torch.equal(back.statistics[ONE][name][1], variance)


def test_a_new_table_leaves_the_weights_in_their_precision(network, tmp_path):
    save(network, tmp_path, half=True)
    before = (tmp_path / "weights.safetensors").read_bytes()
    back = load(tmp_path)
    del back.statistics[TWO]
    save_table(back, tmp_path)
    assert (tmp_path / "weights.safetensors").read_bytes() == before
    assert set(load(tmp_path).statistics) == {ONE}


def test_only_plain_files(network, tmp_path):
    save(network, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"config.json", "weights.safetensors", "statistics.safetensors", "table.csv"}


class Killed(BaseException):
    """The process ends here."""


def test_killed_at_any_moment_it_is_the_old_or_the_new_one(slow, tmp_path, monkeypatch):
    """At every step that changes the folder: new weights beside the old statistics and table must not load."""
    from a3d.inference import contents

    changes = ("replace", "unlink", "write_bytes")
    originals = {name: getattr(Path, name) for name in changes}
    before, after = slow, load_changed(slow, tmp_path / "spare")
    seen = set()
    for last in range(40):
        folder, count = tmp_path / str(last), iter(range(1000))
        save(before, folder)
        for name in changes:

            def dying(self, *args, original=originals[name], count=count, last=last, **more):
                if next(count) >= last:
                    raise Killed
                return original(self, *args, **more)

            monkeypatch.setattr(Path, name, dying)
        try:
            save(after, folder)
            finished = True
        except Killed:
            finished = False
        monkeypatch.undo()
        back = load(folder)
        told = "old" if back.labels == before.labels else "new"
        of = {"old": before, "new": after}[told]
        assert weights_checksum(back) == weights_checksum(of) and back.table == of.table
        assert all(torch.equal(pack(back.statistics[c]), pack(of.statistics[c])) for c in of.statistics)
        seen.add(told)
        save_table(of, folder)  # goes on from what was left, and tidies up
        assert not [path for path in folder.iterdir() if path.name.endswith(".next")]
        assert load(folder).labels == of.labels
        if finished:
            break
    assert finished and seen == {"old", "new"} and contents.NAMES


def load_changed(network, folder):
    """Another network of the same shape, tested otherwise."""
    save(network, folder)
    other = load(folder)
    other.network.classifier.bias.data += 1
    other.labels = ("a", "b", "c")
    other.statistics = {c: {n: (m + 1, v + 1) for n, (m, v) in s.items()} for c, s in other.statistics.items()}
    other.table = Table([replace(row, top1=row.top1 / 2) for row in other.table.rows])
    return other


def test_a_table_of_other_weights_is_not_written_or_loaded(slow, tmp_path):
    how = {"data": "a", "views": "1x1", "weights": weights_checksum(slow)}
    slow.table = Table([replace(row, **how) for row in slow.table.rows])
    save(slow, tmp_path)
    assert load(tmp_path).table == slow.table
    slow.network.classifier.bias.data += 1
    with pytest.raises(CheckpointError, match=r"tests of the weights .*not of these.*a3d table"):
        save(slow, tmp_path / "other")
    slow.table = Table([replace(row, weights="beef") for row in slow.table.rows])
    with pytest.raises(CheckpointError, match=r"tests of the weights beef, not of these"):
        save_table(slow, tmp_path)


def test_weights_without_a_table_leave_none_of_others(slow, tmp_path):
    save(slow, tmp_path)
    slow.table = None
    save(slow, tmp_path)
    assert load(tmp_path).table is None and not (tmp_path / "table.csv").exists()


def test_a_folder_written_anew_while_it_is_read_is_read_again(slow, tmp_path, monkeypatch):
    save(slow, tmp_path)
    other, read = load_changed(slow, tmp_path / "spare"), Contents.read

    def reading(self, name, limit, *check):
        if not reading.done and name == "statistics.safetensors":
            reading.done = True
            save(other, tmp_path)
        return read(self, name, limit, *check)

    reading.done = False
    monkeypatch.setattr(Contents, "read", reading)
    back = load(tmp_path)
    assert back.labels == other.labels and back.table == other.table


def test_a_failed_write_leaves_the_old_file(network, tmp_path, monkeypatch):
    save(network, tmp_path)
    before = (tmp_path / "config.json").read_bytes()
    network.provenance = {"data": object()}  # cannot be written as JSON
    with pytest.raises(TypeError):
        save(network, tmp_path)
    assert (tmp_path / "config.json").read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]


def spoil_json(folder):
    (folder / "config.json").write_text("{")


def spoil_format(folder):
    (folder / "config.json").write_text('{"format": 99}')


def spoil_architecture(folder):
    config = json.loads((folder / "config.json").read_text())
    config["architecture"]["network"] = "slow_r26"
    (folder / "config.json").write_text(json.dumps(config))


def spoil_field(folder):
    config = json.loads((folder / "config.json").read_text())
    config["architecture"]["colour"] = "red"
    (folder / "config.json").write_text(json.dumps(config))


def spoil_weights(folder):
    (folder / "weights.safetensors").write_bytes(b"not a safetensors file")


def spoil_statistics(folder):
    packed = load_file(folder / "statistics.safetensors")
    save_file({name: tensor[:, 1:].contiguous() for name, tensor in packed.items()}, folder / "statistics.safetensors")


def remove_weights(folder):
    (folder / "weights.safetensors").unlink()


SPOILS = [spoil_json, spoil_format, spoil_architecture, spoil_field, spoil_weights, spoil_statistics, remove_weights]


@pytest.mark.parametrize("spoil", SPOILS)
def test_damage_is_one_line(network, tmp_path, spoil):
    save(network, tmp_path)
    spoil(tmp_path)
    with pytest.raises(CheckpointError) as error:
        load(tmp_path)
    assert len(str(error.value).splitlines()) == 1


def test_no_such_folder():
    with pytest.raises(CheckpointError, match=r"nowhere.*does not exist"):
        load("nowhere")


def test_the_shipped_checkpoint_answers_as_it_always_did():
    """Logits as they were when it was made: whatever changes in how a pass runs, files mean what they meant."""
    network = load(Path(__file__).parents[2] / "checkpoints" / "exercise12")
    clip = torch.linspace(-2, 2, 3 * 4 * 224 * 224).reshape(1, 3, 4, 224, 224)
    with torch.no_grad():
        for key, golden in GOLDEN.items():
            found = network(clip, Configuration.parse(key))[0, :4]
            torch.testing.assert_close(found, torch.tensor(golden), atol=1e-3, rtol=1e-3)


GOLDEN = {
    "224x4@1.0": [0.3312, 0.3782, 0.3185, 0.4015],
    "160x2@0.8": [0.1247, 0.2937, -0.4234, 0.5592],
    "128x1@0.6": [-0.0363, -0.9016, -0.6936, 0.7759],
}


@pytest.mark.parametrize("build", [slow_r18, slow_r26, slowfast_r26])
def test_statistics_stand_in_the_order_of_the_layers(build):
    """Shortcuts after the rest of their block, though they run before its last convolution."""
    uses = build().uses.at(Configuration(64, 4, 1.0))
    places = {name: i for i, name in enumerate(build().uses.channels(1.0))}
    for name, place in places.items():
        if ".shortcut." in name:
            block = name.partition("shortcut.")[0]
            assert place == max(i for other, i in places.items() if other.startswith(block))
    assert [use.layer for use in uses if use.kernel == 0] == list(places)


def test_pathways_take_turns_in_files():
    """What stands side by side in a file of SlowFast, by which older checkpoints are read."""
    parts = [".".join(name.split(".")[:3]) for name in slowfast_r26().uses.channels(1.0)]
    turns = [key for key, _ in groupby(part if "stages" in part else part.split(".")[0] for part in parts)]
    slow, fast = ([f"{pathway}.stages.{i}" for i in range(4)] for pathway in ("slow", "fast"))
    expected = [part for stage in zip(["fusions"] * 4, slow, fast, strict=True) for part in stage]
    assert turns == ["slow", "fast", *expected]
