"""How fast a sub-network is: against a public network, against its cost, against one built small from the start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from a3d.adaptive.extraction import SubNetwork
from a3d.adaptive.network import AdaptiveNetwork
from a3d.benchmark.measure import Figure, Setting, interleaved, peak, rival
from a3d.budgets.cost import cost
from a3d.budgets.published import published
from a3d.configuration import Configuration
from a3d.datasets import ClipFolder
from a3d.inference.checkpoint import load
from a3d.networks import slow_r50
from a3d.testing.calibration import calibrate
from a3d.video import decode_views, normalise
from a3d.video.views import squares
from a3d.weights import convert

FULL, SMALL = Configuration(224, 8, 1.0), Configuration(224, 8, 0.5)
PRECISIONS = {"float32": (torch.float32, 1.6, 1e-4), "bfloat16": (torch.bfloat16, 3.5, 1e-2)}  # target, difference


def full_network(setting: Setting) -> Iterator[Figure]:
    """slow_r50 with the weights of PyTorchVideo's, as its package runs it: float32, nothing folded, its own layout."""
    theirs = _theirs(setting.device)
    ours = _converted(theirs, setting.device)
    clip = torch.randn(1, 3, 8, 224, 224, device=setting.device)
    with torch.inference_mode():
        expected = theirs(clip)
        for name, (dtype, target, difference) in PRECISIONS.items():
            sub = ours.extract(FULL, dtype)
            apart = (float((sub(clip) - expected).abs().max() / expected.abs().max()),)
            found = interleaved(
                {"ours": lambda sub=sub: sub(clip), "theirs": lambda: theirs(clip)}, 9, 2, setting.device
            )
            fast, slow = (found[side].median for side in ("ours", "theirs"))
            title = f"slow_r50, {FULL}, {name}"
            shares = [
                _share(FULL, ours, seconds, kind, setting.device)
                for seconds, kind in ((fast, dtype), (slow, torch.float32))
            ]
            note = "rival: PyTorchVideo, float32; {:.0%} of the peak, it {:.0%} of its".format(*shares)
            yield Figure(title, 1000 * fast, 1000 * slow, "ms", slow / fast, f"≥ {target}", note)
            note = "largest, as a share of the largest logit"
            yield Figure(f"{title}: difference of logits", *apart, ratio=apart[0], target=f"≤ {difference}", note=note)


def answers_in_bfloat16(setting: Setting) -> Iterator[Figure]:
    """Compare with float32 over the validation clips: logits, and the most probable class."""
    network = load(setting.folder("checkpoint"), setting.device)
    configuration = network.full
    clips = _validation(network, configuration, setting.folder("data"))
    with torch.inference_mode():
        exact, half = (
            torch.cat([network.extract(configuration, dtype)(part.to(setting.device)) for part in clips.split(16)])
            for dtype in (torch.float32, torch.bfloat16)
        )
    apart = float((half - exact).norm() / exact.norm())
    same = int((half.argmax(1) == exact.argmax(1)).sum())
    title = f"{setting.folder('checkpoint').name}, {configuration}, bfloat16"
    yield Figure(
        f"{title}: logits apart", apart, ratio=apart, target="≤ 0.01", note=f"root mean square, {len(clips)} clips"
    )
    yield Figure(f"{title}: the same top-1", same, len(exact), "clips", same / len(exact), "≥ 1")


def by_cost(setting: Setting) -> Iterator[Figure]:
    """The fourteen configurations of Table 9 by turns, from dear to cheap, in float32."""
    network = slow_r50().to(setting.device).eval()
    configurations = [row.configuration for row in published("table_9").rows]
    calls = {c: _call(_ready(network, c), setting.device) for c in configurations}
    with torch.inference_mode():
        found = interleaved(calls, rounds=7, warmup=2, device=setting.device)
    for configuration, timing in found.items():
        share = _share(configuration, network, timing.median, torch.float32, setting.device)
        note = f"{cost(network, configuration).gflops:.1f} GFLOPs, {share:.0%} of the peak"
        yield Figure(f"slow_r50, {configuration}", 1000 * timing.median, unit="ms", note=note)
    dear, cheap = found[FULL].median, found[configurations[-1]].median
    note = f"{configurations[-1]} (ours) against {FULL}"
    yield Figure("cheapest of Table 9", 1000 * cheap, 1000 * dear, "ms", dear / cheap, "≥ 25", note)


def against_small(setting: Setting) -> Iterator[Figure]:
    """Half the channels of slow_r50, against a network that has half of them from the start."""
    cut = _ready(slow_r50().to(setting.device).eval(), SMALL)
    small = _ready(slow_r50(base_channels=32).to(setting.device).eval(), FULL)
    create = rival("pytorchvideo.models.resnet").create_resnet
    plain = create(stem_conv_kernel_size=(1, 7, 7), stem_dim_out=32).to(setting.device).eval()
    clip = torch.randn(1, 3, 8, 224, 224, device=setting.device)
    calls = {"cut": lambda: cut(clip), "small": lambda: small(clip), "plain": lambda: plain(clip)}
    with torch.inference_mode():
        found = {name: timing.median for name, timing in interleaved(calls, 15, 3, setting.device).items()}
    for name, target, note in (
        ("small", "≤ 1.02", "rival: ours, built small"),
        ("plain", "≤ 1.02", "rival: PyTorchVideo's, built small"),
    ):
        ours, theirs = found["cut"], found[name]
        yield Figure(f"slow_r50, {SMALL}: extracted", 1000 * ours, 1000 * theirs, "ms", ours / theirs, target, note)


def _theirs(device: str) -> nn.Module:
    """PyTorchVideo's network with random weights and batch norms that do something."""
    network, generator = rival("pytorchvideo.models.hub").slow_r50(pretrained=False), torch.Generator().manual_seed(0)
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm3d)):
        norm.weight.data.uniform_(0.3, 0.7, generator=generator)
        norm.bias.data.normal_(0, 0.1, generator=generator)
        norm.running_mean.normal_(0, 0.1, generator=generator)
        norm.running_var.uniform_(0.5, 1.5, generator=generator)
    return network.to(device).eval()


def _converted(theirs: nn.Module, device: str) -> AdaptiveNetwork:
    with TemporaryDirectory() as folder:
        torch.save({"model_state": theirs.state_dict()}, Path(folder) / "slow_r50.pyth")
        return convert(Path(folder) / "slow_r50.pyth").to(device).eval()


def _ready(network: AdaptiveNetwork, configuration: Configuration) -> SubNetwork:
    frames, size = network.clip_shape(configuration)
    calibrate(network, configuration, [torch.randn(1, 3, frames, size, size, device=network.device)])
    return network.extract(configuration)


def _call(sub: SubNetwork, device: str):
    """One pass over a clip that is already at the configuration's shape."""
    size = sub.configuration
    clip = torch.randn(1, 3, size.frames, size.spatial, size.spatial, device=device)
    return lambda: sub(clip)


def _share(
    configuration: Configuration, network: AdaptiveNetwork, seconds: float, dtype: torch.dtype, device: str
) -> float:
    """Of the peak that a large convolution reaches."""
    return 2 * cost(network, configuration).gflops / seconds / peak(dtype, device)


def _validation(network: AdaptiveNetwork, configuration: Configuration, data: Path) -> Tensor:
    frames = [decode_views(item.path, network.sampling, 1)[0] for item in ClipFolder(data, "val").items]
    size = network.clip_shape(configuration)[1]
    return normalise(torch.cat([squares(clip, size, 1) for clip in frames]), network.sampling)
