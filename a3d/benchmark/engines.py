"""What runs a sub-network, and in what precision: against public networks as shipped, and OpenVINO by hand."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from a3d.adaptive.network import AdaptiveNetwork
from a3d.benchmark.measure import Figure, Setting, interleaved, rival
from a3d.budgets.cost import cost
from a3d.configuration import Configuration
from a3d.datasets import ClipFolder
from a3d.engines import Choice, Runtime, openvino, ready
from a3d.engines.entry import Entry
from a3d.engines.quantisation import quantise
from a3d.inference.checkpoint import load
from a3d.networks import lite0, slow_r50, x3d_xs
from a3d.testing.calibration import calibrate
from a3d.testing.evaluation import evaluate_all
from a3d.testing.quantised import measure_int8

REST = 0.2  # seconds: threads of an engine stay awake after a call, and would slow the next one's down
QUANTISED_ON = 4  # clips of noise: for times, not for answers
RUNTIMES = (
    Runtime(),
    Runtime("pytorch", "bfloat16"),
    Runtime("openvino"),
    Runtime("openvino", "bfloat16"),
    Runtime("openvino", "int8"),
    Runtime("onnxruntime"),
)


@dataclass(frozen=True)
class Case:
    """A network, the configurations to time, dear ones first, and a public network that the first is compared with."""

    name: str
    network: AdaptiveNetwork
    configurations: tuple[Configuration, ...]
    theirs: Callable[[], object]
    rival: str
    least: float  # how many times as fast float32 should be


def slow(setting: Setting) -> Iterator[Figure]:
    """Three budgets of slow_r50; PyTorchVideo's as shipped, and the same network converted to OpenVINO by hand."""
    theirs = rival("pytorchvideo.models.hub").slow_r50(pretrained=False).eval()
    clip = torch.randn(1, 3, 8, 224, 224)
    sizes = (Configuration(224, 8, 1.0), Configuration(224, 4, 0.5), Configuration(128, 2, 0.5))
    case = Case("slow_r50", slow_r50(), sizes, lambda: theirs(clip), "PyTorchVideo's slow_r50", 1.7)
    times = yield from _timed(case, {"by hand": _by_hand(theirs, clip)})
    ours, hand = times[sizes[0], Runtime("openvino")], times["by hand"]
    note = f"{sizes[0]}; rival: PyTorchVideo's network converted by hand"
    yield Figure("slow_r50, openvino float32", 1000 * ours, 1000 * hand, "ms", hand / ours, "≥ 0.97", note)
    for runtime in RUNTIMES:
        full, small = times[sizes[0], runtime], times[sizes[-1], runtime]
        note = f"{sizes[-1]} against {sizes[0]}"
        yield Figure(f"slow_r50, smallest, {runtime}", 1000 * small, 1000 * full, "ms", full / small, "≥ 25", note)


def depthwise(setting: Setting) -> Iterator[Figure]:
    """X3D-XS against PyTorchVideo's, and Lite0 over frames against the image package's, each as shipped."""
    theirs, clip = rival("pytorchvideo.models.hub").x3d_xs(pretrained=False).eval(), torch.randn(1, 3, 4, 182, 182)
    sizes = (Configuration(182, 4, 1.0), Configuration(128, 4, 0.5))
    yield from _timed(Case("x3d_xs", x3d_xs(), sizes, lambda: theirs(clip), "PyTorchVideo's x3d_xs", 2))
    image = rival("efficientnet_lite_pytorch").EfficientNet.from_name("efficientnet-lite0").eval()
    frames = torch.randn(4, 3, 224, 224)
    sizes = (Configuration(224, 4, 1.0), Configuration(128, 4, 0.5))
    case = Case("lite0", lite0(), sizes, lambda: image(frames), "the image package's, on the four frames", 2)
    yield from _timed(case)


def int8_answers(setting: Setting) -> Iterator[Figure]:
    """Float32 against int8 on the validation clips, for every row of the trade-off list."""
    network, data = load(setting.folder("checkpoint")), setting.folder("data")
    training, validation = (ClipFolder(data, split) for split in ("train", "val"))
    rows = [row.configuration for row in network.table.trade_off()]
    exact = evaluate_all(network.run_by(Choice()), validation, rows, (1, 1))
    quantised = measure_int8(network, training, validation, rows)
    changes = {c: quantised[c].top1 - exact[c].top1 for c in rows}
    together = [
        float(np.corrcoef(*(found[c].probabilities.log().flatten().numpy() for found in (exact, quantised)))[0, 1])
        for c in rows
    ]
    note = f"{len(rows)} rows, {exact[rows[0]].clips} clips, in points; the worst row {min(changes.values()):+.1f}"
    mean = statistics.mean(changes.values())
    yield Figure("int8: top-1 against float32", mean, unit="points", ratio=abs(mean), target="≤ 1", note=note)
    lost = max(0.0, -min(changes.values()))
    yield Figure("int8: the most that a row loses", lost, unit="points", ratio=lost, target="≤ 3")
    note = "of log-probabilities with float32's, the least of the rows"
    yield Figure("int8: correlation", min(together), ratio=min(together), target="≥ 0.95", note=note)


def _timed(case: Case, others: dict[str, Callable[[], object]] | None = None) -> Iterator[Figure]:
    """Figures of every configuration and runtime; returns seconds by (configuration, runtime) and by other's name."""
    calls = {(c, runtime): _call(case.network, c, runtime) for c in case.configurations for runtime in RUNTIMES}
    with torch.inference_mode():
        found = interleaved({"theirs": case.theirs} | (others or {}) | calls, 9, 2, rest=REST)
    times = {name: timing.median for name, timing in found.items()}
    full = case.configurations[0]
    for configuration, runtime in calls:
        took, theirs = times[configuration, runtime], times["theirs"]
        goals = {Runtime("openvino", "int8"): "≥ 6"} if case.name == "slow_r50" else {}
        best = min((r for r in RUNTIMES if r.precision == "float32"), key=lambda r: times[full, r])
        goals[best] = f"≥ {case.least}"
        target = goals.get(runtime, "") if configuration == full else ""
        note = f"{cost(case.network, configuration).gflops:.2f} GFLOPs; rival: {case.rival}"
        title = f"{case.name}, {configuration}, {runtime}"
        yield Figure(title, 1000 * took, 1000 * theirs, "ms", theirs / took, target, note)
    return times


def _call(network: AdaptiveNetwork, configuration: Configuration, runtime: Runtime) -> Callable[[], Tensor]:
    """One pass of the sub-network over noise that has the configuration's size."""
    frames, side = network.clip_shape(configuration)
    clips = [torch.randn(1, 3, frames, side, side) for _ in range(QUANTISED_ON)]
    network.eval()
    if configuration not in network.statistics:
        calibrate(network, configuration, clips)
    half = runtime.precision == "bfloat16"
    sub = network.extract(configuration, torch.bfloat16 if half else torch.float32)
    if runtime.precision == "int8":  # nothing is kept: what it is quantised on is noise
        entry = Entry.of(sub, (frames, side))
        model = openvino.model_of(sub.body, entry.shape)
        noise = [entry(clip).permute(0, 2, 3, 4, 1) for clip in clips]
        sub.body = openvino.OpenVinoBody(quantise(model, noise), "int8", entry)
    else:
        sub = ready(sub, runtime, Choice(), (frames, side))
    return lambda: sub(clips[0])


def _by_hand(network: nn.Module, clip: Tensor) -> Callable[[], object]:
    """What its documentation shows: convert the network for this clip, compile it for latency, infer."""
    with openvino.quiet():
        model = openvino.package().convert_model(network, example_input=clip, input=list(clip.shape))
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    hints["INFERENCE_PRECISION_HINT"] = "f32"  # it would take bfloat16 where the processor has it
    request = openvino.core().compile_model(model, "CPU", hints).create_infer_request()
    array = clip.numpy()
    return lambda: request.infer([array])
