"""The `a3d` command: parse, call, print. Every error is one line that names the value and the remedy."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import a3d
from a3d import networks
from a3d.configuration import Configuration, ConfigurationError, range_0016, range_006
from a3d.explain.maps import Explanation, compare
from a3d.explain.overlay import write_overlay
from a3d.inference.checkpoint import load, save, save_table
from a3d.inference.cost import cost
from a3d.inference.evaluation import Result, build_table, evaluate_all
from a3d.inference.prediction import chosen, predict
from a3d.inference.table import Table
from a3d.networks import build
from a3d.training.loop import Run
from a3d.training.mutual import TrainingError
from a3d.training.recipes import RECIPES
from a3d.video import ClipFolder, FrameCache, Sampling, TrainingClips, Video, VideoError

RANGES = {"0.016": range_0016, "0.06": range_006}
BUILDERS = {
    f"{family}_r{depth}": getattr(networks, f"{family}_r{depth}")
    for family in ("slow", "slowfast")
    for depth in (18, 26, 50, 101)
}
console = Console(stderr=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError, TrainingError, ImportError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="a3d", description="Adaptive 3D networks for video: trained once, run at any compute budget."
    )
    top.add_argument("--version", action="version", version=f"a3d {a3d.__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(run: Callable, name: str, help_: str, example: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=help_,
            description=help_,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    sub = command(
        run_train,
        "train",
        "Train one network over a whole range of configurations.",
        "a3d train --data clips --out runs/mine --network slow_r18 --spatial 112 --base-channels 32",
    )
    sub.add_argument(
        "--data", required=True, help="folder with train/CLASS/*.mp4, or a list file of `path label` lines"
    )
    sub.add_argument("--extra", action="append", default=[], help="a further folder of clips of the same classes")
    sub.add_argument("--out", required=True, type=Path, help="folder of the run")
    sub.add_argument("--resume", action="store_true", help="go on where the run in --out was stopped")
    sub.add_argument("--init", help="checkpoint folder whose weights to start from")
    sub.add_argument("--network", default="slow_r50", choices=BUILDERS)
    sub.add_argument("--base-channels", type=int, default=64)
    sub.add_argument("--range", default="0.016", choices=RANGES, help="lower end of the computational range")
    sub.add_argument("--spatial", type=int, default=224, help="reference size in pixels")
    sub.add_argument("--frames", type=int, help="frames T of the full clip (8; SlowFast 4)")
    sub.add_argument("--stride", type=int, help="frames between two of the clip, τ (8; SlowFast 16)")
    sub.add_argument("--recipe", default="small", choices=RECIPES)
    sub.add_argument("--epochs", type=int, help="instead of the recipe's")
    sub.add_argument("--batch", type=int, help="instead of the recipe's")
    sub.add_argument("--rate", type=float, help="peak learning rate, instead of the recipe's")
    sub.add_argument("--no-teacher", action="store_true", help="labels alone, no image teacher")
    sub.add_argument("--cache", type=Path, help="folder that keeps decoded frames: each clip is then decoded once")
    sub.add_argument("--workers", type=int, default=1, help="processes that prepare clips (1)")
    sub.add_argument("--strict", action="store_true", help="stop at the first broken file instead of skipping it")
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")

    sub = command(
        run_table,
        "table",
        "Calibrate and test every configuration; write table.csv and the statistics into the checkpoint.",
        "a3d table --checkpoint runs/mine/checkpoint --data clips",
    )
    sub.add_argument("--checkpoint", required=True, type=Path)
    sub.add_argument("--data", required=True, help="folder with train/ (to calibrate on) and val/ (to test on)")
    sub.add_argument("--configuration", action="append", type=configuration, help="only these, as in 224x4@0.9")
    sub.add_argument("--calibration-clips", type=int, default=256, help="training clips to calibrate on (256)")
    sub.add_argument("--views", type=views, default=(1, 1), help="clips in time x crops (1x1)")
    sub.add_argument("--json", action="store_true")

    sub = command(
        run_evaluate,
        "evaluate",
        "Accuracy of chosen configurations on a folder of clips.",
        "a3d evaluate --checkpoint checkpoints/exercise12 --data clips/val --configuration 112x8@1 --views 10x3 --json",
    )
    sub.add_argument("--checkpoint", required=True, type=Path)
    sub.add_argument("--data", required=True, help="folder CLASS/*.mp4, or a list file of `path label` lines")
    budget_options(sub, many=True)
    sub.add_argument("--views", type=views, default=(10, 3), help="clips in time x crops (10x3)")
    sub.add_argument("--json", action="store_true")

    sub = command(
        run_predict,
        "predict",
        "What happens in a video, within a budget.",
        "a3d predict clip.mp4 --checkpoint checkpoints/exercise12 --gflops 0.2",
    )
    sub.add_argument("video", nargs="+")
    sub.add_argument("--checkpoint", type=Path, default=Path("checkpoints/exercise12"))
    budget_options(sub)
    sub.add_argument("--views", type=views, default=(1, 1), help="clips in time x crops (1x1)")
    sub.add_argument("--top", type=int, default=5, help="how many classes to print (5)")
    sub.add_argument("--json", action="store_true")

    sub = command(
        run_explain,
        "explain",
        "Where and when the full network and a sub-network look: a video side by side, and the shares of the frames.",
        "a3d explain clip.mp4 --checkpoint checkpoints/exercise12 --gflops 0.2 --out maps.mp4",
    )
    sub.add_argument("video")
    sub.add_argument("--checkpoint", type=Path, default=Path("checkpoints/exercise12"))
    budget_options(sub)
    sub.add_argument("--label", help="class to explain (the full network's answer)")
    sub.add_argument("--method", default="cam", choices=("cam", "gradcam"))
    sub.add_argument("--out", type=Path, help="H.264 video to write, frames with the maps laid over")
    sub.add_argument("--json", action="store_true")

    sub = command(
        run_cost,
        "cost",
        "GFLOPs and parameters of configurations, without running them on data.",
        "a3d cost --network slow_r50 --configuration 224x4@0.9 --json",
    )
    sub.add_argument("--network", default="slow_r50", choices=BUILDERS)
    sub.add_argument("--base-channels", type=int, default=64)
    sub.add_argument("--classes", type=int, default=400)
    sub.add_argument("--configuration", action="append", required=True, type=configuration)
    sub.add_argument("--json", action="store_true")
    return top


def budget_options(sub: argparse.ArgumentParser, many: bool = False) -> None:
    group = sub.add_mutually_exclusive_group()
    group.add_argument("--gflops", type=float, help="budget: the best tested configuration within it is run")
    group.add_argument(
        "--configuration", type=configuration, action="append" if many else "store", help="as in 112x4@0.6"
    )


def configuration(text: str) -> Configuration:
    try:
        return Configuration.parse(text)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def views(text: str) -> tuple[int, int]:
    """`10x3`: clips in time, crops in space."""
    clips, cross, crops = text.lower().partition("x")
    if not (cross and clips.isdigit() and int(clips) > 0 and crops in ("1", "3")):
        raise argparse.ArgumentTypeError(f"{text!r}: write CLIPSxCROPS with 1 or 3 crops, as in 10x3")
    return int(clips), int(crops)


def run_table(options: argparse.Namespace) -> None:
    network = load(options.checkpoint)
    training, dataset = (ClipFolder(options.data, split) for split in ("train", "val"))
    with progress_bar() as bar:
        task = bar.add_task("calibrate and test", total=None)
        built = build_table(
            network,
            training,
            dataset,
            options.configuration,
            options.views,
            options.calibration_clips,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    report_broken(built.broken)
    if network.table is not None and options.configuration:
        fresh = {row.configuration for row in built.table.rows}
        network.table = Table(
            [*built.table.rows, *(row for row in network.table.rows if row.configuration not in fresh)]
        )
    else:
        network.table = built.table
    save_table(network, options.checkpoint)
    if options.json:
        emit(network.table.to_frame().to_dict("records"))
        return
    for row in network.table.trade_off():
        print(f"{row.configuration!s:>16}  {row.gflops:8.3f} GFLOPs  {row.top1:5.1f}% top-1")
    print(
        f"{len(built.table)} configurations on {built.table.full.clips} clips; {built.decoded} files decoded, each once"
    )


def run_evaluate(options: argparse.Namespace) -> None:
    network = load(options.checkpoint)
    configurations = options.configuration or [chosen(network, options.gflops)]
    dataset = ClipFolder(options.data)
    with progress_bar() as bar:
        task = bar.add_task("test", total=len(dataset))
        results = evaluate_all(
            network, dataset, configurations, options.views, progress=lambda done, _: bar.update(task, completed=done)
        )
    report_broken(results[configurations[0]].broken)
    if options.json:
        emit([_result(results[c]) for c in configurations])
        return
    for configuration in configurations:
        result = results[configuration]
        low, high = result.interval
        print(
            f"{configuration!s:>16}  {result.top1:5.1f}% top-1 ({low:.1f} to {high:.1f}), "
            f"{result.mean_class:.1f}% mean class, {result.clips} clips"
        )


def _result(result: Result) -> dict:
    return {
        "configuration": result.configuration.key,
        "top1": result.top1,
        "mean_class": result.mean_class,
        "top5": result.top5,
        "interval": list(result.interval),
        "clips": result.clips,
        "views": "{}x{}".format(*result.views),
        "broken": list(result.broken),
    }


def run_predict(options: argparse.Namespace) -> None:
    """Every file is tried; the exit code is 1 if one could not be read."""
    network = load(options.checkpoint)
    answers, failed = [], 0
    for video in options.video:
        try:
            found = predict(video, network, options.gflops, options.configuration, options.views)
        except VideoError as error:
            print(f"error: {error}", file=sys.stderr)
            failed += 1
            continue
        top = list(zip(found.labels, found.probabilities, strict=True))[: options.top]
        answers.append({"video": video, "configuration": found.configuration.key, "gflops": found.gflops, "top": top})
        if not options.json:
            print(f"{video}: {found.configuration}, {found.gflops:.3f} GFLOPs")
            for label, probability in top:
                print(f"  {100 * probability:5.1f}%  {label}")
    if options.json:
        emit([answer | {"top": [{"label": n, "probability": p} for n, p in answer["top"]]} for answer in answers])
    if failed:
        raise SystemExit(1)


def run_explain(options: argparse.Namespace) -> None:
    network = load(options.checkpoint)
    comparison = compare(
        options.video, network, options.gflops, options.configuration, label=options.label, method=options.method
    )
    if options.out:
        write_overlay(comparison, options.out)
    if options.json:
        emit([_explanation(e) for e in (comparison.full, comparison.sub)])
        return
    for who, explanation in (("full network", comparison.full), ("sub-network", comparison.sub)):
        label, probability = explanation.predictions[0]
        print(f"{who}, {explanation.configuration}: {label} ({100 * probability:.1f}%)")
        print(f"  evidence for {explanation.name}, logit {explanation.logit:.2f}, by frame:")
        for moment, share in zip(explanation.times, explanation.shares, strict=True):
            print(f"  {moment:7.2f} s  {100 * share:5.1f}%  {'█' * round(40 * share)}")


def _explanation(explanation: Explanation) -> dict:
    return {
        "configuration": explanation.configuration.key,
        "label": explanation.name,
        "logit": explanation.logit,
        "times": explanation.times.tolist(),
        "shares": explanation.shares.tolist(),
        "top": [{"label": label, "probability": p} for label, p in explanation.predictions[:5]],
    }


def report_broken(lines: Sequence[str]) -> None:
    for line in lines:
        print(f"skipped {line}", file=sys.stderr)


def run_cost(options: argparse.Namespace) -> None:
    with torch.device("meta"):
        network = BUILDERS[options.network](options.classes, base_channels=options.base_channels)
    costs = [(configuration, cost(network, configuration)) for configuration in options.configuration]
    if options.json:
        emit([{"configuration": c.key, "gflops": found.gflops, "params": found.params} for c, found in costs])
        return
    for configuration, found in costs:
        print(f"{configuration!s:>16}  {found.gflops:8.3f} GFLOPs  {found.params / 1e6:7.2f} M parameters")


def emit(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))


def run_train(options: argparse.Namespace) -> None:
    data = ClipFolder(options.data, None if Path(options.data).is_file() else "train")
    for folder in options.extra:
        data.items += ClipFolder(folder, "train", data.classes).items
    network, span, sampling = _network(options, data.classes)
    recipe = _recipe(options)
    opened = FrameCache(options.cache).open if options.cache else Video
    clips = TrainingClips(data, sampling, areas=recipe.areas, seed=options.seed, strict=options.strict, opened=opened)
    run = Run(network, clips, span, recipe, options.out, options.seed, options.workers, options.device)
    if options.resume and not run.resume():
        raise ValueError(f"{options.out} holds no state to resume from: leave out --resume")
    if not options.resume and (options.out / "state.pt").exists():
        raise ValueError(f"{options.out} already holds a run: add --resume, or give another --out")
    started = time.time()
    with progress_bar() as bar:
        task = bar.add_task("", total=run.steps * recipe.batch, completed=run.step * recipe.batch)
        run.train(
            lambda step: bar.update(
                task, advance=recipe.batch, description=_describe(step, bar.tasks[task].speed or 0.0)
            )
        )
    network.labels, network.sampling, network.range = data.classes, sampling, span
    network.provenance = {
        "command": "a3d " + " ".join(sys.argv[1:]),
        "recipe": asdict(recipe),
        "clips": len(clips),
        "broken": clips.broken,
        "hours": round((time.time() - started) / 3600, 3),
        "torch": torch.__version__,
    }
    save(network, options.out / "checkpoint")
    made = options.out / "checkpoint"
    print(f"wrote {made}; next: a3d table --checkpoint {made} --data {options.data}")


def _network(options: argparse.Namespace, classes: tuple[str, ...]):
    """The network to train, its range, and how clips are sampled for it."""
    frames = options.frames or (4 if options.network.startswith("slowfast") else 8)
    shape = {"spatial": options.spatial, "frames": frames}
    if options.init:
        start = load(options.init)
        if start.labels != classes:
            raise ValueError(f"--init {options.init} knows other classes than {options.data}: start without --init")
        network = build(replace(start.architecture, **shape))
        network.load_state_dict(start.state_dict())
    else:
        torch.manual_seed(options.seed)
        network = BUILDERS[options.network](len(classes), base_channels=options.base_channels, **shape)
    fast = isinstance(network, networks.SlowFast)
    span = RANGES[options.range](options.spatial, frames)
    alpha = network.architecture.alpha if fast else 1
    stride = (options.stride or (16 if fast else 8)) // alpha
    return network, span, Sampling(frames * alpha, stride, options.spatial)


def _recipe(options: argparse.Namespace):
    recipe = RECIPES[options.recipe]()
    given = {name: getattr(options, name) for name in ("epochs", "batch", "rate") if getattr(options, name) is not None}
    if options.no_teacher:
        given["lesson"] = 0.0
    return replace(recipe, **given)


def _describe(step, speed: float) -> str:
    """Losses and accuracies of a step's networks, in the order full, random, smallest; speed in clips a second."""
    losses = " ".join(f"{part.loss:.2f}" for part in step.parts)
    top1 = " ".join(f"{part.top1:.0f}" for part in step.parts)
    return f"epoch {step.epoch} · loss {losses} · top-1 {top1} · {speed:.1f} clips/s"


def progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
