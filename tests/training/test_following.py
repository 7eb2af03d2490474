"""A run seen from outside, from what its folder holds at any moment."""

import pytest

from a3d.training.following import RunError, follow

HEAD = "step,epoch,rate,seconds,lesson,configuration,loss,top1\n"


def write(folder, steps, total=None, tail=""):
    lines = [
        f"{step},{step // 4},0.001,{1000 + 2 * step},0,{key},1.5,50\n"
        for step in range(steps)
        for key in ("32x4@1.0", "16x2@0.7", "16x2@0.5")
    ]
    (folder / "metrics.csv").write_text(HEAD + "".join(lines) + tail)
    if total is not None:
        (folder / "run.json").write_text(f'{{"steps": {total}, "steps_per_epoch": 4}}')
    return folder


def test_time_left_follows_the_pace(tmp_path):
    run = follow(write(tmp_path, 10, 25), now=1019.0)
    assert (run.step, run.steps, run.seconds_per_step, run.left) == (10, 25, 2.0, 30.0)
    assert run.state == "running" and run.idle == 1.0


def test_a_run_that_slept_keeps_its_pace(tmp_path):
    write(tmp_path, 10, 25)
    text = (tmp_path / "metrics.csv").read_text().replace(",1018,", ",9018,")
    (tmp_path / "metrics.csv").write_text(text)
    assert follow(tmp_path, now=9019.0).left == 30.0


@pytest.mark.parametrize(
    ("total", "now", "state"), [(10, 1e9, "finished"), (25, 1e9, "paused"), (None, 1020, "running")]
)
def test_states(tmp_path, total, now, state):
    run = follow(write(tmp_path, 10, total), now=now)
    assert run.state == state
    assert (run.left is None) == (total is None)


def test_a_line_that_is_being_written_waits(tmp_path):
    run = follow(write(tmp_path, 3, 9, tail="3,0,0.001,10"), now=1005.0)
    assert run.step == 3 and len(run.metrics) == 9


def test_a_run_without_a_step_yet(tmp_path):
    (tmp_path / "metrics.csv").write_text(HEAD)
    run = follow(tmp_path, now=0.0)
    assert run.step == 0 and run.left is None and run.metrics.empty


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", HEAD + "x,0,0,0,0,32x4@1.0,1,1\n"])
def test_what_is_no_log_is_named(tmp_path, text):
    with pytest.raises(RunError, match=r"metrics.csv does not exist"):
        follow(tmp_path, 0.0)
    (tmp_path / "metrics.csv").write_text(text)
    with pytest.raises(RunError, match=r"metrics.csv is no log of a run"):
        follow(tmp_path, 0.0)


def test_a_plan_that_is_none_is_named(tmp_path):
    write(tmp_path, 2)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(RunError, match=r"run.json does not tell the steps"):
        follow(tmp_path, 0.0)
