"""`a3d app`: the dashboard, in the browser."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import a3d
from a3d.cli.options import command
from a3d.errors import InputError

MAIN = Path("app") / "main.py"


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d app --checkpoints runs --port 8501",
    )
    sub.add_argument("--checkpoints", type=Path, help="folder of checkpoint folders (the project's checkpoints/)")
    sub.add_argument("--runs", type=Path, help="folder of training runs to follow (the project's runs/)")
    sub.add_argument(
        "--gallery", type=Path, help="folder of clips, one folder a class, to see what a budget gets right"
    )
    sub.add_argument("--port", type=_port, default=8501, help="where the dashboard listens (8501)")
    sub.add_argument(
        "--address",
        default="127.0.0.1",
        help="what it listens on (127.0.0.1: this machine alone); 0.0.0.0 is for whoever reaches the machine, without "
        "a log-in: put a proxy before it (SECURITY.md)",
    )


def run(options: argparse.Namespace) -> None:
    """Serves until it is stopped, in this process: whoever ends it ends the server."""
    from streamlit.web import cli as streamlit  # takes a second to import

    main = entry()
    folders = {"A3D_CHECKPOINTS": options.checkpoints, "A3D_RUNS": options.runs, "A3D_GALLERY": options.gallery}
    os.environ |= {name: str(_folder(path)) for name, path in folders.items() if path is not None}
    os.chdir(main.parents[1])  # where the theme and the limits of the dashboard are, in .streamlit/
    where = ["--server.address", options.address, "--server.port", str(options.port)]
    streamlit.main(["run", str(main), *where], standalone_mode=False)


def entry(working: Path | None = None) -> Path:
    """`app/main.py` in the working folder or beside the package; ValueError where there is none, as beside a wheel."""
    roots = (working or Path.cwd(), Path(a3d.__file__).parents[1])
    for root in roots:
        main = (root / MAIN).resolve()
        if main.is_file() and (main.parent / "views").is_dir():
            return main
    raise InputError(
        f"the dashboard is not in {roots[0]}: it comes with the project's folder, not with the installed package; "
        "run `a3d app` in a copy of the project"
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text[:6]) < 2**16:
        raise argparse.ArgumentTypeError(f"{text[:40]}: give a port, 1 to 65535")
    return int(text)


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise InputError(f"{path} is not a folder: give one that exists")
    return path.resolve()
