"""`a3d detect`: people in a video and what each of them does."""

from __future__ import annotations

import argparse
from pathlib import Path

from a3d.cli.options import add_budget, add_network, budget, command, load_network
from a3d.cli.output import costed, emit, progress_bar, ranked
from a3d.datasets.ava import THRESHOLD
from a3d.figures.people import write_people
from a3d.inference.detection import Proposer, Scene, detect, detected, proposals
from a3d.inference.people import SOURCE, PersonDetector
from a3d.inference.prediction import chosen

PRINTED = 3  # actions of a person


def add(sub: argparse.ArgumentParser) -> None:
    command(
        sub,
        run,
        "a3d detect movie.mp4 --checkpoint checkpoints/ava --detector-weights fasterrcnn_resnet50_fpn_coco.pth "
        "--out actions.mp4",
    )
    sub.add_argument("video", type=Path)
    add_network(sub, default=False)
    boxes = sub.add_mutually_exclusive_group(required=True)
    boxes.add_argument("--boxes", type=Path, help="CSV file of person boxes: video,second,x1,y1,x2,y2,,score")
    boxes.add_argument("--detector-weights", type=Path, help=f"find people with torchvision's detector: {SOURCE}")
    sub.add_argument("--threshold", type=float, default=THRESHOLD, help="lowest score of a person box (0.8)")
    sub.add_argument("--every", type=float, default=1.0, help="seconds from one moment to the next (1)")
    sub.add_argument("--above", type=float, default=0.5, help="lowest probability of an action that is shown (0.5)")
    add_budget(sub)
    sub.add_argument("--out", type=Path, help="H.264 video to write, with boxes and actions")


def run(options: argparse.Namespace) -> None:
    network, proposer = load_network(options), _proposer(options)
    configuration = chosen(network, options.configuration, **budget(options))
    with progress_bar() as bar:
        task = bar.add_task("detect", total=None)
        scenes = detect(
            options.video,
            network,
            proposer,
            configuration,
            options.every,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    if options.out:
        write_people(options.video, scenes, options.out, options.above)
    if options.json:
        about = {"video": str(options.video)} | costed(network, configuration)
        emit([about | _scene(scene, options.above) for scene in scenes])
        return
    for scene in scenes:
        for person in scene.people:
            shown = [f"{name} {100 * p:.0f}%" for name, p in person.actions[:PRINTED] if p >= options.above]
            place = " ".join(f"{share:.2f}" for share in person.box)
            print(f"{scene.time:8.2f} s  {place}  {', '.join(shown) or '-'}")


def _proposer(options: argparse.Namespace) -> Proposer:
    if options.boxes:
        return proposals(options.boxes, options.video.stem, options.threshold)
    return detected(PersonDetector(options.detector_weights), options.threshold)


def _scene(scene: Scene, above: float) -> dict:
    people = [
        {
            "box": list(person.box),
            "score": person.score,
            "actions": ranked(action for action in person.actions if action[1] >= above),
        }
        for person in scene.people
    ]
    return {"time": scene.time, "people": people}
