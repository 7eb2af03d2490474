"""Where people are in a picture: torchvision's Faster R-CNN, with COCO weights from a file of the user's."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from a3d.errors import A3DError

COCO_CLASSES, PERSON = 91, 1  # the background is 0
SOURCE = "https://download.pytorch.org/models/fasterrcnn_resnet50_fpn_coco-258fb6c6.pth"


class DetectorError(A3DError, ValueError):
    """Weights that are not those of a person detector; the message names the file and the remedy."""


class PersonDetector:
    """Finds person boxes in a picture. weights: torchvision's `fasterrcnn_resnet50_fpn_coco-*.pth`, or its v2.

    Raises DetectorError for a file that is missing, unsafe, or of another network.
    """

    def __init__(self, weights: str | Path, device: str | torch.device = "cpu") -> None:
        state = _read(Path(weights))
        self.network = _second() if "backbone.body.bn1.num_batches_tracked" in state else _first()
        try:
            self.network.load_state_dict(state)
        except RuntimeError as error:
            cause = str(error).splitlines()[1 if "\n" in str(error) else 0].strip()
            raise DetectorError(f"{weights} is not torchvision's Faster R-CNN ({cause}): get {SOURCE}") from None
        self.network.to(device).eval()

    @torch.inference_mode()
    def __call__(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """picture: uint8 (H, W, 3). Boxes float32 (n, 4), corners as shares 0..1, and scores (n,), best first."""
        device = next(self.network.parameters()).device
        found = self.network([picture.to(device).movedim(-1, 0) / 255])[0]
        height, width = picture.shape[:2]
        people = found["labels"] == PERSON
        sides = torch.tensor([width, height, width, height], device=device)
        return (found["boxes"][people] / sides).clamp(0, 1).cpu(), found["scores"][people].cpu()


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise DetectorError(f"{path} does not exist: get {SOURCE}")
    try:
        state = torch.load(path, "cpu", weights_only=True)
    except Exception as error:
        # torch answers a file that could run code, or is cut short, with an error of many kinds and many lines
        cause = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise DetectorError(f"{path} is refused, only weights are read ({cause}): get {SOURCE}") from None
    if not isinstance(state, dict):
        raise DetectorError(f"{path} holds no weights: get {SOURCE}")
    return state


def _first() -> nn.Module:
    """As `fasterrcnn_resnet50_fpn` with its COCO weights: they were trained with batch norms without an epsilon."""
    from torchvision.models.detection import FasterRCNN  # torchvision takes a second to import
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops import FrozenBatchNorm2d

    network = FasterRCNN(resnet_fpn_backbone(backbone_name="resnet50", weights=None), COCO_CLASSES)
    for module in network.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = 0.0
    return network


def _second() -> nn.Module:
    from torchvision.models.detection import fasterrcnn_resnet50_fpn_v2

    return fasterrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None, num_classes=COCO_CLASSES)
