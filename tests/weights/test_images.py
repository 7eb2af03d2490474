"""Files of image networks: whose they are, by their names; what is refused, and how."""

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from a3d.weights import ConversionError
from a3d.weights.images import image_weights
from a3d.weights.recognition import recognise


def on_meta(build, *args, **options):
    with torch.device("meta"):
        return build(*args, **options).state_dict()


@pytest.mark.parametrize("depth", [18, 50, 101])
def test_torchvision_and_timm_name_a_resnet_alike(depth):
    ours = image_weights(on_meta(getattr(torchvision.models, f"resnet{depth}")))
    theirs = image_weights(on_meta(timm.create_model, f"resnet{depth}"))
    assert ours.family == theirs.family == f"resnet{depth}" and ours.classes == 1000
    shapes = [{name: tensor.shape for name, tensor in found.tensors.items()} for found in (ours, theirs)]
    assert shapes[0] == shapes[1]


def test_pytorch_and_safetensors_files_are_read_alike(tmp_path):
    state = torchvision.models.resnet18(num_classes=3).state_dict()
    torch.save({"state_dict": state}, tmp_path / "image.pth")
    save_file(state, tmp_path / "image.safetensors")
    found = [recognise(tmp_path / name) for name in ("image.pth", "image.safetensors")]
    assert found[0].tensors.keys() == found[1].tensors.keys()
    assert all(torch.equal(found[0].tensors[name], found[1].tensors[name]) for name in found[0].tensors)
    assert len(found[0].tensors) == sum(not name.endswith("num_batches_tracked") for name in state)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: timm.create_model("resnet50d"), "no video network known"),
        (lambda: timm.create_model("seresnet50"), r"layer1\.0\.se\.\S+, which belongs to no plain resnet50"),
        (torchvision.models.resnet34, "of another depth"),
        (torchvision.models.resnet152, "of another depth"),
        (torchvision.models.mobilenet_v2, "no video network known"),
    ],
)
def test_other_networks_are_refused(build, said, tmp_path):
    with torch.device("meta"):
        state = build().state_dict()
    torch.save({key: torch.zeros(()).expand(tensor.shape) for key, tensor in state.items()}, tmp_path / "other.pth")
    with pytest.raises(ConversionError, match=said) as error:
        recognise(tmp_path / "other.pth")
    assert "\n" not in str(error.value) and "ResNet-18, 50 or 101" in str(error.value)
    assert str(tmp_path / "other.pth") in str(error.value)


class Calls:
    def __reduce__(self):
        return print, ("ran",)


def test_files_that_run_code_or_are_damaged_are_refused(tmp_path, capsys):
    torch.save({"conv1.weight": Calls()}, tmp_path / "code.pth")
    (tmp_path / "cut.safetensors").write_bytes(b"\x40\0\0\0\0\0\0\0{")
    for name in ("code.pth", "cut.safetensors", "none.pth"):
        with pytest.raises(ConversionError, match=name) as error:
            recognise(tmp_path / name)
        assert "\n" not in str(error.value)
    assert not capsys.readouterr().out
