"""The rooms of the package: imports point one way, and the public surface is what the documents say."""

import ast
import re
from pathlib import Path

import a3d

ROOT = Path(__file__).parents[1]
ROOMS = ["configuration", "parallel", "video", "synthetic", "datasets", "networks", "weights", "budgets", "testing"]
ROOMS += ["inference", "deploy", "training", "paper", "maps", "figures", "benchmark", "cli"]
ROOM_OF = {"adaptive": "networks"}  # the two hold each other until the engine parts them


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "a3d":
            parts = node.module.split(".")
            names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
            yield from (ROOM_OF.get(name, name) for name in names)


def test_a_file_imports_only_from_rooms_above_it():
    for path in (ROOT / "a3d").rglob("*.py"):
        room = path.relative_to(ROOT / "a3d").parts[0].removesuffix(".py")
        room = ROOM_OF.get(room, room)
        if room == "__init__":
            continue
        below = [name for name in imported(path) if name in ROOMS and ROOMS.index(name) > ROOMS.index(room)]
        assert not below, f"{path} imports from {below}"


def test_one_room_uses_pyav():
    """From a file by number, from a stream as it comes, to a file."""
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "a3d").rglob("*.py")}
    users = [path for path, text in texts.items() if re.search(r"^(import|from) av\b", text, re.MULTILINE)]
    assert users and {path.parent.name for path in users} == {"video"}


def test_no_pickle_is_loaded():
    for path in [*(ROOT / "a3d").rglob("*.py"), *(ROOT / "app").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        # One file may: it takes numbers out of Caffe2 files and refuses all else (tests/networks/test_unpickling.py)
        assert "pickle" not in text or path == ROOT / "a3d/weights/unpickling.py"
        assert "weights_only=False" not in text
        assert text.count("torch.load(") == text.count("weights_only=True"), path


def test_public_names():
    assert sorted(a3d.__all__) == sorted(set(a3d.__all__)) and all(hasattr(a3d, name) for name in a3d.__all__)
    for name in ("load", "predict", "explain", "compare", "save", "calibrate", "cost", "published", "Configuration"):
        assert name in a3d.__all__
    assert all(getattr(a3d, name).__doc__ for name in a3d.__all__)
