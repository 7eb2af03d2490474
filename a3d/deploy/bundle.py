"""A script that runs without this package: a module with all that it imports from here, in one file."""

from __future__ import annotations

import ast
import importlib
import inspect
from types import ModuleType


def bundle(module: ModuleType) -> str:
    """Return the text of `module`, after those of the modules of this package that it imports, each once.

    Names are taken as they are: no two modules may define the same one, and none may rename what it imports.
    """
    parts: dict[str, str] = {}
    _gather(module, parts)
    docstring = f'"""{inspect.getdoc(module)}\n"""\n\nfrom __future__ import annotations\n'
    return docstring + "\n\n".join(parts.values()) + "\n"


def _gather(module: ModuleType, parts: dict[str, str]) -> None:
    text = inspect.getsource(module)
    lines, tree = text.splitlines(), ast.parse(text)
    ours = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module.startswith("a3d.")]
    for node in ours:
        if node.module not in parts:
            _gather(importlib.import_module(node.module), parts)
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    for node in (tree.body[0], *ours, *future):  # the first is the docstring, which says what follows
        lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    parts[module.__name__] = "\n".join(lines).strip("\n")
