"""A limit besides the deadline, changed while it runs through a file of one line: `gflops 0.3`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from a3d.budgets.budget import Budget, BudgetError, Limits


class LimitFile:
    """Called, it gives what the file says now: {} if it is empty or gone, the last that could be read otherwise.

    complain: is told once what is wrong with the file.
    """

    def __init__(self, path: str | Path, complain: Callable[[str], object]) -> None:
        self.path, self._complain = Path(path), complain
        self._text = ""
        self._limits: Limits = {}

    def __call__(self) -> Limits:
        text = self._read()
        if text != self._text:
            self._text = text
            try:
                self._limits = _parsed(text)
            except ValueError as error:
                self._complain(f"{self.path}: {error}; the limit stays as it was")
        return self._limits

    def _read(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:  # not yet, no more, or for the moment in which an editor replaces it
            return ""


def _parsed(text: str) -> Limits:
    words = text.split()
    if not words:
        return {}
    if len(words) != 2:
        raise BudgetError(f"{text.strip()!r}: write a unit and a number, as in `gflops 0.3`")
    budget = Budget(words[0], float(words[1]))
    if budget.unit == "milliseconds":
        raise BudgetError("milliseconds: the deadline limits them; give gflops, params or megabytes")
    return {budget.unit: budget.limit}
