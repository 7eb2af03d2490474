"""Numbers come out of a pickle; anything that could run is refused in one line and never runs."""

import io
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from a3d.weights import ConversionError, convert
from a3d.weights.unpickling import UnsafeFile, read_numbers

ARRAYS = {
    "float": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "double": np.linspace(0, 1, 5),
    "transposed": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big endian": np.arange(3, dtype=">f4"),
    "half": np.arange(3, dtype=np.float16),
    "whole": np.array([7], dtype=np.int64),
    "single": np.array(3.5, np.float32),
}


def written(folder, content, protocol=2):
    path = folder / "weights.pkl"
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_arrays_come_back(tmp_path, protocol):
    found = read_numbers(written(tmp_path, {"blobs": ARRAYS, "text": "x", "number": 3}, protocol))
    assert found["text"] == "x" and found["number"] == 3
    for name, array in ARRAYS.items():
        assert found["blobs"][name].array.dtype == array.dtype
        np.testing.assert_array_equal(found["blobs"][name].array, array)


def test_scalars_come_back(tmp_path):
    assert read_numbers(written(tmp_path, {"lr": np.float32(0.25)}))["lr"] == 0.25


def test_what_python_2_wrote(tmp_path):
    """Raw bytes as a string of one byte a character, as in the Model Zoo's files."""
    raw = np.array([1.5, -2.0], "<f4").tobytes()
    stream = b"\x80\x02}U\x01acnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R("
    stream += (
        b"K\x01K\x02\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    stream += b"\x89U" + bytes([len(raw)]) + raw + b"tbs."
    np.testing.assert_array_equal(read_numbers(written(tmp_path, stream))["a"].array, [1.5, -2.0])


class Calls:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def attacks(marker):
    script = f"open({str(marker)!r}, 'w').close()"
    shell = f'{sys.executable} -c "{script}"'
    yield "system", Calls(os.system, shell)
    yield "eval", Calls(eval, f"[{script}]")
    yield "exec", Calls(exec, script)
    yield "subprocess", Calls(subprocess.call, [sys.executable, "-c", script])
    yield "import", Calls(__import__, "this")
    yield "getattr", Calls(getattr, "text", "upper")
    yield "open", Calls(io.open, str(marker), "w")
    yield "numpy load", Calls(np.load, str(marker))
    yield "codec", Calls(__import__("_codecs").encode, "text", "rot13")
    yield "objects", np.array([Calls(os.system, shell)], dtype=object)


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("name", [name for name, _ in attacks("x")])
def test_code_is_refused_and_never_runs(name, protocol, tmp_path):
    marker = tmp_path / "marker"
    content = dict(attacks(marker))[name]
    path = written(tmp_path, {"blobs": {"conv1_w": ARRAYS["float"], "res_conv1_bn_s": content}}, protocol)
    with pytest.raises(UnsafeFile) as error:
        read_numbers(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
    assert not marker.exists()
    with pytest.raises(ConversionError) as error:
        convert(path)
    assert "\n" not in str(error.value) and not marker.exists()


@pytest.mark.parametrize("name", ["system", "eval", "exec"])
def test_attacks_work_where_nothing_refuses_them(name, tmp_path):
    """The test above could else pass for want of an attack."""
    marker = tmp_path / "marker"
    pickle.loads(pickle.dumps(dict(attacks(marker))[name]))
    assert marker.exists()


@pytest.mark.parametrize("name", ["system", "eval"])
def test_torch_files_that_run_code_are_refused(name, tmp_path):
    import torch

    marker, path = tmp_path / "marker", tmp_path / "weights.pyth"
    torch.save({"model_state": {"s1.pathway0_stem.conv.weight": dict(attacks(marker))[name]}}, path)
    with pytest.raises(ConversionError) as error:
        convert(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value) and not marker.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a pickle",
        pickle.dumps(ARRAYS, 2)[:100],
        b"\x80\x02]K\x01K\x02\x86R.",  # calls a list
        b"\x80\x02cnumpy\nndarray\nK\x01b.",  # state that is none
        b"\x80\x02(cnumpy.core.multiarray\n_reconstruct\nK\x01K\x02K\x03K\x04to.",
        b"\x80\x02Pabc\n.",
    ],
)
def test_damage_is_one_line(content, tmp_path):
    with pytest.raises(UnsafeFile) as error:
        read_numbers(written(tmp_path, content))
    assert "\n" not in str(error.value)
