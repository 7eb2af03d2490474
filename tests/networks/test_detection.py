"""Boxes on maps: the head against its definition, at every configuration; stride and dilation of the last stage."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.ops import RoIAlign

from a3d.adaptive import boxes
from a3d.budgets.cost import cost
from a3d.configuration import Configuration, range_0016
from a3d.inference.checkpoint import load, save
from a3d.networks import by_name, slow_r26, slow_r50, slowfast_r26
from a3d.testing.calibration import calibrate
from a3d.trained import TrainedNetwork
from a3d.video import Sampling
from tests.conftest import shaken
from tests.official import create_resnet_with_roi_head

BOXES = torch.tensor([[0, 0.1, 0.2, 0.6, 0.9], [1, 0.0, 0.0, 1.0, 1.0], [1, 0.5, 0.25, 0.8, 0.7]])
CONFIGURATIONS = [Configuration.parse(text) for text in ("64x4@1", "48x2@0.63", "40x1@0.5")]


@pytest.fixture(params=["slow", "slowfast"])
def network(request):
    return shaken(by_name(f"{request.param}_r26", 5, base_channels=16, spatial=64, frames=4, task="detection"))


def clip_for(network, configuration, width=None):
    frames, size = network.clip_shape(configuration)
    return torch.randn(2, 3, frames, size, width or size)


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=str)
def test_extracted_network_answers_for_the_same_boxes(network, configuration):
    clip = clip_for(network, configuration)
    calibrate(network, configuration, [clip])
    with torch.no_grad():
        expected = network(clip, configuration, BOXES)
        small = network.extract(configuration)
        torch.testing.assert_close(small(clip, BOXES), expected, atol=1e-4, rtol=1e-4)
    assert expected.shape == (3, 5) and not torch.allclose(expected[1], expected[2])


def test_pooling_is_the_mean_in_time_the_largest_of_seven_by_seven_and_a_linear_layer(network):
    configuration = CONFIGURATIONS[0]
    clip = clip_for(network, configuration)
    calibrate(network, configuration, [clip])
    maps = network.features(clip, configuration)
    pixels = BOXES * torch.tensor([1, 64, 64, 64, 64])
    align = RoIAlign((7, 7), spatial_scale=1 / 16, sampling_ratio=0, aligned=True)
    pooled = torch.cat([F.max_pool2d(align(x.mean(2), pixels), 7).flatten(1) for x in maps], 1)
    expected = network.network.classifier(pooled)
    torch.testing.assert_close(network(clip, configuration, BOXES), expected)


def test_without_boxes_the_whole_picture_is_one(network):
    configuration = CONFIGURATIONS[0]
    clip = clip_for(network, configuration)
    calibrate(network, configuration, [clip])
    whole = torch.tensor([[0, 0, 0, 1, 1], [1, 0, 0, 1, 1]], dtype=torch.float32)
    torch.testing.assert_close(network(clip, configuration), network(clip, configuration, whole))


def test_no_boxes_give_no_answers(network):
    network.train()
    assert network(clip_for(network, CONFIGURATIONS[0]), CONFIGURATIONS[0], torch.zeros(0, 5)).shape == (0, 5)


def test_maps_have_a_cell_for_sixteen_pixels_and_keep_the_aspect(network):
    network.train()
    maps = network.features(clip_for(network, CONFIGURATIONS[0], width=96), Configuration(48, 2, 0.5))
    assert maps[0].shape[3:] == (3, 5)  # 48 × 72, half a cell at the right
    assert [x.shape[3:] for x in maps[1:]] in ([], [(4, 6)])  # Fast stays at 64 × 96


def test_boxes_follow_the_picture_that_a_pathway_sees():
    network = slowfast_r26(5, base_channels=16, spatial=64, task="detection")
    slow, fast = network.places(BOXES[:1], (2, 3, 32, 64, 96), Configuration(48, 2, 0.5))
    torch.testing.assert_close(slow, torch.tensor([[0, 7.2, 9.6, 43.2, 43.2]]) / torch.tensor([1, 16, 16, 16, 16]))
    torch.testing.assert_close(fast, torch.tensor([[0, 9.6, 12.8, 57.6, 57.6]]) / torch.tensor([1, 16, 16, 16, 16]))


def test_last_stage_keeps_the_resolution_and_looks_further():
    stages = slow_r26(5, base_channels=8, task="detection").network.pathway.stages
    assert [block.b.conv.stride[1] for block in stages[3]] == [1, 1]
    assert [(block.b.conv.dilation, block.b.conv.padding) for block in stages[3]] == [((1, 2, 2), (0, 2, 2))] * 2
    assert all(block.b.conv.dilation == (1, 1, 1) for stage in stages[:3] for block in stage)


def test_multiply_adds_are_those_of_the_official_network():
    """Counted from the shapes that PyTorchVideo's own layers see, 4×16 at 224²."""
    with torch.device("meta"):
        official = create_resnet_with_roi_head(model_num_class=80).eval()
        ours = slow_r50(80, frames=4, task="detection")
    counts = []

    def note(layer, inputs, output):
        counts.append(output[0].numel() * layer.weight[0].numel())

    for layer in official.model.modules():
        if isinstance(layer, nn.Conv3d):
            layer.register_forward_hook(note)
    official.model(torch.empty(1, 3, 4, 224, 224, device="meta"))
    found = cost(ours, Configuration(224, 4, 1.0))
    assert found.gflops == pytest.approx((sum(counts) + 2048 * 80) / 1e9, abs=1e-9)
    assert found.params == sum(p.numel() for p in official.parameters())


def test_checkpoint_keeps_what_makes_it_a_detector(network, tmp_path):
    configuration = CONFIGURATIONS[1]
    clip = clip_for(network, configuration)
    calibrate(network, configuration, [clip])
    save(TrainedNetwork(network, "abcde", Sampling(clip.shape[2], 2, 64), range_0016(64, 4)), tmp_path)
    back = load(tmp_path)
    assert back.architecture == network.architecture and back.task == "detection"
    assert torch.equal(back(clip, configuration, BOXES), network(clip, configuration, BOXES))


def test_places_are_shares_of_pixels_over_sixteen():
    torch.testing.assert_close(
        boxes.places(torch.tensor([[3, 0.5, 0.25, 1.0, 1.0]]), 160, 320), torch.tensor([[3, 10, 2.5, 20.0, 10.0]])
    )
