"""What the app shows is what the library answers, for random choices of checkpoint, unit, budget and clip."""

import random
from pathlib import Path

import pytest

import a3d
from a3d.synthetic import render, write

from .driving import dial, healthy, limit, numbers, opened, traces, upload, values

EXERCISE12 = Path(__file__).parents[2] / "checkpoints" / "exercise12"
UNITS = {"GFLOPs": ("budget", "gflops"), "Share": ("budget_share", "gflops"), "Parameters": ("budget_params", "params")}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(checkpoints, tmp_path_factory):
    """A folder with two checkpoints."""
    folder = tmp_path_factory.mktemp("both")
    for path in (checkpoints / "tiny", EXERCISE12):
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    kinds = (("Lunges", 5, 3.0), ("JumpRope", 6, 2.0), ("PushUps", 7, 4.0), ("JumpingJack", 8, 1.0))
    return [
        write(render(name, seed, seconds=length, size=(160, 120)), folder / f"{name}.mp4")
        for name, seed, length in kinds
    ]


@pytest.mark.parametrize("seed", range(10))
def test_numbers_are_those_of_the_library(served, both, clips, monkeypatch, seed):
    monkeypatch.setenv("A3D_CHECKPOINTS", str(both))
    draw = random.Random(seed)
    name, unit, clip = draw.choice(("tiny", "exercise12")), draw.choice(sorted(UNITS)), draw.choice(clips)
    app = opened(network=name, unit=unit).run()
    key, keyword = UNITS[unit]
    option = draw.choice(dial(app, key).options)
    dial(app, key).set_value(option)
    upload(app, clip)
    assert healthy(app)

    network = a3d.load(both / name)
    budget = {keyword: in_units(option, unit, network.table.full.gflops)}
    row = network.table.choose(**budget)
    assert numbers(app)["Configuration"] == str(row.configuration)
    assert numbers(app)["GFLOPs"] == f"{row.gflops:#.3g}".rstrip(".")
    assert numbers(app)["Top-1 accuracy"] == f"{row.top1:.1f}%"
    full = a3d.predict(clip, network, network.table.full.configuration)
    for who, found in (("full network", full), ("sub-network", a3d.predict(clip, network, **budget))):
        expected = dict(zip(found.labels, found.probabilities, strict=True))
        trace = traces(app, "answers").get(who)
        if trace is None:  # the budget buys the full network: there is no sub-network
            assert row.configuration == network.table.full.configuration
            continue
        for label, probability in zip(trace["y"], values(trace["x"]), strict=True):
            assert probability == pytest.approx(expected[label], abs=1e-5)


def in_units(option: str, unit: str, full: float) -> float:
    """The budget that the dial shows, in the library's unit."""
    number = limit(option)
    if unit == "Parameters":
        return number * (1e6 if " M " in option else 1e3)
    return full * (number / 100) if unit == "Share" else number
