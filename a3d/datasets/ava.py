"""AVA v2.1 and v2.2 from their official CSV files: people in boxes, once a second, and what they do."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from a3d.datasets.annotations import find_videos, lines, number
from a3d.datasets.items import BoxShares, ClipSet, DatasetError, Item
from a3d.video.decode import Video
from a3d.video.frames import FrameFolder

ACTIONS = 80
FIRST, LAST = 900, 1800  # seconds of the movies between which all official annotations lie
FRAME_RATE = 30.0  # of the frames that the community extracts
LONGEST_CUT = 905.0  # seconds: a shorter file is not the movie but its cut from second 900 on
THRESHOLD = 0.8  # of the score of a proposed person, as in the official configurations

Key = tuple[str, int]  # a movie and a second of it


class ActionBox(NamedTuple):
    """This is a line of an AVA file. action: 1 to 80, 0 for a person of whom nothing is said.

    score: the last column, a detection's or a proposal's score, an annotation's number of the person; 1 without one.
    """

    video: str
    second: int
    box: BoxShares
    action: int
    score: float

    @property
    def key(self) -> Key:
        return self.video, self.second


class Ava(ClipSet):
    """Every annotated second of the movies in a folder is a clip, centred on it, with the people in it.

    videos: movies `ID.mkv`, their usual cut from second 900 on, or folders of frames `ID/ID_000001.jpg` at 30 a second
    from second 900 on. Annotations of one's own may be at any seconds: with one that is not within 900 to 1800, files
    begin at second 0. labels: the official list (`.pbtxt`). excluded: the CSV of timestamps to leave out. proposals: a
    CSV of person boxes to classify instead of the annotated ones, without labels, those of at least `threshold`.

    .classes: 80 names, action 1 first. .evaluated: name by action of the list. .excluded: keys left out.
    .keys: movie and second of each item. .missing: movies that are not there.
    Raises DatasetError, with file and line, for a line that cannot be right.
    """

    task = "detection"

    def __init__(
        self,
        file: str | Path,
        videos: str | Path,
        labels: str | Path,
        excluded: str | Path | None = None,
        proposals: str | Path | None = None,
        threshold: float = THRESHOLD,
    ) -> None:
        self.evaluated = read_label_map(labels)
        self.classes = tuple(self.evaluated.get(action, f"action {action}") for action in range(1, ACTIONS + 1))
        self.excluded = read_excluded(excluded) if excluded else frozenset()
        self.annotations = Path(file)
        boxes = list(read_boxes(file))  # read even where proposals take their place: they are what is tested
        is_official = all(FIRST <= box.second <= LAST for box in boxes)
        self.begin = FIRST if is_official else 0.0
        if proposals:
            boxes = [box._replace(action=0) for box in read_boxes(proposals) if box.score >= threshold]
        people = _people(box for box in boxes if box.key not in self.excluded)
        movies = list(dict.fromkeys(video for video, _ in people))
        found = find_videos(Path(videos), movies)
        self.missing = tuple(video for video in movies if video not in found)
        self.keys = [key for key in people if key[0] in found]
        self.items = [_item(found[key[0]], key[1], people[key]) for key in self.keys]
        self.lengths = {item.path: item.span[1] for item in sorted(self.items, key=lambda item: item.span)}
        if not self.items:
            raise DatasetError(f"{videos}: it holds none of the {len(movies)} movies of {proposals or file}")

    def open(self, path: Path) -> Video | FrameFolder:
        """Its times are those of the movie."""
        return _open(path, self.begin)

    def duration(self, path: Path) -> float:
        seconds = super().duration(path)
        return seconds + self.begin if seconds <= LONGEST_CUT and path.is_file() else seconds


def read_boxes(
    file: str | Path, seconds: tuple[float, float] = (0, float("inf")), ordered: bool = True
) -> Iterator[ActionBox]:
    """The lines `video,second,x1,y1,x2,y2,action[,score or person]` of a file, checked as they come.

    seconds: between which every timestamp must lie. ordered: x1 ≤ x2 and y1 ≤ y2 are asked for. An action may be left
    empty. Raises DatasetError, with file and line.
    """
    for place, fields in lines(Path(file), (7, 8)):
        found = _quickly(fields)
        if found and seconds[0] <= found.second <= seconds[1]:
            yield found
        else:
            yield _carefully(fields, place, seconds, ordered)


def _quickly(fields: list[str]) -> ActionBox | None:
    """A line with nothing odd about it: files of detections have millions of those."""
    try:
        x1, y1, x2, y2 = map(float, fields[2:6])
        found = ActionBox(fields[0], int(fields[1]), (x1, y1, x2, y2), int(fields[6]), float(fields[7]))
    except (ValueError, IndexError):
        return None
    plain = 0 <= x1 <= x2 <= 1 and 0 <= y1 <= y2 <= 1 and 1 <= found.action <= ACTIONS and isfinite(found.score)
    return found if plain else None


def _carefully(fields: list[str], place: str, seconds: tuple[float, float], ordered: bool) -> ActionBox:
    """Any line; an error names what cannot be right."""
    x1, y1, x2, y2 = (
        number(text, name, place, 0, 1) for text, name in zip(fields[2:6], ("x1", "y1", "x2", "y2"), strict=True)
    )
    if ordered and (x1 > x2 or y1 > y2):
        raise DatasetError(f"{place}: box {','.join(fields[2:6])} is not x1,y1,x2,y2; mend the line")
    return ActionBox(
        fields[0],
        _whole(fields[1], "timestamp", place, *seconds),
        (x1, y1, x2, y2),
        _whole(fields[6], "action_id", place, 1, ACTIONS) if fields[6] else 0,
        number(fields[7], "score", place, float("-inf")) if len(fields) == 8 and fields[7] else 1.0,
    )


def read_label_map(file: str | Path) -> dict[int, str]:
    """Action number to name, from the official lists of either version (`.pbtxt`)."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DatasetError(f"{file}: no such file; give the official list, ava_action_list_v2.1.pbtxt") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{file}: not a text file; give the official list, ava_action_list_v2.1.pbtxt") from None
    names: dict[int, str] = {}
    for match in re.finditer(r"\{([^{}]*)\}", text):
        name = re.search(r'\bname:\s*"([^"]*)"', match[1])
        action = re.search(r"\b(?:label_)?id:\s*(\d+)", match[1])
        place = f"{file}:{text.count(chr(10), 0, match.start()) + 1}"
        if not (name and action):
            raise DatasetError(f"{place}: a label without name or id; mend the list")
        if not 1 <= int(action[1]) <= ACTIONS or int(action[1]) in names:
            raise DatasetError(f"{place}: id {action[1]} is not one of 1 to {ACTIONS} or there already; mend the list")
        names[int(action[1])] = name[1]
    if not names:
        raise DatasetError(f"{file}: it holds no labels; give the official list, ava_action_list_v2.1.pbtxt")
    return names


def read_excluded(file: str | Path) -> frozenset[Key]:
    """Return the lines `video,second` of a file."""
    return frozenset((fields[0], _whole(fields[1], "timestamp", place, 0)) for place, fields in lines(Path(file), (2,)))


def best_first(detections: Iterable[ActionBox]) -> list[ActionBox]:
    """Frame by frame, the highest score first: the order in which they are to be scored (see `frame_ap`)."""
    return sorted(detections, key=lambda found: (found.key, -found.score))


def write_detections(file: Path, detections: Iterable[ActionBox]) -> None:
    """Writes detections in the official format, `best_first`, with all the digits that float32 has."""
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text, lineterminator="\n")
        for found in best_first(detections):
            shares = (f"{share:.9g}" for share in found.box)
            writer.writerow((found.video, f"{found.second:04}", *shares, found.action, f"{found.score:.9g}"))


def _whole(text: str, what: str, place: str, low: float, high: float = float("inf")) -> int:
    value = number(text, what, place, low, high)
    if value != int(value):
        raise DatasetError(f"{place}: {what} is {text!r}, not a whole number; mend the line")
    return int(value)


def _people(boxes: Iterable[ActionBox]) -> dict[Key, dict[BoxShares, list[int]]]:
    """The boxes of every second, each with its actions."""
    people: dict[Key, dict[BoxShares, list[int]]] = {}
    for found in boxes:
        actions = people.setdefault(found.key, {}).setdefault(found.box, [])
        if found.action:
            actions.append(found.action - 1)
    return people


def _item(path: Path, second: int, people: dict[BoxShares, list[int]]) -> Item:
    return Item(path, tuple(map(tuple, people.values())), (float(second), float(second)), tuple(people))


@lru_cache(maxsize=512)
def _open(path: Path, begin: float) -> Video | FrameFolder:
    """Kept, all 299 movies, because each is opened for hundreds of its seconds, in any order."""
    if path.is_dir():
        return FrameFolder(path, FRAME_RATE, begin)
    video = Video(path)
    if video.duration <= LONGEST_CUT:
        video.times = video.times + begin
        video.duration += begin
    return video
