"""What an adaptive network refuses."""

from __future__ import annotations

from a3d.configuration import ConfigurationError


class NotAdaptable(ConfigurationError):
    """A network that cannot run at other widths; the message names the layer and the reason."""


class MissingStatistics(ConfigurationError):
    """The configuration has not been calibrated."""
