"""Eq. 3, the sampling of configurations, the schedule."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from a3d.configuration import Configuration, range_0016
from a3d.training.mutual import TrainingError, mutual_step, sample_configurations
from a3d.training.schedule import learning_rate

SPAN = range_0016(32, 4)


def gradients(network):
    return {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}


def test_step_adds_the_gradients_of_equation_3(tiny):
    tiny.train()
    clips, targets = torch.randn(4, 3, 4, 32, 32), F.one_hot(torch.tensor([0, 1, 2, 0]), 3).float()
    small, middle = Configuration(20, 1, 0.5), Configuration(28, 3, 0.8)
    mutual_step(tiny, clips, targets, [SPAN.full, middle, small])
    by_parts = gradients(tiny)

    tiny.zero_grad()
    logits = tiny(clips, SPAN.full)
    teacher = logits.detach().softmax(1)
    loss = -(targets * logits.log_softmax(1)).sum(1).mean()
    for configuration in (middle, small):
        student = tiny(clips, configuration).log_softmax(1)
        loss = loss + (teacher * (teacher.log() - student)).sum(1).mean()
    loss.backward()
    for name, gradient in gradients(tiny).items():
        torch.testing.assert_close(by_parts[name], gradient, atol=1e-5, rtol=1e-4)


def test_without_distillation_every_network_learns_from_the_labels(tiny):
    tiny.train()
    clips, targets = torch.randn(4, 3, 4, 32, 32), F.one_hot(torch.tensor([0, 1, 2, 0]), 3).float()
    small = Configuration(20, 1, 0.5)
    mutual_step(tiny, clips, targets, [SPAN.full, small], distil=False)
    by_parts = gradients(tiny)

    tiny.zero_grad()
    sum(F.cross_entropy(tiny(clips, c), targets) for c in (SPAN.full, small)).backward()
    for name, gradient in gradients(tiny).items():
        torch.testing.assert_close(by_parts[name], gradient, atol=1e-5, rtol=1e-4)


def test_sampled_configurations():
    generator = torch.Generator().manual_seed(0)
    draws = [sample_configurations(SPAN, generator) for _ in range(400)]
    assert all(full == SPAN.full and small.width == 0.5 for full, _, small in draws)
    widths = torch.tensor([middle.width for _, middle, _ in draws])
    assert 0.5 <= widths.min() < 0.52 and 0.98 < widths.max() <= 1 and abs(widths.mean() - 0.75) < 0.03
    for place in (1, 2):
        assert {d[place].spatial for d in draws} == set(SPAN.spatials)
        assert {d[place].frames for d in draws} == set(SPAN.frame_counts)
    assert any(m.spatial != s.spatial and m.frames != s.frames for _, m, s in draws)  # drawn independently


def test_stops_at_the_first_loss_that_is_not_finite(tiny):
    tiny.train()
    clips, targets = torch.randn(2, 3, 4, 32, 32), torch.eye(3)[:2]
    clips[0, 0, 0, 0, 0] = float("nan")
    with pytest.raises(TrainingError, match=r"32²×4, 1\.0: the loss is nan"):
        mutual_step(tiny, clips, targets, [SPAN.full])


def test_learning_rate_warms_up_and_ends_at_zero():
    rates = [learning_rate(step, 100, 10, 0.4) for step in range(101)]
    assert rates[0] < 0.05 and max(rates) == pytest.approx(0.4, rel=0.03) and rates.index(max(rates)) == 10
    assert rates[100] == pytest.approx(0) and rates[50] == pytest.approx(0.2)
    assert all(a >= b for a, b in pairwise(rates[10:]))


def test_learning_rate_falls_in_steps():
    rates = [learning_rate(step, 200, 50, 0.05, 0.00125, (100, 150)) for step in range(200)]
    assert rates[0] == pytest.approx(0.05 * 0.00125) and rates[25] == pytest.approx(0.025, rel=0.01)
    assert rates[50] == rates[99] == 0.05 and rates[100] == pytest.approx(0.005) and rates[199] == pytest.approx(0.0005)
