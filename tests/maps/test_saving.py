"""Files to take along hold what was computed."""

from io import BytesIO

import numpy as np

from a3d.figures import probabilities_figure, shares_figure
from a3d.maps.saving import maps_npz, page


def test_maps_come_back(comparison):
    with np.load(BytesIO(maps_npz(comparison)), allow_pickle=False) as arrays:
        for name, one in (("first", comparison.full), ("second", comparison.sub)):
            np.testing.assert_array_equal(arrays[f"{name}_map"], one.map)
            np.testing.assert_array_equal(arrays[f"{name}_seen"], one.seen)
            np.testing.assert_array_equal(arrays[f"{name}_probabilities"], one.probabilities)
            assert str(arrays[f"{name}_configuration"]) == one.configuration.key
            assert np.isclose(arrays[f"{name}_logit"], one.logit)
        np.testing.assert_array_equal(arrays["frames"], comparison.full.frames)
        assert tuple(arrays["labels"]) == comparison.full.labels


def test_a_page_needs_no_network(comparison):
    figures = {
        "Answers <both>": probabilities_figure(comparison.full, comparison.sub),
        "Time": shares_figure(comparison),
    }
    text = page("A & B", figures)
    assert "<title>A &amp; B</title>" in text and "<h2>Answers &lt;both&gt;</h2>" in text
    assert text.count("Plotly.newPlot(") == 2
    assert '<script src="http' not in text and "https://cdn" not in text.split("</script>")[-1]
