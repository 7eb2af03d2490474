"""What a run starts from: files of weights, and the rate of the clips."""

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from a3d.datasets import ClipFolder
from a3d.training.start import from_file, median_rate
from a3d.video.encode import write_video
from a3d.weights import ConversionError
from tests.trained import moving


@pytest.fixture
def resnet(tmp_path):
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=7).eval()
    torch.save(network.state_dict(), tmp_path / "resnet18.pth")
    return network, tmp_path / "resnet18.pth"


def test_an_image_network_starts_slow_of_its_depth_with_channels_in_order(resnet):
    image, path = resnet
    started = from_file(path, None, 5, spatial=32, frames=4).eval()
    assert started.architecture.network == "slow_r18" and started.classes == 5
    picture = torch.randn(1, 3, 32, 32)
    clip = picture[:, :, None].expand(-1, -1, 4, -1, -1)
    ours, found = started.network.pathway(clip).mean((2, 3, 4)), []
    image.avgpool.register_forward_hook(lambda layer, inputs, output: found.append(output.flatten(1)))
    with torch.no_grad():
        image(picture)
    torch.testing.assert_close(ours.sort(1).values, found[0].sort(1).values, rtol=0, atol=1e-4)


def test_a_file_of_another_network_is_refused(resnet):
    _, path = resnet
    with pytest.raises(ConversionError, match=r"holds resnet18, which does not start slow_r50"):
        from_file(path, "slow_r50", 5)


def test_a_video_network_starts_with_its_body(tmp_path):
    network = torchvision.models.video.r3d_18(num_classes=9)
    save_file(network.state_dict(), tmp_path / "r3d.safetensors")
    started = from_file(tmp_path / "r3d.safetensors", None, 3, spatial=32, frames=8)
    assert started.architecture.network == "torchvision:r3d_18" and started.classes == 3
    ours = started.state_dict()["stem.0.weight"]
    torch.testing.assert_close(
        ours.flatten().sort().values, network.state_dict()["stem.0.weight"].flatten().sort().values
    )


def test_the_rate_is_the_median_of_the_clips(tmp_path):
    for number, rate in enumerate((10, 25, 25)):
        write_video(tmp_path / "train" / "jump" / f"{number}.mp4", moving(number, 40, 56), rate)
    assert median_rate(ClipFolder(tmp_path, "train")) == pytest.approx(25.0)
    (tmp_path / "train" / "jump" / "0.mp4").write_bytes(b"")
    assert median_rate(ClipFolder(tmp_path, "train")) == pytest.approx(25.0)
