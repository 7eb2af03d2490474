"""Clips that tests encode themselves."""

from pathlib import Path

import av
import numpy as np


def write_clip(path: Path, frames: np.ndarray, rate: int = 25) -> Path:
    """frames: uint8 (N, H, W, 3). H.264 in whatever container the suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "10"})
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def moving_square(seed: int, frames: int = 16, height: int = 48, width: int = 64) -> np.ndarray:
    """A square that crosses a noisy picture; colour and direction follow the seed."""
    generator = np.random.default_rng(seed)
    pictures = np.repeat(generator.integers(60, 120, (1, height, width, 3), np.uint8), frames, 0)
    colour, step = generator.integers(0, 256, 3), (-1) ** seed * 2
    for i, picture in enumerate(pictures):
        left = (seed * 7 + step * i) % (width - 16)
        picture[16:32, left : left + 16] = colour
    return pictures


def write_classes(folder: Path, classes: int, train: int, val: int) -> Path:
    """`folder/{train,val}/class_k/*.mp4`: that many clips of each of the classes."""
    for split, count in (("train", train), ("val", val)):
        for label in range(classes):
            for i in range(count):
                write_clip(folder / split / f"class_{label}" / f"{i}.mp4", moving_square(10 * i + label))
    return folder
