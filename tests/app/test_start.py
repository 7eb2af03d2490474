"""`a3d app`: where it finds the dashboard, and what it says where there is none."""

import tomllib
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


@pytest.mark.parametrize(("more", "address"), [([], "127.0.0.1"), (["--address", "0.0.0.0"], "0.0.0.0")])
def test_it_serves_this_machine_alone_unless_told_otherwise(monkeypatch, more, address):
    from streamlit.web import cli as streamlit

    served = []
    monkeypatch.setattr(streamlit, "main", lambda arguments, **how: served.append(arguments))
    monkeypatch.chdir(ROOT)
    assert main(["app", "--port", "8765", *more]) == 0
    assert served[0][2:] == ["--server.address", address, "--server.port", "8765"]


def test_so_does_streamlit_run():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1"


@pytest.mark.parametrize("port", ["0", "70000", "-1", "x"])
def test_ports_that_there_are_not(port, capsys):
    with pytest.raises(SystemExit):
        main(["app", "--port", port])
    assert "give a port, 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["..", "x" * 300 + ".mp4", "/etc/passwd", "a\x1b[2J.mp4", "", "a\nb.mp4"])
def test_an_upload_may_have_any_name(name, monkeypatch):
    """The file is refused for what it is, by a name of one short line."""
    monkeypatch.syspath_prepend(str(ROOT / "app"))
    import clips

    from a3d.inference.checkpoint import load
    from a3d.video import VideoError

    network = load(ROOT / "checkpoints" / "exercise12")
    monkeypatch.setattr(clips, "network_of", lambda source: network)
    with pytest.raises(VideoError) as error:
        clips.decode(name, b"not a video" * 10, None)
    message = str(error.value)
    assert message.isprintable() and len(message) < 300 and "/tmp" not in message and "passwd/" not in message
