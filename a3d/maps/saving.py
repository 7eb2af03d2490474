"""What a comparison shows, to take along: maps as arrays, figures as one page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from io import BytesIO

import numpy as np
import plotly.graph_objects as go

from a3d.maps.maps import Comparison, Explanation

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font-family:system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1d2b30}}</style>
</head><body><h1>{title}</h1>{parts}</body></html>
"""


def maps_npz(comparison: Comparison) -> bytes:
    """Return a `.npz` file of both networks: for each, `first_…` and `second_…`,

    map: float32 (t, h, w), logit units; seen: int64 (t,), the frame of each step; times: float64 (t,), seconds;
    shares: float64 (t,); probabilities: float32 (classes,); configuration, label, against ("" for none), method: text;
    logit, bias: numbers.
    For SlowFast also fast_map, fast_seen, fast_times, fast_shares. Shared: frames uint8 (T, S, S, 3), frame_times,
    labels. Arrays and text alone: nothing in it could run code.
    """
    arrays = {f"first_{name}": value for name, value in _arrays(comparison.full).items()}
    arrays |= {f"second_{name}": value for name, value in _arrays(comparison.sub).items()}
    arrays |= {
        "frames": comparison.full.frames,
        "frame_times": comparison.full.all_times,
        "labels": np.array(comparison.full.labels),
    }
    with BytesIO() as file:
        np.savez_compressed(file, **arrays)
        return file.getvalue()


def page(title: str, figures: Mapping[str, go.Figure]) -> str:
    """Figures under their names as one HTML page that needs no network: the library that draws them is inside."""
    parts = []
    for place, (name, figure) in enumerate(figures.items()):
        drawn = figure.to_html(full_html=False, include_plotlyjs=place == 0, config={"displayModeBar": False})
        parts.append(f"<h2>{escape(name)}</h2>{drawn}")
    return PAGE.format(title=escape(title), parts="\n".join(parts))


def _arrays(found: Explanation) -> dict[str, object]:
    arrays: dict[str, object] = {}
    for evidence in found.evidence:
        before = "fast_" if evidence.pathway == "fast" else ""
        arrays |= {f"{before}{name}": getattr(evidence, name) for name in ("map", "seen", "times", "shares")}
    single = {
        "configuration": found.configuration.key,
        "label": found.name,
        "against": found.other or "",
        "method": found.method,
    }
    return arrays | single | {"logit": found.logit, "bias": found.bias, "probabilities": found.probabilities}
