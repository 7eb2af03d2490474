"""Average precision of several labels: scikit-learn's, class by class; an interval that holds what it says."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from a3d.testing.average_precision import bootstrap_interval, class_average_precision, mean_average_precision
from a3d.testing.metrics import top_k


def drawn(clips=60, classes=9, levels=None, seed=0):
    """Scores that know something of the labels; `levels`: so few different scores that many are equal."""
    generator = torch.Generator().manual_seed(seed)
    labels = (torch.rand(clips, classes, generator=generator) < 0.2).float()
    scores = torch.rand(clips, classes, generator=generator) + 0.3 * labels
    return (scores * levels).round() / levels if levels else scores, labels


@pytest.mark.parametrize("levels", [None, 4, 1])
def test_equals_scikit_learn_class_by_class(levels):
    scores, labels = drawn(levels=levels)
    expected = [100 * average_precision_score(labels[:, c], scores[:, c]) for c in range(9)]
    assert class_average_precision(scores, labels) == pytest.approx(expected, abs=1e-10)
    assert mean_average_precision(scores, labels) == pytest.approx(np.mean(expected), abs=1e-10)


def test_a_class_without_clips_is_left_out_of_the_mean():
    scores, labels = drawn()
    labels[:, 4] = 0
    found = class_average_precision(scores, labels)
    assert np.isnan(found[4]) and np.isnan(found).sum() == 1
    assert mean_average_precision(scores, labels) == pytest.approx(np.nanmean(found))
    assert np.isnan(mean_average_precision(scores, torch.zeros_like(labels)))


def test_known_by_hand():
    """Right at ranks 1 and 3 of 4: (1/1 + 2/3) / 2. Three of equal score: one step, 1/3."""
    labels = torch.tensor([[1.0], [0.0], [1.0], [0.0]])
    assert class_average_precision(torch.tensor([[0.9], [0.8], [0.7], [0.1]]), labels) == pytest.approx([100 * 5 / 6])
    assert class_average_precision(torch.tensor([[0.5], [0.5], [0.5]]), labels[1:]) == pytest.approx([100 / 3])


def test_the_bootstrap_draws_clips_with_repeats():
    """Each of its means is what scikit-learn says of the clips drawn; they are moved to what was measured."""
    scores, labels = drawn(clips=30, classes=3)
    low, high = bootstrap_interval(scores, labels)
    generator, means = np.random.default_rng(1), []
    for _ in range(400):
        picked = torch.from_numpy(generator.integers(0, 30, 30))
        there = [c for c in range(3) if labels[picked, c].any()]
        means.append(np.mean([100 * average_precision_score(labels[picked, c], scores[picked, c]) for c in there]))
    measured = mean_average_precision(scores, labels)
    expected = np.percentile(means, (2.5, 97.5)) - np.mean(means) + measured
    assert (low, high) == pytest.approx(tuple(expected), abs=3.0)
    assert low < measured < high
    assert bootstrap_interval(scores, labels) == (low, high)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Scores that know little, where the draws alone would lie too high: 40 tests of 200 clips, classes rare."""

    def test(seed):
        generator = torch.Generator().manual_seed(seed)
        labels = (torch.rand(200, 20, generator=generator) < 0.06).float()
        return torch.randn(200, 20, generator=generator) + 0.5 * labels, labels

    truth = np.mean([mean_average_precision(*test(1000 + seed)) for seed in range(200)])
    intervals = [interval_of(*test(seed)) for seed in range(40)]
    assert sum(low <= truth <= high for low, high in intervals) >= 35  # 38 it is, 29 by the draws as they are


def interval_of(scores, labels):
    """As `bootstrap_interval`, from 100 draws: the test is of the method."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("a3d.testing.average_precision.RESAMPLES", 100)
        return bootstrap_interval(scores, labels)


def test_the_interval_narrows_with_more_clips():
    widths = [np.ptp(bootstrap_interval(*drawn(clips=clips, classes=4))) for clips in (40, 640)]
    assert 2 < widths[0] / widths[1] < 8  # 4 for 16 times as many


def test_top_k_of_several_labels():
    """Some label among the best: clip 0 by its second, clip 1 by its first, clip 2 has none."""
    scores = torch.tensor([[0.1, 0.9, 0.2], [0.8, 0.1, 0.2], [0.3, 0.2, 0.1]])
    labels = torch.tensor([[1.0, 0, 1], [1, 0, 0], [0, 0, 0]])
    assert [top_k(scores, labels, k) for k in (1, 2, 3)] == pytest.approx([100 / 3, 200 / 3, 200 / 3])
