"""The engine: any 3D network at any width, and a part of it as an ordinary module."""

from a3d.adaptive.adaptation import adapt
from a3d.adaptive.architecture import Architecture
from a3d.adaptive.errors import MissingStatistics, NotAdaptable
from a3d.adaptive.extraction import SubNetwork, extract
from a3d.adaptive.moments import Moments, Statistics
from a3d.adaptive.network import AdaptiveNetwork
from a3d.adaptive.ordering import order_channels
from a3d.adaptive.resampling import resample, temporal_indices
from a3d.adaptive.residents import Residents
from a3d.adaptive.uses import Use
