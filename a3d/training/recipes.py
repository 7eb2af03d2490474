"""How a network is trained: one function a recipe, each returns the settings of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from a3d.configuration import Configuration


@dataclass(frozen=True)
class Recipe:
    """Settings of one training run.

    epochs, warmup: in passes over the training clips. batch: clips a step. rate: peak learning rate; it starts from
    the share `start` of it, and ends along a half cosine or, with `drops`, falls to a tenth after so many epochs each.
    classifier_rate: of the classifier's rate to that of the rest, for a body that was trained before.
    weight_decay: on convolutions and the classifier alone. optimiser: "sgd" (momentum 0.9, Nesterov) or "adamw".
    areas: (lowest, highest) share of the picture that a randomly resized crop takes; None for the paper's scale
    jitter, a short side of `jitter` times the crop: 256 to 320 for 224.
    colour: strength of brightness, contrast and saturation jitter. mixup: its Beta parameter, 0 for none.
    smoothing: of the labels. average: decay a step of the averaged weights that are kept, 0 for the last ones.
    lesson: weight of the image teacher's lesson, 0 for no teacher; lesson_side: of the squares that it looks at,
    pixels, 0 for those of the clip. motion: weight of the loss that draws the evidence to who acts, 0 for none: to the
    people of masks, or to what moves; for one class a clip and networks of one pathway.
    scenes: share of the clips that get the scene of another, where masks say where people are.
    clip: largest norm of a gradient, 0 for any.
    growth: (share of the run, γs, γt): until then the range is cut to at most those factors of spatial and frames,
    so that many cheap epochs come before few dear ones.
    step: which networks learn in a step, one of `a3d.training.steps.STEPS`.
    configuration: of the one network that a "plain" step trains; None for the full one of the range.
    """

    name: str
    epochs: int
    batch: int
    optimiser: str
    rate: float
    warmup: float
    weight_decay: float
    classifier_rate: float = 1.0
    areas: tuple[float, float] | None = None
    colour: float = 0.0
    mixup: float = 0.0
    smoothing: float = 0.0
    average: float = 0.0
    lesson: float = 0.0
    lesson_side: int = 0
    motion: float = 0.0
    scenes: float = 0.0
    clip: float = 0.0
    growth: tuple[tuple[float, float, float], ...] = ()
    step: str = "mutual"
    configuration: Configuration | None = None
    start: float = 0.1
    drops: tuple[float, ...] = ()
    jitter: tuple[float, float] = (8 / 7, 10 / 7)


def paper() -> Recipe:
    """Return the published schedule for Kinetics (Sec. 4, and the SlowFast code it follows): Slow 8×8 reaches 75.2."""
    return Recipe(
        "paper",
        epochs=196,
        batch=64,
        optimiser="sgd",
        rate=0.1,
        warmup=34,
        weight_decay=1e-4,
    )


def small() -> Recipe:
    """For sets of some hundred clips, from scratch on a CPU: AdamW, strong augmentation, an image teacher."""
    return Recipe(
        "small",
        epochs=54,
        batch=16,
        optimiser="adamw",
        rate=2e-3,
        warmup=2,
        weight_decay=0.05,
        areas=(0.3, 1.0),
        colour=0.3,
        mixup=0.2,
        smoothing=0.1,
        average=0.99,
        lesson=4.0,
        clip=5.0,
        growth=((0.6, 4 / 7, 0.5), (0.85, 6 / 7, 0.5)),
    )


def finetune() -> Recipe:
    """Return a few epochs from a trained network (`--init`), over the whole range from the first step."""
    return replace(small(), name="finetune", epochs=5, rate=5e-4, warmup=0.5, growth=())


def pretrained() -> Recipe:
    """For sets of some hundred clips, from an inflated image network (`--init FILE`), on a CPU.

    What the image network knows needs little change, and a new classifier much: it learns six times as fast. Narrow
    widths start broken and need many steps, which are cheap at small sizes: most of the epochs. Evidence is drawn to
    what moves, for an image network knows rooms as well as people.
    """
    return Recipe(
        "pretrained",
        epochs=26,
        batch=16,
        optimiser="adamw",
        rate=5e-4,
        warmup=1,
        weight_decay=0.05,
        classifier_rate=6.0,
        areas=(0.35, 1.0),
        colour=0.4,
        smoothing=0.1,
        average=0.99,
        lesson=2.0,
        lesson_side=224,
        motion=0.3,
        scenes=0.3,
        clip=5.0,
        growth=((0.6, 0.8, 0.5), (0.85, 1.0, 0.5)),
    )


def whole_range() -> Recipe:
    """Return the epochs that follow `pretrained` (`--init CHECKPOINT`): every step trains the full network itself.

    Growth makes epochs cheap, and leaves the largest sizes and frame counts behind: a full network that was hardly
    trained at its own size is a poor teacher of the others, and reads less than they do.
    """
    return replace(pretrained(), name="whole_range", epochs=8, rate=3e-4, warmup=0.5, growth=())


def charades() -> Recipe:
    """Return plain fine-tuning of a Kinetics network on Charades (Sec. 4.1): Slow 8×8 34.7 mAP, A3D 35.6 (Table 3).

    The official schedule for Charades at half its batch and rate, as the paper halves them for 4 GPUs. Test with 30
    views: a3d train --data … --init CHECKPOINT --recipe charades, then a3d evaluate --views 10x3.
    """
    return Recipe(
        "charades",
        epochs=57,
        batch=8,
        optimiser="sgd",
        rate=0.01875,
        warmup=4,
        weight_decay=1e-4,
        step="plain",
        start=0.0027,
        drops=(41, 49),
        jitter=(8 / 7, 340 / 224),
    )


def ava() -> Recipe:
    """Return plain fine-tuning of a Kinetics network on AVA v2.1 (Sec. 4.1): Slow 8×8 20.2 mAP, A3D 20.6 (Table 4).

    Epochs, batch, rate and steps as the paper prints them; the rest as in the official configuration.
    """
    return Recipe(
        "ava",
        epochs=20,
        batch=32,
        optimiser="sgd",
        rate=0.05,
        warmup=5,
        weight_decay=1e-7,
        step="plain",
        start=0.00125,
        drops=(10, 15),
    )


def from_scratch() -> Recipe:
    """For comparisons on sets of some hundred clips: labels alone, the same short schedule for every kind of step."""
    return Recipe(
        "from_scratch",
        epochs=12,
        batch=16,
        optimiser="adamw",
        rate=4e-3,
        warmup=1,
        weight_decay=0.05,
        areas=(0.4, 1.0),
        colour=0.3,
        smoothing=0.1,
        average=0.98,
        clip=5.0,
    )


RECIPES = {
    recipe.__name__: recipe for recipe in (paper, small, finetune, pretrained, whole_range, from_scratch, charades, ava)
}
