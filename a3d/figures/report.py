"""One HTML page of one or several runs: curves, trade-off, tables, provenance. It needs nothing but a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from plotly.io import to_html
from plotly.offline import get_plotlyjs

from a3d.budgets.published import TITLES, published
from a3d.budgets.table import Row, Table
from a3d.errors import A3DError
from a3d.figures.progress import accuracy_figure, runs_figure, sampled_figure, training_figure
from a3d.figures.tradeoff import curves_figure, tradeoff_figure
from a3d.inference.checkpoint import load
from a3d.trained import TrainedNetwork
from a3d.training.following import read_metrics, read_steps

if TYPE_CHECKING:
    from pandas import DataFrame

STYLE = Path(__file__).with_name("report.css")


class ReportError(A3DError, ValueError):
    """A run that cannot be reported; the message names the folder and the remedy."""


@dataclass(frozen=True)
class Entry:
    """A run or a checkpoint.

    metrics: `metrics.csv`, None if there is none or no step yet. steps: of the whole run, None where it is
    not told. network: of the checkpoint, None before the run has ended.
    """

    name: str
    folder: Path
    metrics: DataFrame | None
    steps: int | None
    network: TrainedNetwork | None

    @property
    def table(self) -> Table | None:
        return self.network.table if self.network else None


def read_entry(folder: str | Path) -> Entry:
    """What a folder holds: that of a run (`a3d train --out`), or a checkpoint. Raises ReportError for another."""
    folder = Path(folder)
    checkpoint = folder / "checkpoint" if (folder / "checkpoint" / "config.json").exists() else folder
    is_run, is_checkpoint = (folder / "metrics.csv").exists(), (checkpoint / "config.json").exists()
    if not (is_run or is_checkpoint):
        raise ReportError(f"{folder} holds neither metrics.csv of a run nor config.json of a checkpoint: give one")
    metrics = read_metrics(folder / "metrics.csv") if is_run else None
    steps = read_steps(folder / "run.json") if is_run else None
    name = folder.resolve().parent.name if folder.resolve().name == "checkpoint" else folder.resolve().name
    network = load(checkpoint) if is_checkpoint else None
    return Entry(name, folder, None if metrics is None or metrics.empty else metrics, steps, network)


def report(folders: Sequence[str | Path], references: Sequence[str] = ()) -> str:
    """Return the page, whole. references: names of published tables (`a3d.budgets.published.TITLES`) to draw beside."""
    entries = [read_entry(folder) for folder in folders]
    if len({entry.name for entry in entries}) < len(entries):
        entries = [Entry(str(e.folder), e.folder, e.metrics, e.steps, e.network) for e in entries]
    curves = {TITLES[name]: published(name) for name in references}
    parts = [*_overview(entries), *_side_by_side(entries, curves)]
    for entry in entries:
        parts += _section(entry, curves if len(entries) == 1 else {})
    title = "A3D: " + ", ".join(entry.name for entry in entries)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style><script>{get_plotlyjs()}</script></head>"
        f"<body><main><h1>{escape(title)}</h1>{''.join(parts)}</main></body></html>\n"
    )


def _overview(entries: Sequence[Entry]) -> Iterator[str]:
    lines = [("", "network", "classes", "training", "full network", "cheapest tested", "configurations")]
    for entry in entries:
        network, table = entry.network, entry.table
        lines.append(
            (
                entry.name,
                network.architecture.name if network else "not saved yet",
                str(network.classes) if network else "",
                _progress(entry),
                _short(table.full) if table else "not tested yet",
                _short(min(table.rows, key=lambda row: row.gflops)) if table else "",
                str(len(table)) if table else "",
            )
        )
    yield _table(lines, "wrapped")


def _side_by_side(entries: Sequence[Entry], curves: Mapping[str, Table]) -> Iterator[str]:
    if len(entries) < 2:
        return
    tables = {entry.name: entry.table for entry in entries if entry.table}
    metrics = {entry.name: entry.metrics for entry in entries if entry.metrics is not None}
    yield "<h2>Side by side</h2>"
    if len({entry.network.labels for entry in entries if entry.network}) > 1:
        yield _missing("These networks know different classes: their accuracies do not compare.")
    if tables:
        yield _figure(curves_figure(tables, curves), "Top-1 over cost: the trade-off list of each")
    if len(metrics) > 1:
        yield _figure(runs_figure(metrics), "Top-1 of the full network on its training clips, by epoch")
    if len(tables) > 1:
        yield from _shared(tables)


def _shared(tables: Mapping[str, Table]) -> Iterator[str]:
    """Top-1 at the configurations that all were tested at."""
    known = [{row.configuration: row for row in table.rows} for table in tables.values()]
    shared = [configuration for configuration in known[0] if all(configuration in rows for rows in known)]
    if not shared:
        yield _missing("No configuration was tested in all of them.")
        return
    lines = [("configuration", *(f"{name}, {table.metric} in %" for name, table in tables.items()))]
    lines += [(str(size), *(_accuracy(rows[size]).replace("%", "") for rows in known)) for size in shared]
    yield _folded(f"The {len(shared)} configurations that all of them were tested at", _table(lines))


def _section(entry: Entry, curves: Mapping[str, Table]) -> Iterator[str]:
    yield f"<h2>{escape(entry.name)}</h2>"
    yield from _training(entry)
    yield from _tested(entry, curves)
    if entry.network:
        yield "<h3>Provenance</h3>"
        yield _facts(_about(entry.network))


def _training(entry: Entry) -> Iterator[str]:
    yield "<h3>Training</h3>"
    if entry.metrics is None:
        yield _missing(f"{entry.folder} has no metrics.csv with steps: the curves of its training are not here.")
        return
    yield _figure(training_figure(entry.metrics), "Loss by epoch")
    yield _figure(accuracy_figure(entry.metrics), "Top-1 on the augmented training clips, by epoch")
    if entry.metrics["configuration"].nunique() > 1:
        yield _figure(sampled_figure(entry.metrics), "Top-1 of the sub-networks sampled in the last five epochs")


def _tested(entry: Entry, curves: Mapping[str, Table]) -> Iterator[str]:
    yield "<h3>Accuracy and cost</h3>"
    if entry.network is None:
        yield _missing("The run has not ended: there is no checkpoint to test yet.")
        return
    if entry.table is None:
        yield _missing(f"No table yet. Make one: a3d table --checkpoint {entry.folder} --data …")
        return
    unit = "share" if curves else "gflops"
    figure = tradeoff_figure(entry.table, full=entry.table.full, published=curves, unit=unit)
    yield _figure(figure, "Every tested configuration, the trade-off list, and what each of its steps gives up")
    yield _rows(entry.table.trade_off())
    yield _folded(f"All {len(entry.table)} configurations", _rows(entry.table.rows))


def _about(network: TrainedNetwork) -> dict[str, object]:
    architecture, sampling = network.architecture, network.sampling
    options = (f"{name.replace('_', ' ')} {value}" for name, value in architecture.options.items())
    facts: dict[str, object] = {
        "network": ", ".join([architecture.name, *options, architecture.task]),
        "range": f"{network.range.name}: {', '.join(map(str, network.range.spatials))} pixels, "
        f"{', '.join(map(str, network.range.frame_counts))} frames, width from {network.range.widths[0]:g}",
        "clip": str(sampling),
        "classes": ", ".join(network.labels[:40]) + (", …" if len(network.labels) > 40 else ""),
    }
    return facts | network.provenance


def _progress(entry: Entry) -> str:
    if entry.metrics is None:
        return ""
    step = int(entry.metrics["step"].max()) + 1
    steps = entry.steps
    return f"{step} steps" if steps in (None, step) else f"step {step} of {steps}"


def _short(row: Row) -> str:
    return f"{_accuracy(row)} at {row.gflops:.3g} GFLOPs ({row.configuration})"


def _accuracy(row: Row) -> str:
    if row.interval is None:
        return f"{row.accuracy:.1f}%"
    low, high = row.interval
    return f"{row.top1:.1f}% ({low:.1f} to {high:.1f})"


def _rows(rows: Sequence[Row]) -> str:
    def percent(value: float | None) -> str:
        return "" if value is None else f"{value:.1f}"

    measured = f"{Table(rows).metric}, % (95%)"
    lines = [("configuration", "GFLOPs", "M params", measured, "mean class, %", "top-5, %", "clips")]
    for row in rows:
        size = (str(row.configuration), f"{row.gflops:.3g}", f"{row.params / 1e6:.2f}")
        lines.append(
            (*size, _accuracy(row).replace("%", ""), percent(row.mean_class), percent(row.top5), str(row.clips or ""))
        )
    return _table(lines)


def _table(lines: Sequence[Sequence[str]], kind: str = "") -> str:
    """The first line is the head."""
    head, *body = lines
    rows = ["".join(f"<td>{escape(cell)}</td>" for cell in line) for line in body]
    return (
        f'<div class="wide"><table class="{kind}"><thead><tr>'
        + "".join(f"<th>{escape(cell)}</th>" for cell in head)
        + f"</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table></div>"
    )


def _facts(facts: Mapping[str, object]) -> str:
    def shown(value: object) -> str:
        if isinstance(value, dict):
            return _facts(value)
        return escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))

    return (
        "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{shown(value)}</dd>" for name, value in facts.items()) + "</dl>"
    )


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def _missing(text: str) -> str:
    return f'<p class="missing">{escape(text)}</p>'


def _figure(figure: go.Figure, caption: str) -> str:
    options = {"displayModeBar": False, "responsive": True}
    drawn = to_html(figure, options, include_plotlyjs=False, full_html=False)
    return f'<figure aria-label="{escape(caption)}">{drawn}<figcaption>{escape(caption)}</figcaption></figure>'
