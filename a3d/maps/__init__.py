"""Where and when networks look: class activation maps in space and time, figures, overlay videos."""

from a3d.maps.findings import Finding, sweep
from a3d.maps.maps import Agreement, Clip, Comparison, Evidence, Explanation, agreement, compare, explain, mass_inside
from a3d.maps.maps import read_clip as read_clip
from a3d.maps.occlusion import Occlusion, occlude
