"""Official weights of Slow and SlowFast as adaptive networks; one file a format, each recognised by its own names."""

from a3d.weights.assembly import ConversionError, assemble
from a3d.weights.conversion import convert
from a3d.weights.labels import read_labels
