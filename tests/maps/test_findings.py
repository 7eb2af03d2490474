"""A sweep gives for every configuration what `explain` gives for one."""

import numpy as np
import pytest
import torch

from a3d.adaptive.errors import MissingStatistics
from a3d.configuration import Configuration
from a3d.maps import explain, read_clip, sweep
from a3d.maps.maps import clip_tensor
from a3d.rejection import described
from tests.maps.conftest import FULL, SUBS


def test_findings_are_those_of_explain(network, family, clip_path):
    clip, configurations = read_clip(clip_path, network), [FULL[family], *SUBS[family]]
    findings = list(sweep(clip, network, configurations))
    assert [finding.configuration for finding in findings] == configurations
    for finding in findings:
        assert list(finding.evidence) == list(range(len(network.labels))) and finding.milliseconds > 0
        for label, evidence in finding.evidence.items():
            told = explain(clip, network, finding.configuration, label=label)
            np.testing.assert_allclose(finding.probabilities, told.probabilities, atol=1e-6)
            np.testing.assert_allclose(evidence.map, told.map, atol=1e-5)
            np.testing.assert_array_equal(evidence.seen, told.seen)
            np.testing.assert_array_equal(evidence.times, told.times)
            assert finding.none is None and told.none is None
        assert network.labels[finding.label] == explain(clip, network, finding.configuration).name


def test_only_the_maps_that_are_asked_for(network, family, clip_path):
    (finding,) = sweep(read_clip(clip_path, network), network, [FULL[family]], [2, 0])
    assert list(finding.evidence) == [2, 0]


def test_one_finding_at_a_time(network, family, clip_path):
    """The first is there before the second, which cannot be run, is tried."""
    findings = sweep(read_clip(clip_path, network), network, [FULL[family], Configuration(40, 1, 0.6)])
    assert next(findings).configuration == FULL[family]
    with pytest.raises(MissingStatistics):
        next(findings)


def test_none_of_these_where_it_was_learnt(network, family, clip_path):
    """Only of the configurations that know it, and the same from both."""
    knows, other = FULL[family], SUBS[family][0]
    clip = read_clip(clip_path, network)
    sub = network.extract(knows)
    maps = sub.features(clip_tensor(clip, network, knows))
    length = described(maps, sub.classify(maps)).shape[1]
    network.rejections[knows] = torch.linspace(-1, 1, length + 1)
    found = {one.configuration: one.none for one in sweep(clip, network, [knows, other], [])}
    assert 0 <= found[knows] <= 1 and found[other] is None
    assert explain(clip, network, knows).none == pytest.approx(found[knows], abs=1e-6)
    assert explain(clip, network, other).none is None
