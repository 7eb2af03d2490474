"""Testing on clips: the same numbers as by hand, one decode a clip, broken files named."""

import shutil
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from sklearn.metrics import average_precision_score

from a3d.adaptive.errors import MissingStatistics
from a3d.budgets.cost import cost
from a3d.budgets.interval import wilson
from a3d.configuration import Configuration
from a3d.datasets import ClipFolder
from a3d.testing import clips as clips_of_tests
from a3d.testing.average_precision import bootstrap_interval
from a3d.testing.calibration import calibrate
from a3d.testing.errors import EvaluationError
from a3d.testing.evaluation import build_table, calibrate_all, evaluate, evaluate_all, spread
from a3d.testing.metrics import mean_class_accuracy, top_k
from a3d.video import VideoError, decode_views, read_views

SMALL, FULL = Configuration(24, 2, 0.5), Configuration(32, 4, 1.0)


@pytest.fixture
def train(clips):
    return ClipFolder(clips, "train")


@pytest.fixture
def val(clips):
    return ClipFolder(clips, "val")


def calibrated(network, train, *configurations):
    calibrate_all(network, train.items, configurations)
    return network


@pytest.fixture
def decoded(monkeypatch):
    """How often each file was decoded."""
    counts = Counter()

    def counting(path, *args):
        counts[path] += 1
        return decode_views(path, *args)

    monkeypatch.setattr(clips_of_tests, "decode_views", counting)
    return counts


@pytest.mark.parametrize("kind", ["network", "fast_network"])
@pytest.mark.parametrize("views", [(1, 1), (3, 3)])
def test_equals_softmax_averaged_by_hand(kind, views, request, train, val):
    """Slow sees the clip at the configuration's size; SlowFast at the reference size, whatever its Slow pathway's."""
    network = calibrated(request.getfixturevalue(kind), train, SMALL)
    result = evaluate(network, val, SMALL, views)
    size = 24 if kind == "network" else 32
    with torch.no_grad():
        by_hand = torch.stack(
            [network(read_views(i.path, network.sampling, *views, size), SMALL).softmax(1).mean(0) for i in val.items]
        )
    labels = torch.tensor([item.label for item in val.items])
    torch.testing.assert_close(result.probabilities, by_hand, atol=1e-5, rtol=1e-4)
    assert by_hand.std(0).min() > 1e-3  # else the comparison says little
    assert torch.equal(result.labels, labels)
    assert (result.top1, result.mean_class) == (top_k(by_hand, labels), mean_class_accuracy(by_hand, labels))
    assert (result.top5, result.interval) == (100.0, wilson(result.top1, 6))
    assert (result.clips, result.decoded, result.views, result.broken) == (6, 6, views, ())


def test_how_many_run_at_once_changes_nothing(network, train, val):
    calibrated(network, train, SMALL)
    one, many = (evaluate(network, val, SMALL, (2, 1), batch) for batch in (1, 64))
    torch.testing.assert_close(one.probabilities, many.probabilities, atol=1e-6, rtol=1e-5)


def test_several_configurations_share_one_decode(network, train, val, decoded):
    calibrated(network, train, SMALL, FULL)
    decoded.clear()
    results = evaluate_all(network, val, [SMALL, FULL, SMALL], (2, 1))
    assert decoded == {item.path: 1 for item in val.items}
    for configuration in (SMALL, FULL):
        alone = evaluate(network, val, configuration, (2, 1))
        assert torch.equal(results[configuration].probabilities, alone.probabilities)


def test_classes_are_matched_by_name(network, train, val, clips, tmp_path):
    """A folder of two classes in another order than the network's, and a list file of numbers."""
    calibrated(network, train, FULL)
    whole = evaluate(network, val, FULL, (1, 1))
    network.labels = ("sit", "jump", "run")
    assert evaluate(network, val, FULL, (1, 1)).labels.tolist() == [1, 1, 2, 0, 0, 0]
    shutil.copytree(clips / "val" / "sit", tmp_path / "sit")
    assert evaluate(network, ClipFolder(tmp_path), FULL, (1, 1)).labels.tolist() == [0, 0, 0]
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{item.path} {item.label}\n" for item in val.items))
    assert torch.equal(evaluate(network, ClipFolder(listed), FULL, (1, 1)).labels, whole.labels)


def test_unknown_class(network, val):
    network.labels = ("jump", "run", "swim")
    with pytest.raises(EvaluationError, match="class 'sit' is none of the 3 of the network: rename"):
        evaluate(network, val, FULL)


def test_broken_files_are_named_and_left_out(network, train, clips, tmp_path):
    root = tmp_path / "val"
    shutil.copytree(clips / "val", root)
    (root / "jump" / "0.mp4").write_bytes(b"")
    calibrated(network, train, FULL)
    (root / "sit" / "9.mp4").write_bytes(b"")
    told = []
    result = evaluate(network, ClipFolder(root), FULL, (1, 1), batch=5, progress=lambda *step: told.append(step))
    assert (result.clips, result.decoded, len(result.broken)) == (5, 5, 2)
    assert "jump/0.mp4" in result.broken[0] and "sit/9.mp4" in result.broken[1]
    assert told[-1] == (7, 7)
    assert result.labels.tolist() == [0, 1, 2, 2, 2]
    whole = evaluate(network, ClipFolder(clips, "val"), FULL, (1, 1))
    torch.testing.assert_close(result.probabilities, whole.probabilities[1:], atol=1e-6, rtol=1e-5)


def test_nothing_readable(network, train, val, tmp_path):
    for name in ("jump", "run", "sit"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.mp4").write_text("no video")
    broken = ClipFolder(tmp_path)
    with pytest.raises(EvaluationError, match="none of the 3 clips to calibrate on can be read"):
        build_table(network, broken, val)
    calibrated(network, train, FULL)
    with pytest.raises(EvaluationError, match=r"none of the 3 clips can be read; the first: .*jump/0\.mp4"):
        evaluate(network, broken, FULL)


def test_a_configuration_that_was_not_calibrated(network, val):
    with pytest.raises(MissingStatistics, match=r"32²×4, 1\.0: calibrate it first \(a3d table\)"):
        evaluate(network, val, FULL, (1, 1))


def test_answers_that_are_not_finite(network, train, val):
    calibrated(network, train, FULL)
    network.network.classifier.bias.data[0] = torch.nan
    with pytest.raises(EvaluationError, match=r"32²×4, 1\.0 answers with values that are not finite"):
        evaluate(network, val, FULL, (1, 1))


def test_a_network_in_training_is_tested_as_others_and_goes_on_training(network, train, val):
    calibrated(network, train, FULL)
    expected = evaluate(network, val, FULL, (1, 1))
    network.train()
    assert torch.equal(evaluate(network, val, FULL, (1, 1)).probabilities, expected.probabilities)
    assert network.training


def test_calibration_is_that_of_the_centred_clips(network, train):
    calibrated(network, train, SMALL)
    found = network.statistics[SMALL]
    clips = torch.cat([read_views(item.path, network.sampling, 1, 1, 24) for item in train.items])
    calibrate(network, SMALL, [clips])
    for name, moments in network.statistics[SMALL].items():
        torch.testing.assert_close(found[name], moments, atol=1e-5, rtol=1e-4)


@pytest.fixture
def built(network, train, val):
    return build_table(network, train, val)


def test_table_decodes_every_clip_once(network, train, val, decoded):
    built = build_table(network, train, val)
    assert decoded == {item.path: 1 for item in (*train.items, *val.items)}
    assert (built.decoded, built.broken) == (11, ())


def test_table_holds_every_configuration_with_its_cost(built, network):
    assert [row.configuration for row in built.table.rows] == network.range.configurations()
    assert set(network.statistics) == set(network.range.configurations())
    for row in built.table.rows:
        found = cost(network, row.configuration)
        assert (row.gflops, row.params) == (found.gflops, found.params)
        assert row.clips == 6


def test_table_agrees_with_evaluation_afterwards(built, network, val):
    for configuration in (SMALL, FULL, network.range.largest):
        row, result = built.table.row(configuration), evaluate(network, val, configuration, (1, 1))
        assert (row.top1, row.mean_class, row.top5) == tuple(
            round(value, 4) for value in (result.top1, result.mean_class, result.top5)
        )


def test_table_is_the_same_each_time_and_on_disk(built, network, train, val, tmp_path):
    assert build_table(network, train, val).table == built.table
    built.table.write_csv(tmp_path / "table.csv")
    assert type(built.table).read_csv(tmp_path / "table.csv") == built.table


def test_chosen_configurations_views_and_calibration_clips(network, train, val, decoded):
    built = build_table(network, train, val, [SMALL, FULL, SMALL], views=(2, 3), calibration_clips=2)
    assert [row.configuration for row in built.table.rows] == [SMALL, FULL] == list(network.statistics)
    assert sum(decoded.values()) == built.decoded == 8


def test_progress_ends_at_its_total(network, train, val):
    told = []
    build_table(network, train, val, [FULL, SMALL], batch=2, progress=lambda *step: told.append(step))
    assert len(told) == 2 + 2 + 1 and told[-1] == (22, 22)
    assert all(a[0] <= b[0] and a[1] == b[1] for a, b in pairwise(told))
    told.clear()
    evaluate(network, val, FULL, (1, 1), batch=4, progress=lambda *step: told.append(step))
    assert told == [(4, 6), (6, 6), (6, 6)]


def test_a_broken_calibration_clip_is_named(network, val, clips, tmp_path):
    shutil.copytree(clips / "train", tmp_path / "train")
    (tmp_path / "train" / "run" / "1.mp4").write_bytes(b"\0" * 100)
    built = build_table(network, ClipFolder(tmp_path, "train"), val, [FULL])
    assert built.decoded == 10 and len(built.broken) == 1 and "run/1.mp4" in built.broken[0]


@pytest.mark.parametrize("count", [1, 3, 5, 7, 100])
def test_spread_is_even(count):
    items = list(range(7))
    chosen = spread(items, count)
    assert len(chosen) == min(count, 7)
    assert len({b - a for a, b in pairwise(chosen)}) <= 2 and chosen[0] == 0


def test_a_strange_error_is_not_taken_for_a_broken_file(network, train, val, monkeypatch):
    calibrated(network, train, FULL)
    monkeypatch.setattr(clips_of_tests, "decode_views", lambda *args: 1 / 0)
    assert not issubclass(ZeroDivisionError, VideoError)
    with pytest.raises(ZeroDivisionError):
        evaluate(network, val, FULL)


@pytest.fixture
def several(network, clips, train):
    """A network and a data set of several labels a clip, calibrated at SMALL."""
    network.architecture = replace(network.architecture, task="multilabel")
    data = ClipFolder(clips, "val")
    data.task = "multilabel"
    labels = [(0,), (0, 2), (), (2,), (2, 0, 2), (0,)]  # class 1 never occurs
    data.items = [item._replace(label=label) for item, label in zip(data.items, labels, strict=True)]
    return calibrated(network, train, SMALL), data


def test_several_labels_take_the_highest_sigmoid_of_the_views(several):
    network, data = several
    result = evaluate(network, data, SMALL, (3, 3))
    with torch.no_grad():
        by_hand = torch.stack(
            [network(read_views(i.path, network.sampling, 3, 3, 24), SMALL).sigmoid().amax(0) for i in data.items]
        )
    torch.testing.assert_close(result.probabilities, by_hand, atol=1e-5, rtol=1e-4)
    assert result.labels.tolist() == [[1, 0, 0], [1, 0, 1], [0, 0, 0], [0, 0, 1], [1, 0, 1], [1, 0, 0]]
    expected = [100 * average_precision_score(result.labels[:, c], by_hand[:, c]) for c in (0, 2)]
    assert result.mean_ap == pytest.approx(sum(expected) / 2, abs=1e-9)
    assert (result.mean_class, result.top5, result.clips) == (None, pytest.approx(500 / 6), 6)
    assert result.interval == bootstrap_interval(result.probabilities, result.labels)


def test_a_table_of_several_labels(several, train):
    network, data = several
    train.task = "multilabel"
    (row,) = build_table(network, train, data, [SMALL]).table.rows
    assert row.mean_ap == row.accuracy == round(evaluate(network, data, SMALL, (1, 1)).mean_ap, 4)


def test_a_data_set_of_another_kind_is_refused(several, val, clips):
    network, data = several
    with pytest.raises(EvaluationError, match="a data set for classification does not test a network for multilabel"):
        evaluate(network, ClipFolder(clips, "val"), SMALL)
    data.items = [item._replace(label=()) for item in data.items]
    with pytest.raises(EvaluationError, match="none of the 6 clips that can be read has a label"):
        evaluate(network, data, SMALL, (1, 1))


def test_a_table_refuses_before_it_calibrates(network, train, val, decoded):
    network.labels = ("jump", "run", "swim")
    with pytest.raises(EvaluationError, match="class 'sit' is none of the 3"):
        build_table(network, train, val, [SMALL])
    network.architecture = replace(network.architecture, task="multilabel")
    with pytest.raises(EvaluationError, match="a data set for classification does not test"):
        build_table(network, train, val, [SMALL])
    assert not decoded and not network.statistics
