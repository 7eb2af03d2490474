"""Other work on this machine: busy processes, as many as wanted at the moment."""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Lock

PROCESSORS = os.cpu_count() or 1
SPIN = "import os\nwhile os.getppid() == {}: pass"  # ends with whoever started it


class Load:
    """Keeps as many busy processes as it is told, at most one for each processor. Use it `with`, or `close` it."""

    def __init__(self) -> None:
        self._lock, self._closed = Lock(), False
        self._busy: list[subprocess.Popen] = []

    @property
    def count(self) -> int:
        """Return how many processes are busy now."""
        return len(self._busy)

    def set(self, count: int) -> None:
        """Start or end processes until there are `count`; none are started any more once it is closed."""
        with self._lock:
            wanted = 0 if self._closed else max(0, min(count, PROCESSORS))
            while len(self._busy) < wanted:
                command = [sys.executable, "-S", "-c", SPIN.format(os.getpid())]
                self._busy.append(subprocess.Popen(command))
            while len(self._busy) > wanted:
                process = self._busy.pop()
                process.kill()
                process.wait()

    def close(self) -> None:
        self._closed = True
        self.set(0)

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
