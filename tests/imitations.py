"""Small data sets in the official formats of Kinetics, Charades and AVA, with real H.264 files."""

import csv
from pathlib import Path

from PIL import Image

from a3d.video.encode import write_video
from tests.clips import moving_square

ACTIONS = {1: "bend/bow (at the waist)", 12: "stand", 80: "watch (a person)"}  # the evaluated ones of our AVA


def write_lines(file: Path, rows, header=None) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as text:
        csv.writer(text).writerows([header, *rows] if header else rows)
    return file


def write_kinetics(folder: Path) -> Path:
    """train.csv (6 clips, one missing), val.csv (3), videos/: whole, trimmed, and trimmed in class folders."""
    rows = []
    for number, label in enumerate(("abseiling", "air drumming", "zumba") * 3):
        video, split = f"id_{number}-_Kin0", "train" if number < 6 else "validate"
        start = number % 3
        rows.append((label, video, start, start + 1, split))
        trimmed = f"{video}_{start:06}_{start + 1:06}.mp4"
        name = [f"{video}.mp4", trimmed, f"{label.replace(' ', '_')}/{trimmed}"][number % 3]
        seconds = start + 1 if number % 3 == 0 else 1
        if number != 5:
            write_video(folder / "videos" / name, moving_square(number, 25 * seconds), 25)
    header = ("label", "youtube_id", "time_start", "time_end", "split")
    write_lines(folder / "train.csv", rows[:6], header)
    write_lines(folder / "val.csv", rows[6:], header)
    return folder


def write_charades(folder: Path, frames: bool = False) -> Path:
    """train.csv (4 videos), test.csv (3), videos/ID.mp4 or frames/ID/ID-000001.jpg, classes.txt."""
    header = ("id", "subject", "scene", "quality", "relevance", "verified", "script", "objects", "descriptions")
    rows = []
    for number in range(7):
        video = f"{number}AB{number}C"
        # The end of the second is after the video, as in the official files.
        actions = "" if number == 3 else f"c092 0.00 1.00;c{146 + number:03} 0.50 3.10;c000 1.50 2.00"
        script = 'A person says "no", and\nsits down.'
        rows.append((video, "HR43", "Kitchen", 6, 7, "Yes", script, "food;stove", "cooks, looks", actions, "2.00"))
        pictures = moving_square(number, 48)
        if frames:
            write_frames(folder / "frames" / video, f"{video}-", pictures)
        else:
            write_video(folder / "videos" / f"{video}.mp4", pictures, 24)
    write_lines(folder / "train.csv", rows[:4], (*header, "actions", "length"))
    write_lines(folder / "test.csv", rows[4:], (*header, "actions", "length"))
    (folder / "classes.txt").write_text("".join(f"c{number:03} Doing thing {number}\n" for number in range(157)))
    return folder


def write_ava(folder: Path, frames: bool = False) -> Path:
    """train.csv (2 movies, 3 seconds each), val.csv (1), proposals, excluded, actions.pbtxt, videos/ or frames/.

    Movies are cut from second 900 on. The square of `moving_square` is the person, left over; another stands behind.
    """
    annotated = []
    for number, movie in enumerate(("-5KQ66BBWC4", "1j20qq1JyX4", "2PpxiG0WU18")):
        pictures = moving_square(number, 150)
        if frames:
            write_frames(folder / "frames" / movie, f"{movie}_", pictures)
        else:
            write_video(folder / "videos" / f"{movie}.mp4", pictures, 30)
        for second in (902, 903, 904):
            boxes = [("0.100", "0.333", "0.600", "0.667", 0), ("0.500", "0.100", "0.950", "0.900", 1)]
            actions = [(1, 12), (12, 80, 2)]  # action 2 is none of the evaluated
            annotated += [
                (movie, f"{second:04}", *box[:4], action, box[4])
                for box, several in zip(boxes, actions, strict=True)
                for action in several
            ]
    write_lines(folder / "train.csv", annotated[:30])
    write_lines(folder / "val.csv", annotated[30:])
    write_lines(folder / "excluded.csv", [("2PpxiG0WU18", "0904")])
    people = dict.fromkeys(row[:6] for row in annotated[30:])
    scores = (0.99, 0.85)
    proposals = [(*box, "", scores[index % 2]) for index, box in enumerate(people)]
    proposals.append(("2PpxiG0WU18", "0902", "0.0", "0.0", "0.2", "0.2", "", 0.5))
    write_lines(folder / "proposals.csv", proposals)
    items = (f'item {{\n  name: "{name}"\n  id: {action}\n}}\n' for action, name in ACTIONS.items())
    (folder / "actions.pbtxt").write_text("".join(items))
    return folder


def write_frames(folder: Path, prefix: str, pictures) -> None:
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures, 1):
        Image.fromarray(picture).save(folder / f"{prefix}{number:06}.jpg", quality=95)
