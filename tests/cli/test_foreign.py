"""`a3d table --foreign` teaches a checkpoint to reject; predict and evaluate say so."""

import json
import shutil

import numpy as np
import pytest

from a3d.cli import main, table
from a3d.video.encode import write_video


@pytest.fixture
def others(tmp_path):
    for label in range(5):
        frames = np.random.default_rng(label).integers(0, 256, (20, 40, 56, 3), dtype=np.uint8)
        write_video(tmp_path / "others" / f"other_{label}" / "a.mp4", frames, 10)
    return str(tmp_path / "others")


def test_taught_tested_and_told(checkpoint, data, clip, others, tmp_path, capsys):
    folder = str(shutil.copytree(checkpoint, tmp_path / "taught"))
    before = (tmp_path / "taught" / "table.csv").read_bytes()
    main(["table", "--checkpoint", folder, "--data", str(data), "--foreign", others])
    said = capsys.readouterr().out
    assert "rejects actions left out of its learning: AUROC" in said
    assert (tmp_path / "taught" / "table.csv").read_bytes() == before  # the table is kept

    masks = {
        path.relative_to(data / "val").as_posix(): np.full((3, 16, 16), 0, np.uint8)
        for path in (data / "val").rglob("*.mp4")
    }
    for mask in masks.values():
        mask[:, :8, :8] = 255
    np.savez(tmp_path / "masks.npz", **masks)
    common = ["--checkpoint", folder, "--data", str(data / "val"), "--views", "1x1", "--json"]
    main(["evaluate", *common, "--foreign", others, "--masks", str(tmp_path / "masks.npz")])
    row = json.loads(capsys.readouterr().out)[0]
    assert 0 <= row["rejects"]["auroc"] <= 100 and row["rejects"]["foreign"] == 5
    assert row["looks"]["area"] == pytest.approx(25, abs=6) and len(row["looks"]["cells"]) == 2

    main(["predict", clip, "--checkpoint", folder, "--json"])
    assert 0 <= json.loads(capsys.readouterr().out)[0]["none"] <= 1
    main(["predict", clip, "--checkpoint", str(checkpoint), "--json"])
    assert json.loads(capsys.readouterr().out)[0]["none"] is None


def test_a_table_of_enough_clips_teaches_it_without_foreign_ones(checkpoint, data, clip, tmp_path, capsys, monkeypatch):
    folder = str(shutil.copytree(checkpoint, tmp_path / "taught"))
    monkeypatch.setattr(table, "FEWEST", 2)
    asked = ["--configuration", "32x4@1.0", "--calibration-clips", "2"]
    main(["table", "--checkpoint", folder, "--data", str(data), *asked])
    capsys.readouterr()
    main(["predict", clip, "--checkpoint", folder, "--configuration", "32x4@1.0", "--json"])
    assert 0 <= json.loads(capsys.readouterr().out)[0]["none"] <= 1
