"""Many videos, many thousands: decoded by workers beside batches of the network, into a file that outlives a kill.

Answers are appended to `OUT.part` a batch at a time and get their name when all are there. Batches are the same
wherever a run begins, so that one that was killed and resumed writes the file of an unbroken one, and shards joined do.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from a3d.configuration import Configuration
from a3d.errors import InputError
from a3d.files import replace
from a3d.memory import keep_freed_memory
from a3d.testing.evaluation import answer
from a3d.trained import TrainedNetwork
from a3d.video import Sampling, VideoError, decode_views, normalise
from a3d.video.views import squares

BATCH = 16  # videos that run at once
TOP = 5  # classes that are written
COLUMNS = ("video", *(f"{what}_{place}" for place in range(1, TOP + 1) for what in ("label", "probability")), "error")
Progress = Callable[[int, int, list[str]], None]  # videos done, their total, what was broken since the last call


@dataclass(frozen=True)
class Archive:
    """videos: paths as they are written to the file. shard: this part of so many, from 1. views: as in `predict`."""

    videos: tuple[str, ...]
    configuration: Configuration
    views: tuple[int, int] = (1, 1)
    shard: tuple[int, int] = (1, 1)

    @property
    def part(self) -> tuple[str, ...]:
        """The videos of the shard: contiguous, cut where batches are."""
        number, count = self.shard
        batches = -(-len(self.videos) // BATCH)
        low, high = (BATCH * (batches * place // count) for place in (number - 1, number))
        return self.videos[low:high]

    def file(self, out: Path, number: int | None = None) -> Path:
        """Where the answers of a shard are written: `answers.3-of-8.csv` for `answers.csv`."""
        count = self.shard[1]
        return out if count == 1 else out.with_suffix(f".{number or self.shard[0]}-of-{count}.csv")


def predict_archive(
    archive: Archive,
    network: TrainedNetwork,
    out: str | Path,
    workers: int = 0,
    progress: Progress = lambda done, total, broken: None,
) -> Path:
    """Write the most probable classes of every video of the archive's shard, and return the file.

    out: a .csv, or a .parquet where pandas can write it; with a line a video, in the order given, `error` for one that
    cannot be read. The last shard to end joins all of them. What `OUT.part` holds of the same archive is kept. workers:
    processes that decode, 0 for none. Raises InputError for a file of another kind or one that was begun otherwise.
    """
    keep_freed_memory(everything=True)
    out = Path(out)
    check_out(out)
    target = archive.file(out if archive.shard[1] > 1 or out.suffix == ".csv" else out.with_suffix(".csv"))
    unfinished = target.with_name(f"{target.name}.part")
    done, total = _begin(unfinished, _facts(archive, network)), len(archive.part)
    progress(done, total, [])
    with unfinished.open("a", newline="", encoding="utf-8") as file:
        for lines in _answers(archive, network, done, workers):
            csv.writer(file, lineterminator="\n").writerows(lines)
            file.flush()
            os.fsync(file.fileno())
            done += len(lines)
            progress(done, total, [line[-1] for line in lines if line[-1]])
    _finish(unfinished, target)
    return _joined(archive, out, target)


def check_out(out: Path) -> None:
    """Raise InputError for a file that cannot be written here."""
    if out.suffix not in (".csv", ".parquet"):
        raise InputError(f"{out}: name the file .csv or .parquet")
    if out.suffix == ".parquet" and not any(map(find_spec, ("pyarrow", "fastparquet"))):
        raise InputError(f"{out}: pandas needs pyarrow to write it: pip install pyarrow, or name the file .csv")


def paces(archive: Archive, network: TrainedNetwork, sample: int = 8) -> tuple[float, float]:
    """Return the seconds that decoding and the network take for a video, each by itself, over a few of the archive.

    Raises VideoError if none of them can be read.
    """
    clips, videos = _Clips(archive, network), archive.part
    chosen = [i * len(videos) // min(sample, len(videos)) for i in range(min(sample, len(videos)))]
    start = time.perf_counter()
    found = [clips[i] for i in chosen]
    decode = (time.perf_counter() - start) / len(chosen)
    views = [frames for frames in found if isinstance(frames, Tensor)]
    if not views:
        raise VideoError(found[0])
    _run(archive, network, views)  # the first pass lays out weights
    start = time.perf_counter()
    _run(archive, network, views)
    return decode, (time.perf_counter() - start) / len(views)


class _Clips(Dataset):
    """Views of one video after another, uint8 (views, T, S, S, 3), or what is wrong with the file."""

    def __init__(self, archive: Archive, network: TrainedNetwork, start: int = 0) -> None:
        self.videos, self.views, self.start = archive.part[start:], archive.views, start
        self.sampling: Sampling = network.sampling
        self.size = network.clip_shape(archive.configuration)[1]

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, number: int) -> Tensor | str:
        try:
            frames = decode_views(self.videos[number], self.sampling, self.views[0])[0]
        except VideoError as error:
            return " ".join(str(error).split())  # on one line
        return squares(frames, self.size, self.views[1])


def _answers(archive: Archive, network: TrainedNetwork, done: int, workers: int) -> Iterator[list[list]]:
    """The lines of one batch after another, from the first video that is not done."""
    loader = DataLoader(_Clips(archive, network, done), BATCH, num_workers=workers, collate_fn=list)
    names = iter(archive.part[done:])
    for batch in loader:
        views = [found for found in batch if isinstance(found, Tensor)]
        found = iter(_run(archive, network, views) if views else ())
        yield [
            _line(name, network, next(found)) if isinstance(each, Tensor) else [name, *[""] * 2 * TOP, each]
            for name, each in zip(_take(names, len(batch)), batch, strict=True)
        ]


def _take(names: Iterator[str], count: int) -> list[str]:
    return [next(names) for _ in range(count)]


def _run(archive: Archive, network: TrainedNetwork, views: Sequence[Tensor]) -> Tensor:
    """Probabilities (videos, classes); as many views at once as there are videos in a batch."""
    sub = network.resident(archive.configuration)
    parts = torch.cat(list(views)).split(BATCH)
    normalised = (normalise(part.to(network.device), network.sampling) for part in parts)
    return answer(sub, normalised, len(views), temperature=network.temperature(archive.configuration))


def _line(name: str, network: TrainedNetwork, probabilities: Tensor) -> list:
    best = probabilities.argsort(descending=True, stable=True)[:TOP].tolist()
    found = [text for i in best for text in (network.labels[i], f"{probabilities[i]:.4f}")]
    return [name, *found, *[""] * (2 * TOP - len(found)), ""]


def _facts(archive: Archive, network: TrainedNetwork) -> str:
    """What has to be the same for a run to go on with what another wrote."""
    how = network.runtime(archive.configuration)
    facts = {"configuration": archive.configuration.key, "views": archive.views, "shard": archive.shard}
    facts |= {"runtime": str(how), "labels": network.labels, "videos": archive.videos}
    facts |= {"weights": sum(float(p.detach().double().sum()) for p in network.network.parameters())}
    return f"{archive.configuration.key} {how} {hashlib.sha256(json.dumps(facts).encode()).hexdigest()}"


def _begin(unfinished: Path, facts: str) -> int:
    """How many videos are done in a file that is there, cut to whole batches; a new file if there is none."""
    if not unfinished.exists():
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        replace(unfinished, lambda path: path.write_text(f"# {facts}\n{','.join(COLUMNS)}\n", encoding="utf-8"))
        return 0
    with unfinished.open("rb+") as file:
        if file.readline().decode() != f"# {facts}\n":
            raise InputError(
                f"{unfinished} was begun with other videos or another network: delete it, or give the same"
            )
        file.readline()
        done, end = 0, file.tell()
        for count, line in enumerate(iter(file.readline, b""), 1):
            if line.endswith(b"\n") and count % BATCH == 0:
                done, end = count, file.tell()
        file.truncate(end)
    return done


def _finish(unfinished: Path, target: Path) -> None:
    """The answers alone under their name."""

    def write(path: Path) -> None:
        with unfinished.open("rb") as source, path.open("wb") as file:
            source.readline()
            while piece := source.read(1 << 20):
                file.write(piece)

    replace(target, write)
    unfinished.unlink()


def _joined(archive: Archive, out: Path, target: Path) -> Path:
    """All shards in one file, once all are there; as Parquet where that was asked for."""
    files = [archive.file(out, number + 1) for number in range(archive.shard[1])]
    if archive.shard[1] > 1:
        if not all(file.exists() for file in files):
            return target
        target = out.with_suffix(".csv")
        replace(target, lambda path: path.write_bytes(_all(files)))
        for file in files:
            file.unlink(missing_ok=True)
    if out.suffix == ".parquet":
        import pandas

        replace(out, lambda path: pandas.read_csv(target, keep_default_na=False).to_parquet(path, index=False))
        target.unlink()
    return out


def _all(files: Sequence[Path]) -> bytes:
    first, *others = (file.read_bytes() for file in files)
    return first + b"".join(other.partition(b"\n")[2] for other in others)
