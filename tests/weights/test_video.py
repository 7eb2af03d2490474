"""Files of video networks beside Slow and SlowFast: whose they are, and the same logits as the code they come from."""

import warnings

import pytest
import torch
from torch import nn

from a3d.networks.library import library_network
from a3d.weights import ConversionError
from a3d.weights.recognition import recognise
from a3d.weights.video import THEIRS, video_weights
from tests.moments import trained

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fvcore, which it imports, uses interfaces that have been renamed
    from pytorchvideo.models import hub
    from pytorchvideo.models.x3d import create_x3d

ALL = [f"{library}:{network}" for library, networks in THEIRS.items() for network in networks]


def clips(frames, size):
    moving = torch.randn(2, 3, frames, 5, 5)
    return 2 * nn.functional.interpolate(moving, (frames, size, size), mode="trilinear")


def small_x3d(shortcut_norm=False):
    """PyTorchVideo's X3D-XS at 4 × 64²; with PySlowFast's batch norm after the first shortcut."""
    torch.manual_seed(0)
    network = create_x3d(model_num_class=7, input_clip_length=4, input_crop_size=64, head_activation=None)
    if shortcut_norm:
        network.blocks[1].res_blocks[0].branch1_norm = nn.BatchNorm3d(24)
    return trained(network, clips(4, 64))


def pyslowfast_names(state):
    """PyTorchVideo's X3D under PySlowFast's names, written down layer by layer; its first shortcut has a batch norm."""
    found = {
        "s1.pathway0_stem.conv_xy": "blocks.0.conv.conv_t",
        "s1.pathway0_stem.conv": "blocks.0.conv.conv_xy",
        "s1.pathway0_stem.bn": "blocks.0.norm",
        "head.conv_5": "blocks.5.pool.pre_conv",
        "head.conv_5_bn": "blocks.5.pool.pre_norm",
        "head.lin_5": "blocks.5.pool.post_conv",
        "head.projection": "blocks.5.proj",
    }
    for stage, repeats in enumerate((3, 5, 11, 7), 1):
        for i in range(repeats):
            ours, theirs = f"s{stage + 1}.pathway0_res{i}", f"blocks.{stage}.res_blocks.{i}"
            found[f"{ours}.branch1"], found[f"{ours}.branch1_bn"] = f"{theirs}.branch1_conv", f"{theirs}.branch1_norm"
            for x in "abc":
                found[f"{ours}.branch2.{x}"] = f"{theirs}.branch2.conv_{x}"
                found[f"{ours}.branch2.{x}_bn"] = f"{theirs}.branch2.norm_{x}" + (".0" if x == "b" else "")
            found[f"{ours}.branch2.se.fc1"] = f"{theirs}.branch2.norm_b.1.block.0"
            found[f"{ours}.branch2.se.fc2"] = f"{theirs}.branch2.norm_b.1.block.2"
    layers = {theirs: ours for ours, theirs in found.items()}
    return {f"{layers[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": value for name, value in state.items()}


@pytest.mark.parametrize(("origin", "options"), [("pytorchvideo", {"shortcut_norm": False}), ("pyslowfast", {})])
def test_x3d_gives_the_same_logits(origin, options, tmp_path):
    network, clip = small_x3d(shortcut_norm=origin == "pyslowfast"), clips(4, 64)
    state = network.state_dict()
    state = pyslowfast_names(state) if origin == "pyslowfast" else state
    torch.save({"model_state": state, "epoch": 1, "cfg": "X3D:\n  WIDTH_FACTOR: 2.0\n"}, tmp_path / "X3D_XS.pyth")
    found = recognise(tmp_path / "X3D_XS.pyth")
    assert (found.builder, found.classes, found.options) == ("x3d_m", 7, options)
    with torch.no_grad():
        expected = network(clip)
        torch.testing.assert_close(found.network()(clip), expected, atol=1e-4, rtol=0)
    assert (expected[0] - expected[1]).abs().max() > 1e-2


def test_x3d_l_is_told_by_its_depth():
    with torch.device("meta"):
        state = hub.x3d_l(model_num_class=9).state_dict()
    found = video_weights(state)
    assert (found.builder, found.classes) == ("x3d_l", 9)
    assert len(found.tensors) == sum(not name.endswith("num_batches_tracked") for name in state)


@pytest.mark.parametrize("name", ALL)
def test_networks_of_the_libraries_are_told_by_their_tensors(name):
    with torch.device("meta"):
        state = library_network(name, 9).state_dict()
    found = video_weights(state)
    assert (found.builder, found.classes) == (name, 9)
    assert len(found.tensors) == sum(not key.endswith("num_batches_tracked") for key in state)


def test_a_network_of_torchvision_comes_back_whole(tmp_path):
    torch.manual_seed(0)
    clip = clips(4, 32)
    network = trained(library_network("torchvision:r3d_18", 5), clip)
    torch.save(network.state_dict(), tmp_path / "r3d_18.pth")
    found = recognise(tmp_path / "r3d_18.pth").network()
    with torch.no_grad():
        assert torch.equal(found(clip), network(clip))


def changed(change):
    with torch.device("meta"):
        state = library_network("torchvision:r3d_18", 5).state_dict()
    change(state)
    return state


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("layer2.0.conv1.1.bias"), "against torchvision:r3d_18, layer2.0.conv1.1.bias is miss"),
        (lambda state: state.update(extra=torch.zeros(1)), "against torchvision:r3d_18, extra has no place"),
        (
            lambda state: state.update({"stem.0.weight": torch.zeros(64, 3, 5, 7, 7)}),
            r"stem.0.weight is \(64, 3, 5, 7, 7\) in place of \(64, 3, 3, 7, 7\)",
        ),
        (lambda state: [state.pop(f"fc.{key}") for key in ("weight", "bias")], "is no video network known here$"),
    ],
)
def test_how_a_file_differs_from_the_nearest_network_is_said(change, said):
    with pytest.raises(ConversionError, match=said) as error:
        video_weights(changed(change))
    assert "\n" not in str(error.value)


def test_an_x3d_of_other_shape_is_refused(tmp_path):
    for options, said in (({"depth_factor": 1.0}, "another depth"), ({"width_factor": 1.0}, "another width")):
        torch.save(create_x3d(model_num_class=3, **options).state_dict(), tmp_path / "x3d.pyth")
        with pytest.raises(ConversionError, match=said) as error:
            recognise(tmp_path / "x3d.pyth")
        assert str(tmp_path / "x3d.pyth") in str(error.value)
