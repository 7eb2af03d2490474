"""A sweep gives for every configuration what `explain` gives for one."""

import numpy as np
import pytest

from a3d.adaptive.errors import MissingStatistics
from a3d.configuration import Configuration
from a3d.maps import explain, read_clip, sweep
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
