"""From a table to a budget in milliseconds, by the commands: int8 is added, measured, chosen and exported."""

import json

from a3d.adaptive.fused import fused_dtypes
from a3d.cli import main
from a3d.inference.checkpoint import load, save

KEYS = ("24x2@0.5", "32x4@1.0")


def test_int8_by_the_commands(network, clips, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    save(network, tmp_path / "c")
    checkpoint, data = ["--checkpoint", str(tmp_path / "c")], ["--data", str(clips)]
    asked = [word for key in KEYS for word in ("--configuration", key)]

    def rows(*arguments):
        capsys.readouterr()
        assert main([*arguments, *checkpoint, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    tested = rows("table", *data, *asked, "--calibration-clips", "4", "--precision", "int8")
    assert [row["configuration"] for row in tested] == list(KEYS) and all(row["int8"] is not None for row in tested)
    table = load(tmp_path / "c").table
    assert all(row.int8 is not None for row in table.rows)
    again = rows("table", *data, "--precision", "int8")  # the trade-off list of the table that is there
    assert [row["int8"] for row in again] == [row.int8 for row in table.trade_off()]
    measured = rows("profile", "--engine", "auto", "--precision", "auto", "--rounds", "2")
    listed = {row.configuration.key for row in table.trade_off()}
    pairs = {(row["engine"], row["precision"]) for row in measured}
    assert {row["configuration"] for row in measured} == listed
    exact = {str(dtype)[6:] for dtype in fused_dtypes()}  # bfloat16 only where the processor has it
    assert pairs == {(e, p) for e in ("pytorch", "openvino") for p in exact} | {("openvino", "int8")}
    clip = str(next(clips.rglob("*.mp4")))
    (found,) = rows("predict", clip, "--milliseconds", "1000", "--engine", "auto", "--precision", "auto")
    assert found["configuration"] in listed
    rows("predict", clip, "--configuration", KEYS[0], "--precision", "int8")
    assert main(["predict", clip, *checkpoint, "--engine", "pytorch", "--precision", "int8"]) == 1
    assert capsys.readouterr().err == "error: pytorch does not run int8: choose --engine openvino\n"
