"""Learning to say "none of these": what is held out, what is kept, and that predictions carry it."""

import numpy as np
import pytest
import torch

import a3d
from a3d.configuration import Configuration
from a3d.datasets import ClipFolder
from a3d.inference.segments import segments
from a3d.maps import findings, read_clip
from a3d.testing import foreign as rejecting
from a3d.testing.errors import EvaluationError
from a3d.testing.evaluation import build_table
from a3d.testing.foreign import auroc, foreign_clips, learn_from_known, learn_to_reject, reject
from a3d.video.encode import write_video

FULL, SMALL = Configuration(32, 4, 1.0), Configuration(24, 2, 0.5)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Five classes of two bright clips each."""
    root = tmp_path_factory.mktemp("others")
    for label in range(5):
        for number in range(2):
            noise = np.random.default_rng(10 * label + number).integers(200, 256, (18, 40, 56, 3), dtype=np.uint8)
            write_video(root / f"other_{label}" / f"{number}.mp4", noise, 10)
    return root


@pytest.fixture
def taught(network, clips, others):
    build_table(network, ClipFolder(clips, "train"), ClipFolder(clips, "val"), [FULL, SMALL])
    sets = ClipFolder(clips, "train"), ClipFolder(clips, "val")
    return network, learn_to_reject(network, *sets, foreign_clips(others), [FULL, SMALL])


def test_clips_of_classes_never_seen_are_told_from_known_ones(taught, clips, others):
    network, found = taught
    assert [one.configuration for one in found] == [FULL, SMALL] and set(network.rejections) == {FULL, SMALL}
    assert all((one.known, one.foreign) == (6, 10) and one.auroc > 90 for one in found)
    paths = [path for group in foreign_clips(others).values() for path in group]
    assert reject(network, ClipFolder(clips, "val"), paths, FULL).auroc > 90


def test_no_class_that_is_judged_was_fitted(network, clips, others, monkeypatch):
    build_table(network, ClipFolder(clips, "train"), ClipFolder(clips, "val"), [SMALL])
    fitted, judged = [], []
    fit, rejected = rejecting.fit, rejecting.rejected
    monkeypatch.setattr(rejecting, "fit", lambda known, foreign: fitted.append((known, foreign)) or fit(known, foreign))
    monkeypatch.setattr(rejecting, "rejected", lambda line, looked: judged.append(looked) or rejected(line, looked))
    learn_to_reject(network, *(ClipFolder(clips, s) for s in ("train", "val")), foreign_clips(others), [SMALL])
    for part in range(5):
        known, away = judged[2 * part : 2 * part + 2]
        assert len(away) == 2  # both clips of one class
        for looked, seen in ((known, fitted[part][0]), (away, fitted[part][1])):
            assert not (looked[:, None] == seen[None]).all(2).any()


def test_a_prediction_carries_it(taught, clips, others, tmp_path):
    network, _ = taught
    known, other = next((clips / "val").rglob("*.mp4")), next(others.rglob("*.mp4"))
    answers = [a3d.predict(path, network, FULL) for path in (known, other)]
    assert answers[0].none < 0.5 < answers[1].none
    found = next(findings.sweep(read_clip(other, network), network, [FULL]))
    assert found.none == pytest.approx(answers[1].none, abs=1e-5)
    assert {part.label for part in segments(other, network, FULL)} == {"none of these"}

    a3d.save(network, tmp_path)
    loaded = a3d.load(tmp_path)
    assert a3d.predict(other, loaded, FULL).none == pytest.approx(answers[1].none, abs=1e-6)
    network.rejections.clear()
    assert a3d.predict(other, network, FULL).none is None
    a3d.save(network, tmp_path)
    assert not a3d.load(tmp_path).rejections


def test_black_and_noise_are_none_of_them(taught, tmp_path):
    network, _ = taught
    noise = np.random.default_rng(99).integers(0, 256, (18, 40, 56, 3), dtype=np.uint8)
    for name, frames in (("black", 0 * noise), ("noise", noise)):
        assert a3d.predict(write_video(tmp_path / f"{name}.mp4", frames, 10), network, FULL).none > 0.5


def test_too_few_classes_and_untaught_networks_are_refused(network, clips):
    data = ClipFolder(clips, "val")
    with pytest.raises(EvaluationError, match=r"^2 folders of foreign clips: give at least 5"):
        learn_to_reject(network, data, data, {"a": [], "b": []}, [FULL])
    with pytest.raises(EvaluationError, match=r"a3d table --foreign DIR"):
        reject(network, data, [], FULL)


def test_without_foreign_clips_the_known_ones_set_the_line(network, clips, others):
    data = ClipFolder(clips, "val")
    build_table(network, ClipFolder(clips, "train"), data, [FULL, SMALL])
    learn_from_known(network, data, [FULL])
    assert set(network.rejections) == {FULL} and network.rejections[FULL][:-2].eq(0).all()
    paths = [path for group in foreign_clips(others).values() for path in group]
    assert reject(network, data, paths, FULL).accepted == pytest.approx(90, abs=100 / len(data))


def test_auroc():
    assert auroc(torch.tensor([0.1, 0.4]), torch.tensor([0.4, 0.9])) == 87.5
