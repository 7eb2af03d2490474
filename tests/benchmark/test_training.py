"""How the passes of a table are timed: a method is put under a clock and given back."""

from a3d.benchmark.training import clocked


class Worker:
    def work(self, more):
        return more + 1


def test_a_method_is_clocked_for_a_while():
    before = Worker.work
    with clocked(Worker, "work") as clock:
        assert Worker().work(1) == 2 and Worker().work(more=2) == 3
    assert clock.seconds > 0 and Worker.work is before
