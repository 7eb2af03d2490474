"""Map identities, what the networks saw, and that explaining leaves no trace."""

from importlib import import_module

import numpy as np
import pytest
import torch

from a3d.adaptive.errors import MissingStatistics
from a3d.budgets.cost import cost
from a3d.budgets.table import Row, Table
from a3d.configuration import Configuration, ConfigurationError, range_0016
from a3d.maps import Clip, Comparison, compare, explain, mass_inside, read_clip
from a3d.maps.maps import class_activation_maps, grad_cam
from a3d.networks import lite0
from a3d.testing.calibration import calibrate
from a3d.trained import TrainedNetwork
from a3d.video import Sampling, crop_views
from tests.conftest import shaken
from tests.evidence import NAMES, made
from tests.maps.conftest import FULL, SUBS, as_trained


@pytest.mark.parametrize("method", ["cam", "gradcam"])
def test_mean_of_the_map_plus_bias_is_the_logit(network, family, clip_path, method):
    clip = read_clip(clip_path, network)
    for label, configuration in enumerate((FULL[family], *SUBS[family])):
        tensor = crop_views(clip.frames[None], network.sampling, spatial=network.clip_shape(configuration)[1])
        with torch.no_grad():
            logits = network(tensor, configuration)[0]
        told = explain(clip, network, configuration=configuration, label=label, method=method)
        assert sum(m.mean() for m in told.maps) + told.bias == pytest.approx(told.logit, abs=1e-4)
        assert told.logit == pytest.approx(logits[label].item(), abs=1e-4)
        np.testing.assert_allclose(told.probabilities, logits.softmax(0), atol=1e-5)


def test_one_map_a_pathway_with_a_step_a_frame(network, family, clip_path):
    told = explain(clip_path, network, configuration=SUBS[family][0])
    assert [m.shape for m in told.maps] == {"slow": [(4, 2, 2)], "slowfast": [(2, 2, 2), (32, 2, 2)]}[family]
    assert all(m.dtype == np.float32 for m in told.maps)


@pytest.mark.parametrize("method", ["cam", "gradcam"])
def test_one_class_against_another_is_the_difference_of_logits(network, family, clip_path, method):
    clip = read_clip(clip_path, network)
    for configuration in (FULL[family], *SUBS[family]):
        one, other = (explain(clip, network, configuration, label, method) for label in ("lunge", "squat"))
        told = explain(clip, network, configuration, "lunge", method, against="squat")
        assert (told.name, told.other) == ("lunge", "squat") and one.other is None
        assert told.logit == pytest.approx(one.logit - other.logit, abs=1e-4)
        assert told.bias == pytest.approx(one.bias - other.bias, abs=1e-4)
        assert sum(m.mean() for m in told.maps) + told.bias == pytest.approx(one.logit - other.logit, abs=1e-4)
        for difference, a, b in zip(told.maps, one.maps, other.maps, strict=True):
            np.testing.assert_allclose(difference, a - b, atol=1e-4)


def test_the_difference_is_exact_in_a_lite_network(clip_path):
    torch.manual_seed(0)
    network = shaken(lite0(classes=len(NAMES), spatial=64, frames=4, dropout=0.0))
    network = TrainedNetwork(network, NAMES, Sampling(4, 8, 64), range_0016(64, 4))
    configuration = Configuration(64, 2, 0.8)
    calibrate(network, configuration, [torch.randn(2, 3, 4, 64, 64)])
    told = explain(clip_path, network, configuration, label=2, against=0)
    clip = crop_views(read_clip(clip_path, network).frames[None], network.sampling, spatial=64)
    with torch.no_grad():
        logits = network(clip, configuration)[0]
    assert told.map.mean() + told.bias == pytest.approx(float(logits[2] - logits[0]), abs=1e-4)


def test_raw_grad_cam_is_the_exact_map_over_its_positions(network, family):
    sub = network.extract(SUBS[family][1])
    clip = torch.randn(1, 3, network.sampling.frames, 64, 64)
    exact = class_activation_maps(sub, sub.features(clip), 3)
    raw = grad_cam(sub, clip, 3)
    assert len(raw) == len(exact)
    for gradient, activation in zip(raw, exact, strict=True):
        np.testing.assert_allclose(gradient, activation / activation.size, atol=1e-6)
    assert min(m.min() for m in raw) < 0 < max(m.max() for m in raw)  # neither cut at zero nor normalised


@pytest.mark.parametrize("method", ["cam", "gradcam"])
def test_explaining_leaves_no_trace(network, family, clip_path, method):
    clip, tensor = read_clip(clip_path, network), torch.randn(1, 3, network.sampling.frames, 64, 64)
    before = network(tensor, FULL[family]).detach()
    network.train()
    weight = network.network.classifier.weight
    weight.grad = torch.ones_like(weight)
    compare(clip, network, configuration=SUBS[family][0], method=method)
    assert all(module.training for module in network.modules())
    assert all(not module._forward_hooks and not module._backward_hooks for module in network.modules())
    assert all(parameter.requires_grad for parameter in network.parameters())
    graded = [parameter for parameter in network.parameters() if parameter.grad is not None]
    assert len(graded) == 1 and graded[0] is weight and bool((weight.grad == 1).all())
    torch.testing.assert_close(network.eval()(tensor, FULL[family]), before)


def test_frames_and_times_are_those_of_the_video(network, family, clip_path):
    """The centred 32 of 40 frames at 10 a second; brightness gives the number of each."""
    told = explain(clip_path, network, configuration=SUBS[family][0])
    step = {"slow": 4, "slowfast": 8}[family]
    numbers = np.arange(4, 36, step)
    np.testing.assert_allclose(told.all_times, numbers / 10, atol=1e-6)
    assert np.rint((told.frames.mean((1, 2, 3)) - 20 - 14.5) / 5).tolist() == numbers.tolist()
    assert told.seen.tolist() == {"slow": [0, 2, 4, 6], "slowfast": [0, 2]}[family]
    np.testing.assert_allclose(told.times, told.all_times[told.seen])
    if family == "slowfast":
        np.testing.assert_allclose(told.evidence[1].times, np.arange(4, 36) / 10, atol=1e-6)
        assert told.evidence[1].seen.tolist() == [i // 8 for i in range(32)]


def test_a_clip_of_one_frame(network, family):
    count = network.sampling.frames
    clip = Clip(torch.full((1, 72, 96, 3), 90, dtype=torch.uint8).expand(count, -1, -1, -1), np.zeros(count))
    told = explain(clip, network)
    assert told.shares.sum() == pytest.approx(1) and told.times.tolist() == [0.0] * len(told.map)


def test_one_decode_and_one_class_for_both(network, family, clip_path, monkeypatch):
    module, calls = import_module("a3d.maps.maps"), []  # `a3d.explain` is the function
    decode = module.decode_views
    monkeypatch.setattr(module, "decode_views", lambda *a, **k: calls.append(a) or decode(*a, **k))
    both = compare(clip_path, network, configuration=SUBS[family][0])
    assert len(calls) == 1
    np.testing.assert_array_equal(both.full.frames, both.sub.frames)
    assert both.full.label == both.sub.label == int(both.full.probabilities.argmax())
    assert both.full.predictions[0][0] == both.full.name
    assert compare(clip_path, network, configuration=SUBS[family][0], label="squat").sub.label == 4


def test_the_same_call_gives_the_same_maps(network, family, clip_path):
    for method in ("cam", "gradcam"):
        first, second = (explain(clip_path, network, method=method) for _ in range(2))
        for a, b in zip(first.maps, second.maps, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_budget_chooses_from_the_table(slow, clip_path):
    slow = as_trained(slow, "slow")
    sizes = [FULL["slow"], *SUBS["slow"]]
    slow.table = Table([Row(c, cost(slow, c).gflops, 1, 10.0 + cost(slow, c).gflops) for c in sizes])
    cheapest = min(sizes, key=lambda c: cost(slow, c).gflops)
    calibrate(slow, cheapest, [torch.randn(2, 3, 8, 64, 64)])
    assert explain(clip_path, slow, gflops=cost(slow, cheapest).gflops).configuration == cheapest
    with pytest.raises(ValueError, match="cheapest"):
        explain(clip_path, slow, gflops=1e-6)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"label": "swim"}, ConfigurationError, "'swim': choose one of crawl"),
        ({"label": "squat", "against": "squat"}, ConfigurationError, "'squat' against itself"),
        ({"against": "swim"}, ConfigurationError, "'swim': choose one of crawl"),
        ({"label": 5}, ConfigurationError, "class number 5: choose one from 0 to 4"),
        ({"method": "lime"}, ConfigurationError, "'lime': choose one of cam, gradcam"),
        ({"gflops": 1.0}, ConfigurationError, "no table"),
        ({"gflops": 1.0, "configuration": Configuration(48, 4, 0.5)}, ConfigurationError, "not both"),
        ({"configuration": Configuration(64, 8, 0.9)}, MissingStatistics, "64²×8, 0.9"),
    ],
)
@pytest.mark.parametrize("family", ["slow"], indirect=True)
def test_bad_requests_name_the_value(network, clip_path, options, error, message):
    with pytest.raises(error, match=message):
        explain(clip_path, network, **options)


def test_shares_are_of_positive_evidence_and_sum_to_one():
    told = made(Configuration(16, 3, 1.0), range(3), [[[3, -9]], [[-1, -1]], [[1, 4]]], [0, 1, 2])
    np.testing.assert_allclose(told.shares, [3 / 8, 0, 5 / 8])
    assert told.key_frame == 2
    against = made(Configuration(16, 3, 1.0), range(3), -np.ones((3, 1, 2)), [0, 1, 2])
    assert against.shares.tolist() == [0, 0, 0]


def test_frames_not_seen_are_gaps(comparison):
    evidence = comparison.sub.evidence[0]
    assert np.isnan(evidence.by_frame(4)).all((1, 2)).tolist() == [False, True, False, True]
    np.testing.assert_array_equal(evidence.shares_by_frame(4), [0.5, np.nan, 0.5, np.nan])


def test_steps_of_the_fast_pathway_gather_in_their_frames(slowfast, clip_path):
    slowfast = as_trained(slowfast, "slowfast")
    calibrate(slowfast, FULL["slowfast"], [torch.randn(2, 3, 32, 64, 64)])
    fast = explain(clip_path, slowfast).evidence[1]
    np.testing.assert_allclose(fast.by_frame(4), fast.map.reshape(4, 8, 2, 2).mean(1), rtol=1e-6)
    np.testing.assert_allclose(fast.shares_by_frame(4), fast.shares.reshape(4, 8).sum(1))


def test_upsampling_keeps_constants_and_range():
    told = made(Configuration(16, 2, 1.0), range(2), [[[1, 1], [1, 1]], [[0, 2], [2, 0]]], [0, 1])
    large = told.upsampled(16)
    assert large.shape == (2, 16, 16) and large.dtype == np.float32
    np.testing.assert_allclose(large[0], 1)
    assert (large[1].min(), large[1].max()) == (0, 2)


def test_one_scale_spans_both(comparison):
    assert comparison.scale == 4.0
    assert Comparison(comparison.full, comparison.full).scale == pytest.approx(3.0)


def test_agreement_of_equal_opposite_and_shifted_maps():
    times, rng = [0.0, 0.4, 0.8, 1.2], np.random.default_rng(0)
    field = rng.normal(size=(4, 5, 5))
    size = Configuration(16, 4, 1.0)
    same = Comparison(made(size, range(4), field, times), made(size, range(4), 2 * field + 1, times)).agreement
    assert (same.correlation, same.overlap) == (pytest.approx(1), 1)
    opposite = Comparison(made(size, range(4), field, times), made(size, range(4), -field, times)).agreement
    assert (opposite.correlation, opposite.overlap) == (pytest.approx(-1), 0)
    early, late = np.zeros((4, 5, 5)), np.zeros((2, 5, 5))
    early[0, 0], late[1, 0] = 1, 1
    shifted = Comparison(
        made(size, range(4), early, times), made(Configuration(16, 2, 1.0), (0, 2), late, times)
    ).agreement
    assert (shifted.shift_frames, shifted.shift_seconds) == (2, pytest.approx(0.8))


def test_agreement_looks_at_common_frames_alone():
    times = [0.0, 0.4, 0.8, 1.2]
    field = np.random.default_rng(0).normal(size=(4, 5, 5))
    full = made(Configuration(16, 4, 1.0), range(4), field, times)
    sub = made(Configuration(16, 2, 1.0), (0, 2), field[[0, 2]], times)
    assert Comparison(full, sub).agreement.correlation == pytest.approx(1)


def test_mass_inside_a_mask():
    evidence = np.zeros((2, 4, 4))
    evidence[:, :, 0], evidence[:, :, 3] = 3, -5
    told = made(Configuration(16, 2, 1.0), (0, 1), evidence, [0, 1])
    left = np.zeros((2, 32, 32), bool)
    left[:, :, :16] = True
    assert mass_inside(told, left) == (pytest.approx(1, abs=0.02), 0.5)
    assert mass_inside(told, ~left)[0] == pytest.approx(0, abs=0.02)
    assert mass_inside(told, np.ones_like(left)) == (1, 1)


def test_names_of_the_classes_are_read(network, clip_path):
    assert sorted(name for name, _ in explain(clip_path, network).predictions) == sorted(NAMES)
