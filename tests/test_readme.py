"""The README cannot drift: its Python runs, its commands parse, its links lead somewhere."""

import re
import shlex
from pathlib import Path

from a3d.cli import parser

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints").symlink_to(ROOT / "checkpoints")
    (block,) = blocks("python")
    names = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names["prediction"].configuration == names["row"].configuration == names["small"].configuration
    assert (tmp_path / "jack.mp4").exists()


def test_commands_parse():
    commands = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("a3d ")]
    commands += re.findall(r"`(a3d [^`]*--[^`]*)`", README)
    assert len(commands) >= 6
    for command in commands:
        if command.startswith("a3d table --configuration"):
            command += " --checkpoint x --data y"
        parser().parse_args(shlex.split(command, comments=True)[1:])


def test_links_and_pictures_exist():
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets and all((ROOT / target).exists() for target in targets)


def test_two_commands_install_what_they_run():
    app, test = (re.search(rf"<!-- {name} -->\n```bash\n(.*?)\n```", README)[1] for name in ("app", "test"))
    assert "pip install -e ." in app and app.endswith("streamlit run app/main.py")
    assert '".[test]"' in test and test.endswith("-m pytest")
