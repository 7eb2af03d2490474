"""People and their actions through a video, by the network at the moments asked for."""

import csv
import json

import numpy as np
import pytest
import torch

from a3d.cli import main
from a3d.configuration import ComputationalRange, Configuration, ConfigurationError
from a3d.datasets import DatasetError
from a3d.deploy.export import ExportError, export
from a3d.figures.people import COLOURS, draw, write_people
from a3d.inference.checkpoint import save
from a3d.inference.detection import Person, detect, detected, proposals
from a3d.maps.maps import explain
from a3d.networks import slow_r18
from a3d.testing.calibration import calibrate
from a3d.trained import TrainedNetwork
from a3d.video import Sampling, Video, decode_views, normalise, short_side
from a3d.video.encode import write_video
from tests.clips import moving_square
from tests.conftest import shaken

FULL = Configuration(32, 4, 1.0)
BOXES = ((0.1, 0.2, 0.5, 0.9), (0.4, 0.1, 0.9, 0.8))


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Three seconds of 48 × 64 at 25 a second, and boxes of seconds 0 and 1, one of them unsure."""
    folder = tmp_path_factory.mktemp("film")
    write_video(folder / "film.mp4", moving_square(1, 75), 25)
    with (folder / "boxes.csv").open("w", newline="") as file:
        rows = [("film", 0, *BOXES[0], "", 0.9), ("film", 1, *BOXES[0], "", 0.95), ("film", 1, *BOXES[1], "", 0.85)]
        csv.writer(file).writerows([*rows, ("film", 1, 0, 0, 1, 1, "", 0.3), ("other", 2, *BOXES[0], "", 0.9)])
    return folder


@pytest.fixture
def network():
    shape = {"spatial": 32, "frames": 4, "task": "detection"}
    network = shaken(slow_r18(3, base_channels=8, dropout=0.0, **shape))
    calibrate(network, FULL, [torch.randn(4, 3, 4, 32, 32)])
    network.network.classifier.weight.data.normal_(std=0.3)
    span = ComputationalRange("small", (24, 32), (2, 4), (0.5, 1.0))
    return TrainedNetwork(network, ("bend", "stand", "sit"), Sampling(4, 4, 32), span)


def test_people_are_judged_from_the_clip_around_each_moment(film, network):
    scenes = detect(film / "film.mp4", network, proposals(film / "boxes.csv", "film"))
    assert [scene.time for scene in scenes] == [0, 1, 2]
    assert [[person.box for person in scene.people] for scene in scenes] == [[BOXES[0]], [*BOXES], []]
    frames, _ = decode_views(film / "film.mp4", network.sampling, 1, (1.0, 1.0))
    clip = normalise(short_side(frames[0], 32), network.sampling)[None]
    with torch.no_grad():
        expected = network(clip, FULL, torch.tensor([(0.0, *box) for box in BOXES])).sigmoid()
    for person, row in zip(scenes[1].people, expected, strict=True):
        assert [p for _, p in person.actions] == sorted((p for _, p in person.actions), reverse=True)
        for name, probability in person.actions:
            assert probability == pytest.approx(row[network.labels.index(name)].item(), abs=1e-4)


def test_detector_is_asked_about_the_picture_of_the_moment(film, network):
    asked = []

    def detector(picture):
        asked.append(picture)
        return torch.tensor(BOXES), torch.tensor([0.9, 0.4])

    scenes = detect(film / "film.mp4", network, detected(detector, 0.8), every=1.5)
    assert [(scene.time, len(scene.people)) for scene in scenes] == [(0, 1), (1.5, 1)]
    video = Video(film / "film.mp4")
    nearest = int(np.abs(video.times - 1.5).argmin())
    distances = [
        (asked[1].int() - video.read([n])[0].int()).abs().max().item() for n in range(nearest - 4, nearest + 5)
    ]
    assert min(distances) == 0  # a frame of the clip, at most one step of it away


def test_a_network_that_classifies_clips_is_refused(film, tiny):
    with pytest.raises(ConfigurationError, match="is for classification"):
        detect(film / "film.mp4", tiny.eval(), proposals(film / "boxes.csv", "film"))


@pytest.mark.parametrize("every", [0.0, -1.0, float("nan")])
def test_moments_need_seconds_between_them(film, network, every):
    with pytest.raises(ConfigurationError, match="give seconds above 0"):
        detect(film / "film.mp4", network, proposals(film / "boxes.csv", "film"), FULL, every)


def test_maps_of_a_detector_are_refused(film, network):
    with pytest.raises(ConfigurationError, match="a3d detect"):
        explain(film / "film.mp4", network)


def test_boxes_of_another_video_are_refused(film):
    with pytest.raises(DatasetError, match="no box of 'movie'"):
        proposals(film / "boxes.csv", "movie")


def test_drawing_marks_the_box_and_keeps_plates_apart():
    picture = np.full((360, 480, 3), 90, np.uint8)
    actions = (("bend/bow (at the waist)", 0.97), ("watch (a person)", 0.71), ("stand", 0.2))
    people = [Person((0.2, 0.2, 0.6, 0.9), 0.9, actions), Person((0.25, 0.22, 0.8, 0.95), 0.9, actions)]
    drawn = draw(picture, people)
    assert drawn.shape == picture.shape and drawn.dtype == np.uint8
    first, second = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in COLOURS[:2])
    assert (drawn[200, 96] == first).all() and (drawn[250, 120] == second).all()  # left sides of the boxes
    assert (drawn[340, 20] == 90).all()  # outside nothing changes
    plates = [(drawn == colour).all(2).sum() for colour in (first, second)]
    assert min(plates) > 0.6 * max(plates)  # neither covers the other's words
    bare = draw(picture, [Person((0.2, 0.2, 0.6, 0.9), 0.9, actions)], above=0.99)
    assert (bare == first).all(2).sum() < (draw(picture, people[:1]) == first).all(2).sum() / 2
    assert (draw(picture, []) == picture).all()


def test_people_at_the_edge_keep_their_words_in_the_picture():
    wide = Person((0.9, 0.9, 1.0, 1.0), 0.9, (("listen to (a person)", 0.9),))
    drawn = draw(np.zeros((360, 480, 3), np.uint8), [wide])
    colour = np.array([int(COLOURS[0][i : i + 2], 16) for i in (1, 3, 5)])
    columns = np.flatnonzero((drawn == colour).all(2).any(0))
    assert columns[0] < 330 and columns[-1] == 479


def test_video_has_every_frame_and_is_large_enough_to_read(film, network, tmp_path):
    scenes = detect(film / "film.mp4", network, proposals(film / "boxes.csv", "film"))
    out = Video(write_people(film / "film.mp4", scenes, tmp_path / "out.mp4"))
    assert len(out) == 75 and out.frame_rate == pytest.approx(25) and (out.width, out.height) == (480, 360)


def test_command_prints_people_and_writes_the_video(film, network, tmp_path, capsys):
    save(network, tmp_path / "checkpoint")
    arguments = ["detect", str(film / "film.mp4"), "--checkpoint", str(tmp_path / "checkpoint")]
    boxes = ["--boxes", str(film / "boxes.csv"), "--above", "0"]
    assert main([*arguments, *boxes, "--out", str(tmp_path / "out.mp4"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [scene["time"] for scene in said] == [0, 1, 2] and [len(scene["people"]) for scene in said] == [1, 2, 0]
    assert {action["label"] for action in said[0]["people"][0]["actions"]} == {"bend", "stand", "sit"}
    assert len(Video(tmp_path / "out.mp4")) == 75
    assert main([*arguments, *boxes, "--threshold", "0.9"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main([*arguments, *boxes, "--every", "0"]) == 1
    assert "every 0 s: give seconds above 0" in capsys.readouterr().err
    assert main([*arguments, "--detector-weights", str(tmp_path / "none.pth")]) == 1
    assert "does not exist: get https://download.pytorch.org" in capsys.readouterr().err


def test_files_of_a_detector_are_refused(network, tmp_path):
    with pytest.raises(ExportError, match="a3d detect"):
        export(network, FULL, tmp_path / "file")
    assert not (tmp_path / "file").exists()
