"""Learning to say "none of these", and how well that is said: clips of the classes against clips of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from a3d.configuration import Configuration
from a3d.datasets import ClipSet
from a3d.datasets.items import Item
from a3d.datasets.videos import videos_of
from a3d.rejection import described, energy_line, fit, rejected
from a3d.testing.clips import Clips
from a3d.testing.errors import EvaluationError
from a3d.testing.evaluation import spread
from a3d.testing.folds import FOLDS, folds_of
from a3d.trained import TrainedNetwork
from a3d.video import Video, normalise
from a3d.video.views import squares

PARTS = FOLDS  # in which classes of foreign clips and the known clips are held out together
EMPTY = 8  # clips of each kind that show nothing: plain and noisy ones
KNOWN = 512  # clips of training that a line is fitted on, at most


@dataclass(frozen=True)
class Foreign:
    """How well a configuration tells clips of its classes from others.

    auroc: percent of pairs in which the foreign clip is the more surely rejected. accepted: percent of the known
    clips whose `none` is below a half, caught: percent of the foreign ones whose is not. known, foreign: how many.
    """

    configuration: Configuration
    auroc: float
    accepted: float
    caught: float
    known: int
    foreign: int


def foreign_clips(folder: str | Path) -> dict[str, list[Path]]:
    """Return the videos of a folder by the folder that each lies in. Raises InputError if there are none."""
    found: dict[str, list[Path]] = {}
    for path in videos_of([folder]):
        found.setdefault(Path(path).parent.name, []).append(Path(path))
    return found


def learn_to_reject(
    network: TrainedNetwork,
    training: ClipSet,
    dataset: ClipSet,
    foreign: Mapping[str, Sequence[Path]],
    configurations: Sequence[Configuration],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Foreign]:
    """Fit `network.rejections` for configurations, and return how well each rejects classes left out of its fitting.

    Known clips are up to 512 of `training` and those of `dataset`, which count as much together; foreign ones come by
    class. What is returned is found five times on a fifth of the foreign classes and of the known clips of `dataset`,
    neither seen in that fitting; the line that is kept has seen all. Raises EvaluationError for fewer than five.
    """
    if len(foreign) < PARTS:
        raise EvaluationError(f"{len(foreign)} folders of foreign clips: give at least {PARTS}, one for each action")
    others = [Item(path, 0) for paths in foreign.values() for path in paths]
    sets = ((spread(training.items, KNOWN), training.open), (dataset.items, dataset.open), (others, Video))
    total, found = sum(len(items) for items, _ in sets), []
    for items, opened in sets:
        done = sum(len(kept) for _, kept in found)
        found.append(_look(network, items, opened, configurations, lambda n, done=done: progress(done + n, total)))
    groups = _groups(found[2][1], foreign), folds_of(found[1][1])
    empty = _look_at_nothing(network, configurations)
    results = []
    for c in configurations:
        known, tested, others = (looked[c] for looked, _ in found)
        results.append(_held_out(c, known, tested, others, empty[c], *groups))
        network.rejections[c] = fit(_weighed(known, tested), torch.cat([others, empty[c]]))
    return results


def learn_from_known(
    network: TrainedNetwork,
    dataset: ClipSet,
    configurations: Sequence[Configuration],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Set `network.rejections` of configurations from clips of the classes alone, which training has not seen.

    Up to 512 of `dataset` are looked at. What it gives is judged by `reject`, once there are foreign clips.
    """
    items = spread(dataset.items, KNOWN)
    looked, _ = _look(network, items, dataset.open, configurations, lambda done: progress(done, len(items)))
    network.rejections |= {c: energy_line(known) for c, known in looked.items()}


def reject(network: TrainedNetwork, dataset: ClipSet, foreign: Sequence[Path], configuration: Configuration) -> Foreign:
    """Return how well the line of a configuration tells the clips of a data set from foreign ones.

    Raises EvaluationError for a network that has not learnt to reject at this configuration (a3d table --foreign).
    """
    if configuration not in network.rejections:
        raise EvaluationError(
            f"{configuration} cannot say that a clip is none of its classes: let it learn (a3d table --foreign DIR)"
        )
    sets = ((dataset.items, dataset.open), ([Item(path, 0) for path in foreign], Video))
    looked = [_look(network, items, opened, [configuration])[0][configuration] for items, opened in sets]
    return _judged(configuration, *(rejected(network.rejections[configuration], x) for x in looked))


def auroc(known: Tensor, foreign: Tensor) -> float:
    """Return how often, percent, a foreign clip is rejected more surely than a known one; ties count a half."""
    differences = foreign[:, None] - known[None]
    return 100 * float(((differences > 0).double() + 0.5 * (differences == 0).double()).mean())


def _held_out(
    configuration: Configuration, known: Tensor, tested: Tensor, others: Tensor, empty: Tensor, *parts: Tensor
) -> Foreign:
    of_others, of_tested = parts
    pairs = []
    for part in range(PARTS):
        out, away = of_tested == part, of_others == part
        line = fit(_weighed(known, tested[~out]), torch.cat([others[~away], empty]))
        pairs.append((rejected(line, tested[out]), rejected(line, others[away])))
    mine, theirs = (torch.cat(column) for column in zip(*pairs, strict=True))
    return _judged(configuration, mine, theirs)


def _judged(configuration: Configuration, known: Tensor, foreign: Tensor) -> Foreign:
    accepted, caught = 100 * (known < 0.5).double().mean().item(), 100 * (foreign >= 0.5).double().mean().item()
    return Foreign(configuration, auroc(known, foreign), accepted, caught, len(known), len(foreign))


def _weighed(known: Tensor, tested: Tensor) -> Tensor:
    """Both sets, the one that training never saw repeated until it counts as much."""
    return torch.cat([known, tested.repeat(max(1, round(len(known) / max(1, len(tested)))), 1)])


def _groups(kept: Sequence[Path], foreign: Mapping[str, Sequence[Path]]) -> Tensor:
    """The part that each foreign clip is held out with, by its class."""
    number = {path: place % PARTS for place, paths in enumerate(foreign.values()) for path in paths}
    return torch.tensor([number[path] for path in kept])


def _look(
    network: TrainedNetwork,
    items: Sequence[Item],
    opened: Callable[[Path], Video],
    configurations: Sequence[Configuration],
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[dict[Configuration, Tensor], list[Path]]:
    """What the lines of configurations look at in each readable clip, and which clips these are."""
    clips = Clips(items, network.sampling, opened=opened)
    found: dict[Configuration, list[Tensor]] = {c: [] for c in configurations}
    kept: list[Path] = []
    for numbers, frames in clips.batches(1):
        for c, looked in _described(network, frames[0], configurations).items():
            found[c].append(looked)
        kept += [items[number].path for number in numbers]
        progress(len(kept))
    if not kept:
        raise EvaluationError(f"none of the {len(items)} clips can be read; {' '.join(clips.broken[:1])}")
    return {c: torch.cat(parts) for c, parts in found.items()}, kept


def _look_at_nothing(network: TrainedNetwork, configurations: Sequence[Configuration]) -> dict[Configuration, Tensor]:
    """The same of clips that show nothing: plain ones from black on, and noise."""
    draw = torch.Generator().manual_seed(0)
    shape = (1, network.clip_shape(network.full)[0], 128, 128, 3)
    clips = [torch.full(shape, 32 * shade, dtype=torch.uint8) for shade in range(EMPTY)]
    clips += [
        torch.randint(0, 256, (1, 1, 1, 1, 3), generator=draw, dtype=torch.uint8).expand(shape) for _ in range(EMPTY)
    ]
    clips += [torch.randint(0, 256, shape, generator=draw, dtype=torch.uint8) for _ in range(EMPTY)]
    each = [_described(network, clip, configurations) for clip in clips]
    return {c: torch.cat([looked[c] for looked in each]) for c in configurations}


@torch.inference_mode()
def _described(
    network: TrainedNetwork, frames: Tensor, configurations: Sequence[Configuration]
) -> dict[Configuration, Tensor]:
    found = {}
    for c in configurations:
        clip = normalise(squares(frames, network.clip_shape(c)[1], 1).to(network.device), network.sampling)
        sub = network.resident(c)
        maps = sub.features(clip)
        found[c] = described(maps, sub.classify(maps))
    return found
