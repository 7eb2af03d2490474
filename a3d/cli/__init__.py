"""The `a3d` command: one file a command, each parses, calls, prints. Every error is one line: the value, the remedy."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import a3d
from a3d import parallel
from a3d.cli import (
    app,
    benchmark,
    convert,
    cost,
    detect,
    evaluate,
    experiment,
    explain,
    export,
    predict,
    profile,
    report,
    score,
    table,
    train,
    verify,
    watch,
)
from a3d.cli.output import heard
from a3d.parallel.processes import ProcessLost
from a3d.training.mutual import TrainingError

# In the order of learning: use a network, deploy it, train one, the published data sets, compare.
COMMANDS = (
    predict,
    explain,
    app,
    cost,
    profile,
    watch,
    export,
    train,
    table,
    evaluate,
    report,
    verify,
    convert,
    detect,
    score,
    experiment,
    benchmark,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    options = parser().parse_args([_plain(word) for word in (sys.argv[1:] if arguments is None else arguments)])
    try:
        with parallel.joined(), heard():
            options.run(options)
    except (ValueError, OSError, TrainingError, ProcessLost, ImportError) as error:
        print(f"error: {' '.join(_said(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    return 0


def _plain(word: str) -> str:
    """A file whose name begins with a dash, as YouTube's do, is no option."""
    return f"./{word}" if word.startswith("-") and Path(word).is_file() else word


def _said(error: Exception) -> str:
    """What the system says of a file lacks a remedy."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}; check the path, and whether it may be read and written"
    return str(error)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="a3d", description="Adaptive 3D networks for video: trained once, run at any compute budget."
    )
    top.add_argument("--version", action="version", version=f"a3d {a3d.__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    return top
