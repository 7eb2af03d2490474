"""The temperature: found where it was put, without effect on the order, and carried by every answer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from a3d import calibrate, explain, predict
from a3d.budgets.table import COLUMNS, TEMPERATURE_COLUMNS, Row, Table
from a3d.configuration import Configuration
from a3d.datasets import ClipFolder
from a3d.deploy import runner
from a3d.deploy.export import metadata
from a3d.temperature import calibration_error, fit, held_out, tempered
from a3d.testing import evaluation
from a3d.testing.evaluation import Result, build_table, evaluate, temperature_of
from a3d.testing.folds import folds_of

FULL = Configuration(32, 4, 1.0)


def drawn(temperature, clips=4000):
    """Probabilities, and labels drawn from them at a temperature: that is the one to be found."""
    draw = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(clips, 5, generator=draw)
    return logits.softmax(1), torch.multinomial((logits / temperature).softmax(1), 1, generator=draw)[:, 0], logits


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_of_drawn_labels_is_found(temperature):
    probabilities, labels, _ = drawn(temperature)
    found = fit(probabilities, labels)
    assert found == pytest.approx(temperature, rel=0.06) and found == fit(probabilities, labels)
    assert calibration_error(tempered(probabilities, found), labels) < 2.5


def test_it_is_the_logits_divided_and_keeps_their_order():
    probabilities, _, logits = drawn(1.0, 50)
    assert tempered(probabilities, 1.0) is probabilities
    for temperature in (0.3, 2.0):
        found = tempered(probabilities, temperature)
        torch.testing.assert_close(found, (logits / temperature).softmax(1))
        assert torch.equal(found.argsort(1), probabilities.argsort(1))


def test_what_is_always_or_never_right_ends_at_a_bound():
    sure = torch.tensor([[0.9, 0.1], [0.8, 0.2]])
    assert fit(sure, torch.tensor([0, 0])) == pytest.approx(0.1, rel=1e-6)
    assert fit(sure, torch.tensor([1, 1])) == pytest.approx(10, rel=1e-6)
    assert tempered(torch.tensor([[1.0, 0.0]]), 10.0).isfinite().all()


def test_calibration_error_by_hand():
    """Two bins: (0.95, 0.97) one right of two, (0.61) right; |1.92 − 1| + |0.61 − 1| over three clips."""
    probabilities = torch.tensor([[0.95, 0.05], [0.97, 0.03], [0.39, 0.61]])
    assert calibration_error(probabilities, torch.tensor([0, 1, 1])) == pytest.approx(100 * (0.92 + 0.39) / 3, abs=1e-4)


def test_a_fold_has_no_say_in_its_own_temperature():
    probabilities, labels, _ = drawn(2.0, 200)
    folds = torch.arange(200) % 5
    found = held_out(probabilities, labels, folds)
    others = labels.clone()
    others[folds == 3] = 0
    changed = held_out(probabilities, others, folds)
    assert torch.equal(found[folds == 3], changed[folds == 3])
    assert not torch.equal(found[folds == 1], changed[folds == 1])


def test_clips_of_one_group_are_held_out_together():
    names = ["v_Punch_g01_c01", "v_Punch_g01_c02", "v_Punch_g02_c01", "other"]
    assert folds_of([Path(f"{name}.mp4") for name in names]).tolist() == [0, 0, 1, 2]


def test_a_table_holds_it_and_one_without_stays_as_it_was(tmp_path):
    row = Row(FULL, 1.0, 100, 50.0)
    Table([row]).write_csv(tmp_path / "old.csv")
    assert (tmp_path / "old.csv").read_text().splitlines()[0] == ",".join(COLUMNS)
    assert Table.read_csv(tmp_path / "old.csv").rows[0].temperature is None
    known = Table(
        [replace(row, temperature=1.5, ece=9.0, ece_after=4.0), Row(Configuration(24, 2, 0.5), 0.1, 10, 40.0)]
    )
    known.write_csv(tmp_path / "new.csv")
    assert (tmp_path / "new.csv").read_text().splitlines()[0] == ",".join((*COLUMNS, *TEMPERATURE_COLUMNS))
    assert Table.read_csv(tmp_path / "new.csv") == known


def test_everything_that_answers_is_at_the_temperature_of_the_row(network, clips):
    calibrate(network, FULL, [torch.randn(4, 3, 4, 32, 32)])
    path = next(iter(sorted((clips / "val").rglob("*.mp4"))))
    plain, map_before = predict(path, network, FULL, (2, 1)), explain(path, network, FULL)
    single = predict(path, network, FULL)
    network.table = Table([Row(FULL, 1.0, 100, 50.0, temperature=2.0)])
    warm, map_after = predict(path, network, FULL, (2, 1)), explain(path, network, FULL)
    assert warm.labels == plain.labels and warm.probabilities[0] < plain.probabilities[0]
    expected = tempered(torch.tensor([plain.probabilities]), 2.0)[0].tolist()
    assert warm.probabilities == pytest.approx(expected, abs=1e-6)
    assert map_after.logit == map_before.logit and (map_after.evidence[0].map == map_before.evidence[0].map).all()
    assert sorted(map_after.probabilities) == pytest.approx(
        sorted(tempered(torch.tensor([single.probabilities]), 2.0)[0].tolist()), abs=1e-5
    )
    assert metadata(network, FULL)["temperature"] == 2.0


@pytest.mark.parametrize(("sure", "kept"), [(0.999, True), (0.6, False)])
def test_it_is_kept_where_it_helps_on_clips_held_out(sure, kept):
    """Of 60 clips six in ten are right: one that is sure in all is tempered, and one that says six in ten is not."""
    labels = torch.tensor([0] * 36 + [1] * 24)[torch.randperm(60)]
    said = torch.tensor([[sure, 1 - sure]]).repeat(60, 1)
    files = tuple((Path(f"v_Jump_g{number:02}_c01.mp4"), None) for number in range(60))
    found = temperature_of(Result(FULL, 60.0, 50.0, 100.0, None, 60, (1, 1), (), 60, said, labels, files))
    assert (found["temperature"] > 2) is kept
    assert found["ece_after"] < found["ece"] if kept else found["ece_after"] == found["ece"]


def test_a_table_of_enough_clips_has_temperatures(network, clips, monkeypatch):
    sets = ClipFolder(clips, "train"), ClipFolder(clips, "val")
    assert build_table(network, *sets, [FULL]).table.rows[0].temperature is None  # 6 clips
    monkeypatch.setattr(evaluation, "FEWEST", 6)
    row = build_table(network, *sets, [FULL]).table.rows[0]
    result = evaluate(network, sets[1], FULL, (1, 1))
    fitted = fit(result.probabilities, result.labels)
    assert row.temperature in (1.0, pytest.approx(fitted, abs=1e-4)) and abs(fitted - 1) > 0.01
    assert row.ece == pytest.approx(calibration_error(result.probabilities, result.labels), abs=1e-3)
    assert 0 <= row.ece_after <= 100 and row.top1 == pytest.approx(result.top1, abs=1e-4)


@pytest.mark.parametrize(("about", "expected"), [({}, 0.8808), ({"temperature": 2.0}, 0.7311)])
def test_the_runner_divides_by_it_and_takes_files_without(monkeypatch, capsys, about, expected):
    """softmax of (2, 0) is 0.8808, of (1, 0) it is 0.7311."""
    about = {"task": "classification", "labels": ["yes", "no"], "sampling": {}} | about
    monkeypatch.setattr(runner, "load", lambda file: (lambda clips: np.array([[2.0, 0.0]]), about))
    monkeypatch.setattr(runner, "read", lambda path: np.zeros(1))
    monkeypatch.setattr(runner.Path, "glob", lambda self, pattern: iter([Path("network.onnx")]))
    runner.main(["clip.mp4"])
    assert capsys.readouterr().out.splitlines()[0] == f"clip.mp4\tyes\t{expected}"
