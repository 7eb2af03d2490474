"""What runs a sub-network: PyTorch, OpenVINO or onnxruntime, and in what precision."""

from a3d.engines.choice import Choice, ready
from a3d.engines.runtime import PLAIN, EngineError, Runtime, runtimes
