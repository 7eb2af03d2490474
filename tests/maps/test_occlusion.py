"""Hiding places of a clip: which pixels, how many, and what falls."""

import numpy as np
import pytest
import torch

from a3d.configuration import ConfigurationError
from a3d.datasets import ClipFolder
from a3d.maps import explain, occlude, read_clip
from a3d.maps.occlusion import hide, occlusion_on
from a3d.testing.errors import EvaluationError
from tests.maps.conftest import FULL, SUBS


def test_one_place_is_hidden_by_the_mean_of_its_frame_and_nothing_else():
    clip = torch.rand(1, 3, 8, 8, 8)
    hidden = hide(clip, (3, 2, 2), torch.tensor([4 + 1]))  # the second step begins with frame 2, the third with 5
    changed = (hidden != clip).any(1)[0]
    expected = torch.zeros(8, 8, 8, dtype=torch.bool)
    expected[2:5, :4, 4:] = True
    assert torch.equal(changed, expected)
    means = clip[0, :, 2:5].mean((2, 3))
    torch.testing.assert_close(hidden[0, :, 2:5, 0, 5], means)


def test_before_is_the_answer_and_the_draws_repeat(network, family, clip_path):
    clip = read_clip(clip_path, network)
    for configuration in (FULL[family], SUBS[family][1]):
        told = explain(clip, network, configuration, label=1)
        found = occlude(clip, network, told, seeds=3)
        assert found.before == pytest.approx(told.probabilities[1], abs=1e-6)
        assert found.places == told.map.size and found.hidden == max(1, round(0.1 * told.map.size))
        assert len(found.random) == 3 and found == occlude(clip, network, told, seeds=3)
        assert found.chance == pytest.approx(np.mean(found.random))
    with pytest.raises(ConfigurationError, match="seeds 0"):
        occlude(clip, network, told, seeds=0)


@pytest.mark.parametrize("family", ["slow"], indirect=True)
def test_the_places_that_are_hidden_are_the_hottest(network, clip_path, monkeypatch):
    from a3d.maps import occlusion

    hidden = []
    monkeypatch.setattr(occlusion, "hide", lambda clip, grid, places: hidden.append(places) or clip)
    told = explain(read_clip(clip_path, network), network)
    found = occlude(read_clip(clip_path, network), network, told)
    assert hidden[0].tolist() == np.argsort(-told.map.ravel(), kind="stable")[: found.hidden].tolist()
    assert found.gain == 0.0  # nothing was hidden


@pytest.mark.parametrize("family", ["slow"], indirect=True)
def test_over_clips_it_is_the_mean_with_its_interval(network, clip_path, tmp_path):
    for name, label in (("a", "crawl"), ("b", "jump")):
        (tmp_path / label).mkdir()
        (tmp_path / label / f"{name}.mp4").write_bytes(clip_path.read_bytes())
    dataset = ClipFolder(tmp_path, classes=network.labels)
    found = occlusion_on(network, dataset, FULL["slow"])
    clip = read_clip(clip_path, network)
    gains = [
        100 * occlude(clip, network, explain(clip, network, FULL["slow"], label=label)).gain
        for label in ("crawl", "jump")
    ]
    assert found.clips == 2 and found.gain == pytest.approx(np.mean(gains))
    assert found.gain == pytest.approx(found.chance - found.hottest)
    assert found.interval[1] - found.gain == pytest.approx(1.96 * np.std(gains, ddof=1) / 2**0.5)
    dataset.items = dataset.items[:1]
    with pytest.raises(EvaluationError, match="1 clips"):
        occlusion_on(network, dataset, FULL["slow"])
