"""Folded and fused: the same answer as in place, whatever the size, the precision, the thread, the gradient."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import fx

from a3d.adaptive.fused import FusedConv3d
from a3d.configuration import Configuration
from a3d.inference.checkpoint import load
from a3d.synthetic import render
from a3d.testing.calibration import calibrate
from a3d.video import crop_views

ODD = [Configuration.parse(text) for text in ("33x1@0.5", "47x3@0.77", "64x4@1")]


@pytest.fixture(params=["slow", "slowfast", "tiny"])
def network(request):
    return request.getfixturevalue(request.param).eval()


def clips(network, configuration, batch=2):
    frames, size = network.clip_shape(configuration)
    return torch.randn(batch, 3, frames, size, size)


def extracted(network, configuration, **options):
    calibrate(network, configuration, [clips(network, configuration, 16)])
    return network.extract(configuration, **options)


@pytest.mark.parametrize("configuration", ODD, ids=str)
def test_fused_equals_in_place_at_any_size_and_batch(network, configuration):
    small = extracted(network, configuration)
    with torch.inference_mode():
        for batch in (3, 1):  # the weight was laid out for the first
            clip = clips(network, configuration, batch)
            torch.testing.assert_close(small(clip), network(clip, configuration), atol=1e-5, rtol=1e-4)


def test_plain_operations_give_what_fused_ones_do(network):
    small, clip = extracted(network, ODD[1]), clips(network, ODD[1])
    with torch.no_grad():
        fused = small(clip)
        for module in small.modules():
            if isinstance(module, FusedConv3d):
                module._runs_fused = lambda x: False
        torch.testing.assert_close(small(clip), fused, atol=1e-5, rtol=1e-4)


def test_bfloat16_is_near(network):
    configuration = ODD[2]
    exact = extracted(network, configuration)
    half = network.extract(configuration, dtype=torch.bfloat16)
    clip = clips(network, configuration, 4)
    with torch.no_grad():
        wanted, found = exact(clip), half(clip)
        assert all(maps.dtype == torch.float32 for maps in half.features(clip))
    assert found.dtype == torch.float32 and not torch.equal(found, wanted)
    assert (found - wanted).norm() < 0.05 * wanted.norm()  # random weights forget less than trained ones
    weights = [sum(p.nbytes for p in sub.body.parameters() if p.ndim == 5) for sub in (half, exact)]
    assert weights[0] * 2 == weights[1]


@pytest.mark.parametrize("key", ["224x4@1", "160x2@0.8", "128x1@0.6"])
def test_bfloat16_of_a_trained_network_is_within_six_percent(key):
    """One to five, by processor and configuration, on clips of its classes: logits of noise are near 0."""
    network, configuration = load("checkpoints/exercise12"), Configuration.parse(key)
    shown = {"Lunges": 9004, "PullUps": 2, "PushUps": 1, "JumpingJack": 3}
    frames = [render(action, seed, seconds=2.6, size=(170, 128)).frames[::16][:4] for action, seed in shown.items()]
    clip = crop_views(torch.from_numpy(np.stack(frames)), network.sampling, 1, configuration.spatial)
    with torch.no_grad():
        wanted, found = (network.extract(configuration, dtype)(clip) for dtype in (torch.float32, torch.bfloat16))
    assert wanted.shape == (4, 12) and 0 < (found - wanted).norm() < 0.06 * wanted.norm()


def test_gradients_reach_the_clip(network):
    """Saliency: derivatives of a logit by the pixels, by finite differences along them."""
    small, clip = extracted(network, ODD[2]), clips(network, ODD[2], 1).requires_grad_()
    small(clip)[0, 1].backward()
    assert clip.grad.abs().sum() > 0 and all(p.grad is None for p in small.parameters())
    step = 1e-3 * clip.grad / clip.grad.norm()
    with torch.no_grad():
        rise = small(clip + step)[0, 1] - small(clip - step)[0, 1]
    assert rise.item() == pytest.approx(2e-3 * clip.grad.norm().item(), rel=0.05)


def test_maps_given_out_are_never_written_again(network):
    small, clip = extracted(network, ODD[1]), clips(network, ODD[1])
    kept = []

    class Keeping(fx.Interpreter):
        def run_node(self, node):
            value = super().run_node(node)
            if isinstance(value, torch.Tensor):
                kept.append((value, value.clone()))
            return value

    with torch.no_grad():
        Keeping(small.body, garbage_collect_values=False).run(clip)
    assert len(kept) > 10 and all(torch.equal(now, then) for now, then in kept)


def test_copies_and_states_are_plain(network):
    small, clip = extracted(network, ODD[1]), clips(network, ODD[1])
    with torch.no_grad():
        before = small(clip)
        assert torch.equal(copy.deepcopy(small)(clip), before)
        other = network.extract(ODD[1])
        other.load_state_dict(small.state_dict())
        assert torch.equal(other(clip), before)
        torch.testing.assert_close(small.double()(clip.double()), before.double(), atol=1e-4, rtol=1e-4)


def test_fused_where_the_device_has_kernels(slow, monkeypatch):
    calls = []
    fused = FusedConv3d._fused
    monkeypatch.setattr(FusedConv3d, "_fused", lambda self, *args: calls.append(self) or fused(self, *args))
    small = extracted(slow, ODD[0])
    small(clips(slow, ODD[0]))
    assert len(calls) == len([m for m in small.modules() if isinstance(m, FusedConv3d)]) > 20


def test_threads_at_different_budgets_get_what_each_gets_alone(slow):
    small = {configuration: extracted(slow, configuration) for configuration in ODD}
    clip = {configuration: clips(slow, configuration, 1) for configuration in ODD}
    alone = {configuration: slow.extract(configuration)(clip[configuration]) for configuration in ODD}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda c: (c, small[c](clip[c])), ODD * 8))
    assert all(torch.equal(answer, alone[configuration]) for configuration, answer in answers)


@pytest.mark.slow
def test_compiles(tiny):
    small = extracted(tiny.eval(), ODD[0])
    clip = clips(tiny, ODD[0], 1)
    with torch.no_grad():
        wanted = small(clip)
        small.compile()
        torch.testing.assert_close(small(clip), wanted, atol=1e-5, rtol=1e-4)
