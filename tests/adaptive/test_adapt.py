"""Ways in which networks of one's own are written: each becomes adaptive, in place and extracted."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from a3d.adaptive import adapt, resample, temporal_indices
from a3d.configuration import Configuration
from a3d.networks.slowfast import SlowFast, slow_frames
from a3d.testing.calibration import reuse_statistics
from tests.adaptive.cases import CASES, Own
from tests.adaptive.ordinary import sliced
from tests.adaptive.test_engine import apart

SMALL = Configuration(12, 2, 0.5)


class Written(nn.Module):
    """Two convolutions and a classifier; `between` and `head` are written as a test wants them."""

    def __init__(self, between=None, head=None, **layers):
        super().__init__()
        self.first, self.norm = nn.Conv3d(3, 16, 3, padding=1), nn.BatchNorm3d(16)
        self.second, self.classifier = nn.Conv3d(16, 16, 3, padding=1, bias=False), nn.Linear(16, 5)
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.between, self.head = between, head

    def forward(self, clip):
        x = F.relu(self.norm(self.first(clip)))
        x = x if self.between is None else self.between(self, x)
        return self.classifier(x.mean((2, 3, 4))) if self.head is None else self.head(self, x, clip)


def updated(self, x):
    y = self.second(x)
    y += x
    return F.relu_(y)


def sized(self, x, clip):
    batch, _, _, _, _ = clip.shape
    return self.classifier(F.adaptive_avg_pool3d(x, 1).view(batch, -1))


WAYS = {
    "plain": Written(),
    "an addition that spreads": Written(lambda s, x: F.relu(s.second(x.mean((2, 3, 4), keepdim=True)) + x)),
    "an addition that is spread": Written(lambda s, x: x + s.second(x.mean((2, 3, 4), keepdim=True))),
    "in place": Written(updated),
    "twice itself": Written(lambda s, x: (lambda y: y + y)(s.second(x))),
    "a scaled addition": Written(lambda s, x: torch.add(s.second(x), x, alpha=2)),
    "a number": Written(lambda s, x: (s.second(x) + 1.5) * 2 - x / 3),
    "squeeze and excitation": Written(lambda s, x: x * torch.sigmoid(s.second(F.adaptive_avg_pool3d(x, 1)))),
    "a softmax over time": Written(lambda s, x: x * s.weigh(s.second(x)), weigh=nn.Softmax(2)),
    "mean of frames, then of places": Written(head=lambda s, x, clip: s.classifier(x.mean(2).mean((2, 3)))),
    "mean of places, then of frames": Written(head=lambda s, x, clip: s.classifier(x.mean([3, 4]).mean(-1))),
    "a pool of places": Written(
        head=lambda s, x, clip: s.classifier(s.pool(x).mean((2, 3, 4))), pool=nn.AdaptiveAvgPool3d((None, 1, 1))
    ),
    "a pool of pairs": Written(
        head=lambda s, x, clip: s.classifier(s.pool(x).relu().mean((2, 3, 4))), pool=nn.AvgPool3d(2)
    ),
    "a pool of the clip's size": Written(
        head=lambda s, x, clip: s.classifier(s.pool(x).flatten(1)), pool=nn.AvgPool3d((4, 16, 16))
    ),
    "a pool of the size it finds": Written(
        head=lambda s, x, clip: s.classifier(F.avg_pool3d(x, x.size()[2:]).flatten(1))
    ),
    "the largest": Written(head=lambda s, x, clip: s.classifier(F.adaptive_max_pool3d(x, 1).flatten(1))),
    "clips counted at the start": Written(head=sized),
    "clips counted at the end": Written(head=lambda s, x, clip: s.classifier(x.mean((2, 3, 4)).view(x.size(0), -1))),
    "a norm of features": Written(
        head=lambda s, x, clip: s.classifier(s.last(x.mean((2, 3, 4)))), last=nn.BatchNorm1d(16)
    ),
    "hidden features": Written(
        head=lambda s, x, clip: s.classifier(F.relu(s.hidden(x.mean((2, 3, 4))))), hidden=nn.Linear(16, 16)
    ),
    "a convolution for classifier": Written(
        head=lambda s, x, clip: s.last(x).mean((2, 3, 4)), last=nn.Conv3d(16, 5, 1)
    ),
    "two pools": Written(head=lambda s, x, clip: s.classifier(x.mean((2, 3, 4)) + s.second(x).mean((2, 3, 4)))),
    "the clip beside its maps": Written(
        head=lambda s, x, clip: s.last(torch.cat([clip, x], 1).mean((2, 3, 4))), last=nn.Linear(19, 5)
    ),
    "half of the frames": Written(lambda s, x: s.second(x.chunk(2, 2)[1])),
    "every second place": Written(lambda s, x: s.second(x[:, :, :, ::2, ::2])),
    "mean of a row of places": Written(head=lambda s, x, clip: s.classifier(x.flatten(2).mean(2))),
    "all activations": Written(lambda s, x: F.mish(s.second(x)).clamp(-1, 1) - torch.maximum(F.softplus(-x), x)),
    "channels last": Written(head=lambda s, x, clip: s.classifier(x.permute(0, 2, 3, 4, 1).mean((1, 2, 3)))),
}


@pytest.mark.parametrize("network", WAYS.values(), ids=WAYS)
@torch.no_grad()
def test_written_otherwise(network):
    network = copy.deepcopy(network).eval()
    network.norm.running_mean.normal_(0, 0.1)
    network.norm.running_var.uniform_(0.8, 1.2)
    clip = torch.randn(2, 3, 4, 16, 16)
    expected = network(clip)
    adapted = adapt(network, clip=clip)
    assert apart(adapted(clip, adapted.full), expected) <= 1e-5
    assert apart(adapted.extract(adapted.full)(clip), expected) <= 1e-5
    for configuration in (Configuration(16, 4, 0.5), SMALL):
        reuse_statistics(adapted, configuration, adapted.full)
        in_place = adapted(clip, configuration)
        assert in_place.shape == (2, 5) and apart(adapted.extract(configuration)(clip), in_place) <= 1e-5
    assert sum(adapted.uses.channels(0.5).values()) < sum(adapted.uses.channels(1.0).values())


def test_an_answer_of_probabilities_is_left_out():
    network = Written(head=lambda s, x, clip: torch.softmax(s.classifier(x.mean((2, 3, 4))), 1)).eval()
    clip = torch.randn(2, 3, 4, 16, 16)
    adapted = adapt(network.train(), clip=clip)
    assert adapted.training and network.training
    torch.testing.assert_close(adapted(clip, adapted.full).softmax(1), network(clip))


def test_a_fresh_network_has_no_statistics_and_a_trained_one_those_of_its_full_configuration():
    fresh = adapt(Own(), clip=torch.empty(1, 3, 4, 16, 16))
    assert not fresh.statistics
    trained = adapt(CASES["own"].network(), clip=torch.empty(1, 3, 4, 16, 16))
    assert set(trained.statistics) == {trained.full} and trained.full == Configuration(16, 4, 1.0)


def test_without_a_clip_it_is_8_frames_of_224_or_as_many_as_it_needs():
    with torch.device("meta"):
        assert adapt(Own(), order=False).full == Configuration(224, 8, 1.0)
        long = Written(lambda self, x: self.longer(x), longer=nn.Conv3d(16, 16, (12, 1, 1)))
        assert adapt(long, order=False).full == Configuration(224, 16, 1.0)


def test_a_fixed_stem_keeps_its_channels_and_sees_the_configuration():
    adapted = adapt(Own(), clip=torch.empty(1, 3, 4, 16, 16), fixed=["stem"]).train()
    used = {use.layer: (use.inputs, use.outputs, use.positions) for use in adapted.uses.at(SMALL)}
    assert used["stem.0"] == (3, 24, 2 * 6 * 6)
    assert used["first"] == (24, 24, 2 * 6 * 6)  # half of 40, in eights
    assert used["second"] == (24, 24, 2 * 6 * 6)  # added to the stem's, and so fixed too
    assert adapted(torch.randn(2, 3, 4, 16, 16), SMALL).shape == (2, 5)


def test_channels_that_matter_come_first():
    network = Written().eval()
    with torch.no_grad():
        weight = torch.linspace(0.1, 1, 16)[torch.randperm(16)]
        network.classifier.weight.copy_(weight.expand(5, 16))
    adapted = adapt(network, clip=torch.empty(1, 3, 4, 16, 16))
    assert torch.equal(adapted.network.classifier.weight[0], weight.sort(descending=True).values)


def test_a_copy_of_a_network_knows_its_cost():
    adapted = adapt(Own(), clip=torch.empty(1, 3, 4, 16, 16))
    uses = adapted.uses.at(SMALL)
    assert copy.deepcopy(adapted).uses.at(SMALL) == uses


def test_a_full_clip_is_brought_to_the_configuration():
    adapted = adapt(CASES["own"].network(), clip=torch.empty(1, 3, 4, 16, 16)).train()
    clip = torch.randn(2, 3, 4, 16, 16)
    small = F.interpolate(clip[:, :, [0, 2]].transpose(1, 2).flatten(0, 1), (12, 12), mode="bilinear", antialias=True)
    small = small.unflatten(0, (2, 2)).transpose(1, 2)
    with torch.no_grad():
        torch.testing.assert_close(adapted(clip, SMALL), adapted(small, SMALL))


def test_slowfast_is_two_pathways_of_which_one_adapts():
    """Fig. 3: by an ordinary module whose Slow clip and laterals are resampled by hand."""
    network = SlowFast(18, 5, base_channels=64, dropout=0.0)
    fixed, configuration = ("fast", "fusions"), Configuration(24, 1, 0.5)
    small, _ = sliced(network, 0.5, fixed)
    for node in small.graph.nodes:
        if node.target is slow_frames:
            node.target = lambda clip, alpha, spread: resample(clip[:, :, :1], 1, 24, 24)
        elif node.target is torch.cat and "classifier" not in str(node.users):
            node.target = joined
    small.recompile()
    adapted = adapt(network, clip=torch.empty(1, 3, 16, 32, 32), fixed=fixed, order=False)
    clip = torch.randn(4, 3, 16, 32, 32).double()
    with torch.no_grad():
        assert apart(adapted.train().double()(clip, configuration), small.train().double()(clip)) <= 1e-5


def joined(maps, dim):
    """Slow maps and lateral ones, which are brought to their frames and their places; pooled ones are alike."""
    slow, lateral = maps
    if slow.ndim == 2:
        return torch.cat(maps, dim)
    lateral = lateral[:, :, temporal_indices(lateral.shape[2], slow.shape[2])]
    pictures = lateral.transpose(1, 2).flatten(0, 1)
    pictures = F.interpolate(pictures, slow.shape[3:], mode="bilinear", antialias=True)
    return torch.cat([slow, pictures.unflatten(0, (len(slow), -1)).transpose(1, 2)], dim)
