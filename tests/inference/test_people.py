"""The person detector: torchvision's files are read, and nothing else."""

import os

import pytest
import torch
from torchvision.models import detection
from torchvision.ops import FrozenBatchNorm2d

from a3d.inference.people import DetectorError, PersonDetector


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file like torchvision's of COCO, random: frozen batch norms, so no counters of batches."""
    network = detection.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=91)
    state = {name: x for name, x in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    for name in state:
        if name.endswith("bn3.weight"):
            state[name].zero_()  # without it nothing tames the random residuals
    state["roi_heads.box_predictor.cls_score.bias"][1] = 9.0  # sees people everywhere
    path = tmp_path_factory.mktemp("detector") / "fasterrcnn.pth"
    torch.save(state, path)
    return path


def small(detector):
    """Pictures are not enlarged to 800 pixels: seconds less."""
    detector.network.transform.min_size, detector.network.transform.max_size = (64,), 96
    return detector


def test_people_come_back_as_shares_best_first(weights):
    detector = small(PersonDetector(weights))
    boxes, scores = detector(torch.randint(0, 256, (48, 96, 3), dtype=torch.uint8))
    assert len(boxes) == len(scores) > 0 and boxes.shape[1] == 4
    assert (boxes[:, :2] <= boxes[:, 2:]).all() and boxes.min() >= 0 and boxes.max() <= 1
    assert boxes.max() > 0.5 and (scores.diff() <= 0).all()


def test_batch_norms_are_those_of_the_coco_weights(weights):
    norms = [module for module in PersonDetector(weights).network.modules() if isinstance(module, FrozenBatchNorm2d)]
    assert len(norms) == 53 and {norm.eps for norm in norms} == {0.0}


def test_only_people_are_kept(weights, tmp_path):
    state = torch.load(weights, weights_only=True)
    state["roi_heads.box_predictor.cls_score.bias"][:] = 0.0
    state["roi_heads.box_predictor.cls_score.bias"][17] = 9.0  # dogs everywhere
    torch.save(state, tmp_path / "dogs.pth")
    detector, picture = small(PersonDetector(tmp_path / "dogs.pth")), torch.zeros(48, 48, 3, dtype=torch.uint8)
    assert len(detector(picture)[0]) == 0
    assert 17 in detector.network([picture.movedim(-1, 0) / 255])[0]["labels"]


@pytest.mark.slow
def test_second_version_is_known_by_its_counters(tmp_path):
    network = detection.fasterrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None, num_classes=91)
    torch.save(network.state_dict(), tmp_path / "v2.pth")
    small(PersonDetector(tmp_path / "v2.pth"))(torch.zeros(48, 48, 3, dtype=torch.uint8))


@pytest.mark.parametrize("content", [{"fc.weight": torch.zeros(2)}, {}, [1], "text"])
def test_other_files_are_refused_in_one_line(content, tmp_path):
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(DetectorError, match=r"other\.pth") as error:
        PersonDetector(tmp_path / "other.pth")
    assert "\n" not in str(error.value)


def test_code_is_refused_and_never_runs(tmp_path):
    class Calls:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'marker'}",)

    torch.save({"backbone.body.conv1.weight": Calls()}, tmp_path / "bad.pth")
    with pytest.raises(DetectorError, match="only weights are read"):
        PersonDetector(tmp_path / "bad.pth")
    assert not (tmp_path / "marker").exists()
    with pytest.raises(DetectorError, match="does not exist"):
        PersonDetector(tmp_path / "missing.pth")
