"""On every sample file: a frame read alone is that of a read of the whole file, which is what a plain decoder shows."""

import shutil
import subprocess

import av
import numpy as np
import pytest
import torch

from a3d.video import Video
from a3d.video.completeness import cut_off
from a3d.video.conversion import Converter
from tests.corpus import CORPUS, SECOND

# FFmpeg 5, which systems still have, guesses these otherwise than the libraries that PyAV brings.
NEWER = ("cut mpg",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("corpus")


def made(folder, name):
    """The sample file, made once; not where this build of FFmpeg lacks an encoder."""
    place = folder / name
    if not place.exists():
        try:
            CORPUS[name](place).rename(place / "made")
        except (ValueError, av.codec.codec.UnknownCodecError) as error:
            pytest.skip(str(error))
    return place / "made"


def plainly(path, number):
    """Stamps in seconds and frames of a video stream, decoded from the start to the end on one thread."""
    with av.open(str(path)) as container:
        stream = container.streams.video[number]
        stream.codec_context.thread_count = 1
        for packet in until_broken(container.demux(stream)):
            yield from decoded(stream, packet)


def until_broken(packets):
    while True:
        try:
            yield next(packets)
        except (StopIteration, av.FFmpegError):
            return


def decoded(stream, packet):
    try:
        return stream.codec_context.decode(packet)
    except av.FFmpegError:
        return []


def test_there_are_sixty_and_more():
    assert len(CORPUS) > 100


@pytest.mark.parametrize("name", CORPUS)
def test_a_frame_read_alone_is_that_of_the_whole(folder, name):
    path = made(folder, name)
    video = Video(path)
    whole = video.read(range(len(video)))
    assert whole.shape == (len(video), video.height, video.width, 3)
    assert (np.diff(video.times) > 0).all() and video.times[0] == 0
    for number in np.unique(np.linspace(0, len(video) - 1, 14).round().astype(int)).tolist():
        assert torch.equal(Video(path).read([number])[0], whole[number]), number
    again = Video(path)
    numbers = np.random.default_rng(0).permutation(len(video))
    for several in np.array_split(numbers, min(4, len(video))):  # also by one object, after what it read before
        assert torch.equal(again.read(several), whole[several])


@pytest.mark.parametrize("name", CORPUS)
def test_the_frames_are_those_of_a_plain_decoder(folder, name):
    path = made(folder, name)
    video = Video(path)
    frames = list(plainly(path, int(name in SECOND)))
    assert len(frames) == len(video)
    convert = Converter(video._index.stored)
    for shown, frame in zip(video.read(range(len(video))), frames, strict=True):
        assert (shown.numpy() == convert(frame)).all()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg is not here")
@pytest.mark.parametrize("name", sorted(set(CORPUS) - set(NEWER)))
def test_frames_and_times_are_those_of_ffmpeg(folder, name):
    path = made(folder, name)
    video = Video(path)
    times, pictures = shown_by_ffmpeg(path, int(name in SECOND))
    assert len(video) == len(times)
    assert video.times == pytest.approx(times - times[0], abs=2e-3)
    stored = video._index.stored
    if stored.aspect == 1:
        frames = video.read(range(len(video))).numpy()
        assert np.abs(frames.astype(int) - pictures).mean() < 0.01


def shown_by_ffmpeg(path, number):
    """Times in seconds, and uint8 (n, H, W, 3), turned as they are to be seen."""
    command = ["ffmpeg", "-v", "quiet", "-i", str(path), "-map", f"0:v:{number}"]
    command += ["-enc_time_base", "-1", "-fps_mode", "passthrough"]
    said = subprocess.run([*command, "-f", "framehash", "-"], capture_output=True, text=True).stdout.splitlines()
    about = {
        line.split(":")[0].strip("# "): line.split(":")[1].strip() for line in said if line[0] == "#" and ":" in line
    }
    top, bottom = map(int, about["tb 0"].split("/"))
    width, height = map(int, about["dimensions 0"].split("x"))
    times = np.array([int(line.split(",")[2]) * top / bottom for line in said if line[0] != "#"])
    raw = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True).stdout
    return times, np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


TRUNCATED = ("cut mp4", "cut mkv", "cut avi", "cut flv", "cut webm")  # a stream of packets does not say how long it is


@pytest.mark.parametrize("name", CORPUS)
def test_what_broke_off_is_known_and_nothing_else(folder, name):
    path = made(folder, name)
    found = cut_off(path)
    assert (found is not None) == (name in TRUNCATED)
    if found:
        assert 0 < found.there < 0.95 * found.declared
        assert Video(path).duration == pytest.approx(found.there, abs=0.15)
