"""People in boxes, with what they do written beside them, drawn onto a video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from a3d.inference.detection import Person, Scene
from a3d.video.decode import Video
from a3d.video.encode import write_video
from a3d.video.transforms import resize

# Okabe and Ito's colours, which everyone tells apart, the lighter ones: dark letters stand on them.
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7", "#D55E00")
DARK = "#101418"
SIDES = (360, 720)  # pixels
CHUNK = 32  # frames in memory at once


def write_people(path: str | Path, scenes: Sequence[Scene], out: str | Path, above: float = 0.5, most: int = 3) -> Path:
    """Writes the video at `path` with boxes and actions, as H.264 yuv420p without sound; returns `out`.

    A frame shows the people of the moment nearest to it. above: least probability of an action that is written;
    most: of so many at most. The shorter side is brought to `SIDES`, where letters can be read. The file appears whole
    or not at all.
    """
    video = Video(path)
    short = min(video.width, video.height)
    scale = min(max(short, SIDES[0]), SIDES[1]) / short
    height, width = (2 * max(1, round(scale * length / 2)) for length in (video.height, video.width))
    return write_video(out, _drawn(video, scenes, height, width, above, most), video.frame_rate)


def draw(picture: np.ndarray, people: Sequence[Person], above: float = 0.5, most: int = 3) -> np.ndarray:
    """Draw the people into uint8 (H, W, 3), likewise. They are coloured from left to right."""
    image = Image.fromarray(picture)
    canvas, size = ImageDraw.Draw(image), max(11, round(min(picture.shape[:2]) / 26))
    font = ImageFont.load_default(size)
    plates: list[tuple[float, ...]] = []
    for number, person in enumerate(sorted(people, key=lambda person: person.box)):
        colour = COLOURS[number % len(COLOURS)]
        left, top, right, bottom = (share * side for share, side in zip(person.box, image.size * 2, strict=True))
        canvas.rectangle((left, top, right, bottom), outline=colour, width=max(2, size // 7))
        lines = [f"{name}  {100 * p:.0f}%" for name, p in person.actions[:most] if p >= above]
        _write(canvas, lines, font, (left, top), image.size, colour, plates)
    return np.asarray(image)


def _write(
    canvas: ImageDraw.ImageDraw,
    lines: Sequence[str],
    font: ImageFont.FreeTypeFont,
    corner: tuple[float, float],
    size: tuple[int, int],
    colour: str,
    plates: list[tuple[float, ...]],
) -> None:
    """Lines on plates of a person's colour, inside the box from its corner down, where no other plate is."""
    pad = font.size // 4
    left, top = corner
    for line in lines:
        width, height = canvas.textlength(line, font) + 2 * pad, font.size + 2 * pad
        left = max(0.0, min(left, size[0] - width))
        place = (left, top, left + width, top + height)
        while any(_meet(place, other) for other in plates) and place[3] < size[1]:
            place = (place[0], place[1] + height, place[2], place[3] + height)
        plates.append(place)
        canvas.rectangle(place, fill=colour)
        canvas.text((place[0] + pad, (place[1] + place[3]) / 2), line, DARK, font, anchor="lm")
        top = place[3]


def _meet(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _drawn(
    video: Video, scenes: Sequence[Scene], height: int, width: int, above: float, most: int
) -> Iterator[np.ndarray]:
    moments = np.array([scene.time for scene in scenes])
    for start in range(0, len(video), CHUNK):
        numbers = range(start, min(start + CHUNK, len(video)))
        pictures = resize(video.read(numbers), height, width).numpy()
        for number, picture in zip(numbers, pictures, strict=True):
            nearest = scenes[int(np.abs(moments - video.times[number]).argmin())]
            yield draw(picture, nearest.people, above, most)
