"""Rows of small multiples: what is beside and in them, on one scale."""

import re
from dataclasses import replace

import numpy as np
import pytest

from a3d.configuration import Configuration
from a3d.figures import FULL, NOT_SEEN, SUB, Caption, small_multiples
from a3d.figures.evidence import pictures
from tests.evidence import made

CAPTION = Caption("16²×4, 1.0", "2.00 GFLOPs, 60.0% top-1", "Crawl, 70%", 0.7)


@pytest.fixture
def three(comparison):
    """A third one beside the two, whose evidence is the strongest of all."""
    least = made(Configuration(8, 1, 0.5), (0,), np.full((1, 1, 1), -8.0), comparison.full.all_times)
    return [comparison.full, comparison.sub, least]


def cells(html: str) -> list[list[str]]:
    return [re.findall('src="(.*?)"', row) for row in re.findall("<section>.*?</section>", html, re.DOTALL)]


def test_every_row_has_the_same_moments_on_one_scale(three):
    html = small_multiples(three, [CAPTION] * 3)
    assert cells(html) == [pictures(told, 8.0, colour) for told, colour in zip(three, (FULL, SUB, SUB), strict=True)]
    assert [[cell == NOT_SEEN for cell in row] for row in cells(html)] == [
        [False] * 4,
        [False, True, False, True],
        [False, True, True, True],
    ]
    assert html.count("<figcaption>0.50 s</figcaption>") == 3 and 'alt="0.50 s: not seen"' in html
    assert "−8 <span" in html and "evidence against and for the class" in html


def test_captions_are_text(three):
    captions = [replace(CAPTION, name="<b>x</b>", answer="a & b"), CAPTION, replace(CAPTION, probability=0.25)]
    html = small_multiples(three, captions)
    assert "&lt;b&gt;x&lt;/b&gt;" in html and "a &amp; b" in html and "<b>" not in html
    assert re.findall("--share: (.*?);", html) == ["0.7000", "0.7000", "0.2500"]


@pytest.mark.parametrize(("frames", "across"), [(1, 1), (4, 4), (5, 5), (8, 4), (13, 5), (16, 4)])
def test_many_moments_are_broken_into_lines_on_a_narrow_page(frames, across):
    told = made(Configuration(16, frames, 1.0), range(frames), np.ones((frames, 1, 1)), np.arange(frames))
    assert f"--moments: {frames}; --across: {across}" in small_multiples([told], [CAPTION])


def test_no_scale_is_invented_where_there_is_no_evidence(comparison):
    flat = made(Configuration(16, 4, 1.0), range(4), np.zeros((4, 2, 2)), comparison.full.all_times)
    html = small_multiples([flat, flat], [CAPTION] * 2)
    assert 'class="scale"' not in html and html.count("<img") == 8


def test_every_row_needs_its_caption(three):
    with pytest.raises(ValueError, match="zip"):
        small_multiples(three, [CAPTION] * 2)
