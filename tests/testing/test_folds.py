"""Folds: every clip is tested once, and its group never learnt from."""

from pathlib import Path

import pytest

from a3d.datasets import ClipSet, DatasetError, Item
from a3d.testing.folds import FOLDS, fold


def clips(names, first=0):
    found = ClipSet()
    found.classes = ("a", "b")
    found.items = [Item(Path(f"v_{name}.mp4"), number % 2) for number, name in enumerate(names, first)]
    return found


def test_every_clip_is_tested_once_and_its_group_is_not_learnt_from():
    training = clips([f"A_g{group:02}_c{clip:02}" for group in range(7) for clip in range(3)])
    testing = clips([f"B_g{group:02}_c{clip:02}" for group in range(4) for clip in range(2)])
    everything, tested = [*training.items, *testing.items], []
    for number in range(FOLDS):
        kept, held = fold(training, testing, number)
        assert sorted([*kept.items, *held.items]) == sorted(everything) and held.items
        assert not {item.path.stem[:-4] for item in kept.items} & {item.path.stem[:-4] for item in held.items}
        assert kept.classes == held.classes == training.classes
        tested += held.items
    assert sorted(tested) == sorted(everything)
    assert (len(training.items), len(testing.items)) == (21, 8)  # the sets that were given are as they were


@pytest.mark.parametrize("number", range(FOLDS))
def test_items_keep_their_labels(number):
    training, testing = clips([f"A_g{group:02}_c01" for group in range(6)]), clips(["B_g01_c01"], first=1)
    labels = {item.path: item.label for item in [*training.items, *testing.items]}
    for part in fold(training, testing, number):
        assert all(labels[item.path] == item.label for item in part.items)


def test_fewer_groups_than_folds_are_named():
    with pytest.raises(DatasetError, match="4 clips of fewer than 5 groups"):
        fold(clips(["A_g01_c01", "A_g01_c02"]), clips(["B_g01_c01", "B_g01_c02"]), 4)
