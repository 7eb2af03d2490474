"""Where and when networks look: class activation maps in space and time, figures, overlay videos."""

from a3d.maps.maps import Agreement, Clip, Comparison, Evidence, Explanation, compare, explain, mass_inside, read_clip
