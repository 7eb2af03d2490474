"""The tutorials: each runs from a clean state, alone in a folder beside the checkpoints, without network access."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FAST = {"01_first_steps", "02_what_a_budget_buys"}
# Whoever asks for a page gets no answer: nothing listens on the discard port.
OFFLINE = {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https", "all")}


def read(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def chosen(path):
    return pytest.param(path, id=path.stem, marks=[] if path.stem in FAST else pytest.mark.slow)


def test_there_are_tutorials():
    assert {path.stem for path in NOTEBOOKS} > FAST


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_form(path):
    """A title, one cell of parameters before any other code, and nothing left over from a run."""
    notebook = read(path)
    assert notebook.cells[0].cell_type == "markdown" and re.match(r"# \S", notebook.cells[0].source)
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert tagged == code(notebook)[:1]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(notebook))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", [chosen(path) for path in NOTEBOOKS])
def test_runs(path, tmp_path, monkeypatch):
    """Every cell runs, every figure is there for a live notebook and for a saved page, and no file is left behind."""
    for name, address in OFFLINE.items():
        monkeypatch.setenv(name, address)
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # what the notebook writes goes with the rest
    (tmp_path / "checkpoints").symlink_to(ROOT / "checkpoints")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "results").symlink_to(ROOT / "notebooks" / "results")
    notebook = read(path)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    figures = [output.data for output in outputs if "application/vnd.plotly.v1+json" in output.get("data", {})]
    assert figures and all("text/html" in figure for figure in figures)
    assert [path.name for path in folder.iterdir()] == ["results"]
