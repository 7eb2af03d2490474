"""A hundred bad checkpoints: one line each, no answer from any, and no memory or time taken for what they claim."""

import json
import os
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from a3d.budgets.profile import device_name, file_name
from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration, range_0016
from a3d.errors import A3DError
from a3d.inference.checkpoint import load, save
from a3d.networks import slow_r18
from a3d.testing.calibration import calibrate
from a3d.trained import TrainedNetwork
from a3d.video import Sampling
from tests.limits import check_limits, limits_of

FULL = Configuration(32, 4, 1.0)
CANARY = "\x1b[2Jcanary"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    torch.manual_seed(0)
    network = slow_r18(3, base_channels=8, spatial=32, frames=4, dropout=0.0).eval()
    calibrate(network, FULL, [torch.randn(2, 3, 4, 32, 32)])
    table = Table([Row(FULL, 0.2, 900, 60.0)])
    folder = tmp_path_factory.mktemp("good")
    save(TrainedNetwork(network, ("climb", "jump", "run"), Sampling(4, 2, 32), range_0016(32, 4), table), folder)
    return folder


def without_checksums(good, folder):
    """A copy as older versions wrote it, and as a forger writes it."""
    for path in good.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    del config["files"], config["weights"]
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def taken(good, tmp_path_factory):
    """What loading each of `BAD` took, by name."""
    folders = {name: without_checksums(good, tmp_path_factory.mktemp("bad")) for name in BAD}
    for name, folder in folders.items():
        BAD[name](folder)
    return dict(zip(BAD, limits_of("load", list(folders.values())), strict=True))


def field(*path_and_value):
    """Sets a field of config.json."""
    *path, last, value = path_and_value

    def spoil(folder):
        config = json.loads((folder / "config.json").read_text())
        place = config
        for name in path:
            place = place[name]
        place[last] = value
        (folder / "config.json").write_text(json.dumps(config))

    return spoil


def text(name, change):
    """Changes the bytes of a file."""

    def spoil(folder):
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return spoil


def tensors(name, change):
    """Changes the tensors of a file."""

    def spoil(folder):
        found = load_file(folder / f"{name}.safetensors")
        change(found)
        save_file(found, folder / f"{name}.safetensors")

    return spoil


def every(change):
    def spoil(found):
        for name in found:
            found[name] = change(found[name])

    return spoil


def first(change):
    def spoil(found):
        name = sorted(found)[0]
        found[name] = change(found[name].clone())

    return spoil


def filled(value, row=slice(None)):
    def change(tensor):
        tensor[row] = value
        return tensor

    return change


def pipe(name):
    def spoil(folder):
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return spoil


def directory(name):
    def spoil(folder):
        (folder / name).unlink()
        (folder / name).mkdir()

    return spoil


def huge(name):
    """A file that says it has 100 GB, and takes no disk."""

    def spoil(folder):
        os.truncate(folder / name, 10**11)

    return spoil


def claimed(name):
    """A header that speaks of a tensor of 8 GB."""

    def spoil(folder):
        header = json.dumps({"w": {"dtype": "F32", "shape": [2**31], "data_offsets": [0, 2**33]}}).encode()
        (folder / name).write_bytes(len(header).to_bytes(8, "little") + header)

    return spoil


def sparse(name, size, **tensors):
    """A header that says what the file has: so many bytes, which take no disk."""

    def spoil(folder):
        about = {key: {"dtype": "U8", "shape": [size], "data_offsets": [0, size]} for key in tensors or {"w": 0}}
        header = json.dumps(about).encode()
        (folder / name).write_bytes(len(header).to_bytes(8, "little") + header)
        os.truncate(folder / name, 8 + len(header) + size)

    return spoil


def both(*changes):
    def spoil(folder):
        for change in changes:
            change(folder)

    return spoil


def content(name, write):
    """Replaces a file, or adds one."""
    return lambda folder: (folder / name).write_bytes(write())


def many_labels():
    """As many as a file can have, the last one twice."""
    return [f"l{i}" for i in range(80_000)] + ["l79999"]


def many_rows():
    """A table as large as it can be, its last row twice."""
    lines = [b"%d,%d,1.0,%d,900,%.6f,,,," % (i % 4000 + 1, i // 4000 + 1, i + 1, i / 1000) for i in range(12_000)]
    return HEAD + b"\n".join([*lines, lines[-1]]) + b"\n"


HEAD = b"spatial,frames,width,gflops,params,top1,mean_class,top5,clips,trade_off\n"


def many_tensors():
    """A header of 40 MB about tensors of no bytes."""
    one = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    header = json.dumps({str(i): one for i in range(600_000)}).encode()
    return len(header).to_bytes(8, "little") + header


class Runs:
    def __reduce__(self):
        return os.system, ("echo canary; touch canary",)


def profile(content):
    """Times of this device on one thread."""

    def spoil(folder):
        (folder / file_name(device_name("cpu"), 1)).write_bytes(content)

    return spoil


def profile_pipe(folder):
    os.mkfifo(folder / file_name(device_name("cpu"), 1))


def profile_huge(folder):
    profile(b"[")(folder)
    os.truncate(folder / file_name(device_name("cpu"), 1), 10**11)


def duplicate(content):
    return content.replace(b'"labels"', b'"labels": ["a", "b", "c"],\n "labels"', 1)


W, S, R = "weights.safetensors", "statistics.safetensors", "rejections.safetensors"
BAD = {
    "empty config": text("config.json", lambda c: b""),
    "half a config": text("config.json", lambda c: c[: len(c) // 2]),
    "config of bytes": text("config.json", lambda c: b"\xff\xfe\x00" * 9),
    "config a list": text("config.json", lambda c: b"[]"),
    "config nested": text("config.json", lambda c: b"[" * 100_000),
    "config with a key twice": text("config.json", duplicate),
    "config with NaN": text("config.json", lambda c: c.replace(b"0.45", b"NaN", 1)),
    "config with infinity": text("config.json", lambda c: c.replace(b"0.45", b"1e999", 1)),
    "config of digits": text("config.json", lambda c: c.replace(b"0.45", b"9" * 5000, 1)),
    "config a pipe": pipe("config.json"),
    "config a folder": directory("config.json"),
    "config of 100 GB": huge("config.json"),
    "format": field("format", 99),
    "classes 1e9": field("architecture", "classes", 10**9),
    "classes negative": field("architecture", "classes", -3),
    "classes a word": field("architecture", "classes", "three"),
    "classes 3.5": field("architecture", "classes", 3.5),
    "spatial 1e9": field("architecture", "spatial", 10**9),
    "spatial 0": field("architecture", "spatial", 0),
    "frames 1e9": field("architecture", "frames", 10**9),
    "channels 1e9": field("architecture", "options", "base_channels", 8 * 10**9),
    "channels 4096": field("architecture", "options", "base_channels", 4096),
    "channels a word": field("architecture", "options", "base_channels", "many"),
    "channels negative": field("architecture", "options", "base_channels", -8),
    "unknown option": field("architecture", "options", "colour", 1),
    "options a list": field("architecture", "options", []),
    "unknown network": field("architecture", "network", "slow_r19"),
    "network a list": field("architecture", "network", ["slow_r18"]),
    "other network": field("architecture", "network", "slow_r26"),
    "control characters": field("architecture", "network", CANARY),
    "architecture a word": field("architecture", "slow_r18"),
    "task": field("architecture", "task", "cooking"),
    "label twice": field("labels", ["run", "run", "jump"]),
    "one label less": field("labels", ["run", "jump"]),
    "no labels": field("labels", []),
    "labels a word": field("labels", "abc"),
    "label a number": field("labels", [1, 2, 3]),
    "label with control characters": field("labels", ["run", "jump", CANARY]),
    "label empty": field("labels", ["run", "jump", ""]),
    "label of a million characters": field("labels", ["run", "jump", "x" * 10**6]),
    "std 0": field("sampling", "std", [0.2, 0.0, 0.2]),
    "std negative": field("sampling", "std", [0.2, -0.2, 0.2]),
    "std two numbers": field("sampling", "std", [0.2, 0.2]),
    "std words": field("sampling", "std", ["a", "b", "c"]),
    "mean 1e6": field("sampling", "mean", [1e6, 0.4, 0.4]),
    "stride 0": field("sampling", "stride", 0),
    "stride 1e9": field("sampling", "stride", 10**9),
    "frames of sampling a word": field("sampling", "frames", "x"),
    "rate negative": field("sampling", "rate", -30),
    "range unsorted": field("range", "spatials", [32, 16]),
    "range a word": field("range", "all"),
    "range of 1e6 sizes": field("range", "spatials", list(range(1, 2000))),
    "width above 1": field("range", "widths", [0.5, 2.0]),
    "no architecture": field("architecture", None),
    "provenance a word": field("provenance", CANARY),
    "weights empty": text(W, lambda c: b""),
    "weights half": text(W, lambda c: c[: len(c) // 2]),
    "weights a pipe": pipe(W),
    "weights a folder": directory(W),
    "weights of 100 GB": huge(W),
    "weights claim 8 GB": claimed(W),
    "weights NaN": tensors("weights", every(filled(float("nan")))),
    "one weight infinite": tensors("weights", first(filled(float("inf"), 0))),
    "weights integers": tensors("weights", every(lambda t: t.to(torch.int32))),
    "weights doubles": tensors("weights", every(lambda t: t.double())),
    "weight of another shape": tensors("weights", first(lambda t: t[1:].contiguous())),
    "weight missing": tensors("weights", lambda found: found.pop(sorted(found)[0])),
    "weight too many": tensors("weights", lambda found: found.update({CANARY: torch.zeros(1)})),
    "statistics NaN": tensors("statistics", every(filled(float("nan")))),
    "statistics negative": tensors("statistics", every(filled(-1.0, 1))),
    "statistics of half precision": tensors("statistics", every(lambda t: t.half())),
    "statistics short": tensors("statistics", every(lambda t: t[:, 1:].contiguous())),
    "statistics flat": tensors("statistics", every(lambda t: t.flatten())),
    "statistics of no configuration": tensors("statistics", lambda found: found.update({CANARY: torch.ones(2, 3)})),
    "statistics of 100 GB": huge(S),
    "statistics a pipe": pipe(S),
    "table empty": text("table.csv", lambda c: b""),
    "table header alone": text("table.csv", lambda c: c.splitlines()[0] + b"\n"),
    "table twice": text("table.csv", lambda c: c + c.splitlines()[1] + b"\n"),
    "table NaN": text("table.csv", lambda c: c.replace(b"60.0", b"nan")),
    "table of bytes": text("table.csv", lambda c: b"\xff\x00" * 99),
    "table with control characters": text("table.csv", lambda c: c.replace(b"60.0", CANARY.encode())),
    "table a pipe": pipe("table.csv"),
    "table of 100 GB": huge("table.csv"),
    "table as large as it can be": content("table.csv", many_rows),
    "table of empty lines": content("table.csv", lambda: HEAD + b"\n" * (2**19 - 100)),
    "table of commas": content("table.csv", lambda: HEAD + b"," * (2**17 - 1) + b"\n"),
    "table of a field": content("table.csv", lambda: HEAD + b"9" * (2**19 - 100)),
    "config of empty lists": content("config.json", lambda: b'{"a":[' + b"[]," * 340_000 + b"[]]}"),
    "config of 16 MB": content("config.json", lambda: b'{"a":[' + b"{}," * 5_500_000 + b"{}]}"),
    "config of many keys": content("config.json", lambda: b"{%s}" % b",".join([b'"k%d":0' % i for i in range(80_000)])),
    "config of the same keys": content(
        "config.json", lambda: b"{%s}" % b",".join([b'"k%d":0' % (i // 2 + 40_000) for i in range(80_000)])
    ),
    "config a pickle": content("config.json", lambda: pickle.dumps(Runs())),
    "weights a pickle": content(W, lambda: pickle.dumps(Runs())),
    "labels as many as there can be": both(
        field("architecture", "classes", 80_001), lambda folder: field("labels", many_labels())(folder)
    ),
    "stages of 4000 blocks": both(
        field("architecture", "network", "x3d_m"), field("architecture", "options", {"repeats": [4000] * 4})
    ),
    "stages of -1 blocks": both(
        field("architecture", "network", "lite0"), field("architecture", "options", {"repeats": [-1] * 7})
    ),
    "weights of 2 GB, as the config says": both(
        field("architecture", "options", "base_channels", 512), sparse(W, 2 * 10**9)
    ),
    "weights of 2 GB of zeros": both(field("architecture", "options", "base_channels", 512), huge(W)),
    "statistics of a GB": sparse(S, 10**9),
    "statistics of a GB for a configuration": sparse(S, 10**9, **{"32x4@1.0": 0}),
    "rejections of a GB": sparse(R, 10**9),
    "rejections of a GB for a configuration": sparse(R, 10**9, **{"32x4@1.0": 0}),
    "rejections of 100 GB": both(content(R, bytes), huge(R)),
    "rejections of many tensors": content(R, many_tensors),
    "statistics a list": content(S, lambda: (2).to_bytes(8, "little") + b"[]"),
    "statistics with no offsets": content(S, lambda: (8).to_bytes(8, "little") + b'{"a":{}}'),
    "statistics with offsets a word": content(S, lambda: (28).to_bytes(8, "little") + b'{"a":{"data_offsets":"ab" }}'),
    "profile a pipe": profile_pipe,
    "profile of 100 GB": profile_huge,
    "profile nested": profile(b"[" * 100_000),
    "profile a list": profile(b"[]"),
    "profile of empty lists": profile(b'{"format":1,"milliseconds":[' + b"[]," * 340_000 + b"[]]}"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_checkpoint_is_one_line(taken, name):
    check_limits(taken[name])


def test_a_checkpoint_that_would_be_read_is_none_of_them(good, tmp_path):
    """The test above could else pass for want of a good one."""
    (found,) = limits_of("load", [without_checksums(good, tmp_path)])
    assert found["message"] is None


@pytest.mark.parametrize("name", ["weights.safetensors", "statistics.safetensors", "table.csv"])
def test_a_flipped_bit_is_seen(good, tmp_path, name):
    for path in good.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    content = bytearray((tmp_path / name).read_bytes())
    content[-3] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(A3DError, match=f"{name} is not the file that config.json speaks of"):
        load(tmp_path)


def test_a_file_of_another_checkpoint_is_seen(good, tmp_path):
    network = load(good)
    network.network.classifier.bias.data += 1
    network.table = None
    save(network, tmp_path)
    (tmp_path / "statistics.safetensors").write_bytes((good / "statistics.safetensors").read_bytes())
    load(tmp_path)  # the same file
    (tmp_path / "weights.safetensors").write_bytes((good / "weights.safetensors").read_bytes())
    with pytest.raises(A3DError, match="restore the whole folder"):
        load(tmp_path)
