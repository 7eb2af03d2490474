"""A folder of clips with the truth: what is shown of them is what the library says."""

import time

import pytest
import torch

from a3d.datasets import ClipFolder
from a3d.testing.confusion import confusion
from a3d.testing.evaluation import evaluate
from a3d.video.encode import write_video
from tests.clips import moving_square

from .driving import charts, healthy, numbers, opened, page


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    root = tmp_path_factory.mktemp("gallery")
    for number, name in enumerate(("crawl", "jump", "wave")):
        for k in range(7):  # 21: more than are tested at once
            write_video(root / name / f"{name}{k}.mp4", moving_square(10 * k + number, frames=20), 25)
    return root


def looked_at(monkeypatch, folder):
    monkeypatch.setenv("A3D_GALLERY", str(folder))
    app = page(opened(), "gallery")
    until = time.monotonic() + 120
    while any("Testing" in bar.proto.text for bar in app.get("progress")) and time.monotonic() < until:
        time.sleep(0.1)
        app.run()
    return app


def test_figures_are_those_of_the_library(served, network, clips, monkeypatch):
    app = looked_at(monkeypatch, clips)
    assert healthy(app)
    picked = app.selectbox(key="pick").value
    configuration = next(row.configuration for row in network.table.rows if str(row.configuration) == picked)
    dataset = ClipFolder(clips, classes=network.labels)
    full, sub = (evaluate(network, dataset, c, (1, 1)) for c in (network.table.full.configuration, configuration))
    assert numbers(app)["Full network"] == f"{full.top1:.1f}%" and numbers(app)["Sub-network"] == f"{sub.top1:.1f}%"
    rights = [r.probabilities.argmax(1) == r.labels for r in (full, sub)]
    assert numbers(app)["Lost with the budget"] == str(int((rights[0] & ~rights[1]).sum()))
    shown = app.dataframe[0].value
    assert len(shown) == 21 and list(shown["of truth"]) == sorted(shown["of truth"])
    truth = torch.tensor(sorted(sub.probabilities[torch.arange(21), sub.labels].tolist()))
    assert list(shown["of truth"]) == pytest.approx((100 * truth).tolist(), abs=0.01)
    (heat,) = charts(app)["confusion"]["data"]
    counts = confusion(sub)
    assert [[int(cell or 0) for cell in line] for line in heat["text"]] == counts[counts.sum(1) > 0].tolist()


def test_what_is_listed_can_be_chosen(served, network, clips, monkeypatch):
    app = looked_at(monkeypatch, clips)
    lost = int(numbers(app)["Lost with the budget"])
    app.segmented_control(key="which").set_value("Lost with the budget").run()
    assert healthy(app)
    assert len(app.dataframe[0].value if app.dataframe else ()) == lost
    app.session_state["look_at"] = clips / "jump" / "jump3.mp4"
    app.run()
    assert app.session_state["upload"].shown.name == "jump3.mp4"
    assert not (clips / "jump" / ".film.mp4").exists()  # nothing is written beside the clips


def test_without_a_folder_it_says_how_to_give_one(served, monkeypatch):
    monkeypatch.delenv("A3D_GALLERY", raising=False)
    app = page(opened(), "gallery")
    assert healthy(app) and "a3d app --gallery" in app.info[0].value


def test_classes_that_the_network_does_not_know_are_one_line(served, monkeypatch, tmp_path):
    write_video(tmp_path / "juggling" / "a.mp4", moving_square(1, frames=20), 25)
    app = looked_at(monkeypatch, tmp_path)
    (error,) = app.error
    assert "'juggling' is none of the 6" in error.value and not app.exception


def test_a_file_that_is_broken_is_counted(served, clips, monkeypatch, tmp_path):
    write_video(tmp_path / "jump" / "a.mp4", moving_square(1, frames=20), 25)
    (tmp_path / "jump" / "b.mp4").write_bytes(b"no video")
    app = looked_at(monkeypatch, tmp_path)
    assert any("1 files cannot be read" in caption.value for caption in app.caption)
