"""One question to a file: whose weights are these?"""

import pytest
import torch
import torchvision

from a3d.networks.library import library_network
from a3d.weights import ConversionError, pytorchvideo
from a3d.weights.files import WeightFile
from a3d.weights.images import ImageWeights
from a3d.weights.recognition import recognise
from a3d.weights.video import VideoWeights
from tests import official


def written(state, folder):
    torch.save({name: torch.zeros(()).expand(tensor.shape) for name, tensor in state.items()}, folder / "file.pth")
    return folder / "file.pth"


def test_each_kind_is_told(tmp_path):
    with torch.device("meta"):
        image, video = torchvision.models.resnet50(), library_network("pytorchvideo:i3d_r50")
    found = recognise(written(image.state_dict(), tmp_path))
    assert isinstance(found, ImageWeights) and found.family == "resnet50"
    found = recognise(written(video.state_dict(), tmp_path))
    assert isinstance(found, VideoWeights) and found.builder == "pytorchvideo:i3d_r50"
    found = recognise(written(official.slow(stem_dim_out=8, model_num_class=5).state_dict(), tmp_path))
    assert isinstance(found, WeightFile) and found.format is pytorchvideo


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (torchvision.models.video.swin3d_t, "is no video network known here; image networks that are read: ResNet-18"),
        (torchvision.models.resnet34, "is an image network of another depth"),
        (lambda: torch.nn.Linear(2, 2), "is no video network known here"),
    ],
)
def test_other_networks_are_refused(build, said, tmp_path):
    with torch.device("meta"):
        state = build().state_dict()
    with pytest.raises(ConversionError, match=said) as error:
        recognise(written(state, tmp_path))
    assert str(error.value).startswith(str(tmp_path)) and "\n" not in str(error.value)
