"""A checkpoint folder: what is written comes back, and damage is named."""

import json
from itertools import groupby
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration, range_0016
from a3d.inference.checkpoint import CheckpointError, load, save, save_table
from a3d.networks import slow_r18, slow_r26, slowfast_r18, slowfast_r26
from a3d.testing.calibration import calibrate
from a3d.trained import TrainedNetwork
from a3d.video import Sampling

ONE, TWO = Configuration(32, 4, 1.0), Configuration(20, 2, 0.63)


@pytest.fixture(params=["slow", "slowfast"])
def network(request, tiny):
    network = tiny
    if request.param == "slowfast":
        network = slowfast_r18(classes=3, base_channels=8, spatial=32, dropout=0.0)
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
    clip = torch.linspace(-2, 2, 3 * 8 * 96 * 96).reshape(1, 3, 8, 96, 96)
    with torch.no_grad():
        for key, golden in GOLDEN.items():
            found = network(clip, Configuration.parse(key))[0, :4]
            torch.testing.assert_close(found, torch.tensor(golden), atol=1e-3, rtol=1e-3)


GOLDEN = {
    "96x8@1.0": [0.844, -1.3065, -1.5629, 3.053],
    "64x4@0.7": [-0.7717, -0.2025, -0.8761, 3.3194],
    "48x2@0.5": [-1.4948, 0.0919, -1.4514, 5.0817],
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
