"""Training runs to follow: folders with a `metrics.csv`, newest first."""

from __future__ import annotations

import os
from pathlib import Path

RUNS = Path(__file__).parent.parent / "runs"


def root() -> Path:
    """The environment variable A3D_RUNS moves the folder."""
    return Path(os.environ.get("A3D_RUNS") or RUNS)


def runs() -> dict[str, Path]:
    """Folders by their path below the root."""
    logs = sorted(root().glob("**/metrics.csv"), key=lambda path: path.stat().st_mtime, reverse=True)
    return {str(path.parent.relative_to(root())): path.parent for path in logs}
