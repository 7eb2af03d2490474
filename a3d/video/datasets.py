"""Data sets of clips: a folder a class, or a list file; and the random clips that training draws from them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor
from torch.utils.data import Dataset, default_collate

from a3d.video.decode import Video, VideoError
from a3d.video.sampling import Sampling, training_start, window
from a3d.video.transforms import Box, area_box, cut, flip, jittered_box

# What counts as a video in a class folder; notes and thumbnails beside them do not.
SUFFIXES = frozenset(
    {".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov"}
    | {".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"}
)
ASPECTS = (3 / 4, 4 / 3)


class DatasetError(ValueError):
    """A data set that cannot be read; one line: the place, the cause, the remedy."""


class ClipFolder:
    """The clips of `root/CLASS/*`, of `root/split/CLASS/*` or of a list file with lines `path label`.

    Labels count the classes in sorted order; `classes` fixes names and order, as a trained network has them. In a list
    file a label is a class name or a number, paths start at the file's folder and may contain spaces.
    No clip is opened here.

    .items: [(path, label)], .classes: tuple of names
    """

    def __init__(self, root: str | Path, split: str | None = None, classes: Sequence[str] | None = None) -> None:
        root = Path(root)
        if not root.exists():
            raise DatasetError(f"{root}: no such folder or list file; check the path")
        names, clips = _read_list(root) if root.is_file() else _read_folder(root, split)
        self.classes = names if classes is None else tuple(classes)
        labels = {name: label for label, name in enumerate(self.classes)}
        if root.is_file():
            labels = {str(label): label for label in labels.values()} | labels
        for path, name in clips:
            if name not in labels:
                raise DatasetError(
                    f"{path}: class {name!r} is none of the {len(self.classes)} known; rename or remove it"
                )
        self.items = [(path, labels[name]) for path, name in clips]
        if not self.items:
            raise DatasetError(f"{root}: it holds no clips; give a folder with CLASS/*.mp4 or a list file")

    def __len__(self) -> int:
        return len(self.items)


def _read_folder(root: Path, split: str | None) -> tuple[tuple[str, ...], list[tuple[Path, str]]]:
    folder = root / split if split else root
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; give one that holds a folder a class")
    names = tuple(sorted(part.name for part in folder.iterdir() if part.is_dir() and part.name[0] != "."))
    if split is None and names and set(names) <= {"train", "val", "test"}:
        raise DatasetError(
            f"{root}: it holds the splits {', '.join(names)}, not classes; choose one: {root / names[0]}"
        )
    clips = [(path, name) for name in names for path in sorted((folder / name).rglob("*")) if _is_clip(path)]
    return names, clips


def _is_clip(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.name[0] != "." and path.is_file()


def _read_list(file: Path) -> tuple[tuple[str, ...], list[tuple[Path, str]]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise DatasetError(f"{file}: neither a folder nor a text file with lines `path label`; give one") from None
    clips = [_parse(line, file, number) for number, line in enumerate(lines, 1) if line.strip()]
    if all(label.isdecimal() for _, label in clips):
        clips = [(path, str(int(label))) for path, label in clips]
        return tuple(map(str, range(1 + max((int(label) for _, label in clips), default=-1)))), clips
    return tuple(sorted({label for _, label in clips})), clips


def _parse(line: str, file: Path, number: int) -> tuple[Path, str]:
    path, _, label = line.strip().rpartition(" ")
    if not path.strip():
        raise DatasetError(f"{file}:{number}: {line.strip()!r} is not `path label`; write both, a space between them")
    return file.parent / path.strip(), label


class TrainingClips(Dataset):
    """Random clips for training: (uint8 (T, S, S, 3), label, index), or None for a clip that cannot be read.

    sampling: T × τ and S. jitter: range of the short side in pixels before the crop of S², by default 8/7 to 10/7 of S
    (256 to 320 at 224). areas: instead of jitter, crops of this range of shares of the picture, for small sets.
    flipped: mirror every second clip. opened: what opens a path, `Video` or the `open` of a `FrameCache`.

    What is drawn for a clip depends on seed, epoch and index alone, so that a resumed run sees what an unbroken one
    would. A broken clip is reported on stderr once and counted in `.broken`; `strict` raises its VideoError instead.
    """

    def __init__(
        self,
        dataset: ClipFolder,
        sampling: Sampling,
        *,
        jitter: tuple[int, int] | None = None,
        areas: tuple[float, float] | None = None,
        flipped: bool = True,
        seed: int = 0,
        strict: bool = False,
        opened: Callable[[Path], Video] = Video,
    ) -> None:
        self.dataset, self.sampling = dataset, sampling
        self.jitter = jitter or (round(sampling.spatial * 8 / 7), round(sampling.spatial * 10 / 7))
        self.areas, self.flipped, self.seed, self.strict, self.opened = areas, flipped, seed, strict, opened
        # In shared memory: the workers of a loader see the epoch, and the count sees what they found broken.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self._broken = torch.zeros(len(dataset), dtype=torch.bool).share_memory_()

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def broken(self) -> int:
        """Clips found unreadable so far."""
        return int(self._broken.sum())

    def set_epoch(self, epoch: int) -> None:
        self._epoch.fill_(epoch)

    def __getitem__(self, index: int) -> tuple[Tensor, int, int] | None:
        path, label = self.dataset.items[index]
        try:
            return self._draw(path, self._generator(index)), label, index
        except VideoError as error:
            if self.strict:
                raise
            self._report(index, error)
            return None

    def _generator(self, index: int) -> Generator:
        state = np.random.SeedSequence([self.seed, int(self._epoch), index]).generate_state(1, np.uint64)
        return Generator().manual_seed(int(state[0]))

    def _draw(self, path: Path, generator: Generator) -> Tensor:
        video, sampling = self.opened(path), self.sampling
        start = training_start(video.duration, sampling.span(video.frame_rate), generator)
        frames = video.read(window(video.times, video.frame_rate, sampling.frames, sampling.stride, start))
        clip = cut(frames, self._box(*frames.shape[1:3], generator), sampling.spatial)
        return flip(clip, generator) if self.flipped else clip

    def _box(self, height: int, width: int, generator: Generator) -> Box:
        if self.areas:
            return area_box(height, width, self.areas, ASPECTS, generator)
        return jittered_box(height, width, self.sampling.spatial, self.jitter, generator)

    def _report(self, index: int, error: VideoError) -> None:
        if not self._broken[index]:
            self._broken[index] = True
            print(f"skipping {error}", file=sys.stderr, flush=True)


def collate(items: list[tuple[Tensor, int, int] | None]) -> tuple[Tensor, Tensor, Tensor] | None:
    """A batch: clips uint8 (B, T, S, S, 3), labels (B,), indices (B,), without broken clips; None if all were."""
    readable = [item for item in items if item is not None]
    return default_collate(readable) if readable else None
