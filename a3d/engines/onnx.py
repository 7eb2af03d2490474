"""A sub-network run by onnxruntime: the body by its session, the head, which is small, by PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx, nn

from a3d.engines.entry import Entry
from a3d.engines.runtime import PACKAGES, check_installed


class OnnxBody(nn.Module):
    """The body of a sub-network as an onnxruntime session: (B, 3, T, H, W) to its maps, (B, C, t, h, w), float32."""

    def __init__(self, body: fx.GraphModule, entry: Entry) -> None:
        """Converting takes seconds. Raises EngineError, naming the extra, if a package is not installed."""
        super().__init__()
        check_installed(*PACKAGES["onnxruntime"])
        import onnxruntime

        model = onnx_model(body, torch.zeros(2, 3, *entry.shape))
        how = onnxruntime.SessionOptions()
        how.intra_op_num_threads = torch.get_num_threads()
        how.add_session_config_entry("session.intra_op.allow_spinning", "0")  # threads that wait would slow decoding
        self.entry, self.nbytes = entry, len(model)
        self.session = onnxruntime.InferenceSession(model, how)

    def forward(self, clip: Tensor) -> tuple[Tensor, ...]:
        return tuple(map(torch.from_numpy, self.session.run(None, {"clip": self.entry(clip).contiguous().numpy()})))


def onnx_model(body: nn.Module, example: Tensor) -> bytes:
    """Return a module of one argument, `clip`, as an ONNX model for any batch."""
    shapes: Any = ({0: torch.export.Dim("batch")},)
    with torch.no_grad():
        program = torch.export.export(body, (example,), dynamic_shapes=shapes)
        written = torch.onnx.export(program, dynamo=True, verbose=False, input_names=["clip"])
    return written.model_proto.SerializeToString()
