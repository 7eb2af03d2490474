"""Small multiples: several networks on the same moments of a clip, row by row, as a part of a web page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from a3d.figures.evidence import moments, pictures, question, scale_colours
from a3d.figures.look import FULL, SUB
from a3d.maps.maps import Explanation

ACROSS = 5  # pictures side by side on a narrow page, at most
STYLE = Path(__file__).with_name("multiples.css")


@dataclass(frozen=True)
class Caption:
    """This stands beside a row of pictures, as plain text.

    name: of the network. about: what it costs and how good it is. answer: what it says of the clip; probability: how
    sure it is of that, 0..1, drawn as a bar.
    """

    name: str
    about: str
    answer: str
    probability: float


def small_multiples(explanations: Sequence[Explanation], captions: Sequence[Caption]) -> str:
    """Return HTML with a row for each network: its caption, and the moments of the clip under its evidence.

    explanations: of one clip and for one class. Columns are the frames of the full clip; where a network did not see
    one, its cell says so, and the frame with the largest share of the evidence is framed. All rows have one colour
    scale. Of networks with two pathways the first is shown. Text takes the colour of the page around it; on a narrow
    page captions are above the pictures.
    """
    scale = max(float(np.abs(told.map).max()) for told in explanations)
    rows = [_row(told, caption, scale) for told, caption in zip(explanations, captions, strict=True)]
    count = len(explanations[0].frames)
    across = math.ceil(count / math.ceil(count / ACROSS))
    parts = "\n".join([*rows, _legend(explanations[0], scale)])
    style = STYLE.read_text(encoding="utf-8")
    sizes = f"--moments: {count}; --across: {across}"
    return f'<div class="a3d-multiples" style="{sizes}">\n{parts}\n<style>\n{style}</style>\n</div>'


def _row(told: Explanation, caption: Caption, scale: float) -> str:
    colour = FULL if told.is_full else SUB
    cells = [
        f'<figure><figcaption>{time:.2f} s</figcaption><img src="{picture}" alt="{said}" title="{said}"></figure>'
        for time, picture, said in zip(told.all_times, pictures(told, scale, colour), moments(told), strict=True)
    ]
    share = f"--share: {caption.probability:.4f}; --colour: {colour}"
    return (
        f'<section>\n<div class="who"><h3>{escape(caption.name)}</h3><p>{escape(caption.about)}</p></div>\n'
        f'<div class="says" style="{share}"><p>{escape(caption.answer)}</p><span></span></div>\n'
        f'<div class="strip">{"".join(cells)}</div>\n</section>'
    )


def _legend(told: Explanation, scale: float) -> str:
    """The colour scale, with its ends in numbers; nothing where there is no evidence."""
    if not scale > 0:
        return ""
    colours = ", ".join("rgb({}, {}, {})".format(*colour) for colour in scale_colours(np.linspace(-1, 1, 33)))
    return (
        f'<p class="scale">−{scale:.2g} <span style="background: linear-gradient(to right, {colours})"></span> '
        f"{scale:.2g}&ensp;{escape(question(told))}</p>"
    )
