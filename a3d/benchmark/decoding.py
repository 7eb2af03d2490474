"""8 frames out of a video: against decoding all of it, torchcodec and decord, each from the closed file to RGB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from a3d.benchmark.measure import Figure, RivalMissing, Setting, interleaved, rival
from a3d.datasets import ClipFolder
from a3d.video import Video, clip_starts, window
from a3d.video.encode import write_video

Reader = Callable[[Path, Sequence[int]], Tensor]  # a file and frame numbers to uint8 (n, H, W, 3)
SIZES = ((640, 360), (1920, 1080))
KEYFRAMES = (30, 250)  # frames from one to the next
RATE, SECONDS, FRAMES = 30, 10, 8


def made_clips(setting: Setting) -> Iterator[Figure]:
    """10 s of H.264 at 30 frames a second; 8 × 8 frames from the middle, and 8 spread over all of it."""
    with TemporaryDirectory() as folder:
        for width, height in SIZES:
            for keyframes in KEYFRAMES:
                path = Path(folder) / f"{width}x{height}-{keyframes}.mp4"
                write_video(path, moving_noise(width, height, RATE * SECONDS), RATE, keyframes=keyframes)
                title = f"{width}×{height}, a keyframe every {keyframes}"
                yield _figure(f"{title}: 8 × 8 frames", [(path, middle(path))])
                yield _figure(f"{title}: 8 spread", [(path, np.linspace(0, RATE * SECONDS - 1, FRAMES).astype(int))])


def real_clips(setting: Setting) -> Iterator[Figure]:
    """Return every seventh validation clip, 8 × 8 frames from its middle."""
    paths = [item.path for item in ClipFolder(setting.folder("data"), "val").items[::7]]
    yield _figure(f"{len(paths)} clips of {setting.data.name}", [(path, middle(path)) for path in paths])


def moving_noise(width: int, height: int, frames: int) -> Iterator[np.ndarray]:
    """Return a camera that pans over texture, with grain: uint8 (height, width, 3)."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(40, 200, (height // 8 + frames // 8 + 1, width // 8 + frames // 4 + 1, 3), np.uint8)
    texture = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
    grain = generator.integers(0, 24, (height + 64, width + 64, 3), np.uint8)
    for number in range(frames):
        down, across = generator.integers(0, 64, 2)
        picture = texture[number : number + height, 2 * number : 2 * number + width]
        yield picture + grain[down : down + height, across : across + width]


def middle(path: Path) -> np.ndarray:
    """The frames of a test clip, 8 × 8 in the middle."""
    video = Video(path)
    start = clip_starts(video.duration, FRAMES * 8 / video.frame_rate, 1)[0]
    return window(video.times, video.frame_rate, FRAMES, 8, start)


def _figure(title: str, wanted: list[tuple[Path, Sequence[int]]]) -> Figure:
    """All clips read by each of the readers; the best rival counts, the note names all."""
    readers, absent = _readers()

    def read(reader: Reader) -> None:
        for path, numbers in wanted:
            reader(path, [int(number) for number in numbers])

    calls = {name: (lambda reader=reader: read(reader)) for name, reader in {"ours": _ours, **readers}.items()}
    found = {name: 1000 * took.median / len(wanted) for name, took in interleaved(calls, rounds=5, warmup=1).items()}
    ours = found.pop("ours")
    best = min(found, key=found.get)
    note = "; ".join([f"{name} {took:.1f}" for name, took in found.items()] + absent)
    return Figure(title, ours, found[best], "ms", ours / found[best], "≤ 1.1", f"best: {best}. {note}")


def _readers() -> tuple[dict[str, Reader], list[str]]:
    """The rivals that are installed, by name, and a line for each that is not."""
    readers, absent = {}, []
    for add in (_everything, _torchcodec, _decord):
        try:
            readers |= add()
        except RivalMissing as error:
            absent.append(str(error))
    return readers, absent


def _ours(path: Path, numbers: Sequence[int]) -> Tensor:
    return Video(path).read(numbers)


def _everything() -> dict[str, Reader]:
    """What scripts do that read a video to the end and then pick; only what is picked is converted."""
    av = rival("av")

    def read(path: Path, numbers: Sequence[int]) -> Tensor:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "AUTO"
            frames = list(container.decode(video=0))
        return torch.from_numpy(np.stack([frames[number].to_ndarray(format="rgb24") for number in numbers]))

    return {"decode everything": read}


def _torchcodec() -> dict[str, Reader]:
    """With one thread, its default, and with as many as FFmpeg likes."""
    decoders = rival("torchcodec.decoders")

    def reader(threads: int) -> Reader:
        def read(path: Path, numbers: Sequence[int]) -> Tensor:
            decoder = decoders.VideoDecoder(path, dimension_order="NHWC", num_ffmpeg_threads=threads)
            return decoder.get_frames_at(list(numbers)).data

        return read

    return {"torchcodec": reader(1), "torchcodec, threads": reader(0)}


def _decord() -> dict[str, Reader]:
    decord = rival("decord")
    return {
        "decord": lambda path, numbers: torch.from_numpy(decord.VideoReader(str(path)).get_batch(numbers).asnumpy())
    }
