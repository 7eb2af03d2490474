"""A slider shows one figure at a time, whole, and nothing of the others."""

import plotly.graph_objects as go
import pytest

from a3d.figures.sliders import under_slider


def made(points, shapes=0):
    figure = go.Figure([go.Scatter(y=values) for values in points])
    for _ in range(shapes):
        figure.add_vline(x=0)
    figure.update_layout(height=300, xaxis_range=(0, len(points)), margin_b=40)
    return figure


FIGURES = {"low": made([[1, 2]], shapes=1), "high": made([[3, 4], [5, 6]])}


def test_each_step_shows_its_own_traces_alone():
    figure = under_slider(FIGURES, start=1)
    assert [trace.visible for trace in figure.data] == [False, True, True]
    assert [list(trace.y) for trace in figure.data] == [[1, 2], [3, 4], [5, 6]]
    (slider,) = figure.layout.sliders
    assert slider.active == 1 and [step.label for step in slider.steps] == ["low", "high"]
    assert [step.args[0]["visible"] for step in slider.steps] == [[True, False, False], [False, True, True]]


def test_what_a_figure_lacks_is_cleared():
    (slider,) = under_slider(FIGURES).layout.sliders
    assert [len(step.args[1]["shapes"]) for step in slider.steps] == [1, 0]
    assert [list(step.args[1]["xaxis.range"]) for step in slider.steps] == [[0, 1], [0, 2]]


def test_the_figures_stay_as_they_were():
    under_slider(FIGURES)
    assert all(trace.visible is None for figure in FIGURES.values() for trace in figure.data)
    assert all(figure.layout.height == 300 and not figure.layout.sliders for figure in FIGURES.values())


@pytest.mark.parametrize("figures, start", [({}, 0), (FIGURES, 2), (FIGURES, -1)])
def test_a_start_that_no_figure_has(figures, start):
    with pytest.raises(ValueError, match=f"start {start} of {len(figures)} figures"):
        under_slider(figures, start)
