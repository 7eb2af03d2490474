"""What is imported when: `a3d --help` waits for nobody."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import a3d
from a3d.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "numpy", "av", "plotly", "pandas", "rich", "streamlit")


def loaded(code):
    """Modules that are there after some code, in a new process."""
    code = f"import sys\n{code}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout, set(run.stderr.split())


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_neither_torch_nor_a_command(option):
    code = (
        f"from a3d.cli import main\ntry:\n    main(['{option}'])\nexcept SystemExit as stop:\n    assert not stop.code"
    )
    out, modules = loaded(code)
    assert not modules & set(HEAVY)
    small = {f"a3d.{name}" for name in ("cli", "errors", "files", "stopping", "version")}
    assert {name for name in modules if name.startswith("a3d")} == {"a3d"} | small
    assert a3d.__version__ in out if option == "--version" else all(f"    {name}" in out for name in COMMANDS)


def test_one_command_loads_no_other():
    _, modules = loaded("from a3d.cli import parser\nparser().parse_args(['predict', 'a.mp4'])")
    assert {name for name in modules if name.removeprefix("a3d.cli.") in COMMANDS} == {"a3d.cli.predict"}
    assert "plotly" not in modules and "streamlit" not in modules


def test_import_a3d_loads_what_is_asked_for():
    _, modules = loaded("import a3d\nassert 'load' in dir(a3d)\na3d.Configuration(32, 4, 1.0)")
    assert not modules & set(HEAVY) and "a3d.configuration" in modules
    loaded(
        "from a3d import explain\nimport a3d.maps, a3d.figures, a3d.training\nimport a3d\n"
        "assert a3d.explain is explain and callable(explain) and a3d.video.Video and a3d.recipes.small()"
    )


def test_grad_cam_and_what_it_brings_load_when_they_are_used():
    _, modules = loaded("import a3d\na3d.explain, a3d.compare, a3d.predict, a3d.figures\nimport a3d.maps.maps")
    assert not modules & {"pytorch_grad_cam", "cv2", "sklearn"} and "torch" in modules


def test_type_checkers_see_the_same_names():
    tree = ast.parse((ROOT / "a3d" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (n for n in tree.body if isinstance(n, ast.If) and getattr(n.test, "id", "") == "TYPE_CHECKING")
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    assert seen == a3d._MODULES
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        a3d.nothing  # noqa: B018


def test_every_room_can_be_reached():
    rooms = {path.stem for path in (ROOT / "a3d").iterdir() if not path.name.startswith("_")}
    assert rooms == set(a3d.ROOMS)


def test_commands_are_the_files(capsys):
    files = {path.stem for path in (ROOT / "a3d" / "cli").glob("*.py")} - {"__init__", "__main__", "options", "output"}
    assert files == set(COMMANDS)
    for name in COMMANDS:
        with pytest.raises(SystemExit, match="0"):
            main([name, "--help"])
        assert re.search(rf"example:\n(.*\n)?.*a3d {name}", capsys.readouterr().out)
