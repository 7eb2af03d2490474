"""Engines: the same logits and maps as PyTorch, for every network that is shipped; int8 near them, kept and found."""

import importlib.util

import pytest
import torch
from torch import nn

from a3d import calibrate, explain, load, predict, save
from a3d.configuration import Configuration
from a3d.datasets import ClipFolder
from a3d.engines import Choice, EngineError, Runtime, quantisation, runtimes
from a3d.engines.clips import CalibrationClips, named_clips
from a3d.networks import by_name
from a3d.testing.evaluation import build_table, evaluate
from a3d.testing.quantised import measure_int8
from tests.conftest import shaken
from tests.trained import as_trained

FULL, SMALL = Configuration(32, 4, 1.0), Configuration(24, 2, 0.5)


@pytest.fixture(autouse=True)
def no_cache_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def ready(network, configurations=(FULL, SMALL)):
    shaken(network)
    for configuration in configurations:
        frames, side = network.clip_shape(configuration)
        calibrate(network, configuration, [torch.randn(4, 3, frames, side, side)])
    return network


def run_by(network, engine, precision="float32", **others):
    return network.run_by(Choice(engine, precision, **others))


def apart(a, b):
    return float((a - b).abs().max())


@torch.inference_mode()
def check(network, configuration, engine):
    """Logits and maps of one clip and of three, also in the memory layout of decoded frames."""
    plain, other = network.resident(configuration), run_by(network, engine).resident(configuration)
    frames, side = network.clip_shape(configuration)
    for batch in (1, 3):
        clip = torch.randn(batch, frames, side, side, 3).movedim(-1, 1)
        logits = plain(clip)  # of random networks they may be in thousands
        assert apart(other(clip), logits) < 1e-4 * max(1, float(logits.abs().max())) and logits.std() > 1e-3
        for ours, theirs in zip(other.features(clip.contiguous()), plain.features(clip), strict=True):
            assert ours.shape == theirs.shape and apart(ours, theirs) < 1e-4 * (1 + float(theirs.abs().max()))


@pytest.mark.parametrize("configuration", [FULL, SMALL], ids=str)
def test_openvino_is_exact(network, configuration):
    check(ready(network), configuration, "openvino")


@pytest.mark.parametrize("configuration", [FULL, SMALL], ids=str)
def test_openvino_is_exact_where_a_part_sees_the_whole_clip(fast_network, configuration):
    check(ready(fast_network), configuration, "openvino")


@pytest.mark.parametrize("name", ["x3d_xs", "lite0"])
def test_openvino_is_exact_of_depthwise_networks(name):
    network, size = as_trained(by_name(name, 3, spatial=64, frames=4).eval(), 4, 3), Configuration(64, 2, 0.5)
    check(ready(network, [size]), size, "openvino")


def test_onnxruntime_is_exact(network):
    check(ready(network), SMALL, "onnxruntime")


class Odd(nn.Module):
    """With an operation that is not translated one by one."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv3d(3, 16, 3, padding=1), nn.Conv3d(16, 16, 3, padding=1)
        self.norm = nn.BatchNorm3d(16)
        self.classifier = nn.Linear(16, 3)

    def forward(self, clip):
        found = torch.nn.functional.softplus(self.norm(self.first(clip)))
        return self.classifier(torch.tanh(self.second(found)).mean((2, 3, 4)))


def test_what_is_not_translated_is_exported():
    from a3d.adaptive import adapt

    network = as_trained(adapt(Odd(), clip=torch.zeros(1, 3, 4, 32, 32)).eval(), 4, 3)
    check(ready(network), SMALL, "openvino")


def test_a_clip_of_another_shape_is_brought_to_it_or_refused(network, fast_network):
    ready(network), ready(fast_network)
    clip = torch.randn(1, 3, 4, 40, 40)
    with torch.inference_mode():
        assert apart(run_by(network, "openvino").resident(SMALL)(clip), network.resident(SMALL)(clip)) < 1e-4
        with pytest.raises(EngineError, match=r"4 frames, 40×40: the compiled network takes 16 of 32²"):
            run_by(fast_network, "openvino").resident(SMALL)(clip)


def test_a_loaded_network_predicts_and_explains_by_its_engine(network, clips, tmp_path):
    save(ready(network), tmp_path)
    plain, other = load(tmp_path), load(tmp_path, engine="openvino")
    video = next(clips.rglob("*.mp4"))
    assert predict(video, other, SMALL).probabilities == pytest.approx(
        predict(video, plain, SMALL).probabilities, abs=1e-5
    )
    ours, theirs = (explain(video, each, SMALL) for each in (other, plain))
    assert ours.map == pytest.approx(theirs.map, abs=1e-4) and ours.logit == pytest.approx(theirs.logit, abs=1e-4)
    assert type(other.resident(SMALL).body).__name__ == "OpenVinoBody"


def test_bfloat16_on_openvino_is_near(network):
    ready(network)
    clip = torch.randn(2, 3, 4, 32, 32)
    with torch.inference_mode():
        exact, near = (run_by(network, "openvino", p).resident(FULL)(clip) for p in ("float32", "bfloat16"))
    assert apart(exact, near) < 0.05 * float(exact.abs().max())


def test_int8_is_near_kept_and_found(network, clips, tmp_path, monkeypatch):
    save(ready(network), tmp_path / "checkpoint")
    video = next(clips.rglob("*.mp4"))
    with pytest.raises(EngineError, match=r"24²×2, 0\.5 is not quantised yet.*--clips DIR"):
        predict(video, load(tmp_path / "checkpoint", precision="int8"), SMALL)
    first = predict(video, load(tmp_path / "checkpoint", precision="int8", clips=clips), SMALL)
    (file,) = (tmp_path / "checkpoint" / "int8").iterdir()
    monkeypatch.setattr(quantisation, "quantise", None)  # from now on the file is what answers
    again = load(tmp_path / "checkpoint", precision="int8")
    assert predict(video, again, SMALL).probabilities == first.probabilities
    assert first.probabilities == pytest.approx(predict(video, network, SMALL).probabilities, abs=0.1)
    assert explain(video, again, SMALL).map.shape == explain(video, network, SMALL).map.shape
    assert sum(op.get_type_name() == "FakeQuantize" for op in again.resident(SMALL).body.model.get_ops()) > 5
    with torch.no_grad():
        network.network.classifier.weight.mul_(2)  # the head is not in the file, so that it stays valid
    assert quantisation.find(network.extract(SMALL), tmp_path / "checkpoint") == file
    with torch.no_grad():
        next(network.network.parameters()).mul_(1.01)
    assert quantisation.find(network.extract(SMALL), tmp_path / "checkpoint") is None


def test_a_damaged_file_is_made_anew(network, clips, tmp_path):
    network = run_by(ready(network), "openvino", "int8", folder=tmp_path, clips=of(network, clips))
    network.resident(SMALL)
    (file,) = (tmp_path / "int8").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    run_by(network, "openvino", "int8", folder=tmp_path, clips=of(network, clips)).compiled(
        SMALL, Runtime("openvino", "int8")
    )
    assert len(file.read_bytes()) == pytest.approx(len(whole), rel=0.1)


def of(network, clips):
    return CalibrationClips(ClipFolder(clips, "train"), network.sampling)


def test_a_table_gains_int8(network, clips, tmp_path):
    training, testing = ClipFolder(clips, "train"), ClipFolder(clips, "val")
    network.choice = Choice(folder=tmp_path)
    network.table = build_table(network, training, testing, [SMALL, FULL]).table
    results = measure_int8(network, training, testing, [SMALL])
    row = network.table.row(SMALL)
    assert row.int8 == pytest.approx(results[SMALL].top1, abs=1e-3) and network.table.row(FULL).int8 is None
    assert row.top1 == pytest.approx(evaluate(network, testing, SMALL, (1, 1)).top1, abs=1e-3)
    network.table.write_csv(tmp_path / "table.csv")
    assert type(network.table).read_csv(tmp_path / "table.csv") == network.table


def test_what_an_engine_cannot_do():
    for engine, precision, cause in (
        ("tensorrt", "float32", "engine 'tensorrt': choose one of pytorch, openvino, onnxruntime"),
        ("pytorch", "int8", "pytorch does not run int8: choose --engine openvino"),
        ("onnxruntime", "bfloat16", "onnxruntime does not run bfloat16"),
        ("auto", "float8", "choose float32, bfloat16, int8 or auto"),
    ):
        with pytest.raises(EngineError, match=cause):
            runtimes(engine, precision)
    with pytest.raises(EngineError, match="choose --device cpu, or --engine pytorch"):
        runtimes("openvino", "float32", "cuda")
    assert runtimes("auto", "auto", "cuda") == (Runtime(), Runtime("pytorch", "bfloat16"))


def test_what_is_not_installed_is_named(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr("a3d.engines.runtime.find_spec", lambda n: None if n in ("openvino", "onnx") else found(n))
    with pytest.raises(EngineError, match=r"openvino is not installed: pip install 'a3d\[openvino\]'"):
        runtimes("openvino", "float32")
    with pytest.raises(EngineError, match=r"openvino is not installed"):
        runtimes("auto", "int8")
    with pytest.raises(EngineError, match=r"onnx is not installed: pip install 'a3d\[export\]'"):
        runtimes("onnxruntime", "float32")
    assert {runtime.engine for runtime in runtimes("auto", "auto")} == {"pytorch"}


def test_clips_that_a_checkpoint_names(tmp_path):
    assert named_clips({"command": f"a3d train --data {tmp_path} --out x"}) == tmp_path
    assert named_clips({"command": "a3d train --data gone --out x"}) is None and named_clips({}) is None
