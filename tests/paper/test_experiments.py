"""Experiments: trained, tested and written down; what is done is not done again, what was stopped goes on."""

from copy import copy
from dataclasses import replace

import pytest

from a3d.adaptive.architecture import Architecture
from a3d.configuration import ComputationalRange
from a3d.datasets import ClipFolder
from a3d.paper.experiments import (
    BORROWED,
    OWN,
    Experiment,
    ExperimentError,
    Outcome,
    gather,
    read_outcomes,
    run_experiment,
    write_outcomes,
)
from a3d.training.recipes import from_scratch
from a3d.video import Sampling
from tests.clips import write_classes

SPAN = ComputationalRange("tiny", (24, 32), (2, 4), (0.5, 1.0))
MUTUAL = Experiment(
    "mutual",
    Architecture("slow_r18", 2, spatial=32, frames=4, options={"base_channels": 8}),
    SPAN,
    Sampling(4, 2, 32),
    replace(from_scratch(), epochs=2, batch=4, warmup=0),
    (SPAN.full, SPAN.smallest),
    (SPAN.full, SPAN.smallest),
)
PLAIN = replace(
    MUTUAL,
    name="plain",
    recipe=replace(MUTUAL.recipe, step="plain", configuration=SPAN.smallest),
    tested=(SPAN.smallest,),
    borrowing=(),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = write_classes(tmp_path_factory.mktemp("clips"), classes=2, train=4, val=2)
    return ClipFolder(root, "train"), ClipFolder(root, "val")


def stopped_at(step):
    def progress(report):
        if report.step == step:
            raise KeyboardInterrupt

    return progress


def timeless(outcomes):
    return [replace(outcome, seconds=0) for outcome in outcomes]


def test_stopped_and_started_again_ends_with_the_same_results(data, tmp_path):
    whole = run_experiment(MUTUAL, *data, tmp_path / "whole", views=(1, 1))
    with pytest.raises(KeyboardInterrupt):
        run_experiment(MUTUAL, *data, tmp_path / "again", views=(1, 1), progress=stopped_at(2))
    assert not (tmp_path / "again" / "results.csv").exists()
    again = run_experiment(MUTUAL, *data, tmp_path / "again", views=(1, 1))
    assert timeless(again) == timeless(whole)
    assert [(o.configuration, o.statistics) for o in whole] == [
        (c.key, statistics) for statistics in (OWN, BORROWED) for c in MUTUAL.tested
    ]
    assert replace(whole[0], statistics=BORROWED) == whole[2]  # the full network borrows from itself


def test_what_is_done_is_read_and_gathered(data, tmp_path):
    first = run_experiment(PLAIN, *data, tmp_path / "plain-0", views=(1, 1))
    second = run_experiment(PLAIN, *data, tmp_path / "plain-1", seed=1, views=(1, 1))
    assert run_experiment(PLAIN, *data, tmp_path / "plain-0", views=(1, 1), progress=stopped_at(0)) == first
    assert gather(tmp_path) == first + second == read_outcomes(tmp_path / "results.csv")
    assert first[0].clips == len(first[0].right) == 4 and first[0].top1 == 25 * first[0].right.count("1")
    assert first[0].low < first[0].top1 < first[0].high or first[0].top1 in (0, 100)


@pytest.mark.parametrize("what", ["epochs", "rate", "seed", "views", "training data", "test data"])
def test_results_of_other_settings_are_not_taken_for_done(data, tmp_path, what):
    """A folder that is done, and one that was stopped before it was: no results, no going on at another rate."""
    training, testing = data
    run_experiment(PLAIN, training, testing, tmp_path, views=(1, 1))
    changed, seed, views = PLAIN, 0, (1, 1)
    if what in ("epochs", "rate"):
        changed = replace(PLAIN, recipe=replace(PLAIN.recipe, **{what: 3}))
    elif what == "seed":
        seed = 1
    elif what == "views":
        views = (2, 1)
    else:
        other = copy(training if what == "training data" else testing)
        other.items = [item._replace(label=1 - item.label) for item in other.items]
        training, testing = (other, testing) if what == "training data" else (training, other)
    for _ in range(2):
        with pytest.raises(ExperimentError, match=f"holds an experiment with {what} .*repeat its command"):
            run_experiment(changed, training, testing, tmp_path, seed, views)
        (tmp_path / "results.csv").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\n1,2\n", "line 1: not the header"), ("HEADER\nplain,zero,32x2@0.5\n", r"line 2: .*'zero'")],
)
def test_a_damaged_results_file_is_named(text, message, tmp_path):
    path = tmp_path / "results.csv"
    path.write_text(text.replace("HEADER", ",".join(Outcome.__dataclass_fields__)))
    with pytest.raises(ExperimentError, match=f"results.csv, {message}.*make it anew"):
        read_outcomes(path)


def test_results_that_do_not_tell_their_settings_are_not_taken_for_done(data, tmp_path):
    write_outcomes(tmp_path / "results.csv", [])
    with pytest.raises(ExperimentError, match=r"results\.csv does not tell .*remove it"):
        run_experiment(PLAIN, *data, tmp_path)
