"""Seventy bad files of weights: one line each, nothing of theirs runs, no memory is taken for what they claim."""

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch

from tests.limits import check_limits, limits_of

CANARY = "\x1b[2Jcanary"
HUGE = b"\xff\xff\xff\x7f"  # 2³¹ - 1
STEM = "s1.pathway0_stem.conv.weight"


def dumped(content, protocol=2):
    return pickle.dumps(content, protocol)


def array(head=b"(K\x01K\x02\x85", dtype=b"U\x02f4", raw=b"U\x08" + bytes(8)):
    """A pickled array, parts of which can be others."""
    start = b"\x80\x02}U\x07conv1_wcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    kind = b"cnumpy\ndtype\n" + dtype + b"K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    return start + head + kind + b"\x89" + raw + b"tbs."


def copies():
    """A hundred copies of the same megabyte: of a file of one."""
    one = b"c_codecs\nencode\nq\x00T\x00\x00\x10\x00" + b"x" * 2**20 + b"q\x01U\x06latin1\x86R"
    more = b"h\x00h\x01U\x06latin1\x86R" * 100
    return b"\x80\x02(" + one + more + b"l."


def views():
    """A hundred arrays of the same megabyte."""
    names = {f"a{i}": np.zeros(1) for i in range(2)}
    return dumped({"blobs": names})[:-2] + b"x" * 9


def nested(depth):
    return b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."


class Sparse:
    """A file that has so many bytes and takes no disk: what it begins with, then zeros."""

    def __init__(self, start, size):
        self.start, self.size = start, size


# Tuples that hold the one before twice: the hash of the last takes 2⁶⁰ steps.
DOUBLED = b"".join(b"h%ch%c\x86q%c" % (i, i, i + 1) for i in range(60))

PICKLES = {
    "empty": b"",
    "text": b"no pickle at all",
    "memo of 32 GB in nine bytes": b"\x80\x02Nr" + HUGE + b".",
    "memo by text": b"\x80\x02Np2147483647\n.",
    "memo below 0": b"\x80\x02Np-5\n.",
    "memo that is not there": b"\x80\x02j" + HUGE + b".",
    "bytes of 2 GB": b"\x80\x03B" + HUGE + b"x.",
    "bytes of 4 EB": b"\x80\x04\x8e" + b"\xff" * 7 + b"\x3f.",
    "string of 2 GB": b"\x80\x02T" + HUGE + b"x.",
    "unicode of 2 GB": b"\x80\x02X" + HUGE + b"x.",
    "array of bytes of 4 EB": b"\x80\x05\x96" + b"\xff" * 7 + b"\x3f.",
    "integer of 2 GB": b"\x80\x02\x8b" + HUGE + b"1.",
    "integer of 5000 digits": b"\x80\x02L" + b"9" * 5000 + b"L\n.",
    "frame of 4 EB": b"\x80\x04\x95" + b"\xff" * 7 + b"\x3fN.",
    "protocol 99": b"\x80\x63N.",
    "a million steps": b"\x80\x02" + b"N0" * 500_000 + b"N.",
    "nested lists": nested(100_000),
    "copies of the same bytes": copies(),
    "damaged arrays": views(),
    "array of 8 TB": array(head=b"(K\x01J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86"),
    "array of negative size": array(head=b"(K\x01J\xff\xff\xff\xff\x85"),
    "array of objects": array(dtype=b"U\x02O8"),
    "array of nothing known": array(dtype=b"U\x02zz"),
    "array of records": array(dtype=b"U\x05f4,f4"),
    "array of text": array(raw=b"K\x05"),
    "array cut short": array(raw=b"U\x03abc"),
    "system": b"cos\nsystem\n(S'echo canary'\ntR.",
    "control characters": b"c" + CANARY.encode() + b"\nsystem\n(tR.",
    "persistent": b"\x80\x02Pcanary\n.",
    "extension": b"\x80\x02\x82\x01.",
    "bytes of 1 GB that are there": Sparse(b"\x80\x03B" + (10**9).to_bytes(4, "little"), 10**9 + 9),
    "a line of 1 GB": Sparse(b"\x80\x02S'", 10**9),
    "4 GB": Sparse(b"\x80\x02", 2**32),
    "letters of four bytes": b"\x80\x02X" + (2**24 + 4).to_bytes(4, "little") + b"x" * 2**24 + b"\xf0\x9f\x98\x80.",
    "a key that takes hours": b"\x80\x02}(N\x85q\x00" + DOUBLED + b"Nu.",
    "a key that takes hours, by copies": b"\x80\x02}N" + b"2\x86" * 60 + b"Ns.",
    "a set that takes hours": b"\x80\x04\x8f(N\x85q\x00" + DOUBLED + b"\x90.",
    "marks": b"\x80\x02" + b"(" * 100_000 + b".",
    "a number of many digits": b"\x80\x02F" + b"1" * 2**22 + b"\n.",
    "code, and a marker": b"cos\nsystem\n(S'echo canary; touch canary'\ntR.",
    "code of builtins": b"c__builtin__\nexec\n(S'print(\"canary\")'\ntR.",
    "a list": dumped([1, 2, 3]),
    "blobs a list": dumped({"blobs": [1, 2]}),
    "names that are numbers": dumped({"blobs": {1: np.zeros(2, np.float32), "b": 3}}),
    "names with control characters": dumped({"blobs": {CANARY: np.zeros(2, np.float32)}}),
    "flat stem": dumped({"conv1_w": np.zeros(3, np.float32), "res_conv1_bn_s": np.zeros(3, np.float32)}),
    "stem without entries": dumped({"conv1_w": np.zeros((0, 3), np.float32), "res_conv1_bn_s": np.zeros(0)}),
}


def torch_file(content):
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(2**26))
    return file.getvalue()


def packed(content):
    """A file of torch around a pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in (("data.pkl", content), ("version", "3\n"), ("byteorder", "little")):
            archive.writestr(f"archive/{name}", part)
    return file.getvalue()


def older(content):
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def entries(count):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            archive.writestr(f"archive/{number}", "")
    return file.getvalue()


def tensors_of_nothing(count):
    one = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return with_header({str(number): one for number in range(count)})


def declared(size):
    header = with_header({STEM: {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    return Sparse(header, len(header) + size)


def with_header(tensors):
    header = json.dumps(tensors).encode()
    return len(header).to_bytes(8, "little") + header


def slow(cfg="", **changed):
    state = {STEM: torch.zeros(64, 3, 1, 7, 7), "head.projection.weight": torch.zeros(5, 2048)} | changed
    return torch_file({"model_state": state, "cfg": cfg})


FILES = {
    "zip that unpacks to 64 MB": bomb(),
    "zip of nothing": b"PK\x05\x06" + bytes(18),
    "state a list": torch_file({"model_state": [1]}),
    "state of numbers": torch_file({"model_state": {1: torch.zeros(2)}}),
    "sparse": torch_file({STEM: torch.zeros(2, 3).to_sparse()}),
    "complex": torch_file({STEM: torch.zeros(2, 3, dtype=torch.complex64)}),
    "claims 4 TB": torch_file({STEM: torch.zeros(1).expand(2**20, 2**20)}),
    "flat stem of torch": slow(**{STEM: torch.zeros(3)}),
    "stem a number": slow(**{STEM: torch.tensor(1.0)}),
    "no blocks": slow(),
    "frames a word": slow("DATA:\n  NUM_FRAMES: many\n  SAMPLING_RATE: 8\n"),
    "frames 0": slow("DATA:\n  NUM_FRAMES: 0\n  SAMPLING_RATE: 8\n"),
    "size 1e9": slow("DATA:\n  NUM_FRAMES: 8\n  SAMPLING_RATE: 8\n  TRAIN_CROP_SIZE: 1000000000\n"),
    "name with control characters": torch_file({CANARY: torch.zeros(1)}),
    "torch: bytes of 2 GB": packed(b"\x80\x02c__builtin__\nbytearray\nJ" + HUGE + b"\x85R."),
    "torch: a million steps": packed(b"\x80\x02(" + b"}" * 10**6 + b"l."),
    "torch: a memo of 32 GB": packed(b"\x80\x02Nr" + HUGE + b"."),
    "torch: a key that takes hours": packed(b"\x80\x02}(N\x85q\x00" + DOUBLED + b"Nu."),
    "torch: nested lists": packed(nested(50_000)),
    "torch: code": packed(b"\x80\x02cos\nsystem\n(S'echo canary'\ntR."),
    "torch before 1.6, cut short": older({STEM: torch.zeros(200)})[:-200],
    "torch before 1.6, claims 8 GB": older({STEM: torch.zeros(77777)}).replace(b"\xd1\x2f\x01\x00", HUGE),
    "configuration of many lines": slow("A:\n" * 2**22),
    "zip of many entries": entries(20_000),
    "zip of 3 GB": Sparse(torch_file({STEM: torch.zeros(2)}), 3 * 10**9),
}
SAFETENSORS = {
    "header of zeros": Sparse(b"", 3 * 10**9),
    "3 GB of zeros": declared(3 * 10**9),
    "header that declares more": declared(3 * 10**9).start,
    "header of many tensors": tensors_of_nothing(600_000),
}


BAD = {name: content for files in (PICKLES, FILES, SAFETENSORS) for name, content in files.items()}


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """What converting each file took, by name."""
    folder, paths = tmp_path_factory.mktemp("bad"), []
    for number, (name, content) in enumerate(BAD.items()):
        suffix = "pkl" if name in PICKLES else "pyth" if name in FILES else "safetensors"
        paths.append(folder / f"{number}.{suffix}")
        paths[-1].write_bytes(content.start if isinstance(content, Sparse) else content)
        if isinstance(content, Sparse):
            os.truncate(paths[-1], content.size)
    return dict(zip(BAD, limits_of("convert", paths), strict=True))


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line(taken, name):
    check_limits(taken[name])
