import json
from pathlib import Path

import numpy as np
import pytest
import torch

from a3d.video import Sampling, clip_starts, window
from a3d.video.sampling import training_start

STEADY = np.arange(100) / 25


def test_a_window_of_a_steady_clip_is_every_stride_th_frame():
    assert window(STEADY, 25, 8, 8, 0.0).tolist() == [0, 8, 16, 24, 32, 40, 48, 56]
    assert window(STEADY, 25, 4, 16, 10 / 25).tolist() == [10, 26, 42, 58]
    assert window(STEADY, 25, 8, 8, 0.0).dtype == np.int64


@pytest.mark.parametrize("rate", [23.976, 25, 29.97002997, 30, 59.94])
def test_times_rounded_to_milliseconds_give_the_same_window(rate):
    exact = np.arange(300) / rate
    for start in exact[:150:7]:
        expected = window(exact, rate, 8, 8, start)
        assert expected.tolist() == [round(start * rate) + 8 * number for number in range(8)]
        assert window(exact.round(3), rate, 8, 8, start).tolist() == expected.tolist()


def test_a_clip_shorter_than_the_window_repeats_its_last_frame():
    assert window(STEADY[:20], 25, 8, 8, 0.0).tolist() == [0, 8, 16, 19, 19, 19, 19, 19]
    assert window(STEADY[:1], 25, 3, 8, 0.0).tolist() == [0, 0, 0]


def test_a_moment_between_frames_takes_the_nearer():
    assert [window(STEADY, 25, 1, 8, moment / 25).item() for moment in (2.3, 2.45, 2.55, 2.9)] == [2, 2, 3, 3]


def test_a_window_goes_by_time_where_the_rate_varies():
    times = np.array([0.0, 0.1, 0.2, 1.0, 1.1])  # a picture that stands for 0.8 s
    assert window(times, 10, 6, 2, 0.0).tolist() == [0, 2, 2, 2, 2, 3]


def test_a_slower_clip_covers_more_seconds():
    assert Sampling(8, 8).span(25) == pytest.approx(2.56)
    assert Sampling(32, 2).span(30) == pytest.approx(64 / 30)


def test_with_a_rate_a_clip_spans_the_same_seconds_of_any_video():
    """The same moments of a recording at 25, 30 and 60 frames a second, and the same as before at its own rate."""
    sampling = Sampling(8, 8, rate=30)
    for rate in (10, 25, 30, 60, 59.94):
        times = np.arange(int(4 * rate)) / rate
        assert sampling.span(rate) == pytest.approx(64 / 30)
        found = times[sampling.window(times, rate, 0.5)]
        assert np.abs(found - (0.5 + np.arange(8) * 8 / 30)).max() <= 0.5 / rate + 1e-9
    steady = Sampling(8, 8)
    assert sampling.window(STEADY, 30, 0.2).tolist() == steady.window(STEADY, 30, 0.2).tolist()
    assert steady.window(STEADY, 25, 0.2).tolist() == window(STEADY, 25, 8, 8, 0.2).tolist()


@pytest.mark.parametrize("rate", [0, -30, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValueError, match=f"rate {rate} in a sampling: give frames a second"):
        Sampling(rate=rate)


def test_test_clips_spread_from_the_first_to_the_last_that_fits():
    assert clip_starts(10.0, 2.0, 5).tolist() == [0, 2, 4, 6, 8]
    assert clip_starts(10.0, 2.0, 1).tolist() == [4]
    assert clip_starts(1.0, 2.0, 3).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="0 clips"):
        clip_starts(10.0, 2.0, 0)


def test_training_starts_fill_the_room_there_is():
    generator = torch.Generator().manual_seed(0)
    starts = [training_start(10.0, 2.0, generator) for _ in range(500)]
    assert 0 <= min(starts) < 0.1 and 7.9 < max(starts) <= 8
    assert np.mean(starts) == pytest.approx(4, abs=0.3)
    assert training_start(1.0, 2.0, generator) == 0


@pytest.mark.parametrize("name", ["frames", "stride", "spatial"])
def test_a_sampling_of_nothing_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} 0"):
        Sampling(**{name: 0})


def test_a_sampling_reads_as_the_model_cards_have_it():
    for folder in (Path(__file__).parents[2] / "checkpoints").iterdir():
        sampling = Sampling(**json.loads((folder / "config.json").read_text())["sampling"])
        assert f"Clip: {sampling} " in (folder / "README.md").read_text(encoding="utf-8")
