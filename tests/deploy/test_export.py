"""Exported files: they answer as the network does, for any batch, and run alone."""

import ast
import json
import resource
import struct
import subprocess
import sys

import numpy as np
import pytest
import torch

from a3d import calibrate, predict
from a3d.adaptive.errors import MissingStatistics
from a3d.budgets.cost import cost
from a3d.cli import main
from a3d.configuration import Configuration
from a3d.datasets import ClipFolder
from a3d.deploy import export as exporting
from a3d.deploy import runner
from a3d.deploy.export import ExportError, export
from a3d.deploy.flat import NotFlat
from a3d.engines import Choice, EngineError
from a3d.engines.clips import CalibrationClips
from a3d.inference.checkpoint import save
from a3d.networks import slow_r18, slow_r26, slowfast_r18
from a3d.video import Sampling, decode_views, normalise
from a3d.video.views import decoded_side, squares
from tests.conftest import shaken
from tests.corpus import CORPUS
from tests.trained import CLASSES, as_trained

FULL, SMALL = Configuration(32, 4, 1.0), Configuration(24, 2, 0.5)


def calibrated(network, frames, stride):
    network = as_trained(shaken(network), frames, stride)
    torch.nn.init.normal_(network.network.classifier.weight, std=0.3, generator=torch.Generator().manual_seed(0))
    for configuration in (FULL, SMALL):
        calibrate(network, configuration, [torch.randn(4, 3, frames, 32, 32)])
    return network


@pytest.fixture(scope="module")
def slow():
    return calibrated(slow_r18(3, base_channels=16, spatial=32, frames=4), 4, 3)


@pytest.fixture(scope="module")
def slowfast():
    return calibrated(slowfast_r18(3, base_channels=16, spatial=32, frames=4, alpha=4), 16, 1)


@pytest.fixture(scope="module")
def onnx(slow, tmp_path_factory):
    return export(slow, SMALL, tmp_path_factory.mktemp("onnx"))


@pytest.fixture(scope="module")
def torch_export(slow, tmp_path_factory):
    return export(slow, SMALL, tmp_path_factory.mktemp("torch"), "torch-export")


def check(written, network, configuration, frames, size):
    """Any batch of the frames looked at gives the logits of the network."""
    classify, about = runner.load(written.path)
    for batch in (1, 2, 5):
        clips = torch.randint(0, 256, (batch, frames, size, size, 3), dtype=torch.uint8)
        with torch.inference_mode():
            logits = network(normalise(clips, network.sampling), configuration)
        assert classify(clips.numpy()) == pytest.approx(logits.numpy(), rel=1e-5, abs=1e-4)
        assert logits.std() > 0.01 and written.difference < 1e-3
    assert about["labels"] == list(CLASSES) and about["configuration"] == configuration.key
    assert about["gflops"] == cost(network, configuration).gflops


@pytest.fixture(scope="module")
def openvino(slow, tmp_path_factory):
    return export(slow, SMALL, tmp_path_factory.mktemp("openvino"), "openvino")


@pytest.mark.parametrize("name", ["onnx", "torch_export", "openvino"])
def test_a_file_answers_as_the_network_for_any_batch(request, slow, name):
    check(request.getfixturevalue(name), slow, SMALL, 2, 24)


def test_slowfast_takes_one_clip(slowfast, tmp_path):
    check(export(slowfast, SMALL, tmp_path), slowfast, SMALL, 16, 32)


def test_flat_has_two_dimensional_convolutions_alone(slowfast, tmp_path):
    import onnx

    slow = calibrated(slow_r26(3, base_channels=16, spatial=32, frames=4), 4, 3)
    written = export(slow, SMALL, tmp_path, flat=True)
    check(written, slow, SMALL, 2, 24)
    nodes = [node for node in onnx.load(written.path).graph.node if node.op_type in ("Conv", "MaxPool")]
    kernels = [list(a.ints) for node in nodes for a in node.attribute if a.name == "kernel_shape"]
    assert len(kernels) > 15 and all(len(kernel) == 2 for kernel in kernels)
    with pytest.raises(NotFlat, match=r"has a kernel of \d×\d×\d, over time and space at once: leave out --flat"):
        export(slowfast, SMALL, tmp_path / "other", flat=True)


def test_size_follows_the_square_of_the_width(slow, torch_export, tmp_path):
    small, full = torch_export, export(slow, FULL, tmp_path, "torch-export")
    share = cost(slow, SMALL).params / cost(slow, FULL).params
    assert share == pytest.approx(0.25, abs=0.02)
    around = 0.25  # megabytes of both files: the description of the graph
    assert (small.megabytes - around) / (full.megabytes - around) == pytest.approx(share, abs=0.06)


def test_a_full_disk_leaves_nothing(slow, tmp_path):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit[1]))
    try:
        with pytest.raises(OSError):
            export(slow, SMALL, tmp_path, "torch-export")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert not list(tmp_path.iterdir())


def test_in_int8_it_answers_nearly_as_the_network(slow, clips, tmp_path):
    with pytest.raises(EngineError, match=r"no clips to quantise on: .*--clips DIR"):
        export(slow, SMALL, tmp_path, "openvino", "int8")
    choice = Choice("openvino", "int8", clips=CalibrationClips(ClipFolder(clips, "train"), slow.sampling))
    written = export(slow.run_by(choice), SMALL, tmp_path, "openvino", "int8")
    _, about = runner.load(written.path)
    assert about["precision"] == "int8" and written.difference > 1e-3  # how far they go together is checked in writing
    assert sorted(path.name for path in tmp_path.iterdir()) == ["network.bin", "network.xml", "run.py"]
    with pytest.raises(ExportError, match="onnx in int8"):
        export(slow, SMALL, tmp_path, "onnx", "int8")


@pytest.mark.parametrize("kind", ["onnx", "torch_export", "openvino"])
def test_the_runner_gives_the_label_of_predict(request, slow, clips, kind):
    """In a process of its own without this package, and for ONNX without PyTorch."""
    written = request.getfixturevalue(kind)
    paths = [str(path) for path in sorted(clips.rglob("*.mp4"))]
    hidden = ["a3d", *([] if kind == "torch_export" else ["torch"])]
    script = f"import runpy, sys; sys.modules |= dict.fromkeys({hidden}); del sys.argv[0]; "
    script += "runpy.run_path(sys.argv[0], run_name='__main__')"
    arguments = [sys.executable, "-c", script, str(written.path.with_name("run.py"))]
    said = subprocess.run([*arguments, *paths], capture_output=True, text=True, check=True, cwd=clips).stdout
    lines = [line.split("\t") for line in said.splitlines()]
    assert len(lines) == len(CLASSES) * len(paths)
    for path, (said_path, label, probability) in zip(paths, lines[:: len(CLASSES)], strict=True):
        answer = predict(path, slow, configuration=SMALL)
        assert (said_path, label) == (path, answer.label)
        assert float(probability) == pytest.approx(answer.probabilities[0], abs=0.1)


@pytest.mark.parametrize(("arguments", "cause"), [(["nope.mp4"], "nope.mp4: no such file"), ([], "no video given")])
def test_the_runner_refuses_in_one_line(onnx, arguments, cause):
    script = [sys.executable, str(onnx.path.with_name("run.py"))]
    said = subprocess.run([*script, *arguments], capture_output=True, text=True)
    assert said.returncode == 1 and said.stdout == ""
    assert said.stderr.startswith(f"error: {cause}") and said.stderr.count("\n") == 1


def turned(path, turn=(0, 1, -1, 0)):
    """The clip with a display matrix of a quarter turn."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 44
    a, b, c, d = (number << 16 for number in turn)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return bytes(data)


@pytest.mark.parametrize("turn", [False, True], ids=["upright", "turned"])
@pytest.mark.parametrize("stride", [1, 2, 3, 9])
def test_the_runner_reads_the_frames_that_the_package_reads(clips, tmp_path, stride, turn):
    """The same moments, centred also where a tie decides; the same pixels but for rounding."""
    for path in sorted(clips.rglob("*.mp4")):
        if turn:
            (tmp_path / path.name).write_bytes(turned(path))
            path = tmp_path / path.name
        check_reading(path, Sampling(5, stride, 32))


@pytest.mark.parametrize("name", CORPUS)
def test_the_runner_reads_every_kind_of_file_as_the_package_does(tmp_path, name):
    try:
        path = CORPUS[name](tmp_path)
    except ValueError as error:  # an encoder that this build of FFmpeg lacks
        pytest.skip(str(error))
    for rate in (None, 30.0):
        check_reading(path, Sampling(5, 3, 32, rate=rate))


def check_reading(path, sampling):
    ours = squares(decode_views(path, sampling, 1)[0], 24, 1)[0][[0, 2, 4]].numpy()
    rate, side = sampling.rate, decoded_side(sampling)
    theirs = runner.read(path, sampling.frames, sampling.stride, [0, 2, 4], 24, rate, side)
    assert np.abs(ours.astype(int) - theirs).max() <= 2


def test_the_script_is_one_file_whose_names_are_its_own(onnx):
    tree = ast.parse(onnx.path.with_name("run.py").read_text(encoding="utf-8"))
    imported = {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    constants = [node.targets[0].id for node in tree.body if isinstance(node, ast.Assign)]
    assert "a3d" not in imported and ast.get_docstring(tree) == runner.__doc__.strip()
    assert len(set(defined + constants)) == len(defined + constants)


def test_a_file_that_differs_is_not_written(slow, tmp_path, monkeypatch):
    load = runner.load
    monkeypatch.setattr(runner, "load", lambda path: (lambda clips: load(path)[0](clips) + 0.01, None))
    with pytest.raises(ExportError, match=r"by 0\.01 in a logit: not written"):
        export(slow, SMALL, tmp_path, "torch-export")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported(slow, torch_export, tmp_path, monkeypatch):
    with pytest.raises(ExportError, match="'coreml': choose one of onnx, torch-export, openvino"):
        export(slow, SMALL, tmp_path, "coreml")
    with pytest.raises(MissingStatistics):
        export(slow, Configuration(16, 1, 0.5), tmp_path / "folder")
    with pytest.raises(ExportError, match="give another folder"):
        export(slow, SMALL, torch_export.path.parent, "onnx")
    monkeypatch.setattr(exporting, "find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"onnx, which is not installed: pip install 'a3d\[export\]'"):
        export(slow, SMALL, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote(slow, tmp_path, capsys):
    save(slow, tmp_path / "checkpoint")
    arguments = ["export", "--checkpoint", str(tmp_path / "checkpoint"), "--configuration", "24x2@0.5"]
    assert main([*arguments, "--format", "torch-export", "--out", str(tmp_path / "out"), "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert said["configuration"] == "24x2@0.5" and said["difference"] < 1e-3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["network.pt2", "run.py"]
