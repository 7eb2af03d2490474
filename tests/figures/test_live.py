"""The figure of a watched stream holds every window once, as what it was."""

from dataclasses import replace

from a3d.configuration import Configuration
from a3d.deploy.live.controller import Controller, Fixed, Option
from a3d.deploy.live.simulate import pulse, simulate
from a3d.figures import live_figure

OPTIONS = [
    Option(Configuration.parse(key), milliseconds, top1)
    for key, milliseconds, top1 in (("48x2@0.5", 3.0, 50.0), ("64x4@0.7", 8.0, 55.0), ("96x8@1", 20.0, 59.0))
]


def test_windows_in_time_late_and_dropped():
    runs = {
        name: simulate(policy, OPTIONS, pulse(2.5, 1, 2), 30, 30, 3.0)
        for name, policy in (("watch", Controller(OPTIONS, 30)), ("full", Fixed(OPTIONS[-1])))
    }
    figure = live_figure(runs, [(1, 2)])
    for number, steps in enumerate(runs.values()):
        in_time, late, dropped = figure.data[3 * number : 3 * number + 3]
        assert list(in_time.y) == [step.latency for step in steps if step.met]
        assert list(late.x) == [step.time for step in steps if step.configuration and not step.met]
        assert list(dropped.x) == [step.time for step in steps if step.configuration is None]
    choices = figure.data[-1]
    assert list(choices.y) == [str(step.configuration) for step in runs["watch"]]
    assert list(figure.layout.yaxis3.categoryarray) == ["48²×2, 0.5", "64²×4, 0.7", "96²×8, 1.0"]
    assert sorted(trace.name for trace in figure.data if trace.showlegend) == ["dropped", "in time", "late"]
    titles = [note.text for note in figure.layout.annotations]
    assert any("watch</b>" in title and "within 30 ms" in title for title in titles)


def test_one_run_in_which_everything_was_in_time():
    figure = live_figure({"clip.mp4": simulate(Fixed(OPTIONS[0]), OPTIONS, lambda moment: 1.0, 30, 30, 0.3)})
    assert [trace.name for trace in figure.data if trace.showlegend] == ["in time"]


def test_a_deadline_that_was_changed_is_drawn_as_it_was():
    steps = [
        replace(step, deadline=30.0 if step.time < 0.2 else 60.0)
        for step in simulate(Fixed(OPTIONS[0]), OPTIONS, lambda moment: 1.0, 30, 100, 0.5)
    ]
    figure = live_figure({"clip.mp4": steps})
    lines = [(shape.x0, shape.x1, shape.y0, shape.y1) for shape in figure.layout.shapes]
    assert lines == [(0.0, steps[2].time, 30.0, 30.0), (steps[2].time, steps[-1].time, 60.0, 60.0)]
    assert any("within the deadline of the moment" in note.text for note in figure.layout.annotations)
