"""What is wrong with what a user gave is one line; what is wrong with the program is a traceback."""

import ast
import errno
import importlib
import os
import signal
import time
from pathlib import Path

import pytest
import torch

import a3d
from a3d import parallel
from a3d.cli import main
from a3d.engines.translation import Unknown  # caught where it is raised
from a3d.errors import A3DError
from a3d.parallel import processes
from a3d.stopping import Terminated  # a KeyboardInterrupt
from a3d.video.container import Doubt  # caught where it is raised

ROOT = Path(__file__).parents[2]


def test_every_error_class_is_an_a3d_error():
    found = []
    for path in (ROOT / "a3d").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.bases:
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                kind = getattr(importlib.import_module(module), node.name)
                found += [kind] if issubclass(kind, BaseException) and kind not in (Doubt, Terminated, Unknown) else []
    assert len(found) > 20 and all(issubclass(kind, A3DError) for kind in found)


def test_nothing_plain_is_raised():
    for path in (ROOT / "a3d").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name = getattr(node.exc.func, "id", "")
                assert name not in ("ValueError", "RuntimeError", "ImportError"), f"{path}:{node.lineno}"


def run(monkeypatch, error):
    """`a3d cost`, which fails so."""

    def fail(options):
        raise error

    monkeypatch.setattr("a3d.cli.cost.run", fail)
    return main(["cost", "--configuration", "224x4@1"])


@pytest.mark.parametrize(
    "error", [a3d.VideoError("a.mp4: no video"), a3d.TrainingError("step 3"), OSError("disk full")]
)
def test_what_a_user_can_mend_is_one_line(monkeypatch, capsys, error):
    assert run(monkeypatch, error) == 1
    assert capsys.readouterr().err == f"error: {error}\n"


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), KeyError("x"), ImportError("x"), TypeError("x")])
def test_a_programming_error_is_a_traceback(monkeypatch, error):
    with pytest.raises(type(error), match="x"):
        run(monkeypatch, error)


@pytest.mark.parametrize(
    ("error", "which"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity…"), "GPU"),
        (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be…"), "GPU"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "GPU"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to…"), "machine"),
        (MemoryError(), "machine"),
    ],
)
def test_a_full_memory_says_so(monkeypatch, capsys, error, which):
    assert run(monkeypatch, error) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: the memory of the {which} is full") and "--batch" in line and "--device" in line


def test_a_collective_tells_a_lost_process_from_its_own_errors():
    def fail(error):
        raise error

    for error in (
        RuntimeError("[gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:5"),
        torch.distributed.DistBackendError("NCCL error in: ProcessGroupNCCL.cpp:123, remote process exited"),
    ):
        with pytest.raises(parallel.ProcessLost, match="another process of the run has ended"):
            processes._exchange(fail, error)
    for error in (
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("shapes differ"),
        torch.distributed.DistBackendError("NCCL error: unhandled cuda error, out of memory"),
    ):
        with pytest.raises(RuntimeError) as caught:
            processes._exchange(fail, error)
        assert caught.value is error


GARBAGE = bytes(range(128, 256)) * 40
FILES = [
    ["predict", "FILE", "--checkpoint", "CHECKPOINT"],
    ["explain", "FILE", "--checkpoint", "CHECKPOINT"],
    ["watch", "FILE", "--checkpoint", "CHECKPOINT", "--deadline-ms", "50"],
    ["predict", "CLIP", "--checkpoint", "FILE"],
    ["predict", "CLIP", "--checkpoint", "FOLDER"],
    ["train", "--data", "FILE", "--out", "OUT"],
    ["train", "--data", "FILE.csv", "--out", "OUT"],
    ["train", "--data", "DATA", "--labels", "FILE", "--out", "OUT"],
    ["train", "--data", "DATA", "--init", "FILE", "--out", "OUT"],
    ["train", "--data", "DATA", "--init", "FILE.safetensors", "--out", "OUT"],
    ["train", "--data", "DATA", "--resume", "--out", "RUN", "--no-teacher", "--network", "slow_r18", "--spatial", "32"],
    ["train", "--data", "DATA", "--out", "FILE"],
    ["convert", "FILE", "--out", "OUT"],
    ["report", "RUN", "--out", "OUT"],
    ["score", "ava", "FILE.csv", "FILE.csv", "--labels", "FILE"],
    ["verify", "--data", "FILE"],
    ["detect", "FILM", "--checkpoint", "PEOPLE", "--boxes", "FILE"],
    ["detect", "FILM", "--checkpoint", "PEOPLE", "--detector-weights", "FILE"],
    ["app", "--checkpoints", "FILE"],
    ["export", "--checkpoint", "CHECKPOINT", "--out", "FILE"],
    ["explain", "CLIP", "--checkpoint", "CHECKPOINT", "--out", "FILE/maps.mp4"],
]


@pytest.mark.parametrize("arguments", FILES, ids=lambda arguments: " ".join(arguments[:6]))
def test_files_that_hold_nothing_of_the_kind(arguments, checkpoint, people, data, clip, tmp_path, capfd):
    for name in ("file", "file.csv", "file.safetensors"):
        (tmp_path / name).write_bytes(GARBAGE)
    for folder, names in (("run", ("metrics.csv", "run.json", "state.pt")), ("folder", ("config.json",))):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_bytes(GARBAGE)
    known = {"CHECKPOINT": checkpoint, "PEOPLE": people / "checkpoint", "FILM": people / "film.mp4", "DATA": data}
    known |= {"CLIP": clip, "OUT": tmp_path / "out", "RUN": tmp_path / "run", "FOLDER": tmp_path / "folder"}
    given = [a.replace("FILE", str(tmp_path / "file")) if "FILE" in a else str(known.get(a, a)) for a in arguments]
    capfd.readouterr()
    try:
        code = main(given)
    except SystemExit as stop:
        code = stop.code
    lines = capfd.readouterr().err.splitlines()
    assert code == 1 and sum(line.startswith("error: ") for line in lines) == 1 and len(lines) == 1, lines


def test_a_name_cannot_steer_the_terminal(capsys):
    with pytest.raises(SystemExit):
        main(["predict", "\x1b[2Jclip.mp4"])
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("error: ") and "\x1b" not in said


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_is_one_line_and_its_exit_code(number, code, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("a3d.cli._run", lambda options: (os.kill(os.getpid(), number), time.sleep(5)))
    ours = (
        signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    )  # shells ignore it in background jobs
    before = signal.signal(number, ours)
    try:
        assert main(["verify", "--data", str(tmp_path)]) == code
        said = capsys.readouterr().err
        assert said.startswith("error: ") and said.count("\n") == 1 and signal.getsignal(number) == ours
    finally:
        signal.signal(number, before)


def test_a_full_disk_is_one_line(monkeypatch, capsys, tmp_path):
    def run(options):
        raise OSError(errno.ENOSPC, "No space left on device", "maps.mp4")

    monkeypatch.setattr("a3d.cli._run", run)
    assert main(["verify", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "error: maps.mp4: No space left on device; make room, or write elsewhere\n"
