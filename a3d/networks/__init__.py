"""Adaptive 3D networks: one set of weights, many configurations."""

from a3d.configuration import ConfigurationError
from a3d.networks.adaptive import AdaptiveNetwork, Architecture, MissingStatistics
from a3d.networks.extraction import SubNetwork, Use, build, trace
from a3d.networks.resampling import resample, temporal_indices
from a3d.networks.slimmable import Moments, Pass
from a3d.networks.slow import Slow, slow_r18, slow_r26, slow_r50, slow_r101
from a3d.networks.slowfast import SlowFast, slowfast_r18, slowfast_r26, slowfast_r50, slowfast_r101
