"""Numbers and rows as sentences."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from a3d.budgets.budget import amount, digits
from a3d.budgets.profile import Profile
from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration
from a3d.deploy.live.controller import Option
from a3d.deploy.live.trace import Step
from a3d.figures import Caption
from a3d.inference.prediction import Prediction
from a3d.inference.segments import Moment, label_of
from a3d.maps import Agreement, Comparison, Evidence, Explanation, Finding, Occlusion
from a3d.maps import agreement as agreement_of

UNIT_NAMES = {
    "gflops": "in GFLOPs",
    "milliseconds": "in milliseconds on this machine",
    "share": "as a share of the full network's GFLOPs",
    "params": "in parameters",
}
ENOUGH = 0.5  # of less, a class is no answer
ANSWER, NONE, UNSURE = "answer", "none of these", "unsure"
CELLS = 4  # a side: maps of fewer are too coarse for words on how far two agree
RACE = 2500.0  # milliseconds that it may take
SLOWED = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
GIVEN_UP = {"spatial": "pixels", "frames": "frames", "width": "width"}


def gflops(value: float) -> str:
    return f"{digits(value)} GFLOPs"


def share(value: float, whole: float) -> str:
    percent = 100 * value / whole
    return f"{percent:.0f}%" if percent >= 9.95 else f"{percent:.1f}%"


def params(count: float) -> str:
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def costs(table: Table, unit: str, profile: Profile | None) -> Callable[[Row], float]:
    """What a row costs on the dial. An unmeasured full network is set at the dearest that was measured."""
    if unit != "milliseconds":
        return table.costs(unit)
    times = [profile.milliseconds(row.configuration) for row in table.rows if row.configuration in profile]
    return lambda row: profile.milliseconds(row.configuration) if row.configuration in profile else max(times)


def budget(value: float, unit: str, whole: float) -> str:
    """A budget as the dial shows it."""
    return amount(value, unit) if unit == "share" else f"{amount(value, unit)} ({share(value, whole)})"


def dimensions(row: Row) -> str:
    """What S²×T, γw stands for."""
    size = row.configuration
    frames = "1 frame" if size.frames == 1 else f"{size.frames} frames"
    return f"{size.spatial} × {size.spatial} pixels, {frames}, {100 * size.width:.0f}% of the channels"


def accuracy(row: Row) -> str:
    """Top-1 with what it was counted on."""
    metric = "top-1" if row.mean_ap is None else "mAP"
    top1 = f"{row.accuracy:.1f}% {metric}" + (" as published" if row.published else "")
    if row.interval is None:
        return top1
    low, high = row.interval
    return f"{top1} (95% interval {low:.0f}–{high:.0f} on {row.clips:,} clips)"


def interval(row: Row) -> str:
    """Of top-1, 95%; empty where it is not known on how many clips it was tested."""
    if row.interval is None:
        return ""
    low, high = row.interval
    return f"{low:.0f}–{high:.0f}%"


def answer(row: Row, table: Table, unit: str, limit: float, picked: bool) -> str:
    """The choice as one sentence, Markdown."""
    start = "Picked by hand" if picked else f"For {amount(limit, unit)}"
    return (
        f"{start}: **{row.configuration}** ({dimensions(row)}) — {gflops(row.gflops)}, "
        f"{share(row.gflops, table.full.gflops)} of the full network, **{accuracy(row)}**."
    )


def point(row: Row, table: Table, unit: str, cost: float) -> str:
    """A point of the curve as it is read out."""
    return f"{amount(cost, unit)}: {row.configuration}, {dimensions(row)}; {row.accuracy:.1f}% {table.metric}"


def numbers(row: Row, table: Table) -> list[tuple[str, ...]]:
    """What a configuration costs and gives: short values, what they are, and what to add where there is room."""
    full, size = table.full, row.configuration
    return [
        (share(row.gflops, full.gflops), "of full compute"),
        (f"{row.accuracy:.1f}%", table.metric, f", full {full.accuracy:.1f}%"),
        (f"{size.spatial}² × {size.frames}", "pixels", " × frames"),
        (f"{100 * size.width:.0f}%", "of channels"),
    ]


def steps_down(trade_off: list[Row]) -> dict[Row, str]:
    """What each row of the list gives up against the next dearer one."""
    return {
        cheap: " and ".join(GIVEN_UP[name] for name in cheap.configuration.differences(costly.configuration))
        for cheap, costly in pairwise(trade_off)
    }


def class_name(label: str) -> str:
    """A class as words: BodyWeightSquats, brush_hair and "abseiling" as Body weight squats, Brush hair, Abseiling."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+", " ", label).split()
    text = " ".join(part if len(part) > 1 and part.isupper() else part.lower() for part in parts)
    return text[:1].upper() + text[1:]


def known(labels: Sequence[str]) -> str:
    """The classes of a network as a sentence."""
    names = [class_name(label) for label in labels[:24]]
    more = f" and {len(labels) - 24} more" if len(labels) > 24 else ""
    return f"This network knows {len(labels)} classes and nothing else: {', '.join(names)}{more}."


def says(probabilities: Sequence[tuple[str, float]], none: float | None) -> tuple[str, str]:
    """What a network answers, and how sure it is, Markdown. probabilities: classes, most probable first."""
    kind, name, chance = believed(probabilities, none)
    if kind == UNSURE:
        return "is **unsure**", f"{name} at {chance:.0%}"
    return f"says **{name.lower() if kind == NONE else name}**", f"{chance:.0%}"


def believed(probabilities: Sequence[tuple[str, float]], none: float | None) -> tuple[str, str, float]:
    """What a network answers: `ANSWER`, `NONE` or `UNSURE`; the class, or none, in words; and how probable that is."""
    label, probability = probabilities[0]
    if none is not None and none >= ENOUGH:
        return NONE, "None of these", none
    return ANSWER if probability >= ENOUGH else UNSURE, class_name(label), probability


def ranked(found: Prediction) -> list[tuple[str, float]]:
    """Classes and probabilities, most probable first."""
    return list(zip(found.labels, found.probabilities, strict=True))


def same(one: Prediction, other: Prediction) -> bool:
    """Whether two networks say the same, or both are unsure."""
    first, second = (believed(ranked(found), found.none) for found in (one, other))
    return first[0] == second[0] and (first[0] == UNSURE or first[1] == second[1])


def answered(probabilities: Sequence[tuple[str, float]], none: float | None) -> str:
    """The same in a few words, for a table."""
    kind, name, chance = believed(probabilities, none)
    return f"Unsure: {name}, {chance:.0%}" if kind == UNSURE else f"{name}, {chance:.0%}"


def caption(row: Row, told: Explanation, table: Table, unit: str, profile: Profile | None) -> Caption:
    """What stands beside a row of small multiples; GFLOPs where it was not timed."""
    if unit == "milliseconds" and any(one.configuration not in profile for one in (row, table.full)):
        unit = "gflops"
    cost = costs(table, unit, profile)
    _, _, chance = believed(told.predictions, told.none)
    name = f"{row.configuration}{', full network' if row == table.full else ''}"
    about = f"{budget(cost(row), unit, cost(table.full))}, {row.accuracy:.1f}% {table.metric}"
    return Caption(name, about, answered(told.predictions, told.none), chance)


def verdict(both: Comparison) -> str:
    """Both answers in one sentence, Markdown."""
    return _verdict(*(says(one.predictions, one.none) for one in (both.full, both.sub)), both.names)


def verdict_of(full: Finding, sub: Finding, labels: tuple[str, ...]) -> str:
    """The same of what a sweep found."""
    answers = []
    for one in (full, sub):
        label = one.label
        answers.append(says([(labels[label], float(one.probabilities[label]))], one.none))
    return _verdict(*answers, ("full network", "sub-network"))


def _verdict(first: tuple[str, str], second: tuple[str, str], names: tuple[str, str]) -> str:
    one, other = names
    if first[0] != second[0]:
        return f"The {one} {first[0]} ({first[1]}), the {other} {second[0]} ({second[1]})."
    if first[0] == "is **unsure**":
        return f"Both are **unsure**: the {one} guesses {first[1]}, the {other} {second[1]}."
    return f"Both say {first[0].removeprefix('says ')}: the {one} at {first[1]}, the {other} at {second[1]}."


def evidence(full: Finding, sub: Finding, label: int, labels: tuple[str, ...], times) -> str:
    """What there is to say of the maps of a class, Markdown. times: seconds of the frames of the full clip."""
    pair = full.evidence[label], sub.evidence[label]
    chances = float(full.probabilities[label]), float(sub.probabilities[label])
    return _evidence(*pair, class_name(labels[label]), chances, ("full network", "sub-network"), times)


def evidence_of(both: Comparison) -> str:
    """The same of two explanations."""
    pair = both.full.evidence[0], both.sub.evidence[0]
    chances = float(both.full.probabilities[both.full.label]), float(both.sub.probabilities[both.full.label])
    return _evidence(*pair, question(both.full), chances, both.names, both.full.all_times)


def _evidence(full: Evidence, sub: Evidence, name: str, chances: tuple[float, float], names, times) -> str:
    if not (full.speaks_for or sub.speaks_for):
        return f"Nothing in this clip speaks for **{name}** ({chances[0]:.1%} and {chances[1]:.1%})."
    for one, chance, who in ((full, chances[0], names[0]), (sub, chances[1], names[1])):
        if not one.speaks_for:
            return f"Nothing that the {who} sees speaks for **{name}** ({chance:.1%})."
    cells = min(full.map.shape[1:] + sub.map.shape[1:])
    if cells < CELLS:
        return f"Maps of {cells} × {cells} cells tell roughly where: too little to say how far two of them agree."
    return agreement(agreement_of(full, sub, times), names)


def cells(both: Comparison) -> int:
    """The fewest cells along a side of either map."""
    return min(both.full.map.shape[1:] + both.sub.map.shape[1:])


def question(told: Explanation) -> str:
    """What a map is about: a class, or one rather than another."""
    name = class_name(told.name)
    return f"{name} rather than {class_name(told.other)}" if told.other else name


def difference(both: Comparison) -> str:
    """What speaks for a class rather than another: how much, when and where, Markdown."""
    return "  \n".join(_difference(who, told) for who, told in zip(both.names, (both.full, both.sub), strict=True))


def _difference(who: str, told: Explanation) -> str:
    one, other = class_name(told.name), class_name(told.other or "")
    how = "above" if told.logit > 0 else "below"
    said = f"The {who}'s score for **{one}** is {abs(told.logit):.2f} {how} that for **{other}**"
    if not told.evidence[0].speaks_for:
        return f"{said}; no place speaks for {one} rather than {other}."
    step = int(told.shares.argmax())
    return f"{said}; most speaks for {one} at {told.times[step]:.2f} s, {_place(told.map[step])}."


def _place(cells) -> str:
    """Where in a picture the strongest of the cells (h, w) is, in thirds."""
    height, width = cells.shape
    row, column = divmod(int(cells.argmax()), width)
    down = ("at the top", "in the middle", "at the bottom")[min(2, int(3 * (row + 0.5) / height))]
    across = ("left", "", "right")[min(2, int(3 * (column + 0.5) / width))]
    return " ".join(filter(None, (down, across)))


def occlusion(who: str, label: str, check: Occlusion) -> str:
    """What is left of a class without the hottest places, Markdown."""
    draws = len(check.random)
    if check.hottest < min(check.random):
        meaning = f"less than any of {draws} random draws left: the answer rests on them"
    elif check.hottest > max(check.random):
        meaning = f"more than any of {draws} random draws left: the answer does not rest on them"
    else:
        meaning = "what hiding places at random may do too: the map tells little of what the answer rests on"
    before, after = f"{check.before:.0%}", f"**{check.hottest:.0%}**"
    moves = f"{'falls' if check.hottest < check.before else 'rises'} from {before} to {after}"
    if after == f"**{before}**":
        moves = f"stays at {after}"
    return (
        f"Without the hottest {check.hidden} of {check.places} places, {label} {moves} in the {who}; without as many "
        f"at random, it is at {check.chance:.0%}. That is {meaning}."
    )


def seen(both: Comparison) -> str:
    """Which frames each network looked at."""
    total = len(both.full.all_times)
    counts = [
        f"the {name} {len(set(one.seen.tolist()))}" for name, one in zip(both.names, (both.full, both.sub), strict=True)
    ]
    return f"Of the {total} frames of the clip, {counts[0]} and {counts[1]} were looked at."


def agreement(found: Agreement, names: tuple[str, str]) -> str:
    """How far the two maps agree, in words."""
    if math.isnan(found.correlation):
        return "One of the maps is the same everywhere: there is nothing to compare."
    broadly = next(text for least, text in PLACES if found.correlation >= least)
    spots = next(text for least, text in SPOTS if found.overlap >= least)
    if found.shift_frames == 0:
        key = "both find most of their evidence in the same frame"
    else:
        when = "later" if found.shift_seconds > 0 else "earlier"
        key = f"the {names[1]}'s strongest frame is {abs(found.shift_seconds):.2f} s {when} than the {names[0]}'s"
    return f"On the frames that both saw, their maps {broadly}, and {spots}. In time, {key}."


PLACES = (  # by the least correlation
    (0.8, "are nearly alike"),
    (0.5, "are much alike"),
    (0.2, "are somewhat alike"),
    (-0.2, "have little to do with each other"),
    (-1.1, "are opposites"),
)
SPOTS = (  # by the least overlap; chance gives 0.2
    (0.7, "their strongest spots are mostly the same"),
    (0.35, "they share some of their strongest spots"),
    (0.0, "their strongest spots are different ones"),
)


def duration(seconds: float) -> str:
    """Coarse enough not to jump about: 2 h 10 min, 5 min, 40 s."""
    if seconds >= 3600:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 600) * 10} min"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def clock(seconds: float) -> str:
    """A moment of a film: 0:07, 12:30, 1:02:03."""
    minutes, left = divmod(int(seconds + 1e-6), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{left:02}" if minutes >= 60 else f"{minutes}:{left:02}"


def no_stop(configuration: Configuration) -> str:
    return f"Clips are looked at with the stops of the dial, and {configuration} is none of them: drag it to one."


def visitors(count: int) -> str:
    return "somebody else is watching" if count <= 1 else f"{count} others are"


def idle(options: Sequence[Option]) -> str:
    """What the fastest and the best of a trade-off list take, Markdown."""
    first, last = options[0], options[-1]
    return (
        f"Measured here at the start: from **{first.milliseconds:.0f} ms** ({first.configuration}, "
        f"{first.accuracy:.1f}%) to **{last.milliseconds:.0f} ms** ({last.configuration}, {last.accuracy:.1f}%) "
        "for an answer. A deadline a little above shows best how it makes room for other work."
    )


def live_answer(step: Step) -> tuple[str, str]:
    """A class, or that the network is unsure; and its probability."""
    name, probability = class_name(step.label), f"{step.probability:.0%}"
    return (name, probability) if step.probability >= ENOUGH else ("Unsure", f"{name} at {probability}")


def in_time(steps: Sequence[Step]) -> tuple[str, str]:
    """The share of windows that were answered in time, and those of the others."""
    late = sum(step.configuration is not None and not step.met for step in steps) / len(steps)
    skipped = sum(step.configuration is None for step in steps) / len(steps)
    return f"{1 - late - skipped:.0%}", f"late {late:.0%}, skipped {skipped:.0%}"


def speed(slowdown: float) -> str:
    """What the controller multiplies the times of the idle machine with."""
    return "at full speed" if slowdown < 1.05 else f"reckons with {slowdown:.1f}× its time"


def why(text: str) -> str:
    """Why the controller chose as it did."""
    return f"Why this one: {text}."


def films(count: int) -> str:
    return "one film is" if count <= 1 else f"{count} films are"


def film(moments: Sequence[Moment], numbers: tuple[int, int]) -> str:
    """How far two networks say the same of a film, Markdown. numbers: theirs among the answers of each moment."""
    same = sum(m.end - m.start for m in moments if _label(m, numbers[0]) == _label(m, numbers[1]))
    return f"Both networks say the same during **{same / (moments[-1].end - moments[0].start):.0%}** of it."


def _label(moment: Moment, number: int) -> str:
    return label_of(moment.answers[number])[0]


def many(answers: Sequence[dict[Configuration, Prediction]], full: Configuration, sub: Configuration, bad: int) -> str:
    """How far two networks say the same of many clips, Markdown. answers: of each clip, empty for none. bad: files."""
    pairs = [(found[full], found[sub]) for found in answers if found]
    parts = []
    if pairs:
        count = f"{len(pairs)} clip{'' if len(pairs) == 1 else 's'}"
        parts.append(f"Both networks say the same of **{sum(same(*pair) for pair in pairs)}** of {count}.")
    if bad:
        parts.append(f"**{bad}** file{' cannot' if bad == 1 else 's cannot'} be looked at: the table says why.")
    return " ".join(parts)


def too_many(most: int, left: int) -> str:
    files = "1 file was" if left == 1 else f"{left} files were"
    return f"At most {most} files are looked at here: {files} left out. The command below has no such limit."


def other_network(title: str) -> str:
    return f"These clips were answered by {title}, and their files are deleted: give them again to see this network's."


def per_second(milliseconds: float) -> str:
    """How many clips a network gets through: 0.91, 6.2, 24, 160, 1,200."""
    rate = 1000 / milliseconds
    return f"{float(f'{rate:.2g}'):,.0f}" if rate >= 9.95 else f"{rate:.2g}"


def pace(full: float, sub: float) -> str:
    """What two times, in milliseconds a clip, mean for many clips, Markdown."""
    if full == sub:
        return f"**{per_second(full)} clips a second** on this machine."
    if sub >= 0.95 * full:
        return (
            f"**{per_second(sub)} clips a second**; the full network gets through {per_second(full)}: no faster here."
        )
    return f"**{per_second(sub)} clips a second** in place of {per_second(full)}."


def slowed(full: float) -> int:
    """How many times slower than real the race is shown, so that the full network's milliseconds can be watched."""
    return max((factor for factor in SLOWED if factor * full <= RACE), default=1)


def measured(full: float) -> str:
    factor = slowed(full)
    how = "at real pace" if factor == 1 else f"shown {factor:,} times slower"
    return f"Timed with these answers on this machine, the network alone; {how}."


def file_name(name: str) -> str:
    """A clip's name as the start of a file's: letters, digits and hyphens."""
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-")[:60] or "clip"


def measuring(share: float, is_first: bool) -> str:
    """How far this machine is measured. is_first: the dial has no times yet."""
    if is_first:
        return (
            f"Timing the dial's configurations on this machine, once: {share:.0%}. Until then the dial counts GFLOPs."
        )
    return f"Timing the other configurations: {share:.0%}. The dial has its times already."


def in_python(folder: Path, configuration: Configuration) -> str:
    """What makes a view of Explore in Python."""
    return (
        "import a3d\n\n"
        f"network = a3d.load({str(folder)!r})\n"
        f"configuration = a3d.Configuration.parse({configuration.key!r})\n"
        'prediction = a3d.predict("clip.mp4", network, configuration)\n'
        'comparison = a3d.compare("clip.mp4", network, configuration)  # the maps of both\n'
        "small = network.extract(configuration)  # an ordinary nn.Module\n"
    )


def as_commands(folder: Path, configuration: Configuration) -> str:
    """The same on the command line."""
    how = f"--checkpoint {shlex.quote(str(folder))} --configuration {configuration.key}"
    return f"a3d predict clip.mp4 {how}\na3d explain clip.mp4 {how} --out maps.mp4\na3d export {how} --out deployed\n"


def segments_command(folder: Path, configuration: Configuration) -> str:
    return f"a3d segments VIDEO --checkpoint {shlex.quote(str(folder))} --configuration {configuration.key}"


def predict_command(folder: Path, configuration: Configuration) -> str:
    how = f"--checkpoint {shlex.quote(str(folder))} --configuration {configuration.key}"
    return f"a3d predict FOLDER {how} --out answers.csv"


def plain(markdown: str) -> str:
    return markdown.replace("**", "")


ANIMATION = (
    "The clip as it plays, the maps of both networks side by side and what they answer: a picture that moves, to show."
)
MACHINE = "The network alone, on the machine that answered"
TITLE = "One network, any budget"
WELCOME = "**Drag the dial** and see what a smaller budget costs."
PURPOSE = (
    "An adaptive 3D network recognises actions in video with as much compute as you give it: the same weights run with "
    "fewer pixels, fewer frames and fewer channels. A table that was measured once says which share of each is best "
    "for a budget, and maps show which places and moments an answer rests on."
)
UNTESTED = "This checkpoint has not been tested yet, so there is no budget to choose from: `a3d table` makes its table."
FILM = (
    "Give a video, or show the sample: a ribbon of answers is drawn while it is read, one for the full network and one "
    "for what the dial buys. Drag along it to any moment, and look at that moment's maps."
)
MANY = (
    "Give many clips at once, and get a table: what the full network and what the dial buys answer about each, and "
    "where the budget changes the answer."
)
LIVE = (
    "The clip is looped as a camera would give it, and a new answer is due every time the deadline has passed. The "
    "network picks whatever configuration answers best in that time: shorten the deadline, or give the machine other "
    "work, and it steps down; it climbs back when there is room."
)
MAPS = (
    "A sub-network is a part of the full network that looks at a smaller clip. Both get the same clip here, and the "
    "maps show which places and moments speak for a class, on one colour scale."
)
ANSWERS = "The most probable classes of either network. Probabilities of one network add up to 100%."
SHARES = (
    "How the evidence for the class is spread over the frames of the clip. A frame that a network skips to save "
    "compute has a cross in place of its bar."
)
STRIP = (
    "The frames as each network gets them, small ones blurred as they are for the network. Bright colours speak for "
    "the class, blue ones against it; bare places do neither. The strongest frame is framed."
)
ROWS = (
    "A row for each configuration, dearest first: its cost, how often it is right on the test clips, what it answers "
    "here, and its map over the same moments of the clip. All maps are for one class, on one colour scale; the "
    "strongest frame of each row is framed."
)
SEVERAL = "Choose at least two configurations to lay below each other."
AGREEMENT = (
    "Measured on the frames that both saw. Overlap: the part of one map's strongest fifth that is in the other's "
    "strongest fifth, 20% by chance. Correlation: of the two maps, place by place, 1 if they are alike. Shift: from "
    "the first network's strongest frame to the second's."
)
OCCLUSION = (
    "A tenth of the clip's places, in space and time, is painted over with the mean colour of its frame: those where "
    "the map is hottest, and as many at random, eight times. A map that shows what an answer rests on makes the class "
    "fall further than chance does."
)
