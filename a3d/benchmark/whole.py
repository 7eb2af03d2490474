"""What a user waits for: a video to its answer, decoding and all; the start of a process; an archive of clips."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from a3d.benchmark.decoding import moving_noise
from a3d.benchmark.measure import Figure, Setting, interleaved, rival
from a3d.configuration import Configuration, range_0016
from a3d.datasets import ClipFolder
from a3d.deploy import runner
from a3d.deploy.export import export
from a3d.engines import Choice
from a3d.inference.archive import Archive, predict_archive
from a3d.inference.checkpoint import load, save
from a3d.inference.prediction import predict
from a3d.networks import slow_r50
from a3d.testing.calibration import calibrate
from a3d.trained import TrainedNetwork
from a3d.video import Sampling
from a3d.video.encode import write_video

FULL = Configuration(224, 8, 1.0)
SIZES = {"1080p": (1920, 1080), "320×240": (320, 240)}
SECONDS, RATE = 10, 30
MEAN, STD = 0.45, 0.225
ARCHIVE = 1000  # clips


def one_clip(setting: Setting) -> Iterator[Figure]:
    """Ten seconds of video to probabilities by slow_r50, everything loaded: against PyTorchVideo's documented recipe,
    and the exported file with PyAV and onnxruntime by hand."""
    theirs = rival("pytorchvideo.models.hub").slow_r50(pretrained=False).eval()
    rival("onnxruntime")
    with TemporaryDirectory() as folder, torch.inference_mode():
        network = _slow(Path(folder) / "checkpoint")
        fast = network.run_by(Choice("openvino"))
        classify, facts = runner.load(export(network, FULL, Path(folder) / "exported").path)
        for name, size in SIZES.items():
            path = _video(Path(folder), *size)
            calls: dict[str, Callable[[], object]] = {
                "a3d.predict": lambda path=path: predict(path, network),
                "a3d.predict, openvino": lambda path=path: predict(path, fast),
                "PyTorchVideo": lambda path=path: theirs(_as_documented(path)),
                "PyAV and onnxruntime": lambda path=path: classify(_by_hand(path, facts["sampling"])),
            }
            found = {key: timed.median for key, timed in interleaved(calls, 7, 1, rest=0.2).items()}
            for other in ("PyTorchVideo", "PyAV and onnxruntime"):
                for ours in ("a3d.predict", "a3d.predict, openvino"):
                    took, their = 1000 * found[ours], 1000 * found[other]
                    yield Figure(f"{ours}, {name}, warm", took, their, "ms", their / took, "≥ 1", f"rival: {other}")


def from_cold(setting: Setting) -> Iterator[Figure]:
    """A process from its start to its end: what is imported, the help, one clip of ten seconds."""
    python, checkpoint = sys.executable, setting.folder("checkpoint")
    with TemporaryDirectory() as folder:
        path = _video(Path(folder), *SIZES["1080p"])
        calls = {
            "import torch": [python, "-c", "import torch"],
            "import a3d": [python, "-c", "import a3d"],
            "a3d --help": [python, "-m", "a3d.cli", "--help"],
            "a3d predict, 1080p": [python, "-m", "a3d.cli", "predict", str(path), "--checkpoint", str(checkpoint)],
        }
        runs = {name: lambda words=words: _process(words) for name, words in calls.items()}
        found = {name: timed.median for name, timed in interleaved(runs, 5, 1).items()}
    for name in list(calls)[1:]:
        took, least = found[name], found["import torch"]
        yield Figure(f"{name}, cold", took, least, "s", took / least, note="rival: a process that only imports torch")


def archive(setting: Setting) -> Iterator[Figure]:
    """A thousand clips by `a3d predict --out`, against a loop over `a3d.predict`, at the smallest configuration."""
    network, data = load(setting.folder("checkpoint")), setting.folder("data")
    items = [str(item.path) for split in ("train", "val") for item in ClipFolder(data, split).items]
    videos = tuple((items * (ARCHIVE // len(items) + 1))[:ARCHIVE])
    smallest = network.table.trade_off()[-1].configuration
    started = time.perf_counter()
    for path in videos[:: ARCHIVE // 100]:
        predict(path, network, smallest)
    each = (time.perf_counter() - started) / len(videos[:: ARCHIVE // 100])
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        predict_archive(Archive(videos, smallest), network, Path(folder) / "answers.csv", torch.get_num_threads())
        took = time.perf_counter() - started
    note = f"{smallest}; rival: a loop over a3d.predict, measured on 100 of them"
    yield Figure("archive of 1,000 clips", ARCHIVE / took, 1 / each, "clips/s", each * ARCHIVE / took, "≥ 2", note)


def _process(words: list[str]) -> None:
    subprocess.run(words, check=True, capture_output=True)


def _slow(folder: Path) -> TrainedNetwork:
    """slow_r50 over 400 classes with random weights, calibrated on noise, as a checkpoint read again."""
    labels = [f"class {number}" for number in range(400)]
    network = TrainedNetwork(slow_r50().eval(), labels, Sampling(8, 8, FULL.spatial), range_0016())
    calibrate(network, FULL, [torch.randn(2, 3, 8, FULL.spatial, FULL.spatial)])
    save(network, folder)
    return load(folder)


def _video(folder: Path, width: int, height: int) -> Path:
    """Ten seconds of H.264, a keyframe a second."""
    path = folder / f"{width}x{height}.mp4"
    write_video(path, moving_noise(width, height, RATE * SECONDS), RATE, keyframes=RATE)
    return path


def _as_documented(path: Path) -> torch.Tensor:
    """What PyTorchVideo's tutorial does before slow_r50: the clip at the middle, 8 frames of it, short side 256, the
    middle; its transforms written out, because they import a module that torchvision no longer has."""
    video = rival("pytorchvideo.data.encoded_video").EncodedVideo.from_path(path)
    span, middle = Fraction(8 * 8, RATE), Fraction(video.duration) / 2
    frames = video.get_clip(middle - span / 2, middle + span / 2)["video"]
    frames = frames[:, torch.linspace(0, frames.shape[1] - 1, 8).long()] / 255
    frames = (frames - MEAN) / STD
    scale = 256 / min(frames.shape[2:])
    sides = [round(scale * side) for side in frames.shape[2:]]
    frames = torch.nn.functional.interpolate(frames, sides, mode="bilinear")
    top, left = ((side - FULL.spatial) // 2 for side in sides)
    return frames[None, :, :, top : top + FULL.spatial, left : left + FULL.spatial]


def _by_hand(path: Path, sampling: dict) -> np.ndarray:
    """Seek, decode to the last frame wanted, shrink by swscale, cut: uint8 (1, 8, 224, 224, 3)."""
    av = rival("av")
    frames, stride, size = sampling["frames"], sampling["stride"], sampling["size"]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        first = (stream.frames - frames * stride) // 2
        wanted = {first + stride * number for number in range(frames)}
        container.seek(int(first / stream.average_rate / stream.time_base), stream=stream)
        found = []
        for frame in container.decode(stream):
            number = round(frame.pts * stream.time_base * stream.average_rate)
            if number in wanted:
                scale = size / min(frame.width, frame.height)
                sides = (round(scale * frame.width), round(scale * frame.height))
                picture = frame.reformat(*sides, "rgb24", interpolation="BILINEAR").to_ndarray()
                top, left = ((side - size) // 2 for side in picture.shape[:2])
                found.append(picture[top : top + size, left : left + size])
            if number >= max(wanted):
                break
    return np.stack(found)[None]
