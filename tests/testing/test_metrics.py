"""Metrics against scikit-learn's, against numbers worked out by hand, and at their edges."""

import pytest
import torch

from a3d.budgets.interval import wilson
from a3d.testing.metrics import mean_class_accuracy, top_k

SCORES = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0.3, 0.4, 0.3], [0.2, 0.3, 0.5]])
LABELS = torch.tensor([0, 2, 0, 0])


@pytest.mark.parametrize(("k", "percent"), [(1, 25.0), (2, 75.0), (3, 100.0), (5, 100.0)])
def test_top_k(k, percent):
    """Clip 3 ties between first and last class: the first wins the second place."""
    assert top_k(SCORES, LABELS, k) == percent


def test_a_constant_answer_earns_what_it_says():
    labels = torch.arange(10)
    assert top_k(torch.zeros(10, 10), labels) == 10.0
    assert top_k(torch.zeros(10, 10), labels, 5) == 50.0


def test_mean_class_accuracy_weighs_classes_alike():
    """Two classes: 1 of 3 and 0 of 1; the class that never occurs does not count."""
    assert mean_class_accuracy(SCORES, LABELS) == pytest.approx((100 / 3 + 0) / 2)


def test_agrees_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    scores, labels = torch.rand(200, 7), torch.randint(7, (200,)) // 2
    labels = torch.cat([labels, torch.arange(7)])  # it wants every class to occur
    scores = torch.cat([scores, torch.rand(7, 7)])
    assert top_k(scores, labels, 3) == pytest.approx(100 * metrics.top_k_accuracy_score(labels, scores, k=3))
    expected = 100 * metrics.balanced_accuracy_score(labels, scores.argmax(1))
    assert mean_class_accuracy(scores, labels) == pytest.approx(expected)


@pytest.mark.parametrize("accuracy", [0.0, 3.7, 50.0, 58.5, 100.0])
@pytest.mark.parametrize("clips", [1, 10, 135, 20_000])
def test_the_ends_of_the_interval_solve_wilson_s_equation(accuracy, clips):
    """At an end p, the measured share is exactly 1.96 of p's own standard errors away."""
    for end in wilson(accuracy, clips):
        assert 0 <= end <= 100
        p = end / 100
        assert (p - accuracy / 100) ** 2 == pytest.approx(1.959964**2 * p * (1 - p) / clips, abs=1e-12)


def test_interval_of_135_clips_is_the_known_one():
    low, high = wilson(100 * 79 / 135, 135)  # 58.5%
    assert (low, high) == (pytest.approx(50.1, abs=0.05), pytest.approx(66.5, abs=0.05))
