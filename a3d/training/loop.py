"""A training run: a folder that can be killed at any time and resumed to the same weights.

`metrics.csv` has a line for each network of each step, `run.json` tells how many steps there will be; `state.pt` holds
settings, weights, optimiser and position (tensors and plain values alone). `before.pt` is the state at the beginning of
the last epoch that went well, which takes the place of the other one once a loss is not finite. Random states need no
keeping: all that is random follows from seed and step.

Under `torchrun` every process has its share of each batch and the first one writes; the weights are those that one
process with the whole batch would reach.
"""

from __future__ import annotations

import csv
import json
import math
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from a3d import parallel
from a3d.adaptive.network import AdaptiveNetwork
from a3d.configuration import ComputationalRange
from a3d.datasets.items import fingerprint
from a3d.datasets.training_clips import MASK_SIDE, Batch, TrainingClips, collate
from a3d.files import remove_leftovers, replace, replace_bytes
from a3d.memory import give_back_freed_memory, keep_freed_memory
from a3d.parallel.processes import ProcessLost
from a3d.stopping import Stopped, Stopping, deaf
from a3d.training.augmentation import exchange_scenes, jitter_colours, mix
from a3d.training.lesson import Lesson
from a3d.training.motion import EvidenceLoss, acting
from a3d.training.mutual import Part, TrainingError, mutual_step
from a3d.training.recipes import Recipe
from a3d.training.schedule import learning_rate
from a3d.training.steps import RecipeError, check, networks_of_step
from a3d.training.task import task_of
from a3d.video.decode import VideoError
from a3d.video.masks import masks_fingerprint
from a3d.video.transforms import normalise

STATE_SECONDS = 300  # a state is also written this often within an epoch
RUINED = 2  # times the lowest mean loss of an epoch: what lies above has not gone well
WORKER_LOST = "DataLoader worker (pid"  # how torch says that one has ended; it may do so in the middle of anything
KEPT_STEPS = 16  # that memory is kept for: each has maps of other sizes, and gaps add up
SHOWN = 16  # clips of a step that its error names
COLUMNS = ("step", "epoch", "rate", "seconds", "lesson", "configuration", "loss", "top1")


@dataclass(frozen=True)
class Progress:
    """Told after every step. clips: seen in this step. lesson: the image teacher's loss, 0 without one."""

    step: int
    steps: int
    epoch: int
    clips: int
    lesson: float
    parts: list[Part]


class Run:
    """Trains `network` in place over `clips`, as `recipe` says, in `folder`. Call `train()`."""

    def __init__(
        self,
        network: AdaptiveNetwork,
        clips: TrainingClips,
        range: ComputationalRange,
        recipe: Recipe,
        folder: str | Path,
        seed: int = 0,
        workers: int = 1,
        device: str | torch.device = "cpu",
    ) -> None:
        check(recipe)
        if recipe.mixup and network.task == "detection":
            raise RecipeError(f"recipe {recipe.name} mixes clips, but boxes belong to one: choose another, as ava")
        if recipe.motion and (network.task != "classification" or len(network.graph.features) > 1):
            raise RecipeError(f"recipe {recipe.name}: its loss on motion is for one class a clip and one pathway")
        self.network = network.to(device, memory_format=torch.channels_last_3d)  # 1.4 times as fast, on CPUs too
        self.clips, self.range, self.recipe = clips, range, recipe
        self.folder, self.seed, self.workers, self.device = Path(folder), seed, workers, torch.device(device)
        self.lesson = Lesson(network, recipe.lesson, recipe.lesson_side).to(device) if recipe.lesson else None
        self.optimiser = _optimiser(recipe, network, self.lesson)
        parallel.broadcast_parameters(self._trained())
        self.average = {n: p.detach().clone() for n, p in self._named()} if recipe.average else {}
        self.steps_per_epoch = math.ceil(len(clips) / recipe.batch)
        self.steps = recipe.epochs * self.steps_per_epoch
        self.step = 0
        self.lowest, self._losses = math.inf, []  # mean loss of the best epoch; losses of this one
        self._is_whole = True  # whether the weights are those after `step` steps
        if parallel.is_main():
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_leftovers(self.folder)

    def train(self, progress: Callable[[Progress], None] | None = None) -> AdaptiveNetwork:
        """Runs to the end and returns the network with the weights to keep (averaged, if the recipe says so).

        SIGTERM and Ctrl-C are heeded between two steps: Stopped says how to go on. Raises TrainingError at the first
        loss that is not finite, or when another process of the run, or one that prepares clips, ends.
        """
        keep_freed_memory(everything=True)
        self.network.train()
        self._announce()
        self._cut_log()
        with Stopping(told=parallel.is_main()) as stopping:
            try:
                self._train(progress, stopping)
            except (KeyboardInterrupt, RuntimeError) as error:
                if not _is_from_outside(error):
                    raise
                raise self._stopped(error, stopping) from None
        for name in ("begun.pt", "before.pt") if parallel.is_main() else ():  # what a run that may go wrong needs
            (self.folder / name).unlink(missing_ok=True)
        self.optimiser.zero_grad()  # gradients are no part of a trained network
        if self.average:
            self.network.load_state_dict(self.average, strict=False)  # no running moments among them
        return self.network.eval()

    def _train(self, progress: Callable[[Progress], None] | None, stopping: Stopping) -> None:
        saved = time.monotonic()
        while self.step < self.steps:
            whole, seen = self.step % self.steps_per_epoch == 0, 0
            for batch in self._batches(self.step // self.steps_per_epoch):
                report = self._one(batch)
                seen += report.clips
                self._log(report)
                self.step += 1
                self._is_whole = True
                if self.step % KEPT_STEPS == 0:
                    give_back_freed_memory()
                if progress is not None:
                    progress(report)
                is_last = self.step % self.steps_per_epoch == 0
                if whole and not seen and is_last:
                    raise TrainingError(f"none of the {len(self.clips)} clips can be read: see what a3d verify says")
                if is_last:
                    self._end_epoch()
                if time.monotonic() - saved > STATE_SECONDS and not is_last:
                    self.save_state()
                    saved = time.monotonic()
                if stopping.signal and self.step < self.steps:
                    raise KeyboardInterrupt

    def _stopped(self, error: BaseException, stopping: Stopping) -> BaseException:
        """Write the state, and return what to raise."""
        if parallel.is_distributed():
            parallel.ignore_termination()
        if self._is_whole:  # nothing was exchanged since the last step: these are the weights after it
            self.save_state()
        kept = f"{self.folder / 'state.pt'} holds the steps before"
        if stopping.signal and not isinstance(error, ProcessLost):
            done = f"{self.step} of {self.steps} steps are done, {kept}"
            return Stopped(stopping.signal, f"{done}; the same command with --resume goes on")
        if isinstance(error, KeyboardInterrupt):
            return error
        return TrainingError(f"step {self.step}, {_cause(error)}: {kept}; start again and resume")

    def _end_epoch(self) -> None:
        """Write the state; after an epoch that went well, keep the one at its beginning too."""
        mean = sum(self._losses) / len(self._losses) if self._losses else math.inf
        good, self._losses = mean <= RUINED * self.lowest, []
        self.lowest = min(self.lowest, mean)
        if parallel.is_main() and good and (self.folder / "begun.pt").exists():
            (self.folder / "begun.pt").replace(self.folder / "before.pt")
        self.save_state()
        if parallel.is_main():
            replace(self.folder / "begun.pt", lambda path: _link(self.folder / "state.pt", path))

    def _restore(self) -> str:
        """Put the last good state in the place of one that led to a loss that is not finite; say what to do."""
        state, before = self.folder / "state.pt", self.folder / "before.pt"
        remedy = f"lower the learning rate ({self.recipe.rate:.2g}, --rate)"
        if not before.exists():
            return f"{remedy} and begin anew, in another folder or without {state}"
        if parallel.is_main():
            replace(state, lambda path: _link(before, path))
            (self.folder / "begun.pt").unlink(missing_ok=True)
        return f"{remedy} and --resume, from the beginning of the last epoch that went well"

    def _trained(self) -> list[nn.Parameter]:
        return [parameter for group in self.optimiser.param_groups for parameter in group["params"]]

    def _named(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Parameters by the names of the state dict."""
        state = {id(p): name for name, p in self.network.state_dict(keep_vars=True).items()}
        return ((state[id(p)], p) for p in self.network.parameters())

    def _batches(self, epoch: int) -> Iterator[Batch | None]:
        """What is left of an epoch, in an order of its own."""
        give_back_freed_memory()  # workers are about to be forked
        self.clips.set_epoch(epoch, self._side(epoch))
        order = torch.randperm(len(self.clips), generator=torch.Generator().manual_seed(self.seed * 100003 + epoch))
        done = (self.step % self.steps_per_epoch) * self.recipe.batch
        loader = DataLoader(
            self.clips,
            batch_sampler=[parallel.shard(batch.tolist()) for batch in order[done:].split(self.recipe.batch)],
            num_workers=self.workers,
            collate_fn=collate,
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # else every epoch's loader would draw from the global one
            worker_init_fn=deaf,  # Ctrl-C is for this process to heed
        )
        try:
            yield from loader
        except VideoError as error:  # of `strict`; a worker adds its traceback to the message
            raise VideoError(str(error).strip().splitlines()[-1].rpartition("VideoError: ")[2]) from None

    def _one(self, batch: Batch | None) -> Progress:
        """One step. All that is random in it depends on the seed and the step alone, so a resumed run repeats it."""
        torch.manual_seed(self.seed * 1_000_003 + self.step)
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + self.step)
        recipe, epoch = self.recipe, self.step // self.steps_per_epoch
        warmup, *drops = (round(epochs * self.steps_per_epoch) for epochs in (recipe.warmup, *recipe.drops))
        rate = learning_rate(self.step, self.steps, warmup, recipe.rate, recipe.start, drops)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["of_rate"]
        parts, said = [], 0.0
        batch = self._nothing() if batch is None else batch
        seen = int(parallel.all_reduce(torch.tensor(len(batch.frames))))
        if seen:  # else all clips of the step are broken
            pixels, targets, boxes = self._prepare(batch)
            lesson = self.lesson.on(pixels) if self.lesson else None
            self.optimiser.zero_grad()
            try:
                with self._precision():
                    clips = normalise(pixels, self.clips.sampling).contiguous(memory_format=torch.channels_last_3d)
                    configurations = networks_of_step(recipe, self._reach(epoch), draw)
                    distil = recipe.step != "labels"
                    evidence = self._evidence(pixels, batch)
                    parts = mutual_step(self.network, clips, targets, configurations, lesson, boxes, distil, evidence)
            except TrainingError as error:
                raise TrainingError(
                    f"step {self.step} (epoch {epoch}), {error}, of {self._named_clips(batch)}: {self._restore()}"
                ) from None
            parallel.all_reduce_gradients(self._trained())
            if recipe.clip:
                nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip)
            self._is_whole = False
            self.optimiser.step()
            self._average()
            self._losses.append(parts[0].loss)
            said = self.lesson.last if self.lesson else 0.0
        return Progress(self.step, self.steps, epoch, seen, said, parts)

    def _named_clips(self, batch: Batch) -> str:
        """The files of a step, of this process."""
        names = [str(self.clips.dataset.items[index].path) for index in batch.indices.tolist()]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return ", ".join(names[:SHOWN]) + more

    def _nothing(self) -> Batch:
        """A batch without clips, for a process that takes part in a step with what the others have."""
        frames, side = self.clips.sampling.frames, self.clips.side
        task, classes = self.network.task, self.network.classes
        labels = torch.zeros(0, dtype=torch.int64) if task == "classification" else torch.zeros(0, classes)
        boxes = torch.zeros(0, 5) if task == "detection" else None
        pixels = torch.zeros(0, frames, side, side, 3, dtype=torch.uint8)
        people = None if self.clips.masks is None else torch.zeros(0, frames, MASK_SIDE, MASK_SIDE, dtype=torch.uint8)
        return Batch(pixels, labels, torch.zeros(0, dtype=torch.int64), boxes, people)

    def _prepare(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor | None]:
        """Pixels (B, T, S, S, 3), float, 0..255, targets (rows, classes) and boxes of the rows; augmented."""
        recipe = self.recipe
        pixels = batch.frames.to(self.device, non_blocking=True).float()
        targets = task_of(self.network).targets(
            batch.labels.to(self.device, non_blocking=True), self.network.classes, recipe.smoothing
        )
        boxes = None if batch.boxes is None else batch.boxes.to(self.device, non_blocking=True)
        if recipe.colour:
            pixels = jitter_colours(pixels, recipe.colour)
        if recipe.scenes and batch.people is not None:
            pixels = exchange_scenes(pixels, batch.people.to(self.device), recipe.scenes)
        if recipe.mixup:
            pixels, targets = mix(pixels, targets, recipe.mixup)
        return pixels, targets, boxes

    def _evidence(self, pixels: Tensor, batch: Batch) -> EvidenceLoss | None:
        if not self.recipe.motion:
            return None
        people = None if batch.people is None else batch.people.to(self.device)
        return EvidenceLoss(self.network, self.recipe.motion, acting(pixels, people), batch.labels.to(self.device))

    def _reach(self, epoch: int) -> ComputationalRange:
        """The range at an epoch: all of it, or the smaller ones that the recipe grows from."""
        for share, spatial, frames in self.recipe.growth:
            if epoch < share * self.recipe.epochs:
                return self.range.within(spatial, frames)
        return self.range

    def _side(self, epoch: int) -> int | None:
        """Of the clips of an epoch: what its largest network sees, unless a part sees clips as they are."""
        return None if self.network.graph.sees_whole_clip else self._reach(epoch).full.spatial

    def _precision(self):
        # Never bfloat16 on a CPU: its weight gradients of (3, 1, 1) convolutions read memory that nobody wrote.
        return torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else nullcontext()

    @torch.no_grad()
    def _average(self) -> None:
        if not self.average:
            return
        decay = min(self.recipe.average, (1 + self.step) / (10 + self.step))  # early weights soon forgotten
        for name, parameter in self._named():
            self.average[name].lerp_(parameter, 1 - decay)

    def _settings(self) -> dict[str, str]:
        """What a resumed run must have in common with the one that was stopped: all but the learning rate."""
        values = {"seed": self.seed, "clips": len(self.clips), "sampling": self.clips.sampling, "range": self.range}
        values |= asdict(self.network.architecture) | asdict(self.recipe) | {"data": fingerprint(self.clips.dataset)}
        values["masks"] = "none" if self.clips.masks is None else masks_fingerprint(self.clips.masks)
        del values["rate"]
        return {name: str(value) for name, value in values.items()}

    def save_state(self) -> None:
        if not parallel.is_main():
            return
        state = {
            "settings": self._settings(),
            "step": self.step,
            "lowest": self.lowest,
            "network": self.network.state_dict(),
            "average": self.average,
            "lesson": self.lesson.projections.state_dict() if self.lesson else {},
            "optimiser": self.optimiser.state_dict(),
        }
        content = BytesIO()  # a disk that is full ends torch.save in an abort
        torch.save(state, content)
        replace_bytes(self.folder / "state.pt", content.getbuffer())

    def resume(self) -> bool:
        """Goes back to the last state in the folder; False if there is none. Raises if it was another run's."""
        path = self.folder / "state.pt"
        content = parallel.broadcast(path.read_bytes() if parallel.is_main() and path.exists() else None)
        if content is None:
            return False
        state = _read_state(content, path, self.device)
        settings = self._settings()
        for name, value in settings.items():
            before = state["settings"].get(name)
            if before in (None, value):  # states of older versions do not have every setting
                continue
            if name == "data":
                raise TrainingError(
                    f"{path} was trained on other clips, or with other labels, than these {len(self.clips)}: give its "
                    "data, or another --out"
                )
            raise TrainingError(f"{path} was trained with {name} {before}, not {value}: repeat its command")
        self.step, self.average, self.lowest = state["step"], state["average"], state.get("lowest", math.inf)
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.lesson:
            self.lesson.projections.load_state_dict(state["lesson"])
        return True

    def _announce(self) -> None:
        """What whoever follows the run cannot read from `metrics.csv`: where it ends."""
        if not parallel.is_main():
            return
        plan = {"steps": self.steps, "steps_per_epoch": self.steps_per_epoch, "recipe": asdict(self.recipe)}
        replace(self.folder / "run.json", lambda path: path.write_text(json.dumps(plan, indent=1), encoding="utf-8"))

    def _log(self, report: Progress) -> None:
        """A line for each network of the step in `metrics.csv`."""
        if not parallel.is_main():
            return
        path = self.folder / "metrics.csv"
        fresh = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(COLUMNS)
            rate, now = self.optimiser.param_groups[0]["lr"], f"{time.time():.2f}"
            for part in report.parts:
                row = (report.step, report.epoch, f"{rate:.6g}", now, f"{report.lesson:.5g}", part.configuration.key)
                writer.writerow((*row, f"{part.loss:.5g}", f"{part.top1:.4g}"))

    def _cut_log(self) -> None:
        """Drops the lines of steps that will run again, and one that was cut off."""
        path = self.folder / "metrics.csv"
        if parallel.is_main() and path.exists():
            lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
            kept = [line for line in lines if len(line) == len(COLUMNS) and int(line[0]) < self.step]
            text = "".join(",".join(line) + "\n" for line in (COLUMNS, *kept))
            replace(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _is_from_outside(error: BaseException) -> bool:
    """Whether a run ends through no fault of its own: Ctrl-C, or another process that has gone."""
    return isinstance(error, KeyboardInterrupt | ProcessLost) or WORKER_LOST in str(error)


def _cause(error: BaseException) -> str:
    if isinstance(error, ProcessLost):
        return str(error)
    return (
        "a process that prepares clips was ended (the system does that when memory is full: fewer --workers need less)"
    )


def _link(source: Path, path: Path) -> None:
    """A second name for a file, or a copy where the file system has no such names."""
    try:
        path.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, path)


def _read_state(content: bytes, path: Path, device: torch.device) -> dict:
    try:
        return torch.load(BytesIO(content), device, weights_only=True)
    except Exception as error:
        # torch answers a file that could run code, or is cut short, with an error of many kinds and many lines
        cause = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise TrainingError(f"{path} is damaged ({cause}): begin the run anew in another folder") from None


def _optimiser(recipe: Recipe, network: AdaptiveNetwork, lesson: Lesson | None) -> torch.optim.Optimizer:
    """Weight decay on matrices and kernels, none on biases and batch norm; the classifier at a rate of its own."""
    classifier = list(network.classifier.parameters())
    known = {id(p) for p in classifier}
    body = [p for p in network.parameters() if id(p) not in known]
    body += list(lesson.projections.parameters()) if lesson else []
    groups = [
        {"params": [p for p in parameters if (p.ndim > 1) == decays], "weight_decay": decay, "of_rate": of_rate}
        for parameters, of_rate in ((body, 1.0), (classifier, recipe.classifier_rate))
        for decays, decay in ((True, recipe.weight_decay), (False, 0.0))
    ]
    fused = all(p.is_cuda for p in network.parameters())  # one kernel for all of them
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(groups, recipe.rate, fused=fused)
    return torch.optim.SGD(groups, recipe.rate, momentum=0.9, nesterov=True, fused=fused)
