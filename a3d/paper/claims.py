"""What the paper claims, each as two networks compared clip by clip on the outcomes of experiments."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev

from a3d.budgets.interval import NORMAL_95
from a3d.paper.ablations import ablations, in_place
from a3d.paper.experiments import BORROWED, OWN, Outcome

HEAD = """| in the paper | claim | first, top-1 by seed | second | difference, points | holds here | paper |
|---|---|---|---|---|---|---|"""
Network = tuple[str, str]  # an experiment, and a configuration of the paper


@dataclass(frozen=True)
class Claim:
    """`first` is at least as accurate as `second`.

    place: of the claim in the paper. calibrated: False takes the second network's borrowed statistics. published:
    difference of top-1, in points, of what the paper prints; None where it prints no number.
    """

    place: str
    text: str
    first: Network
    second: Network
    published: float | None = None
    calibrated: bool = True


@dataclass(frozen=True)
class Finding:
    """This is a claim on the outcomes. first, second: top-1 in percent of each seed. difference: of their means.

    low, high: 95% interval of the difference, paired clip by clip (a clip counts by its mean over the seeds), so it
    tells of the choice of clips, not of the seeds: those are in `first` and `second`. configurations: as tested.
    """

    claim: Claim
    first: tuple[float, ...]
    second: tuple[float, ...]
    difference: float
    low: float
    high: float
    configurations: tuple[str, str]
    gflops: tuple[float, float]

    @property
    def verdict(self) -> str:
        """yes or no where the interval leaves out 0, else open."""
        return "yes" if self.low > 0 else "no" if self.high < 0 else "open"

    @property
    def row(self) -> str:
        """Return a row below `HEAD`, in Markdown."""
        first, second = (
            f"{configuration}: {' · '.join(f'{top1:.1f}' for top1 in side)}"
            for configuration, side in zip(self.configurations, (self.first, self.second), strict=True)
        )
        here = f"{self.difference:+.1f} [{self.low:+.1f}, {self.high:+.1f}]"
        printed = "" if self.claim.published is None else f"{self.claim.published:+.1f}"
        return f"| {self.claim.place} | {self.claim.text} | {first} | {second} | {here} | {self.verdict} | {printed} |"


def claims() -> list[Claim]:
    """The claims of the paper that experiments of `ablations` can judge, in its order of telling."""
    with (Path(__file__).parent / "claims.csv").open(newline="", encoding="utf-8") as file:
        return [
            Claim(
                fields["place"],
                fields["text"],
                (fields["first"], fields["first_at"]),
                (fields["second"], fields["second_at"]),
                float(fields["published"]) if fields["published"] else None,
                fields["calibrated"] == "yes",
            )
            for fields in csv.DictReader(file)
        ]


def judge(outcomes: Sequence[Outcome], size: str = "small") -> list[Finding]:
    """A finding for each claim whose two networks were tested with the same seeds on the same clips, of all folds."""
    ranges = {experiment.name: experiment.range for experiment in ablations(size)}
    tested: dict[tuple[str, str, str], dict[tuple[int, int], Outcome]] = {}
    for found in outcomes:
        place = (found.experiment, found.configuration, found.statistics)
        tested.setdefault(place, {})[found.seed, found.fold] = found
    findings = []
    for claim in claims():
        if not {claim.first[0], claim.second[0]} <= ranges.keys():
            continue
        sides = [
            tested.get((name, in_place(key, ranges[name]).key, statistics), {})
            for (name, key), statistics in ((claim.first, OWN), (claim.second, OWN if claim.calibrated else BORROWED))
        ]
        both = sorted(sides[0].keys() & sides[1].keys())
        seeds = sorted({seed for seed, _ in both})
        folds = [n for n in sorted({fold for _, fold in both}) if all((seed, n) in both for seed in seeds)]
        if folds:
            findings.append(_finding(claim, *([_joined(side, seed, folds) for seed in seeds] for side in sides)))
    return findings


def _joined(side: dict[tuple[int, int], Outcome], seed: int, folds: Sequence[int]) -> Outcome:
    """The outcome of a seed over the clips of several folds."""
    right = "".join(side[seed, fold].right for fold in folds)
    return replace(side[seed, folds[0]], right=right, clips=len(right), top1=100 * right.count("1") / len(right))


def _finding(claim: Claim, first: list[Outcome], second: list[Outcome]) -> Finding:
    low, difference, high = paired([o.right for o in first], [o.right for o in second])
    return Finding(
        claim,
        tuple(o.top1 for o in first),
        tuple(o.top1 for o in second),
        difference,
        low,
        high,
        (first[0].configuration, second[0].configuration),
        (first[0].gflops, second[0].gflops),
    )


def paired(first: Sequence[str], second: Sequence[str]) -> tuple[float, float, float]:
    """Return the difference of accuracies on the same clips with its 95% interval, in points: low, difference, high.

    first, second: a string of digits a seed, 1 for a clip that was right. A clip counts once, by its mean over seeds.
    """
    clips = [
        100 * (fmean(map(int, ours)) - fmean(map(int, theirs)))
        for ours, theirs in zip(zip(*first, strict=True), zip(*second, strict=True), strict=True)
    ]
    reach = NORMAL_95 * stdev(clips) / math.sqrt(len(clips)) if len(clips) > 1 else math.inf
    return fmean(clips) - reach, fmean(clips), fmean(clips) + reach
