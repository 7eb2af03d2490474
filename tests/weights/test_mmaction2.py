"""SlowOnly and SlowFast under mmaction2's names, which are written down here independently."""

import pytest
import torch

from a3d.weights import convert, mmaction2
from tests import official

SMALL = {"stem_dim_out": 8, "model_num_class": 5}
SMALL_FAST = {"stem_dim_outs": (8, 1), "model_num_class": 5}

PARTS = {"conv_a": "conv1", "conv_b": "conv2", "conv_c": "conv3", "branch1_conv": "downsample"}


def named(network, fast, depth=50):
    """The weights of a PyTorchVideo network; mmaction2 puts the features of Fast first in the classifier."""
    state, found = network.state_dict(), {}
    for (conv, norm), *_ in official.layers(depth, fast):
        kind = "fast" if "multipathway_blocks.1" in conv else "slow"
        path = f"backbone.{kind}_path" if fast else "backbone"
        stage = int(conv.split(".")[1])
        if "fusion" in conv:
            layer = f"backbone.slow_path.{f'layer{stage}' if stage else 'conv1'}_lateral"
        elif stage == 0:
            layer = f"{path}.conv1"
        else:
            number = conv.partition("res_blocks.")[2].split(".")[0]
            layer = f"{path}.layer{stage}.{number}.{PARTS[conv.rpartition('.')[2]]}"
        found[f"{layer}.conv.weight"] = state[f"{conv}.weight"]
        found |= {f"{layer}.bn.{key}": state[f"{norm}.{key}"] for key in (*official.NORM, "num_batches_tracked")}
    weight, bias = (next(state[key] for key in state if key.endswith(f".proj.{kind}")) for kind in ("weight", "bias"))
    slow = weight.shape[1] * 8 // 9 if fast else weight.shape[1]
    found["cls_head.fc_cls.weight"] = torch.cat([weight[:, slow:], weight[:, :slow]], 1)
    return found | {"cls_head.fc_cls.bias": bias}


@pytest.mark.parametrize("fast", [False, True])
def test_same_logits(fast, tmp_path):
    """Slow sees every α-th frame there, from the first."""
    network = official.slowfast(**SMALL_FAST) if fast else official.slow(**SMALL)
    path = tmp_path / "slow_r50_8xb8-8x8x1-256e_kinetics400-rgb.pth"
    torch.save({"meta": {"epoch": 256}, "state_dict": named(network, fast)}, path)
    converted = convert(path)
    assert (converted.architecture.frames, converted.sampling.stride) == (8, 2 if fast else 8)
    clip = official.clips(32 if fast else 8)
    with torch.no_grad():
        expected = network([clip[:, :, ::4], clip]) if fast else network(clip)
        found = converted(clip, converted.range.full)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
    assert (expected[0] - expected[1]).abs().max() > 1e-2


def test_every_tensor_has_a_name_of_ours():
    for fast in (False, True):
        build, options = (official.slowfast, SMALL_FAST) if fast else (official.slow, SMALL)
        keys = [key for key in named(build(**options), fast) if not mmaction2.ignored(key)]
        renamed = [mmaction2.rename(key) for key in keys]
        assert mmaction2.recognises(set(keys)) and None not in renamed and len(set(renamed)) == len(keys)


def test_laterals_without_batch_norm_are_taken_as_they_are(tmp_path):
    """The published SlowFast weights of mmaction2 have such: a convolution alone, no ReLU."""
    network = official.slowfast(**SMALL_FAST)
    state = {key: value for key, value in named(network, True).items() if "_lateral.bn" not in key}
    torch.save({"state_dict": state}, tmp_path / "slowfast_8x8.pth")
    converted = convert(tmp_path / "slowfast_8x8.pth")
    for block in network.blocks[:4]:
        block.multipathway_fusion.norm = block.multipathway_fusion.activation = None
    clip = official.clips(32)
    with torch.no_grad():
        expected, found = network([clip[:, :, ::4], clip]), converted(clip, converted.range.full)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
    assert (expected[0] - expected[1]).abs().max() > 1e-2
