"""What the app says of a clip, honestly."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from a3d.budgets.profile import Latency, Profile, Timing
from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration
from a3d.deploy.live.trace import Step
from a3d.maps import Comparison, Evidence, Finding, Occlusion
from tests.evidence import made

PATH = Path(__file__).parents[2] / "app" / "words.py"
SPEC = importlib.util.spec_from_file_location("words", PATH)
words = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(words)

LABELS = ("WallPushups", "JumpRope")
TIMES = np.arange(4.0)


def finding(probabilities, none=None, field=None) -> Finding:
    """Maps of 4×4 cells, unless given: the hotter the later."""
    field = np.arange(64).reshape(4, 4, 4) if field is None else np.asarray(field)
    evidence = {label: Evidence("slow", field.astype(np.float32), np.arange(4), TIMES) for label in range(2)}
    return Finding(Configuration(16, 4, 1.0), np.array(probabilities, np.float32), none, evidence, 1.0)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("BodyWeightSquats", "Body weight squats"),
        ("YoYo", "Yo yo"),
        ("brush_hair", "Brush hair"),
        ("riding a bike", "Riding a bike"),
        ("TVWatching", "TV watching"),
    ],
)
def test_classes_are_words(label, name):
    assert words.class_name(label) == name


@pytest.mark.parametrize(
    ("full", "sub", "text"),
    [
        (((0.9, 0.1), None), ((0.8, 0.2), None), "Both say **Wall pushups**: the full network at 90%"),
        (((0.9, 0.1), None), ((0.2, 0.8), None), "The full network says **Wall pushups** (90%), the sub-network says"),
        (((0.42, 0.3), None), ((0.45, 0.4), None), "Both are **unsure**: the full network guesses Wall pushups at 42%"),
        (((0.42, 0.3), 0.9), ((0.9, 0.1), 0.7), "Both say **none of these**"),
        (((0.9, 0.1), 0.2), ((0.9, 0.1), 0.7), "the sub-network says **none of these** (70%)"),
    ],
)
def test_nobody_answers_what_he_does_not_believe(full, sub, text):
    assert text in words.verdict_of(finding(*full), finding(*sub), LABELS)


def test_two_networks_on_compare_may_say_none_of_these():
    field = np.ones((4, 1, 1))
    first, second = (
        replace(made(Configuration(16, 4, width), range(4), field, TIMES), none=none)
        for width, none in ((1.0, 0.2), (0.5, 0.8))
    )
    said = words.verdict(Comparison(first, second))
    assert "says **Crawl** (70%)" in said and "says **none of these** (80%)" in said


@pytest.mark.parametrize(
    ("chances", "none", "said"),
    [
        ((0.9, 0.1), None, "Wall pushups, 90%"),
        ((0.42, 0.3), 0.3, "Unsure: Wall pushups, 42%"),
        ((0.9, 0.1), 0.6, "None of these, 60%"),
    ],
)
def test_an_answer_in_a_table_is_no_more_than_is_believed(chances, none, said):
    assert words.answered(list(zip(LABELS, chances, strict=True)), none) == said


def test_a_row_that_was_not_timed_is_told_in_gflops():
    rows = [Row(Configuration(16, 4, width), gflops, 100, 60.0) for width, gflops in ((1.0, 2.0), (0.5, 0.5))]
    profile = Profile("this", 1, (Latency(rows[0].configuration, 1, *4 * [Timing(20.0, 21.0)]),), {})
    told = made(rows[1].configuration, range(4), np.ones((4, 1, 1)), TIMES)
    about = [words.caption(row, told, Table(rows), "milliseconds", profile).about for row in rows]
    assert about == ["20.0 ms (100%), 60.0% top-1", "0.500 GFLOPs (25%), 60.0% top-1"]


def test_a_class_that_nothing_speaks_for_is_said_so():
    against = finding((1.0, 0.0), field=-np.ones((4, 4, 4)))
    assert words.evidence(against, against, 1, LABELS, TIMES).startswith(
        "Nothing in this clip speaks for **Jump rope**"
    )
    seen = finding((1.0, 0.0))
    assert "Nothing that the sub-network sees" in words.evidence(seen, against, 1, LABELS, TIMES)


def test_agreement_is_put_in_words_only_where_maps_have_cells_enough():
    fine, coarse = finding((0.9, 0.1)), finding((0.9, 0.1), field=np.arange(36).reshape(4, 3, 3))
    assert "nearly alike" in words.evidence(fine, fine, 0, LABELS, TIMES)
    assert "3 × 3 cells" in words.evidence(fine, coarse, 0, LABELS, TIMES)


@pytest.mark.parametrize(
    ("hottest", "said"),
    [(0.2, "falls from 80% to **20%**"), (0.65, "tells little"), (0.9, "does not rest on them")],
)
def test_hiding_is_judged_by_the_random_draws(hottest, said):
    check = Occlusion(Configuration(16, 4, 1.0), 0.8, hottest, (0.6, 0.7), 2, 16)
    told = words.occlusion("full network", "Wave", check)
    assert said in told and "it is at 65%" in told
    assert ("the answer rests on them" in told) == (hottest < 0.6)


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(1100.0, "0.91"), (161.0, "6.2"), (100.4, "10"), (41.0, "24"), (6.1, "160"), (0.8, "1,200")],
)
def test_clips_a_second_have_two_digits(milliseconds, said):
    assert words.per_second(milliseconds) == said


def test_a_pace_is_a_gain_only_where_there_is_one():
    assert words.pace(41.0, 6.1) == "**160 clips a second** in place of 24."
    assert words.pace(41.0, 41.0) == "**24 clips a second** on this machine."
    assert "no faster here" in words.pace(41.0, 40.0) and "no faster here" in words.pace(41.0, 50.0)


@pytest.mark.parametrize(
    ("full", "factor", "said"), [(41.0, 50, "50 times slower"), (3000.0, 1, "at real pace"), (2.0, 1000, "1,000 times")]
)
def test_the_race_takes_a_moment_and_says_how_slow_it_is(full, factor, said):
    assert words.slowed(full) == factor and said in words.measured(full)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Pull-ups", "pull-ups"),
        ("a b/../c.mp4 at 0:02", "a-b-c-mp4-at-0-02"),
        ("Übung.mov", "übung-mov"),
        ("…", "clip"),
    ],
)
def test_files_are_named_after_the_clip(name, stem):
    assert words.file_name(name) == stem
    assert len(words.file_name(50 * name)) <= 60


def step(probability, *, configuration="32x4@1.0", met=True):
    key = Configuration.parse(configuration) if configuration else None
    return Step(0, 1.0, key, "JumpRope", probability, 20.0, 20.0, 25.0, 30.0, met, 1.0, "")


def test_a_live_answer_that_is_not_believed_is_none():
    assert words.live_answer(step(0.8)) == ("Jump rope", "80%")
    assert words.live_answer(step(0.3)) == ("Unsure", "Jump rope at 30%")


def test_shares_of_windows_in_time_late_and_skipped():
    steps = [step(0.8), step(0.8), step(0.8, met=False), step(None, configuration=None, met=False)]
    assert words.in_time(steps) == ("50%", "late 25%, skipped 25%")
