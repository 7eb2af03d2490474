"""What cannot be sliced is refused before anything changes, in one line with the layer and the reason."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.video import mvit_v2_s

from a3d.adaptive import NotAdaptable, adapt

CLIP = torch.empty(1, 3, 8, 32, 32, device="meta")


class Plain(nn.Module):
    """What is refused is built into it: `between` two layers, or as the `head`."""

    def __init__(self, between=None, head=None, **layers):
        super().__init__()
        self.first, self.norm = nn.Conv3d(3, 16, 3, padding=1), nn.BatchNorm3d(16)
        self.second, self.classifier = nn.Conv3d(16, 16, 3, padding=1), nn.Linear(16, 5)
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.between, self.head = between, head

    def forward(self, clip):
        x = self.norm(self.first(clip)).relu()
        x = self.second(x if self.between is None else self.between(self, x))
        return self.classifier(x.mean((2, 3, 4))) if self.head is None else self.head(self, x)


def shares_a_weight():
    network = Plain(lambda self, x: self.third(x), third=nn.Conv3d(16, 16, 3, padding=1))
    network.third.weight = network.second.weight
    return network


def flattens():
    head = nn.Linear(16 * 8 * 4 * 4, 5)
    return Plain(head=lambda self, x: self.classifier(F.avg_pool3d(x, (1, 8, 8)).flatten(1)), classifier=head)


class Pooled(Plain):
    def __init__(self):
        super().__init__(lambda self, x: self.pool(x), pool=nn.MaxPool3d(2))


GROUPED = nn.Conv3d(16, 16, 3, padding=1, groups=4)
REFUSED = {
    "attention": (mvit_v2_s, r"^pos_encoding is a PositionalEncoding with parameters of its own"),
    "layer norm": (
        lambda: Plain(lambda s, x: s.layer(x), layer=nn.LayerNorm([16, 8, 32, 32])),
        "^layer is a layer norm",
    ),
    "layer norm without weights": (
        lambda: Plain(lambda s, x: s.layer(x), layer=nn.LayerNorm([16, 8, 32, 32], elementwise_affine=False)),
        "^layer is a layer norm over a fixed shape",
    ),
    "group norm": (lambda: Plain(lambda s, x: s.layer(x), layer=nn.GroupNorm(4, 16)), "^layer is a group norm"),
    "groups": (lambda: Plain(lambda s, x: s.grouped(x), grouped=GROUPED), "^grouped is a convolution of 4 groups"),
    "flatten": (flattens, "flatten flattens 128 positions into the channels: average over time and space"),
    "used twice": (lambda: Plain(lambda s, x: s.second(x)), "^second is used twice: give each place a layer"),
    "one weight in two layers": (shares_a_weight, "^third.weight|^third shares a weight with second"),
    "channels in halves": (lambda: Plain(lambda s, x: torch.cat([x[:, 8:], x[:, :8]], 1)), "^getitem is an operation"),
    "channels taken apart": (lambda: Plain(lambda s, x: torch.cat(x.chunk(2, 1)[::-1], 1)), "^cat is an operation"),
    "channels backwards": (lambda: Plain(lambda s, x: x.flip(1)), "^flip is an operation of which nobody knows"),
    "channels padded": (lambda: Plain(lambda s, x: F.pad(x, (0,) * 6 + (0, 8))[:, 8:]), "^pad is an operation"),
    "channels shuffled": (
        lambda: Plain(lambda s, x: s.mix(x), mix=nn.ChannelShuffle(4)),
        "^mix .*moves channels about",
    ),
    "channels averaged": (lambda: Plain(lambda s, x: x * x.mean(1, keepdim=True)), "^mean averages over the channels"),
    "channels counted": (
        lambda: Plain(head=lambda s, x: s.classifier(x.mean((2, 3, 4)).view(-1, 16))),
        r"^behind view, it does not run at 32²×8, 0\.5 .*read off the tensors",
    ),
    "sums of different parts": (
        lambda: Plain(lambda s, x: x + torch.cat([s.a(x), s.b(x)], 1), a=nn.Conv3d(16, 8, 1), b=nn.Conv3d(16, 8, 1)),
        "^add adds or multiplies tensors whose channels are laid out differently",
    ),
    "other padding": (
        lambda: Plain(lambda s, x: s.layer(x), layer=nn.Conv3d(16, 16, 3, padding=1, padding_mode="circular")),
        "^layer pads with 'circular': only zeros",
    ),
    "pictures": (lambda: Plain(lambda s, x: s.layer(x), layer=nn.Conv2d(16, 16, 1)), "^layer is a Conv2d with param"),
    "data": (lambda: Plain(lambda s, x: x if x.sum() > 0 else -x), "its forward cannot be traced .*control flow"),
    "several answers": (lambda: Plain(head=lambda s, x: (x, x)), "^it answers with a tuple"),
    "maps in the head": (
        lambda: Plain(head=lambda s, x: s.classifier(x.mean((2, 3, 4)) + x[:, :, 0, 0, 0])),
        "^its classifier also works on",
    ),
}


@pytest.mark.parametrize(("build", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_sliced_is_named(build, said):
    network = build()
    before = copy.deepcopy(network.state_dict())
    clip = torch.empty(1, 3, 16, 224, 224, device="meta") if build is mvit_v2_s else CLIP
    with pytest.raises(NotAdaptable, match=said) as error:
        adapt(network, clip=clip)
    assert "\n" not in str(error.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_what_is_refused_may_be_fixed():
    """If all that it sees is fixed too."""
    network = Plain(lambda self, x: self.grouped(x), grouped=copy.deepcopy(GROUPED))
    adapted = adapt(network, clip=CLIP, fixed=["first", "grouped"])
    assert adapted.uses.channels(0.5) == {"norm": 16}
    with pytest.raises(NotAdaptable, match=r"^grouped is a convolution of 4 groups"):
        adapt(network, clip=CLIP, fixed=["grouped"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fixed": ["stem"]}, "fixed part 'stem' is not in the network: name one of its modules"),
        ({"fixed": ["first", "norm", "second", "classifier"]}, "every layer is fixed: nothing is left to adapt"),
        ({"clip": torch.empty(3, 8, 32, 32)}, r"a clip of shape \(3, 8, 32, 32\): give \(B, 3, T, S, S\)"),
        ({"clip": torch.empty(1, 3, 8, 32, 24)}, r"a clip of shape \(1, 3, 8, 32, 24\)"),
        ({"clip": torch.empty(1, 4, 8, 32, 32)}, r"a clip of shape \(1, 4, 8, 32, 32\)"),
        ({"clip": torch.empty(1, 3, 8, 1, 1), "network": Pooled}, "pool does not run on a clip of 8 frames, 1²"),
    ],
)
def test_what_is_asked_for_is_checked(options, said):
    with pytest.raises(NotAdaptable, match=said) as error:
        adapt(options.pop("network", Plain)(), **({"clip": CLIP} | options))
    assert "\n" not in str(error.value)
