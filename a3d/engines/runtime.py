"""What runs a sub-network, and in what precision."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from a3d.errors import A3DError

AUTO = "auto"
PRECISIONS = {  # of each engine
    "pytorch": ("float32", "bfloat16"),
    "openvino": ("float32", "bfloat16", "int8"),
    "onnxruntime": ("float32",),
}
PACKAGES = {"pytorch": (), "openvino": ("openvino",), "onnxruntime": ("onnxruntime", "onnx", "onnxscript")}
EXTRAS = {"openvino": "openvino", "nncf": "openvino"}  # the others are of `export`


class EngineError(A3DError, ValueError):
    """An engine or a precision that cannot run a network here; the message names the value and the remedy."""


@dataclass(frozen=True, order=True)
class Runtime:
    """An engine and the precision that it computes in. Raises EngineError for a pair that does not exist."""

    engine: str = "pytorch"
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.engine not in PRECISIONS:
            raise EngineError(f"engine {self.engine!r}: choose one of {', '.join(PRECISIONS)}")
        if self.precision not in PRECISIONS[self.engine]:
            able = [name for name, precisions in PRECISIONS.items() if self.precision in precisions]
            if not able:
                raise EngineError(f"precision {self.precision!r}: choose float32, bfloat16 or int8")
            raise EngineError(f"{self.engine} does not run {self.precision}: choose --engine {able[-1]}")

    def __str__(self) -> str:
        return f"{self.engine} {self.precision}"


PLAIN = Runtime()


def check_installed(*packages: str) -> None:
    """Raise EngineError, naming the extra to install, for a package that is missing."""
    for package in packages:
        if find_spec(package) is None:
            extra = EXTRAS.get(package, "export")
            raise EngineError(f"{package} is not installed: pip install 'a3d[{extra}]'")


def runtimes(engine: str, precision: str, device: str = "cpu") -> tuple[Runtime, ...]:
    """Return the runtimes that are asked for and run here; either word may be "auto", which leaves it open.

    onnxruntime is left out of an open choice where OpenVINO is there: it was slower at every budget that was measured,
    and takes seconds to convert. Raises EngineError if there is none, naming what to install or to choose.
    """
    if engine != AUTO:
        precisions = PRECISIONS.get(engine, ()) if precision == AUTO else (precision,)
        found = tuple(Runtime(engine, each) for each in precisions) or (Runtime(engine),)
        check_installed(*PACKAGES[engine])
    else:
        names = [name for name in PRECISIONS if all(map(find_spec, PACKAGES[name]))]
        if "openvino" in names and "onnxruntime" in names:
            names.remove("onnxruntime")
        found = tuple(Runtime(n, p) for n in names for p in PRECISIONS[n] if precision in (AUTO, p))
    if precision == "int8":
        check_installed("openvino")
    if not found:
        raise EngineError(f"precision {precision!r}: choose float32, bfloat16, int8 or auto")
    if device != "cpu":
        found = tuple(runtime for runtime in found if runtime.engine == "pytorch")
        if not found:
            raise EngineError(f"{engine} {precision} runs on a processor: choose --device cpu, or --engine pytorch")
    return found
