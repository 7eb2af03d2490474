"""A small set of classes that tests encode themselves."""

from pathlib import Path

import numpy as np

from a3d.video.encode import write_video


def moving_square(seed: int, frames: int = 16, height: int = 48, width: int = 64) -> np.ndarray:
    """uint8 (frames, height, width, 3): a square crosses a noisy picture; colour and direction follow the seed."""
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
                write_video(folder / split / f"class_{label}" / f"{i}.mp4", moving_square(10 * i + label), 25)
    return folder
