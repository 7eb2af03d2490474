"""`a3d benchmark`: figures of this machine against rivals, printed and saved."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import a3d
from a3d.benchmark import GROUPS, Figure, Setting, attempted
from a3d.budgets.profile import device_name
from a3d.cli.options import add_json, command, ours
from a3d.cli.output import console, emit
from a3d.errors import InputError
from a3d.files import replace


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d benchmark decoding --out benchmark.json",
    )
    groups = "; ".join(f"{name}: {group.title}" for name, group in GROUPS.items())
    sub.add_argument("group", nargs="*", metavar="GROUP", help=f"all by default. {groups}")
    sub.add_argument("--checkpoint", type=Path, default=ours(), help="folder of a trained network (exercise12)")
    sub.add_argument("--data", type=Path, help="folder with train/ and val/, for the groups that test accuracy")
    sub.add_argument("--device", action="append", choices=("cpu", "cuda"), help="all there are by default")
    sub.add_argument("--out", type=Path, help="JSON file to write")
    add_json(sub)


def run(options: argparse.Namespace) -> None:
    unknown = [name for name in options.group if name not in GROUPS]
    if unknown:
        raise InputError(f"group {unknown[0]!r}: choose among {', '.join(GROUPS)}")
    devices = options.device or ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    found, rows = {"machine": machine(), "groups": {}}, []
    for device in devices:
        for name in options.group or GROUPS:
            if device in GROUPS[name].devices:
                setting = Setting(device, options.checkpoint, options.data)
                figures = found["groups"].setdefault(name, {})[device] = _measure(name, setting, options.json)
                rows += [{"group": name, "device": device} | figure for figure in figures]
                _save(found, options.out)
    if options.json:
        emit(rows)


def machine() -> dict:
    """Return what the figures depend on: the machine, the versions, the time."""
    packages = ["torch", "torchvision", "av", "numpy", *sorted({r for group in GROUPS.values() for r in group.rivals})]
    return {
        "a3d": a3d.__version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": device_name("cpu"),
        "threads": torch.get_num_threads(),
        "card": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in packages},
    }


def _measure(name: str, setting: Setting, silent: bool) -> list[dict]:
    figures = []
    with console.status(f"{name} on {setting.device}") as status:
        for figure in attempted(GROUPS[name], setting):
            figures.append(figure)
            status.update(f"{name} on {setting.device}: {len(figures)} done, the last {escape(figure.name)}")
    if not silent:
        Console(width=None if sys.stdout.isatty() else 160).print(
            _table(f"{GROUPS[name].title} ({name}, {setting.device})", figures)
        )
    return [asdict(figure) | {"met": figure.met} for figure in figures]


def _table(title: str, figures: list[Figure]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in ("figure", "ours", "rival", "ratio", "target", "note"):
        table.add_column(column, justify="right" if column in ("ours", "rival", "ratio", "target") else "left")
    marks = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}
    for figure in figures:
        numbers = (_number(figure.ours, figure.unit), _number(figure.rival, figure.unit), _number(figure.ratio))
        table.add_row(
            escape(figure.name), *numbers, f"{figure.target} {marks[figure.met]}".strip(), escape(figure.note)
        )
    return table


def _number(value: float | None, unit: str = "") -> str:
    return "" if value is None else f"{value:.4g} {unit}".strip()


def _save(found: dict, path: Path | None) -> None:
    if path is not None:
        text = json.dumps(found, ensure_ascii=False, indent=1)
        replace(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
