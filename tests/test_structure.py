"""The rooms of the package: imports point one way, and the public surface is what the documents say."""

import ast
import importlib
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from operator import attrgetter
from pathlib import Path

import pytest

import a3d

ROOT = Path(__file__).parents[1]
# In reading order: a file imports from its own room and from those before it.
ROOMS = [
    "version",
    "errors",
    "configuration",
    "files",
    "memory",
    "stopping",
    "parallel",
    "video",
    "synthetic",
    "datasets",
]
ROOMS += [
    "adaptive",
    "networks",
    "engines",
    "temperature",
    "budgets",
    "rejection",
    "trained",
    "weights",
    "testing",
    "inference",
    "deploy",
]
ROOMS += ["training", "paper", "maps"]
ROOMS += ["figures", "benchmark", "cli"]


def name_of(path: Path) -> str:
    """Return a file's name as it is imported; a package's is that of its __init__.py."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {name_of(path): path for path in (ROOT / "a3d").rglob("*.py")}


def imported(source: str) -> Iterator[str]:
    """Yield the files that a file imports, wherever it does: in functions and for type checking too.

    What a package hands on counts as an import of the package.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            while name not in FILES and "." in name:
                name = name.rpartition(".")[0]
            if name in FILES:
                yield name


IMPORTS = {name: set(imported(path.read_text(encoding="utf-8"))) for name, path in FILES.items()}


def room(name: str) -> str:
    return name.split(".")[1]


def test_imports_are_seen_wherever_they_stand():
    source = """
from a3d import parallel, adapt
import a3d.video.decode as decoding
if TYPE_CHECKING:
    from a3d.adaptive.network import AdaptiveNetwork
def function():
    from a3d.maps import explain
    import torch
"""
    expected = {"a3d", "a3d.parallel", "a3d.video.decode", "a3d.adaptive.network", "a3d.maps"}
    assert set(imported(source)) == expected


def test_rooms_are_those_of_the_list():
    assert {room(name) for name in FILES if name != "a3d"} == set(ROOMS)


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"a3d"}))
def test_no_import_points_up(name):
    """The package itself imports every room, so that the commands alone may import it."""
    below = [f for f in IMPORTS[name] - {"a3d"} if ROOMS.index(room(f)) > ROOMS.index(room(name))]
    assert not below, f"{name} imports {below}"
    assert "a3d" not in IMPORTS[name] or room(name) == "cli"


def test_no_circle_between_files():
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' ← '.join(error.args[1])}")


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"a3d", "a3d.cli.__main__"}))
def test_every_file_is_reached_by_its_name(name):
    """No function that a package hands on hides a file of the same name."""
    importlib.import_module(name)
    assert attrgetter(name.removeprefix("a3d."))(a3d) is sys.modules[name]


def test_only_decoding_and_encoding_use_pyav():
    """From a file by number, from a stream as it comes, to a file."""
    users = {path.name for path in (ROOT / "a3d").rglob("*.py") if "import av" in path.read_text(encoding="utf-8")}
    assert users == {
        "container.py",
        "conversion.py",
        "completeness.py",
        "reader.py",
        "stream.py",
        "encode.py",
        "gif.py",
    }


def test_no_pickle_is_loaded():
    for path in [*(ROOT / "a3d").rglob("*.py"), *(ROOT / "app").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        # One file may: it takes numbers out of Caffe2 files and refuses all else (tests/weights/test_unpickling.py)
        assert "pickle" not in text or path == ROOT / "a3d/weights/unpickling.py"
        assert "weights_only=False" not in text
        assert text.count("torch.load(") == text.count("weights_only=True"), path


def test_public_names():
    assert sorted(a3d.__all__) == sorted(set(a3d.__all__)) and all(hasattr(a3d, name) for name in a3d.__all__)
    for name in ("load", "predict", "explain", "compare", "save", "calibrate", "cost", "published", "Configuration"):
        assert name in a3d.__all__
    assert all(getattr(a3d, name).__doc__ for name in a3d.__all__)
