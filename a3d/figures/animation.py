"""A comparison as a GIF to show to others: the clip as it plays, both maps above it, both answers below."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from a3d.figures.look import FULL, SUB
from a3d.maps.maps import Comparison, Evidence, Explanation, cropped, upsample
from a3d.maps.overlay import blend, coarse
from a3d.video.decode import Video
from a3d.video.gif import write_gif

SIDE, GAP = 256, 8  # pixels: of each half, and between them
RATE, MOST = 10.0, 32  # frames a second, and frames in all: of a longer clip they are further apart
ANSWERS = 3  # classes, the most probable ones
LINE, TIMES, MARGIN = 18, 16, 6  # pixels: a line of text, the line of time, around both
GROUND, INK, DIM, FAINT = "#12191c", "#f2f5f5", "#b8c2c4", "#4a5558"


def write_animation(
    comparison: Comparison,
    video: str | Path,
    path: str | Path,
    start: float = 0.0,
    names: tuple[str, str] | None = None,
) -> Path:
    """Write the full network | the sub-network as a GIF that loops, at the pace of the clip; return its path.

    Both halves have the clip at the pixels that the network gets, its map at each moment (between two steps, the share
    of either), the moments it saw on a line of time, and what it answers. video: what was compared, or a part of it
    that begins at its second `start`. names: of the two, those of the comparison if left out. The file appears whole or
    not at all. Raises VideoError.
    """
    moments = _moments(comparison.full.all_times)
    side = comparison.full.frames.shape[1]
    film = Video(video)
    numbers = np.searchsorted(film.times + start, moments + 1e-6, side="right") - 1
    frames = cropped(film.read(numbers.clip(0), side), side)
    pairs = zip((comparison.full, comparison.sub), names or comparison.names, (FULL, SUB), strict=True)
    first, last = (_half(frames, moments, comparison.scale, *pair) for pair in pairs)
    gap = np.full((*first.shape[:2], GAP, 3), Image.new("RGB", (1, 1), GROUND).getpixel((0, 0)), np.uint8)
    pictures = np.concatenate([first, gap, last], 2)
    below = np.asarray(_told(comparison.full, pictures.shape[2]))
    pictures = np.concatenate([pictures, np.broadcast_to(below, (len(pictures), *below.shape))], 1)
    return write_gif(path, pictures, _rate(moments))


def evidence_at(evidence: Evidence, moments: np.ndarray) -> np.ndarray:
    """Return the map at moments (n,), in seconds: float32 (n, h, w), between two steps the share of either."""
    place = np.interp(moments, evidence.times, np.arange(len(evidence.times)))
    before = np.floor(place).astype(int)
    after, share = np.ceil(place).astype(int), (place - before)[:, None, None]
    return ((1 - share) * evidence.map[before] + share * evidence.map[after]).astype(np.float32)


def _moments(times: np.ndarray) -> np.ndarray:
    """Seconds of the frames of the animation, from the first of the clip to its last."""
    span = float(times[-1] - times[0])
    return times[0] + np.arange(int(min(span * RATE, MOST - 1)) + 1) * max(1 / RATE, span / (MOST - 1))


def _rate(moments: np.ndarray) -> float:
    return 1 / float(moments[1] - moments[0]) if len(moments) > 1 else 1.0


def _half(
    frames: torch.Tensor, moments: np.ndarray, scale: float, found: Explanation, name: str, colour: str
) -> np.ndarray:
    """uint8 (n, H, SIDE, 3): one network's."""
    evidence = found.evidence[0]
    pictures = coarse(frames, min(found.configuration.spatial, frames.shape[1]), SIDE)
    pictures = blend(pictures, upsample(evidence_at(evidence, moments), SIDE), scale)
    answers = np.asarray(_answers(found, name, colour))
    captions = [np.concatenate([_line_of_time(evidence, moments, now, colour), answers]) for now in moments]
    return np.concatenate([pictures, np.stack(captions)], 1)


def _line_of_time(evidence: Evidence, moments: np.ndarray, now: float, colour: str) -> np.ndarray:
    """A mark for each frame that was seen, and where the clip is."""
    image = Image.new("RGB", (SIDE, TIMES), GROUND)
    draw = ImageDraw.Draw(image)
    first, span = moments[0], max(float(moments[-1] - moments[0]), 1e-9)
    draw.line((MARGIN, TIMES - 3, SIDE - MARGIN, TIMES - 3), FAINT)
    for time in evidence.times:
        x = MARGIN + (SIDE - 2 * MARGIN) * min(1.0, (time - first) / span)
        draw.rectangle((x - 2, 4, x + 2, TIMES - 4), colour)
    x = MARGIN + (SIDE - 2 * MARGIN) * (now - first) / span
    draw.line((x, 1, x, TIMES - 1), INK)
    return np.asarray(image)


def _answers(found: Explanation, name: str, colour: str) -> Image.Image:
    """Who it is, what it gets, and the most probable classes as bars."""
    rows = found.predictions[:ANSWERS]
    if found.none is not None:
        rows.append(("None of these", found.none))
    image = Image.new("RGB", (SIDE, LINE * (len(rows) + 2) + MARGIN), GROUND)
    draw, font, size = ImageDraw.Draw(image), ImageFont.load_default(13), found.configuration
    draw.rectangle((MARGIN, 4, MARGIN + 9, 13), colour)
    draw.text((MARGIN + 15, 1), name[:1].upper() + name[1:], INK, font)
    frames = "1 frame" if size.frames == 1 else f"{size.frames} frames"  # the font has neither ² nor ×
    gets = f"{size.spatial}x{size.spatial} pixels, {frames}, {100 * size.width:.0f}% of channels"
    draw.text((MARGIN, LINE), gets, DIM, ImageFont.load_default(11))
    for place, (label, chance) in enumerate(rows, 2):
        _bar(draw, LINE * place, label, chance, colour)
    return image


def _bar(draw: ImageDraw.ImageDraw, top: int, label: str, chance: float, colour: str) -> None:
    font, left, right = ImageFont.load_default(13), SIDE // 2, SIDE - 38
    draw.text((MARGIN, top + 1), _fitting(label, left - 2 * MARGIN, font), INK, font)
    draw.rectangle((left, top + 6, right, top + 13), FAINT)
    if chance * (right - left) >= 0.5:
        draw.rectangle((left, top + 6, left + chance * (right - left), top + 13), colour)
    draw.text((SIDE - MARGIN, top + 1), f"{chance:.0%}", INK, font, anchor="ra")


def _told(found: Explanation, width: int) -> Image.Image:
    """What the colours say."""
    blue = "against it" if found.other is None else f"for {found.other}"
    font = ImageFont.load_default(13)
    image = Image.new("RGB", (width, LINE + MARGIN), GROUND)
    text = _fitting(f"Warm colours speak for {found.name}, blue ones {blue}", width - 2 * MARGIN, font)
    ImageDraw.Draw(image).text((MARGIN, 3), text, INK, font)
    return image


def _fitting(text: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    """A text that is cut where it is too long."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"
