"""Numbers and rows as sentences."""

from __future__ import annotations

from decimal import ROUND_CEILING, Context

from a3d.explain import Agreement, Comparison
from a3d.inference.metrics import wilson
from a3d.inference.table import Row, Table


def digits(value: float) -> str:
    """Three of them: 54.5, 0.213."""
    return f"{value:#.3g}".rstrip(".")


def rounded_up(value: float) -> float:
    """To the three digits that are shown."""
    return float(Context(prec=3, rounding=ROUND_CEILING).create_decimal_from_float(value))


def gflops(value: float) -> str:
    return f"{digits(value)} GFLOPs"


def share(value: float, whole: float) -> str:
    percent = 100 * value / whole
    return f"{percent:.0f}%" if percent >= 9.95 else f"{percent:.1f}%"


def params(count: int) -> str:
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def dimensions(row: Row) -> str:
    """What S²×T, γw stands for."""
    size = row.configuration
    frames = "1 frame" if size.frames == 1 else f"{size.frames} frames"
    return f"{size.spatial} × {size.spatial} pixels, {frames}, {100 * size.width:.0f}% of the channels"


def accuracy(row: Row) -> str:
    """Top-1 with what it was counted on."""
    top1 = f"{row.top1:.1f}% top-1" + (" as published" if row.published else "")
    if row.clips is None:
        return top1
    low, high = wilson(row.top1, row.clips)
    return f"{top1} (95% interval {low:.0f}–{high:.0f} on {row.clips:,} clips)"


def answer(row: Row, table: Table, budget: float) -> str:
    """The choice as one sentence, Markdown."""
    return (
        f"Within {gflops(budget)}: **{row.configuration}** ({dimensions(row)}) — {gflops(row.gflops)}, "
        f"{share(row.gflops, table.full.gflops)} of the full network, **{accuracy(row)}**."
    )


def verdict(both: Comparison) -> str:
    """Both answers in one sentence, Markdown."""
    (full, sure), (sub, unsure) = both.full.predictions[0], both.sub.predictions[0]
    if full == sub:
        return f"Both answer **{full}**: the full network at {sure:.0%}, the sub-network at {unsure:.0%}."
    return f"The full network answers **{full}** ({sure:.0%}), the sub-network **{sub}** ({unsure:.0%})."


def agreement(found: Agreement) -> str:
    """How far the two maps agree, Markdown."""
    if found.shift_frames == 0:
        key = "Both find most of their evidence in the same frame."
    else:
        when = "later" if found.shift_seconds > 0 else "earlier"
        key = f"The sub-network's strongest frame is {abs(found.shift_seconds):.2f} s {when} than the full network's."
    strongest = (
        f"{found.overlap:.0%} of the strongest fifth of one map is in the strongest fifth of the other (20% by chance)"
    )
    return f"{key} On the frames that both saw, {strongest}; the maps correlate at {found.correlation:.2f}."


def plain(markdown: str) -> str:
    return markdown.replace("**", "")


WELCOME = (
    "An adaptive 3D network recognises actions in video with as much compute as you give it: the same weights run with "
    "fewer pixels, fewer frames and fewer channels. Drag the budget and see what it costs."
)
UNTESTED = "This checkpoint has not been tested yet, so there is no budget to choose from: `a3d table` makes its table."
CURVE = (
    "Every dot is one tested configuration of the same network. The line joins those that nothing cheaper beats: the "
    "trade-off list, from which the budget chooses. Its colours tell what each step down gives up."
)
MAPS = (
    "A sub-network is a part of the full network that looks at a smaller clip. Both get the same clip here, and the "
    "maps show which places and moments speak for a class, on one colour scale."
)
ANSWERS = "The most probable classes of either network. Probabilities of one network add up to 100%."
SHARES = (
    "How the evidence for the class is spread over the frames of the clip. A frame that the sub-network skips to save "
    "compute has a cross in place of its bar."
)
STRIP = (
    "The frames as each network gets them, small ones blurred as they are for the network. Bright colours speak for "
    "the class; bare places don't, or speak against it. The strongest frame is framed."
)
PLAYER = (
    "**Full network** on the left, **sub-network** on the right, at the pace of the clip. "
    "A frame that a network skips is grey."
)
