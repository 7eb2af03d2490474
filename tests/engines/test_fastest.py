"""What runs a network where it is left open: by times, never by what a processor says that it can do."""

import pytest
import torch

from a3d.budgets.profile import Latency, Profile, Timing, device_name
from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration
from a3d.engines import Choice, Runtime
from a3d.engines.fastest import fastest
from a3d.inference.checkpoint import load, save, save_profile, usable
from a3d.inference.prediction import chosen

SMALL, FULL = Configuration(24, 2, 0.5), Configuration(32, 4, 1.0)
PLAIN, HALF = Runtime(), Runtime("pytorch", "bfloat16")
OPEN, INT8 = Runtime("openvino"), Runtime("openvino", "int8")


@pytest.mark.parametrize(
    ("times", "best"),
    [
        ({PLAIN: 10, HALF: 13}, PLAIN),  # this processor has bfloat16, and is slower with it
        ({PLAIN: 10, HALF: 4}, HALF),
        ({PLAIN: 10, HALF: 9.8}, PLAIN),  # within noise, what is exact
        ({PLAIN: 10, OPEN: 6, INT8: 2}, INT8),
        ({OPEN: 6, INT8: 6.1, PLAIN: 6.1}, PLAIN),
    ],
)
def test_the_plainest_of_the_fastest(times, best):
    assert fastest(times) == best


def profiled(**times):
    """A profile of this device: milliseconds of (small, full) by runtime."""
    names, one = {"plain": PLAIN, "half": HALF, "open": OPEN, "int8": INT8}, Timing(1.0, 1.0)
    lines = tuple(
        Latency(c, 1, one, one, Timing(took, took), one, names[name])
        for name, both in times.items()
        for c, took in zip((SMALL, FULL), both, strict=True)
    )
    return Profile(device_name(), torch.get_num_threads(), lines, {})


def table(*, int8=None):
    return Table([Row(SMALL, 0.1, 1000, 50.0, int8=int8), Row(FULL, 1.0, 4000, 70.0)])


@pytest.mark.parametrize(("slower", "precision"), [(True, "float32"), (False, "bfloat16")])
def test_bfloat16_is_chosen_where_it_was_faster(network, tmp_path, slower, precision):
    network.table = table()
    save(network, tmp_path)
    save_profile(profiled(plain=(3.0, 9.0), half=(4.0, 11.0) if slower else (2.0, 5.0)), tmp_path)
    found = load(tmp_path, engine="pytorch", precision="auto")
    assert found.runtime(SMALL) == Runtime("pytorch", precision)
    assert load(tmp_path).runtime(SMALL) == PLAIN  # nobody asked
    assert load(tmp_path, precision="bfloat16").runtime(SMALL) == HALF


def test_nothing_measured_is_float32_on_pytorch(network, tmp_path):
    save(network, tmp_path)
    assert load(tmp_path, engine="auto", precision="auto").runtime(SMALL) == PLAIN


@pytest.mark.parametrize(("int8", "runtime"), [(49.5, INT8), (48.0, OPEN), (None, OPEN)])
def test_int8_where_it_was_tested_and_costs_at_most_a_point(int8, runtime):
    choice = Choice("auto", "auto")
    found = usable(profiled(plain=(3.0, 9.0), open=(2.0, 5.0), int8=(1.0, 2.0)), table(int8=int8), choice)
    assert found.latency(SMALL).runtime == runtime and found.latency(FULL).runtime == OPEN


def test_a_budget_in_milliseconds_is_over_engines_and_precisions(network, tmp_path):
    network.table = table(int8=49.5)
    save(network, tmp_path)
    save_profile(profiled(plain=(3.0, 9.0)), tmp_path)
    save_profile(profiled(open=(2.0, 5.0), int8=(1.0, 2.0)), tmp_path)  # beside what is there
    assert chosen(load(tmp_path), milliseconds=8) == SMALL
    found = load(tmp_path, engine="auto", precision="auto")
    assert chosen(found, milliseconds=8) == FULL and chosen(found, milliseconds=1) == SMALL
    assert found.runtime(SMALL) == INT8 and found.profile.milliseconds(FULL) == 5.0
    assert load(tmp_path, engine="openvino").profile.milliseconds(SMALL) == 2.0


def test_an_int8_row_counts_at_its_own_accuracy():
    rows = [Row(SMALL, 0.1, 1000, 50.0, int8=49.5), Row(Configuration(24, 4, 0.5), 0.2, 1000, 49.8)]
    one, other = Timing(1.0, 1.0), Timing(2.0, 2.0)
    lines = (Latency(SMALL, 1, one, one, one, one, INT8), Latency(rows[1].configuration, 1, one, one, other, one))
    listed = Table(rows).trade_off("milliseconds", Profile("here", 1, lines, {}))
    assert [row.configuration for row in listed] == [SMALL, rows[1].configuration]
