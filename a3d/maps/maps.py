"""Class activation maps in space and time: where and when a network found its evidence (Sec. 3.1, Fig. 1).

With an average over all positions and a linear classifier, the logit of class k is a mean of evidence plus a bias:
logit_k = Σ_pathways mean_(t,h,w) Σ_c w_kc f_c(t, h, w) + b_k. A map is that sum over channels, in units of the logit,
so that maps of a full network and of its sub-networks compare on one scale. It is linear in the classifier's
weights, so that the map of one class less that of another is exact too, for the difference of their logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from a3d.adaptive.extraction import SubNetwork
from a3d.adaptive.resampling import temporal_indices
from a3d.budgets.budget import Limits
from a3d.configuration import Configuration, ConfigurationError
from a3d.inference.prediction import chosen
from a3d.maps.earlier import layer_cam
from a3d.trained import TrainedNetwork, check_trained
from a3d.video.transforms import crops, short_side
from a3d.video.views import crop_views, decode_views

METHODS = ("cam", "gradcam", "layercam")
TOP = 0.2  # share of the positions that `Agreement.overlap` compares


@dataclass(frozen=True)
class Clip:
    """Decoded frames, to explain several configurations from one decode.

    frames: uint8 (T, H, W, 3) RGB, all those of the full clip (αT for SlowFast). times: float64 (T,), seconds.
    """

    frames: Tensor
    times: np.ndarray


@dataclass(frozen=True)
class Evidence:
    """This is what one pathway found.

    pathway: "slow" or "fast". map: float32 (t, h, w), in logit units; negative where it speaks against the class.
    seen: int64 (t,), the frame of `Explanation.frames` that each step belongs to; ascending, and repeated for Fast.
    times: float64 (t,), seconds of each step in the source video.
    """

    pathway: str
    map: np.ndarray
    seen: np.ndarray
    times: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """float64 (t,): Σ_hw max(map_t, 0) / Σ_thw max(map, 0), each step's share of the positive evidence (Fig. 1).

        They sum to 1; all are 0 if no evidence is positive.
        """
        positive = np.maximum(self.map, 0).sum((1, 2), dtype=np.float64)
        return positive / (positive.sum() or 1.0)

    @property
    def key_frame(self) -> int:
        """The frame with the largest share."""
        return int(self.seen[np.argmax(self.shares)])

    @property
    def speaks_for(self) -> bool:
        """Whether any place at any moment speaks for the class."""
        return bool((self.map > 0).any())

    def upsampled(self, size: int) -> np.ndarray:
        """float32 (t, size, size), bilinear in space; time is left as it is."""
        return upsample(self.map, size)

    def by_frame(self, frames: int) -> np.ndarray:
        """float32 (frames, h, w): the mean map of the steps of each frame, NaN for a frame that was not seen."""
        steps = [self.map[self.seen == frame] for frame in range(frames)]
        unseen = np.full(self.map.shape[1:], np.nan, np.float32)
        return np.stack([step.mean(0) if len(step) else unseen for step in steps])

    def shares_by_frame(self, frames: int) -> np.ndarray:
        """float64 (frames,): the summed shares of the steps of each frame, NaN for a frame that was not seen."""
        shares, seen = self.shares, self.seen
        return np.array([shares[seen == frame].sum() if frame in seen else np.nan for frame in range(frames)])


@dataclass(frozen=True)
class Explanation:
    """This explains one configuration on one clip for one class.

    evidence: one a pathway; `map`, `shares`, `times` and `seen` are those of the first, the Slow one.
    logit: of class `label`, which equals Σ_pathways mean(map) + bias. bias: of that class in the classifier; with
    "layercam", whose maps are not exact, whatever is left of the logit.
    against: another class, if the question is why `label` and not that one; evidence, logit and bias are then those of
    `label` less those of `against`, and negative evidence speaks for the latter.
    probabilities: float32 (classes,). labels: the class names.
    frames: uint8 (T, S, S, 3), the crop that is shown, every frame of the full (Slow) clip, seen or not.
    all_times: float64 (T,), their seconds in the source video. none: probability that the clip shows none of the
    classes, None for a network that cannot say.
    """

    configuration: Configuration
    label: int
    logit: float
    bias: float
    probabilities: np.ndarray
    labels: tuple[str, ...]
    method: str
    evidence: tuple[Evidence, ...]
    frames: np.ndarray
    all_times: np.ndarray
    against: int | None = None
    none: float | None = None

    @property
    def name(self) -> str:
        """Return the name of the class explained."""
        return self.labels[self.label]

    @property
    def other(self) -> str | None:
        """Return the name of the class that it is explained against, None if there is none."""
        return None if self.against is None else self.labels[self.against]

    @property
    def maps(self) -> tuple[np.ndarray, ...]:
        return tuple(evidence.map for evidence in self.evidence)

    @property
    def map(self) -> np.ndarray:
        return self.evidence[0].map

    @property
    def shares(self) -> np.ndarray:
        return self.evidence[0].shares

    @property
    def seen(self) -> np.ndarray:
        return self.evidence[0].seen

    @property
    def times(self) -> np.ndarray:
        return self.evidence[0].times

    @property
    def predictions(self) -> list[tuple[str, float]]:
        """Class names and probabilities, most probable first."""
        order = np.argsort(-self.probabilities, kind="stable")
        return [(self.labels[i], float(self.probabilities[i])) for i in order]

    @property
    def is_full(self) -> bool:
        """All channels, all frames and at least the full size: nothing of the full network is left out."""
        size, (frames, side) = self.configuration, self.frames.shape[:2]
        return size.width == 1.0 and size.frames == frames and size.spatial >= side

    @property
    def key_frame(self) -> int:
        """The frame with the largest share."""
        return self.evidence[0].key_frame

    def upsampled(self, size: int) -> np.ndarray:
        """The first map as float32 (t, size, size), bilinear in space."""
        return self.evidence[0].upsampled(size)


@dataclass(frozen=True)
class Agreement:
    """How far two networks look at the same thing, on the frames that both saw, by their first maps.

    correlation: Pearson's r of the maps, position by position; NaN if one is constant.
    overlap: share of the strongest 20% of one that is in the strongest 20% of the other: 0.2 by chance, 1 if the same.
    shift_frames, shift_seconds: from the full network's key frame to the sub-network's; negative is earlier.
    """

    correlation: float
    overlap: float
    shift_frames: int
    shift_seconds: float


@dataclass(frozen=True)
class Comparison:
    """A full network and a sub-network, or any two, are compared on the same frames, for the same class."""

    full: Explanation
    sub: Explanation

    @property
    def names(self) -> tuple[str, str]:
        """What figures call the two."""
        if self.full.is_full == self.sub.is_full:
            return "first network", "second network"
        return tuple("full network" if x.is_full else "sub-network" for x in (self.full, self.sub))

    @property
    def scale(self) -> float:
        """The strongest evidence in any map of the two, for or against: colours run from minus this to this."""
        return max(float(np.abs(m).max()) for m in (*self.full.maps, *self.sub.maps))

    @property
    def agreement(self) -> Agreement:
        return agreement(self.full.evidence[0], self.sub.evidence[0], self.full.all_times)


def read_clip(path: str | Path, network: TrainedNetwork) -> Clip:
    """Decodes the centred clip that `explain` and `compare` look at. Raises VideoError on a file without pictures."""
    frames, times = decode_views(path, network.sampling, clips=1)
    return Clip(frames[0], np.asarray(times[0], np.float64))


def explain(
    clip: str | Path | Clip,
    network: TrainedNetwork,
    configuration: Configuration | None = None,
    label: int | str | None = None,
    method: str = "cam",
    dtype: torch.dtype | None = None,
    against: int | str | None = None,
    **budget: Unpack[Limits],
) -> Explanation:
    """Return the evidence of one configuration for one class, or for one class and not another.

    The configuration is given, or the best of the network's table within `gflops=`, `milliseconds=` (of a clip on this
    device), `params=` or `megabytes=`, or the full one. label: a class name
    or number, the most probable class if left out. method: "cam", exact, or "gradcam", or "layercam" with cells of half
    the side from an earlier stage, which is not exact; all in logit units.
    against: a class name or number: the map is then the difference of both classes' maps.
    dtype: what the convolutions compute in, by PyTorch; by default as the network was loaded to run.
    Raises ConfigurationError for an unknown class or method or a class against itself, MissingStatistics for a
    configuration without calibration.
    """
    if method not in METHODS:
        raise ConfigurationError(f"method {method!r}: choose one of {', '.join(METHODS)}")
    if network.task == "detection":
        raise ConfigurationError("a network that detects takes maxima over boxes, not means: see them with a3d detect")
    check_trained(network)
    clip = clip if isinstance(clip, Clip) else read_clip(clip, network)
    configuration = chosen(network, configuration, **budget)
    # A sub-network: whatever happens to hooks, modes and gradients, the full one is not touched.
    sub = network.resident(configuration, dtype)
    tensor = clip_tensor(clip, network, configuration).to(sub.device)
    with torch.no_grad():
        features = sub.features(tensor)
        logits = sub.classify(features)[0]
        none = network.none(configuration, features, logits[None])
    index = int(logits.argmax()) if label is None else _index(label, network.labels)
    other = None if against is None else _index(against, network.labels)
    if index == other:
        raise ConfigurationError(f"class {network.labels[index]!r} against itself: choose another to tell it from")
    maps = _maps(method, sub, tensor, features, index, other)
    return _explanation(clip, network, configuration, (index, other), method, maps, logits, none)


def _maps(
    method: str, sub: SubNetwork, clip: Tensor, features: Sequence[Tensor], label: int, against: int | None
) -> tuple[np.ndarray, ...]:
    """The maps of a method, one a pathway."""
    if method == "cam":
        return class_activation_maps(sub, features, label, against)
    if method == "gradcam":
        return _gradient_evidence(sub, clip, label, against)
    return (layer_cam(sub, clip, label, against),)


def compare(
    clip: str | Path | Clip,
    network: TrainedNetwork,
    configuration: Configuration | None = None,
    label: int | str | None = None,
    method: str = "cam",
    dtype: torch.dtype | None = None,
    against: int | str | None = None,
    **budget: Unpack[Limits],
) -> Comparison:
    """Compare the full network and a sub-network on the same frames, decoded once.

    Both are explained for the same class: `label`, or what the full network finds most probable, and `against` the
    same other one, if any. The sub-network is given or chosen as in `explain`.
    """
    clip = clip if isinstance(clip, Clip) else read_clip(clip, network)
    full = explain(clip, network, configuration=network.full, label=label, method=method, dtype=dtype, against=against)
    return Comparison(full, explain(clip, network, configuration, full.label, method, dtype, against, **budget))


def agreement(full: Evidence, sub: Evidence, times: np.ndarray) -> Agreement:
    """Return how far two maps agree. times: seconds of the frames that both count their steps in."""
    common = np.intersect1d(full.seen, sub.seen)
    size = max(full.map.shape[1], sub.map.shape[1])
    a, b = (upsample(x.map[np.isin(x.seen, common)], size).ravel() for x in (full, sub))
    frame, other = full.key_frame, sub.key_frame
    return Agreement(_correlation(a, b), _overlap(a, b), other - frame, float(times[other] - times[frame]))


def mass_inside(explanation: Explanation, masks: np.ndarray) -> tuple[float, float]:
    """Share of the first map's positive evidence that lies inside masks, and share of the area that the masks take.

    masks: bool (T, H, W), where the true thing is in each of `explanation.frames`, in the geometry of the video before
    its crop. Only frames that were seen count. The first number is NaN if no evidence is positive.
    """
    size = explanation.frames.shape[1]
    pictures = torch.from_numpy(masks[explanation.seen].astype(np.uint8) * 255)[..., None].expand(-1, -1, -1, 3)
    inside = cropped(pictures, size)[..., 0].numpy() / 255
    positive = np.maximum(explanation.upsampled(size), 0)
    mass = float(positive.sum())
    return float((positive * inside).sum()) / mass if mass else float("nan"), float(inside.mean())


def class_activation_maps(
    network: SubNetwork, features: Sequence[Tensor], label: int, against: int | None = None
) -> tuple[np.ndarray, ...]:
    """Return exact maps, one a pathway, float32 (t, h, w), of `features` (1, C, t, h, w) before pooling.

    against: a class whose maps are taken off them.
    Of N positions, a map is N Σ_c ∂logit/∂f_c f_c: Σ_c w_kc f_c behind an average and a linear classifier, and still
    exact behind layers of weights and ReLUs alone, as X3D has them.
    """
    leaves = [f.detach().clone().requires_grad_() for f in features]
    with torch.enable_grad():
        gradients = torch.autograd.grad(_score(network.classify(leaves)[0], label, against), leaves)
    return tuple(_array((g * f)[0].sum(0) * f[0, 0].numel()) for g, f in zip(gradients, features, strict=True))


def grad_cam(network: SubNetwork, clip: Tensor, label: int, against: int | None = None) -> tuple[np.ndarray, ...]:
    """Raw Grad-CAM, one map a pathway, float32 (t, h, w): before its ReLU and without any normalisation.

    clip: (1, 3, T, S, S). Channel weights are gradients averaged over the N positions of the pathway's last stage:
    behind an average and a linear classifier the result is the exact map divided by N.
    """
    pathways = range(len(network.features(clip)))
    return tuple(_grad_cam(network, clip, label, against, pathway) for pathway in pathways)


def upsample(maps: np.ndarray, size: int) -> np.ndarray:
    """float32 (t, h, w) to (t, size, size), bilinear in space; time is left as it is, and so are maps of NaN."""
    return F.interpolate(torch.from_numpy(maps)[None], (size, size), mode="bilinear")[0].numpy()


def _grad_cam(network: SubNetwork, clip: Tensor, label: int, against: int | None, pathway: int) -> np.ndarray:
    from pytorch_grad_cam import GradCAM  # takes seconds to import

    tapped = _FeatureTap(network, pathway)
    with GradCAM(tapped, [tapped.tap]) as cam, torch.enable_grad():
        # What `cam(clip)` does, short of its ReLU and of its min-max normalisation, after which no two maps compare.
        _score(cam.activations_and_grads(clip)[0], label, against).backward()
        activations, gradients = cam.activations_and_grads.activations[0], cam.activations_and_grads.gradients[0]
        return cam.get_cam_image(clip, tapped.tap, None, activations.numpy(), gradients.numpy())[0]


class _FeatureTap(nn.Module):
    """One tensor in, one out, and a place to tap one pathway's last stage, as the grad-cam package wants it.

    One pathway at a time: the package matches gradients to layers by order of arrival, which is undefined for two.
    """

    def __init__(self, network: SubNetwork, pathway: int) -> None:
        super().__init__()
        self.network, self.pathway, self.tap = network, pathway, nn.Identity()

    def forward(self, clip: Tensor) -> Tensor:
        with torch.no_grad():
            maps = list(self.network.features(clip))
        maps[self.pathway] = self.tap(maps[self.pathway].requires_grad_())
        return self.network.classify(maps)


def _score(logits: Tensor, label: int, against: int | None) -> Tensor:
    """The logit of a class, of logits (classes,), or by how much it is above that of another."""
    return logits[label] if against is None else logits[label] - logits[against]


def _gradient_evidence(network: SubNetwork, clip: Tensor, label: int, against: int | None) -> tuple[np.ndarray, ...]:
    """Grad-CAM times the number of positions: in logit units, as the exact maps are."""
    return tuple(raw * np.float32(raw.size) for raw in grad_cam(network, clip, label, against))


def clip_tensor(clip: Clip, network: TrainedNetwork, configuration: Configuration) -> Tensor:
    """Return (1, 3, T, S, S), normalised: the centre crop at the size that this configuration is tested at."""
    return crop_views(clip.frames[None], network.sampling, 1, network.clip_shape(configuration)[1])


def cropped(frames: Tensor, size: int) -> Tensor:
    """Return frames (T, H, W, 3) as the square that a test sees of them: (T, size, size, 3)."""
    return crops(short_side(frames, size), size, 1)[0]


def _index(label: int | str, labels: tuple[str, ...]) -> int:
    if isinstance(label, str):
        if label not in labels:
            raise ConfigurationError(f"class {label!r}: choose one of {', '.join(labels)}")
        return labels.index(label)
    if not 0 <= label < len(labels):
        raise ConfigurationError(f"class number {label}: choose one from 0 to {len(labels) - 1}")
    return int(label)


def _explanation(
    clip: Clip,
    network: TrainedNetwork,
    configuration: Configuration,
    question: tuple[int, int | None],
    method: str,
    maps: tuple[np.ndarray, ...],
    logits: Tensor,
    none: Tensor | None,
) -> Explanation:
    picked = network.entry_frames(len(clip.times))
    shown = replace(clip, frames=clip.frames[picked], times=clip.times[picked])
    evidence = [slow_evidence(maps[0], configuration, shown.times)]
    if len(maps) == 2:
        latest = np.searchsorted(picked, np.arange(len(clip.times)), side="right") - 1
        evidence.append(Evidence("fast", maps[1], latest, clip.times))
    logit = float(_score(logits, *question))
    return Explanation(
        configuration,
        question[0],
        logit,
        logit - sum(float(m.mean(dtype=np.float64)) for m in maps),
        _array(network.probabilities(logits[None], configuration)[0]),
        network.labels,
        method,
        tuple(evidence),
        cropped(shown.frames, network.full.spatial).numpy(),
        shown.times,
        question[1],
        None if none is None else none.item(),
    )


def slow_evidence(found: np.ndarray, configuration: Configuration, times: np.ndarray) -> Evidence:
    """Return a map (t, h, w) of the first pathway with its frames. times: seconds of the full clip's (Slow) frames."""
    slow = np.array(temporal_indices(len(times), configuration.frames))
    # Some networks look at several frames at once: a step then belongs to the middle one.
    steps = slow[((np.arange(len(found)) + 0.5) * len(slow) / len(found)).astype(int)]
    return Evidence("slow", found, steps, times[steps])


def _array(x: Tensor) -> np.ndarray:
    return x.detach().float().cpu().numpy()


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(dtype=np.float64), b - b.mean(dtype=np.float64)
    product = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / product if product else float("nan")


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    count = max(1, round(TOP * len(a)))
    tops = [np.argsort(-x, kind="stable")[:count] for x in (a, b)]
    return len(np.intersect1d(*tops)) / count
