"""Official weights of Slow and SlowFast as adaptive networks; one file a format, each recognised by its own names."""

from a3d.networks.convert.assembly import ConversionError, assemble
from a3d.networks.convert.conversion import convert
from a3d.networks.convert.labels import read_labels
