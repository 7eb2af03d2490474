"""Prediction: that of the test, within the budget, for the frames it says."""

import numpy as np
import pytest
import torch

from a3d.adaptive.errors import MissingStatistics
from a3d.budgets.budget import BudgetError
from a3d.budgets.cost import cost
from a3d.configuration import Configuration, ConfigurationError
from a3d.datasets import ClipFolder
from a3d.deploy.export import export
from a3d.deploy.live.watch import watch
from a3d.inference.checkpoint import save
from a3d.inference.prediction import predict
from a3d.maps.maps import explain
from a3d.testing.evaluation import build_table, calibrate_all, evaluate
from a3d.trained import Untrained
from a3d.video import VideoError

SMALL, FULL = Configuration(24, 2, 0.5), Configuration(32, 4, 1.0)


@pytest.fixture
def items(clips):
    return ClipFolder(clips, "val").items


@pytest.fixture
def paths(items):
    return [item.path for item in items]


@pytest.fixture
def ready(network, items):
    calibrate_all(network, items, [SMALL, FULL])
    return network


@pytest.mark.parametrize("views", [(1, 1), (2, 3)])
def test_equals_the_test(ready, clips, paths, views):
    tested = evaluate(ready, ClipFolder(clips, "val"), SMALL, views)
    for path, probabilities in zip(paths, tested.probabilities, strict=True):
        prediction = predict(path, ready, configuration=SMALL, views=views)
        found = dict(zip(prediction.labels, prediction.probabilities, strict=True))
        torch.testing.assert_close(torch.tensor([found[n] for n in ready.labels]), probabilities, atol=1e-5, rtol=1e-4)


def test_most_probable_first(ready, paths):
    prediction = predict(paths[0], ready)
    assert sorted(prediction.probabilities, reverse=True) == list(prediction.probabilities)
    assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-6)
    assert prediction.label == prediction.labels[0] and set(prediction.labels) == set(ready.labels)


def test_a_budget_is_kept_and_used(network, clips, paths):
    network.table = build_table(network, ClipFolder(clips, "train"), ClipFolder(clips, "val")).table
    for budget in (0.0021, 0.01, 1.0):
        prediction = predict(paths[0], network, gflops=budget)
        assert prediction.configuration == network.table.choose(gflops=budget).configuration
        assert prediction.gflops == cost(network, prediction.configuration).gflops <= budget
    with pytest.raises(BudgetError, match=r"at most 1e-06 GFLOPs; the cheapest, 24²×2, 0\.5"):
        predict(paths[0], network, gflops=1e-6)
    smallest = min(row.megabytes for row in network.table.rows)
    for unit, limit in (("megabytes", smallest), ("params", 1e9)):
        expected = network.table.choose(**{unit: limit}).configuration
        assert predict(paths[0], network, **{unit: limit}).configuration == expected
    with pytest.raises(BudgetError, match="1 GFLOPs and 5 MB: give one budget"):
        predict(paths[0], network, gflops=1, megabytes=5)
    with pytest.raises(BudgetError, match="budgets in 'glops'"):
        predict(paths[0], network, glops=1)


def test_without_a_budget_the_full_network_answers(ready, paths):
    assert predict(paths[0], ready).configuration == FULL == ready.range.full


ASKED = {
    "predict": lambda network, data, folder: predict(data.items[0].path, network),
    "explain": lambda network, data, folder: explain(data.items[0].path, network),
    "evaluate": lambda network, data, folder: evaluate(network, data, FULL),
    "build_table": lambda network, data, folder: build_table(network, data, data),
    "save": lambda network, data, folder: save(network, folder / "mine"),
    "export": lambda network, data, folder: export(network, FULL, folder / "file"),
    "watch": lambda network, data, folder: next(watch(data.items[0].path, network, deadline=50)),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_network_that_is_not_trained_says_so_in_one_line(tiny, clips, tmp_path, ask):
    with pytest.raises(Untrained, match="no class names, sampling and range: train it") as error:
        ask(tiny.eval(), ClipFolder(clips, "val"), tmp_path)
    assert "\n" not in str(error.value)


def test_times_of_the_frames_seen(ready, paths):
    """18 frames at 10 a second, a clip of 4 × 3 spans 1.2 s: one is centred in 1.8 s, two lie at the ends."""
    prediction = predict(paths[0], ready, configuration=SMALL)
    np.testing.assert_allclose(prediction.times, [[0.3, 0.9]], atol=1e-6)
    prediction = predict(paths[0], ready, views=(2, 1))
    np.testing.assert_allclose(prediction.times, [[0, 0.3, 0.6, 0.9], [0.6, 0.9, 1.2, 1.5]], atol=1e-6)


def test_slowfast_sees_every_frame_of_its_clip(fast_network, items, paths):
    calibrate_all(fast_network, items, [SMALL])
    prediction = predict(paths[0], fast_network, configuration=SMALL)
    np.testing.assert_allclose(prediction.times, 0.1 + np.arange(16)[None] / 10, atol=1e-6)


def test_refused(ready, paths, tmp_path):
    with pytest.raises(ConfigurationError, match=r"2 GFLOPs and 24²×2, 0\.5: give a budget or a configuration"):
        predict(paths[0], ready, gflops=2.0, configuration=SMALL)
    with pytest.raises(ConfigurationError, match="no table to choose from"):
        predict(paths[0], ready, gflops=2.0)
    with pytest.raises(MissingStatistics):
        predict(paths[0], ready, configuration=Configuration(32, 2, 1.0))
    (tmp_path / "empty.mp4").write_bytes(b"")
    with pytest.raises(VideoError, match=r"empty\.mp4"):
        predict(tmp_path / "empty.mp4", ready)
    with pytest.raises(ConfigurationError, match=r"training mode.*network\.eval"):
        predict(paths[0], ready.train())
