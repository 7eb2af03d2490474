"""A table that was stopped goes on there, and is what it would have been."""

import pytest
import torch

from a3d.datasets import ClipFolder
from a3d.testing import clips as clips_of_a_test
from a3d.testing.evaluation import build_table

BATCH = 2


@pytest.fixture
def sets(clips):
    return ClipFolder(clips, "train"), ClipFolder(clips, "val")


class Counted:
    """A data set that counts what is opened, and is stopped at one of them."""

    def __init__(self, dataset, stop=None):
        self.dataset, self.stop, self.opened = dataset, stop, 0

    def __getattr__(self, name):
        return getattr(self.dataset, name)

    def __len__(self):
        return len(self.dataset)

    def open(self, path):
        self.opened += 1
        if self.opened == self.stop:
            raise KeyboardInterrupt
        return self.dataset.open(path)


@pytest.mark.parametrize("stop", [1, 3])
def test_stopped_while_testing_it_goes_on_with_the_next_clips(network, sets, tmp_path, monkeypatch, stop):
    monkeypatch.setattr("a3d.testing.evaluation.AT_ONCE", 1)
    training, testing = sets
    testing.items *= 8  # 16 views run at once: 48 clips are three groups
    whole = build_table(network, training, testing, calibration_clips=4, batch=BATCH)
    statistics, network.statistics = network.statistics, {}
    path = tmp_path / "unfinished"
    with pytest.raises(KeyboardInterrupt):
        build_table(network, training, Counted(testing, 16 * stop), calibration_clips=4, batch=BATCH, unfinished=path)
    network.statistics = {}
    again, learnt = Counted(testing), Counted(training)
    built = build_table(network, learnt, again, calibration_clips=4, batch=BATCH, unfinished=path)
    assert built.table == whole.table and learnt.opened == 0
    assert again.opened == 48 - (16 * stop - 1) // 16 * 16 and built.broken == whole.broken
    for configuration, found in statistics.items():
        assert list(network.statistics[configuration]) == list(found)  # by which they are packed
        for layer, moments in found.items():
            assert all(map(torch.equal, network.statistics[configuration][layer], moments))


def test_stopped_while_calibrating_it_keeps_what_is_done(network, sets, tmp_path):
    training, testing = sets
    path, done = tmp_path / "unfinished", []

    def stop(now, total):
        done.append(now)
        if len(done) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_table(network, training, testing, calibration_clips=4, progress=stop, unfinished=path)
    assert path.exists() and len(network.statistics) == 3
    again = dict(network.statistics)
    build_table(network, training, testing, calibration_clips=4, unfinished=path)
    kept = [c for c in again if network.statistics[c].keys() == again[c].keys()]
    assert len(kept) == 3 and all(
        torch.equal(network.statistics[c][layer][0], again[c][layer][0]) for c in kept for layer in again[c]
    )


@pytest.mark.parametrize("change", ["weights", "views", "damage"])
def test_what_is_of_another_test_is_not_used(network, sets, tmp_path, change):
    training, testing = sets
    path = tmp_path / "unfinished"
    with pytest.raises(KeyboardInterrupt):
        build_table(network, training, Counted(testing, 1), calibration_clips=4, unfinished=path)
    views = (1, 1)
    if change == "weights":
        network.network.classifier.bias.data += 1
    elif change == "views":
        views = (2, 1)
    else:
        path.write_bytes(path.read_bytes()[:-10])
    learnt = Counted(training)
    built = build_table(network, learnt, testing, calibration_clips=4, views=views, unfinished=path)
    assert learnt.opened == 4 and len(built.table) == 9
    assert clips_of_a_test.AT_ONCE == 8
