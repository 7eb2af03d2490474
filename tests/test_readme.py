"""README and recipes cannot drift: the Python runs, the commands parse, the links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from a3d.cli import parser

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "notebooks").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language, text=README):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints").symlink_to(ROOT / "checkpoints")
    first, second = blocks("python")
    names, others = {}, {}
    exec(compile(first, "README.md", "exec"), names)
    exec(compile(second, "README.md", "exec"), others)
    assert others["network"].full.key == "112x8@1.0"
    assert names["prediction"].configuration == names["row"].configuration == names["small"].configuration
    assert (tmp_path / "jack.mp4").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_parse(page):
    text = page.read_text(encoding="utf-8")
    lines = [line for block in blocks("bash", text) for line in block.splitlines()]
    commands = re.findall(r"^(?:a3d|torchrun .*-m a3d\.cli) (.*)", "\n".join(lines), re.MULTILINE)
    commands += re.findall(r"`a3d\s([^`]*--[^`]*)`", text)
    if page.name in ("README.md", "recipes.md"):
        assert len(commands) >= 6
    for command in commands:
        if command.startswith("table --configuration"):
            command += " --checkpoint x --data y"
        alone = command.partition(" > ")[0].replace("--device cuda", "--device cpu")  # no card where tests run
        parser().parse_args(shlex.split(alone, comments=True))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_exist(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_two_commands_install_what_they_run():
    app, test = (re.search(rf"<!-- {name} -->\n```bash\n(.*?)\n```", README)[1] for name in ("app", "test"))
    assert "pip install -e ." in app and app.endswith("streamlit run app/main.py")
    assert '".[test]"' in test and test.endswith("-m pytest")
