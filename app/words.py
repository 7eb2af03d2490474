"""Numbers and rows as sentences."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, Context
from itertools import pairwise

from a3d.budgets.budget import amount, digits
from a3d.budgets.profile import Profile
from a3d.budgets.table import Row, Table
from a3d.maps import Agreement, Comparison

UNIT_NAMES = {
    "gflops": "in GFLOPs",
    "milliseconds": "in milliseconds on this machine",
    "share": "as a share of the full network's GFLOPs",
    "params": "in parameters",
}
GIVEN_UP = {"spatial": "pixels", "frames": "frames", "width": "width"}


def rounded_up(value: float) -> float:
    """To the three digits that are shown."""
    return float(Context(prec=3, rounding=ROUND_CEILING).create_decimal_from_float(value))


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
    start = "Picked by hand" if picked else f"Within {amount(limit, unit)}"
    return (
        f"{start}: **{row.configuration}** ({dimensions(row)}) — {gflops(row.gflops)}, "
        f"{share(row.gflops, table.full.gflops)} of the full network, **{accuracy(row)}**."
    )


def steps_down(trade_off: list[Row]) -> dict[Row, str]:
    """What each row of the list gives up against the next dearer one."""
    return {
        cheap: " and ".join(GIVEN_UP[name] for name in cheap.configuration.differences(costly.configuration))
        for cheap, costly in pairwise(trade_off)
    }


def verdict(both: Comparison) -> str:
    """Both answers in one sentence, Markdown."""
    (first, sure), (second, unsure) = both.full.predictions[0], both.sub.predictions[0]
    one, other = both.names
    if first == second:
        return f"Both answer **{first}**: the {one} at {sure:.0%}, the {other} at {unsure:.0%}."
    return f"The {one} answers **{first}** ({sure:.0%}), the {other} **{second}** ({unsure:.0%})."


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


def plain(markdown: str) -> str:
    return markdown.replace("**", "")


WELCOME = (
    "An adaptive 3D network recognises actions in video with as much compute as you give it: the same weights run with "
    "fewer pixels, fewer frames and fewer channels. **Drag the budget and see what it costs.**"
)
UNTESTED = "This checkpoint has not been tested yet, so there is no budget to choose from: `a3d table` makes its table."
CURVE = (
    "Every dot is one tested configuration of the same network; click one to choose it. The line joins those that "
    "nothing cheaper beats: the trade-off list, from which the budget chooses. Its colours, dashes and letters tell "
    "what each step down gives up: pixels (γs), frames (γt) or width (γw)."
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
    "the class; bare places don't, or speak against it. The strongest frame is framed."
)
AGREEMENT = (
    "Measured on the frames that both saw. Overlap: the part of one map's strongest fifth that is in the other's "
    "strongest fifth, 20% by chance. Correlation: of the two maps, place by place, 1 if they are alike. Shift: from "
    "the first network's strongest frame to the second's."
)
