"""A long video: every moment is judged as a clip of its own is, neighbours of one label are one segment."""

import gc
import weakref
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from a3d.configuration import Configuration, ConfigurationError
from a3d.inference.prediction import predict
from a3d.inference.segments import NONE, Answer, Moment, merged, ribbon, segments
from a3d.testing.calibration import calibrate
from a3d.testing.evaluation import answer
from a3d.video import Sampling, Video, crop_views, decode_views
from a3d.video.encode import write_video
from a3d.video.windows import read_windows
from tests.trained import moving

SMALL, FULL = Configuration(24, 2, 0.5), Configuration(32, 4, 1.0)
EVERY = 0.6  # half a clip of 4 × 3 frames at 10 a second


@pytest.fixture
def ready(network):
    clips = torch.randn(4, 3, 4, 32, 32)
    calibrate(network, SMALL, [clips[..., :24, :24]])
    calibrate(network, FULL, [clips])
    return network


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """40 × 56 at 10 frames a second: 17 frames of each of five things."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_video(path, [picture for seed in range(5) for picture in moving(seed, 40, 56, 17)], 10)
    return path


def test_each_moment_is_judged_by_the_clip_around_it(ready, film):
    moments = list(ribbon(film, ready, [SMALL, FULL]))
    assert moments[0].start == 0 and moments[-1].end == Video(film).duration
    assert [m.end for m in moments[:-1]] == [m.start for m in moments[1:]] and len(moments) == 15
    assert {round(m.end - m.start, 6) for m in moments[:-1]} == {EVERY}
    for moment in moments[1:-2]:  # around the others there is no whole clip
        middle = (moment.start + moment.end) / 2
        frames, _ = decode_views(film, ready.sampling, 1, (middle, middle))
        for configuration, found in zip((SMALL, FULL), moment.answers, strict=True):
            views = crop_views(frames, ready.sampling, 1, configuration.spatial)
            expected = answer(ready.extract(configuration), [views])[0]
            assert found.label == ready.labels[expected.argmax()]
            assert found.probability == pytest.approx(expected.max().item(), abs=1e-5)


def test_joined_clips_are_told_apart_where_they_were_joined(ready, tmp_path):
    """Two things that the network calls by two names, 4 s of each."""
    films = {}
    for seed in range(40):
        path = write_video(tmp_path / f"{seed}.mp4", [moving(seed, 40, 56, 1)[0]] * 40, 10)
        films.setdefault(predict(path, ready, FULL).label, seed)
        if len(films) == 2:
            break
    (first, one), (second, other) = films.items()
    still = [moving(seed, 40, 56, 1)[0] for seed in (one, other)]
    joined = write_video(tmp_path / "joined.mp4", [still[0]] * 40 + [still[1]] * 40, 10)
    before, *between, after = segments(joined, ready, FULL)
    assert (before.label, after.label) == (first, second) and len(between) <= 1
    assert before.end == pytest.approx(4, abs=2 * EVERY) and after.start == pytest.approx(4, abs=2 * EVERY)
    assert before.start == 0 and after.end == pytest.approx(8)


def test_a_video_shorter_than_a_clip_is_one_segment_for_each_answer(ready, clips, tmp_path):
    path = write_video(tmp_path / "short.mp4", moving(3, 40, 56, 3), 10)
    (found,) = segments(path, ready, SMALL)
    assert (found.start, found.end) == (0, pytest.approx(0.3)) and found.label == predict(path, ready, SMALL).label


def test_the_file_is_read_once_in_order(ready, film, monkeypatch):
    asked, read, told = [], Video.pictures, []
    monkeypatch.setattr(Video, "pictures", lambda self, numbers: asked.append(list(numbers)) or read(self, numbers))
    found = list(ribbon(film, ready, [SMALL, FULL], every=0.25, progress=lambda *at: told.append(at), picture=20))
    assert {tuple(moment.picture.shape) for moment in found} == {(20, 28, 3)}
    (numbers,) = asked
    assert numbers == sorted(set(numbers)) and told[-1] == (34, 34) and len(told) == 3


def test_memory_is_that_of_a_few_clips():
    """An hour of frames, of which no more than those of overlapping clips are alive."""
    alive, most = weakref.WeakSet(), 0

    class Picture(np.ndarray):
        __hash__ = object.__hash__

    class Hour:
        times, frame_rate, width, height = np.arange(36_000) / 10, 10.0, 4, 4

        def shrunk(self, numbers, side):
            nonlocal most
            for number in numbers:
                picture = np.full((1, 1, 3), number % 256, np.uint8).view(Picture)
                alive.add(picture)
                most = max(most, len(alive))
                yield picture
                del picture

    gc.disable()
    sampling, starts = Sampling(4, 3, 32), np.arange(0, 3590, 0.6)
    found = [clip[:, 0, 0, 0].tolist() for clip in read_windows(Hour(), sampling, starts)]
    gc.enable()
    assert most <= 2 * 4 and len(found) == len(starts)
    assert found[100] == [(600 + 3 * i) % 256 for i in range(4)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 1), st.none() | st.floats(0, 1)), min_size=1))
def test_segments_cover_the_moments_and_neighbours_differ(answers):
    moments = [Moment(i, i + 1, (Answer("x", 1.0), Answer(*found))) for i, found in enumerate(answers)]
    found = merged(moments, 1)
    assert found[0].start == 0 and found[-1].end == len(moments)
    assert all(one.end == other.start and one.label != other.label for one, other in pairwise(found))
    for segment in found:
        inside = answers[int(segment.start) : int(segment.end)]
        names = {NONE if none is not None and none >= 0.5 else label for label, _, none in inside}
        assert names == {segment.label}
        mean = np.mean([none if segment.label == NONE else probability for _, probability, none in inside])
        assert segment.probability == pytest.approx(mean)
    assert merged(moments) == merged(moments, 0) and len(merged(moments)) == 1


@pytest.mark.parametrize("parts", [3, 5, 7, 11])
def test_rounding_makes_no_part(ready, film, parts):
    moments = list(ribbon(film, ready, [SMALL], Video(film).duration / parts))
    assert len(moments) == parts and moments[-1].end == Video(film).duration


@pytest.mark.parametrize("every", [0.0, -1.0, float("nan")])
def test_seconds_above_0(ready, film, every):
    with pytest.raises(ConfigurationError, match="give seconds above 0"):
        segments(film, ready, SMALL, every)


def test_a_network_that_detects_is_refused(ready, film):
    ready.architecture = ready.architecture.__class__("slow_r18", 3, task="detection")
    with pytest.raises(ConfigurationError, match="a3d detect"):
        segments(film, ready, SMALL)
