"""The line between known and foreign clips."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from a3d.rejection import DECAY, described, energy_line, fit, rejected


def clouds(known=60, foreign=20, apart=2.0):
    draw = torch.Generator().manual_seed(0)
    away = torch.zeros(5).index_fill_(0, torch.tensor([1, 3]), apart)
    scale = torch.tensor([1.0, 10.0, 0.1, 3.0, 1.0])
    return [scale * (torch.randn(n, 5, generator=draw) + shift) for n, shift in ((known, 0 * away), (foreign, away))]


def test_it_is_the_logistic_regression_that_scikit_learn_fits():
    known, foreign = clouds()
    line, looked = fit(known, foreign), torch.cat([known, foreign])
    scaled = (looked - looked.mean(0)) / looked.std(0)
    target = torch.cat([torch.zeros(60), torch.ones(20)])
    weight = torch.where(target > 0, 0.5 / 20, 0.5 / 60)
    peer = LogisticRegression(C=0.5 / DECAY, tol=1e-8, max_iter=1000)
    peer.fit(scaled.numpy(), target.numpy(), weight.numpy())
    wanted = torch.from_numpy(peer.predict_proba(scaled.numpy())[:, 1]).float()
    torch.testing.assert_close(rejected(line, looked), wanted, atol=1e-4, rtol=1e-3)


def test_units_of_the_features_do_not_matter():
    known, foreign = clouds()
    looked, scale = torch.cat([known, foreign]), torch.tensor([7.0, 0.01, 1.0, 300.0, 2.0])
    torch.testing.assert_close(
        rejected(fit(known * scale, foreign * scale), looked * scale), rejected(fit(known, foreign), looked)
    )


def test_what_is_looked_at_are_means_and_the_energy():
    maps, logits = (torch.rand(2, 3, 2, 4, 4), torch.rand(2, 2, 8, 4, 4)), torch.tensor([[0.0, 0.0], [1.0, 3.0]])
    looked = described(maps, logits)
    assert looked.shape == (2, 6)
    torch.testing.assert_close(looked[0, :3], maps[0][0].mean((1, 2, 3)))
    torch.testing.assert_close(looked[:, -1], logits.exp().sum(1).log())


def test_for_want_of_foreign_clips_nine_known_ones_of_ten_are_accepted_and_the_energy_alone_counts():
    known = torch.randn(200, 5, generator=torch.Generator().manual_seed(0)) * 3 + 7
    line, order = energy_line(known), known[:, -1].argsort()
    found = rejected(line, known)
    assert (found < 0.5).float().mean() == pytest.approx(0.9, abs=0.01)
    assert found[order][100] == pytest.approx(0.1, abs=0.01) and (found[order].diff() <= 0).all()
    known[:, :-1] = 0
    assert torch.equal(rejected(line, known), found)
    assert rejected(energy_line(torch.ones(3, 5)), torch.ones(3, 5)).isfinite().all()  # all alike
