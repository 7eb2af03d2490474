"""A visitor's file is decoded in a process of its own: as elsewhere, or killed without harm to the next one."""

import sys
import time
from io import BytesIO
from pathlib import Path

import pytest
import torch

from a3d.maps import read_clip
from a3d.synthetic import render, write
from a3d.video import VideoError

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def decoding(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "app"))
    import decoding

    yield decoding
    for process in decoding._processes:
        process.end()
        process.process = None


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write(render("Lunges", 1, seconds=1.0, size=(96, 64)), tmp_path_factory.mktemp("films") / "lunges.mp4")


def test_frames_and_film_are_those_of_this_process(decoding, network, film):
    found, here = decoding.decode(film, network.sampling), decoding.decode_here(film, network.sampling)
    plain = read_clip(film, network)
    assert torch.equal(found.clip.frames, plain.frames) and found.clip.times.tolist() == plain.times.tolist()
    assert (found.film, found.start, found.seconds, found.size) == (here.film, here.start, here.seconds, here.size)


def test_one_process_takes_file_after_file(decoding, network, film, tmp_path):
    (tmp_path / "none").write_bytes(b"not a video" * 10)
    decoding.warm()
    first = decoding._processes[0].process
    with pytest.raises(VideoError, match="none"):
        decoding.decode(tmp_path / "none", network.sampling)
    decoding.decode(film, network.sampling)
    assert decoding._processes[0].process is first and decoding._processes[1].process is None


def test_what_takes_too_long_is_killed_and_the_next_file_is_decoded(decoding, network, film, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(decoding, "SECONDS", 0.001)  # less than anything takes
        with pytest.raises(
            VideoError, match=r"lunges.mp4: it takes longer than 0.001 seconds to decode; give a shorter"
        ):
            decoding.decode(film, network.sampling)
    assert decoding.decode(film, network.sampling).film


def test_the_time_that_a_process_takes_to_start_is_not_the_files(decoding, network, film, monkeypatch):
    begun = time.monotonic()
    decoding.decode(film, network.sampling)
    took = time.monotonic() - begun  # with the start, which is most of it
    decoding._processes[0].end()
    monkeypatch.setattr(decoding, "SECONDS", 0.6 * took)
    assert decoding.decode(film, network.sampling).film


def test_no_film_is_encoded_where_nobody_plays_it(decoding, network, film):
    found, plain = decoding.decode(film, network.sampling, film=False), decoding.decode(film, network.sampling)
    assert found.film == b"" and plain.film and found.size == (96, 64)
    assert torch.equal(found.clip.frames, plain.clip.frames)


def test_a_process_that_ends_is_no_page_without_an_answer(decoding, network, film):
    decoding.decode(film, network.sampling)
    process = decoding._processes[0].process
    process.stdin.write(b"no job\n")  # a fault, as a library's may be
    process.stdin.flush()
    process.wait()
    assert decoding.decode(film, network.sampling).film and process.returncode != 0


@pytest.mark.parametrize("cut", [b"", b'{"shape": [1, 2', b'{"shape": [1, 2, 2, 3], "film": 9}\n123'])
def test_an_answer_that_is_cut_off_is_no_answer(decoding, cut):
    with pytest.raises(EOFError):
        source = BytesIO(cut)
        decoding._read(source.readline, None)
        decoding._read(source.read, 12)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_what_takes_too_much_memory_is_refused(decoding, network, film, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(decoding, "MEMORY", 1 << 20)
        with pytest.raises(VideoError, match=r"lunges\.mp4"):  # by whatever came upon it first
            decoding.decode(film, network.sampling)
    assert decoding.decode(film, network.sampling).film
