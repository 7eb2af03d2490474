"""`a3d app`: where it finds the dashboard, and what it says where there is none."""

from pathlib import Path

import pytest

import a3d
from a3d.cli import main
from a3d.cli.app import entry

ROOT = Path(__file__).parents[2]


def test_the_dashboard_is_found_beside_the_package_and_in_the_working_folder(tmp_path):
    assert entry(tmp_path) == ROOT / "app" / "main.py"
    (tmp_path / "app" / "views").mkdir(parents=True)
    (tmp_path / "app" / "main.py").write_text("")
    assert entry(tmp_path) == tmp_path / "app" / "main.py"


def test_an_installed_package_alone_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(a3d, "__file__", str(tmp_path / "site-packages" / "a3d" / "__init__.py"))
    monkeypatch.chdir(tmp_path)
    assert main(["app"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: the dashboard is not in {tmp_path}") and error.count("\n") == 1


@pytest.mark.parametrize("option", ["--checkpoints", "--runs"])
def test_a_folder_that_is_none_is_named(tmp_path, capsys, option):
    assert main(["app", option, str(tmp_path / "nowhere")]) == 1
    assert "nowhere is not a folder" in capsys.readouterr().err
