"""Counts of classes taken for one another, and clips by how hard they are."""

from pathlib import Path

import pytest
import torch
from sklearn.metrics import confusion_matrix

from a3d.configuration import Configuration
from a3d.datasets import ClipFolder
from a3d.testing.confusion import class_accuracies, confusion, hardest_first
from a3d.testing.errors import EvaluationError
from a3d.testing.evaluation import Result, calibrate_all, evaluate

SMALL = Configuration(24, 2, 0.5)


def result(probabilities, labels):
    files = tuple((Path(f"{i}.mp4"), None) for i in range(len(labels)))
    return Result(SMALL, 0, 0, 0, None, len(labels), (1, 1), (), 0, probabilities, labels, files)


def test_counts_are_those_of_scikit_learn():
    probabilities, labels = torch.rand(200, 5), torch.randint(0, 4, (200,))  # the last class never occurs
    found = result(probabilities, labels)
    expected = confusion_matrix(labels, probabilities.argmax(1), labels=range(5))
    assert confusion(found).tolist() == expected.tolist() and confusion(found).sum() == 200
    accuracies = class_accuracies(found, "abcde")
    right = [100 * (probabilities.argmax(1) == i)[labels == i].double().mean().item() for i in range(4)]
    assert list(accuracies.values()) == [*map(pytest.approx, right), None] and list(accuracies) == list("abcde")


def test_the_least_believed_come_first():
    probabilities = torch.tensor([[0.7, 0.3], [0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    found = hardest_first(result(probabilities, torch.tensor([0, 1, 1, 0])), ("a", "b"))
    assert [judged.path.name for judged in found] == ["1.mp4", "3.mp4", "0.mp4", "2.mp4"]
    assert [judged.is_right for judged in found] == [False, False, True, True]
    assert (found[0].truth, found[0].label) == ("b", "a")
    assert (found[0].of_truth, found[0].probability) == (pytest.approx(0.1), pytest.approx(0.9))


def test_each_clip_of_a_test_has_its_file(network, clips):
    """Also where files between them are broken."""
    data = ClipFolder(clips, "val")
    calibrate_all(network, data.items, [SMALL])
    data.items.insert(2, data.items[0]._replace(path=clips / "none.mp4"))
    tested = evaluate(network, data, SMALL, (1, 1), batch=2)
    truth = {item.path: data.classes[item.label] for item in data.items}
    judged = hardest_first(tested, network.labels)
    assert {clip.path: clip.truth for clip in judged} == {p: name for p, name in truth.items() if p.name != "none.mp4"}
    for clip in judged:
        alone = [item for item in data.items if item.path == clip.path]
        data_of_one = ClipFolder(clips, "val")
        data_of_one.items = alone
        row = evaluate(network, data_of_one, SMALL, (1, 1)).probabilities[0]
        assert clip.probability == pytest.approx(row.max().item(), abs=1e-5)


def test_several_classes_a_clip_have_no_confusion():
    several = result(torch.rand(3, 2), torch.ones(3, 2))
    for ask in (confusion, lambda found: hardest_first(found, "ab")):
        with pytest.raises(EvaluationError, match="several classes"):
            ask(several)
