"""The simulator: hand-made cases to the millisecond, and policies compared."""

from itertools import groupby

import pytest

from a3d.deploy.live.controller import Controller, Fixed
from a3d.deploy.live.simulate import pulse, simulate
from a3d.deploy.live.trace import Summary

from .test_controller import BEST, OPTIONS, SECOND, SMALLEST, THIRD, TOP1


def runs(steps):
    return [(configuration, len(list(group))) for configuration, group in groupby(s.configuration for s in steps)]


def accuracy(steps):
    return sum(TOP1.get(step.configuration, 0) for step in steps) / len(steps)


def test_a_fixed_one_on_an_idle_machine():
    steps = simulate(Fixed(OPTIONS[3]), OPTIONS, pulse(2, 5, 6), 30, 30, 1.5)
    assert [step.window for step in steps] == list(range(50))
    assert all(step.met and step.latency == pytest.approx(20) == step.measured for step in steps)
    assert [step.time for step in steps[:3]] == pytest.approx([0, 0.03, 0.06])


def test_a_fixed_one_that_is_too_slow_drops_windows_and_never_lags_behind():
    """50 ms a window, one every 30 ms: two of three waiting ones are overtaken; none waits for more than 30 ms."""
    steps = simulate(Fixed(OPTIONS[3]), OPTIONS, lambda moment: 2.5, 60, 30, 3.0)
    assert [step.window for step in steps] == list(range(100))
    answered = [step for step in steps if step.configuration]
    assert len(answered) == pytest.approx(60, abs=1)
    assert max(step.latency for step in answered) <= 80 + 1e-6
    dropped = [step for step in steps if not step.configuration]
    assert all(not step.met and step.latency is None and step.why.startswith("dropped") for step in dropped)
    assert steps[1].latency == pytest.approx(70) and steps[2].window == 2


def test_golden_run():
    """A load from the second second to the fourth, of six: seen after one window, left behind step by step."""
    steps = simulate(Controller(OPTIONS, 30), OPTIONS, pulse(2, 2, 4), 30, 30, 6.0)
    assert [step.window for step in steps if not step.met] == [67]
    assert runs(steps) == [(BEST, 68), (SECOND, 70), (THIRD, 9), (BEST, 53)]


def test_the_same_seed_gives_the_same_run():
    first, second, other = (
        simulate(Controller(OPTIONS, 30), OPTIONS, pulse(2, 2, 4), 30, 30, 6.0, noise=0.2, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first == second != other


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2])
def test_deadlines_are_held_and_accuracy_is_nearer_the_full_network(noise):
    """A machine at half its speed for a third of the time, as the benchmark has it with a real network."""
    live, full, small = (
        simulate(policy, OPTIONS, pulse(2, 4, 8), 30, 30, 12.0, noise)
        for policy in (Controller(OPTIONS, 30), Fixed(OPTIONS[-1]), Fixed(OPTIONS[0]))
    )
    assert Summary.of(live).within >= 0.95 > Summary.of(full).within
    assert accuracy(live) > (TOP1[BEST] + TOP1[SMALLEST]) / 2
    assert accuracy(live) > accuracy(full) > accuracy(small)
