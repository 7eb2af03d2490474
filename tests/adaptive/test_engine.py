"""Any network at any width: the original at width 1, an ordinary module of the sliced shapes below."""

import copy

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from a3d.adaptive import adapt
from a3d.budgets.cost import cost
from a3d.configuration import Configuration
from a3d.testing.calibration import calibrate, reuse_statistics
from tests.adaptive.cases import ALL
from tests.adaptive.ordinary import sliced

WIDTHS = (0.9, 0.75, 0.63, 0.5, 0.31)


def apart(found, wanted):
    """The largest difference, as a share of the largest logit."""
    return ((found - wanted).abs().max() / wanted.abs().max()).item()


def adapted(case, network, order=False, small=False):
    frames, side = case.small if small else (case.frames, case.side)
    clip = case.taken(torch.empty(1, 3, frames, side, side, device="meta"))
    return adapt(copy.deepcopy(network), clip=clip, fixed=case.fixed, order=order)


@pytest.fixture(params=ALL, scope="module")
def case(request):
    return request.param


@pytest.fixture(scope="module")
def network(case):
    return case.network()


@pytest.fixture(scope="module")
def engine(case, network):
    """The network made adaptive, its channels in their order. Tests leave its weights as they are."""
    return adapted(case, network)


@pytest.fixture(scope="module")
def small_engine(case, network, engine):
    """What small clips are for; a fixed pathway sees the full clip, which is then small itself."""
    return adapted(case, case.of_any_size(network), small=True) if case.two else engine


def at(case, engine, width):
    """A configuration at which small clips stay as they are."""
    frames, side = case.small
    return Configuration(side, frames // engine.graph.alpha, width)


@torch.no_grad()
def test_at_width_1_it_is_the_original(case, network, engine):
    clip = case.clip(1)
    expected = network(case.taken(clip))
    ordered = adapted(case, network, order=True)
    assert apart(engine.eval()(clip, engine.full), expected) <= 1e-6
    assert apart(ordered(clip, ordered.full), expected) <= 1e-5
    for one in (engine, ordered):
        assert apart(one.extract(one.full)(clip), expected) <= 1e-5
    assert (engine.full.frames * engine.graph.alpha, engine.full.spatial) == (case.frames, case.side)


def test_state_dict_is_the_originals(case, network):
    ordered, state = adapted(case, network, order=True), network.state_dict()
    found = ordered.state_dict()
    assert list(found) == list(state) and all(found[name].shape == state[name].shape for name in state)
    assert not all(torch.equal(found[name], state[name]) for name in state)
    ordered.load_state_dict(state)
    assert all(torch.equal(ordered.state_dict()[name], state[name]) for name in state)


@pytest.mark.parametrize("width", WIDTHS)
def test_at_a_width_it_is_an_ordinary_module_of_the_sliced_shapes(case, network, small_engine, width):
    """In double precision, since a batch norm over a few positions multiplies what rounding does."""
    alone, fixed = case.alone(network)
    small, _ = sliced(alone, width, fixed)
    configuration, clip = at(case, small_engine, width), case.clip(small=True).double()
    with torch.no_grad():
        expected, parameters = small.train().double()(clip), sum(p.numel() for p in small.parameters())
        found = copy.deepcopy(small_engine).train().double()(clip, configuration)
    assert apart(found, expected) <= 1e-5
    assert cost(small_engine, configuration).params == parameters


@torch.no_grad()
@pytest.mark.parametrize("width", WIDTHS)
def test_extracted_equals_in_place(case, small_engine, width):
    configuration, clip = at(case, small_engine, width), case.clip(small=True)
    reuse_statistics(small_engine.eval(), configuration, small_engine.full)
    assert apart(small_engine.extract(configuration)(clip), small_engine(clip, configuration)) <= 1e-5


@torch.no_grad()
def test_calibration_on_one_batch_is_training_mode(case, network, small_engine):
    """Moment by moment, as the batch norms of an ordinary module measure them; their variances are of a sample."""
    configuration, clip = at(case, small_engine, 0.5), case.clip(4, small=True)
    calibrate(small_engine, configuration, [clip])
    alone, fixed = case.alone(network)
    (small, _), seen = sliced(alone, 0.5, fixed), {}
    norms = {name: norm for name, norm in small.named_modules() if isinstance(norm, nn.BatchNorm3d)}
    for name, norm in norms.items():
        norm.register_forward_hook(lambda norm, inputs, output, name=name: seen.update({name: inputs[0]}))
    small.train()(clip)
    found = small_engine.statistics[configuration]
    assert {name.removeprefix("network.") for name in found} == {name.removeprefix("network.") for name in norms}
    for name, x in seen.items():
        mean, variance = found[name]
        scale = x.square().mean().sqrt()
        assert (mean - x.mean((0, 2, 3, 4))).abs().max() <= 1e-4 * scale
        assert (variance - x.var((0, 2, 3, 4), correction=0)).abs().max() <= 1e-4 * scale**2


@pytest.mark.parametrize("width", (1.0, *WIDTHS))
def test_cost_is_what_the_counter_of_torch_counts(case, engine, width):
    """Also that of a module that is extracted, at the size and the frames of the full clip."""
    configuration = Configuration(engine.full.spatial, engine.full.frames, width)
    skeleton = copy.deepcopy(engine).to("meta").train()
    frames, side = engine.clip_shape(configuration)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        skeleton(torch.empty(1, 3, frames, side, side, device="meta"), configuration)
    assert cost(engine, configuration).gflops == pytest.approx(counter.get_total_flops() / 2e9, rel=1e-9)


def test_gradients_of_a_width_reach_only_its_slice(case, network, small_engine):
    """And are there what they are in the ordinary module."""
    alone, fixed = case.alone(network)
    small, slices = sliced(alone, 0.5, fixed)
    full, clip = copy.deepcopy(small_engine).train().double(), case.clip(small=True).double()
    for one in (small.train().double()(clip), full(clip, at(case, small_engine, 0.5))):
        one.square().mean().backward()
    inside = full.network if not case.two else full.network.network
    for path, (outputs, inputs) in slices.items():
        layer = inside.get_submodule(path.removeprefix("network.") if case.two else path)
        for name, parameter in small.get_submodule(path).named_parameters():
            gradient = layer.get_parameter(name).grad
            reached = gradient[outputs] if inputs is None or gradient.ndim == 1 else gradient[outputs][:, inputs]
            torch.testing.assert_close(reached, parameter.grad, rtol=1e-5, atol=1e-9)
            assert gradient.abs().sum().item() == pytest.approx(reached.abs().sum().item(), rel=1e-12), path
    assert all(parameter.grad is not None for parameter in full.parameters())
