"""From the full clip to that of a configuration."""

import pytest
import torch

from a3d.adaptive.resampling import resample, short_sides, temporal_indices
from a3d.configuration import ConfigurationError


def test_frames_a_sub_network_sees():
    assert temporal_indices(8, 4) == [0, 2, 4, 6]  # neither the 2nd nor the 8th: Fig. 1
    assert temporal_indices(8, 6) == [0, 1, 2, 4, 5, 6]
    assert temporal_indices(8, 8) == list(range(8))
    with pytest.raises(ConfigurationError):
        temporal_indices(4, 8)


def test_resampling_leaves_a_fitting_clip_alone():
    clip = torch.randn(1, 3, 4, 16, 16)
    assert resample(clip, 4, 16, 16) is clip
    flat = torch.full((1, 3, 4, 16, 16), 0.3)
    torch.testing.assert_close(resample(flat, 2, 7, 7), torch.full((1, 3, 2, 7, 7), 0.3))


def test_sides_of_a_picture():
    assert short_sides(240, 320, 224) == (224, 299) and short_sides(320, 240, 224) == (299, 224)
    assert short_sides(64, 64, 33) == (33, 33)
