"""Losses, distillation and the score of each task."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from a3d.configuration import ConfigurationError, range_0016
from a3d.datasets.items import FOREIGN
from a3d.networks import build, by_name
from a3d.training.mutual import mutual_step
from a3d.training.task import MultiLabel, SingleLabel, hits, task_of

MANY = torch.tensor([[1.0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]])  # classes of three clips
LOGITS = torch.tensor([[2.0, -1, 0.5, 3], [0, 1, -2, 5], [-1, -2, -3, 1]])


@pytest.mark.parametrize("task", [SingleLabel(), MultiLabel()])
def test_distillation_is_zero_only_for_the_teachers_own_answer(task):
    assert task.distillation(LOGITS, LOGITS).abs() < 1e-6
    assert task.distillation(torch.randn(3, 4), LOGITS) > 0.01


def test_losses_are_torchs():
    labels = torch.tensor([1, 0, 3])
    torch.testing.assert_close(
        SingleLabel().loss(LOGITS, SingleLabel().targets(labels, 4, 0.1)),
        F.cross_entropy(LOGITS, labels, label_smoothing=0.1),
    )
    torch.testing.assert_close(MultiLabel().loss(LOGITS, MANY), F.binary_cross_entropy_with_logits(LOGITS, MANY))
    teacher = torch.randn(3, 4)
    wanted = F.kl_div(LOGITS.log_softmax(1), teacher.softmax(1), reduction="batchmean")
    torch.testing.assert_close(SingleLabel().distillation(LOGITS, teacher), wanted)


def test_distillation_of_many_labels_pulls_where_binary_cross_entropy_does():
    """They differ by the teacher's entropy alone, which has no gradient."""
    one, two = (LOGITS.clone().requires_grad_() for _ in range(2))
    teacher = torch.randn(3, 4)
    MultiLabel().distillation(one, teacher).backward()
    F.binary_cross_entropy_with_logits(two, teacher.sigmoid()).backward()
    torch.testing.assert_close(one.grad, two.grad)


def test_many_labels_stay_finite_for_answers_beyond_doubt():
    far = torch.tensor([[80.0, -80.0]])
    assert MultiLabel().distillation(-far, far).isfinite() and MultiLabel().distillation(far, far).abs() < 1e-6


def test_hits():
    assert hits(LOGITS, MANY) == pytest.approx(100 / 3)  # the second; nothing can be right for the third
    assert hits(LOGITS, F.one_hot(torch.tensor([3, 3, 0]), 4).float()) == pytest.approx(200 / 3)


def test_clips_of_none_of_the_classes_want_all_alike_and_are_neither_hit_nor_miss():
    targets = SingleLabel().targets(torch.tensor([3, FOREIGN, 0]), 4, 0.1)
    assert targets[1].tolist() == [0.25] * 4 and targets[0, 3] == pytest.approx(0.925)
    assert hits(LOGITS, targets) == pytest.approx(50) and hits(LOGITS[1:2], targets[1:2]) == 0
    assert hits(LOGITS[:, :1], torch.ones(3, 1)) == 100  # of one class, that is right


def test_a_step_of_a_multilabel_network_learns():
    torch.manual_seed(0)
    shape = {"spatial": 32, "frames": 4, "task": "multilabel"}
    network = by_name("slow_r18", 4, base_channels=8, dropout=0.0, **shape).train()
    clips, span = torch.randn(3, 3, 4, 32, 32), range_0016(32, 4)
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    losses = []
    for _ in range(8):
        optimiser.zero_grad()
        parts = mutual_step(network, clips, MANY, [span.full, span.smallest])
        losses.append(parts[0].loss)
        optimiser.step()
    assert losses[-1] < 0.7 * losses[0]


def test_probabilities_follow_the_task(tiny):
    logits = torch.tensor([[0.0, 1.0, 2.0]])
    assert tiny.probabilities(logits).sum() == pytest.approx(1)
    many = build(replace(tiny.architecture, task="multilabel"))
    assert many.probabilities(logits)[0, 0] == 0.5
    assert isinstance(task_of(many), MultiLabel) and isinstance(task_of(tiny), SingleLabel)
    with pytest.raises(ConfigurationError, match="task 'tagging': choose one of classification, multilabel, detection"):
        replace(tiny.architecture, task="tagging")
