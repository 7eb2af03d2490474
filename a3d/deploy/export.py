"""One sub-network as a file that runs without this package: ONNX or torch.export, with all that a runner must know."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from a3d.budgets.cost import cost
from a3d.configuration import Configuration
from a3d.deploy import runner
from a3d.deploy.bundle import bundle
from a3d.deploy.flat import flatten
from a3d.engines import EngineError, openvino
from a3d.engines.quantisation import quantise
from a3d.errors import A3DError
from a3d.files import remove_leftovers, replace, temporary_name
from a3d.trained import TrainedNetwork, check_trained
from a3d.video import Sampling, normalise
from a3d.video.views import decoded_side, squares

FILES = {"onnx": "network.onnx", "torch-export": "network.pt2", "openvino": "network.xml"}
TOLERANCE = 1e-3  # of the logits, against PyTorch
AGREEMENT = 0.9  # correlation of the logits in int8 with PyTorch's, over the clips quantised on


class ExportError(A3DError, ValueError):
    """A file that would not answer as the network does, or cannot be made; the message names the cause."""


@dataclass(frozen=True)
class Exported:
    """What was written. difference: the largest between its logits and the network's, over batches of 1 and 3."""

    path: Path
    megabytes: float
    difference: float


class Deployed(nn.Module):
    """A sub-network with its normalisation: uint8 (B, T, S, S, 3), the frames it looks at, to logits (B, classes)."""

    def __init__(self, network: TrainedNetwork, configuration: Configuration, flat: bool = False) -> None:
        """flat: with two-dimensional convolutions alone."""
        super().__init__()
        sub = network.extract(configuration)
        self.sub, self.sampling = flatten(sub) if flat else sub, network.sampling

    def forward(self, frames: Tensor) -> Tensor:
        return self.sub(normalise(frames, self.sampling))


def export(
    network: TrainedNetwork,
    configuration: Configuration,
    folder: str | Path,
    kind: str = "onnx",
    precision: str = "float32",
    flat: bool = False,
) -> Exported:
    """Writes the sub-network at a configuration and `run.py`, which classifies videos with it, into `folder`.

    kind: `onnx` (`network.onnx`, run by onnxruntime), `torch-export` (`network.pt2`, run by PyTorch without this
    package) or `openvino` (`network.xml` and `network.bin`). The file takes uint8 (B, T, S, S, 3) with any B, and holds
    class names, sampling and provenance. precision: float32, or int8 for OpenVINO, quantised on the clips that the
    network was loaded with. flat: with two-dimensional convolutions alone, which Slow's can be written as.

    It is run before it gets its name: ExportError if a logit differs by more than 1e-3, or in int8 their correlation
    over those clips is below 0.9, or for another kind. Raises MissingStatistics for a configuration that was not
    calibrated, Untrained without class names, EngineError for int8 without clips, NotFlat for a network whose kernels
    look along time and space at once.
    """
    check_trained(network)
    folder = Path(folder)
    _check(network, folder, kind, precision)
    deployed = Deployed(network, configuration, flat).cpu()
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    unfinished = temporary_name(folder / "export")
    unfinished.mkdir()
    try:
        path = unfinished / FILES[kind]
        facts = metadata(network, configuration) | {"precision": precision}
        difference = _write(deployed, path, facts, _clips(network, facts["sampling"]) if precision == "int8" else None)
        for part in sorted(unfinished.iterdir()):  # weights before the graph that names them
            part.replace(folder / part.name)
    finally:
        shutil.rmtree(unfinished)
    size = sum((folder / path.name).with_suffix(end).stat().st_size for end in _ends(path))
    replace(folder / "run.py", lambda path: path.write_text(bundle(runner), encoding="utf-8"))
    return Exported(folder / path.name, size / 1e6, difference)


def _check(network: TrainedNetwork, folder: Path, kind: str, precision: str) -> None:
    """Raise ExportError for what cannot be exported, or not there."""
    if kind not in FILES:
        raise ExportError(f"kind {kind!r}: choose one of {', '.join(FILES)}")
    if precision != "float32" and (kind, precision) != ("openvino", "int8"):
        raise ExportError(f"{kind} in {precision}: an exported file computes in float32, or in int8 by openvino")
    if network.task == "detection":
        raise ExportError("a network that detects answers about boxes, which a file here cannot take: run a3d detect")
    other = next((folder / name for name in FILES.values() if name != FILES[kind] and (folder / name).exists()), None)
    if other is not None:
        raise ExportError(f"{other} is there already and run.py would not know which to run: give another folder")


def _ends(path: Path) -> tuple[str, ...]:
    return (".bin", ".xml") if path.suffix == ".xml" else (path.suffix,)


def _clips(network: TrainedNetwork, sampling: dict) -> list[Tensor]:
    """What to quantise on, as the file takes it: uint8 (1, T, S, S, 3)."""
    if network.choice.clips is None:
        raise EngineError("no clips to quantise on: name those that the network was calibrated on (--clips DIR)")
    frames = network.choice.clips.frames()
    return [squares(clip, sampling["size"], 1)[:, sampling["seen"]] for clip in frames]


def _write(deployed: Deployed, path: Path, facts: dict, clips: list[Tensor] | None) -> float:
    """Writes the file, runs it as `run.py` will, and returns the largest difference of a logit.

    clips: to quantise on, for int8.
    """
    example = _example(facts["sampling"], 2)
    with torch.no_grad():
        program = torch.export.export(deployed, (example,), dynamic_shapes={"frames": {0: torch.export.Dim("batch")}})
    if path.suffix == ".onnx":
        _write_onnx(program, path, facts)
    elif path.suffix == ".xml":
        _write_openvino(program, path, facts, clips)
    else:
        content = BytesIO()  # a disk that is full ends torch's own writing in an abort
        torch.export.save(program, content, extra_files={"a3d.json": json.dumps(facts)})
        path.write_bytes(content.getbuffer())
    classify, _ = runner.load(path)
    if clips is not None:
        return _checked(classify, deployed, clips)
    difference = max(_difference(classify, deployed, _example(facts["sampling"], batch)) for batch in (1, 3))
    if not difference <= TOLERANCE:
        raise ExportError(f"the file answers otherwise than the network, by {difference:.2g} in a logit: not written")
    return difference


def _write_onnx(program: torch.export.ExportedProgram, path: Path, facts: dict) -> None:
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise ExportError(f"ONNX needs {missing[0]}, which is not installed: pip install 'a3d[export]'")
    written = torch.onnx.export(program, dynamo=True, verbose=False, input_names=["frames"], output_names=["logits"])
    written.model.metadata_props["a3d"] = json.dumps(facts)
    written.save(path, external_data=False)


def _write_openvino(program: torch.export.ExportedProgram, path: Path, facts: dict, clips: list[Tensor] | None) -> None:
    ov, frames = openvino.package(), facts["sampling"]
    with openvino.quiet():
        model = ov.convert_model(program)
    model.reshape([-1, len(frames["seen"]), frames["size"], frames["size"], 3])
    model = model if clips is None else quantise(model, clips)
    model.set_rt_info(json.dumps(facts), "a3d")
    ov.save_model(model, path, compress_to_fp16=False)


def _checked(classify: Callable[[np.ndarray], np.ndarray], deployed: Deployed, clips: list[Tensor]) -> float:
    """The largest difference of a logit over clips. Raises ExportError where they do not go together."""
    with torch.inference_mode():
        ours = torch.cat([torch.from_numpy(classify(clip.numpy())) for clip in clips])
        theirs = torch.cat([deployed(clip) for clip in clips])
    together = float(np.corrcoef(ours.flatten(), theirs.flatten())[0, 1])
    if not together >= AGREEMENT:
        raise ExportError(f"in int8 the logits go with the network's by {together:.2f} of 1: not written")
    return float((ours - theirs).abs().max())


def _difference(classify: Callable[[np.ndarray], np.ndarray], deployed: Deployed, frames: Tensor) -> float:
    with torch.inference_mode():
        return float((torch.from_numpy(classify(frames.numpy())) - deployed(frames)).abs().max())


def _example(sampling: dict, batch: int) -> Tensor:
    """Noise of the shape that the file takes: uint8 (batch, T, S, S, 3)."""
    shape = (batch, len(sampling["seen"]), sampling["size"], sampling["size"], 3)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(batch))


def metadata(network: TrainedNetwork, configuration: Configuration) -> dict:
    """What goes into the file: class names, what to sample, what it costs and scored, where it comes from."""
    used = cost(network, configuration)
    tested = network.table is not None and any(row.configuration == configuration for row in network.table.rows)
    return {
        "labels": list(network.labels),
        "task": network.task,
        "sampling": _sampling(network, configuration),
        "normalisation": {"mean": network.sampling.mean, "std": network.sampling.std, "included": True},
        "configuration": configuration.key,
        "architecture": asdict(network.architecture),
        "gflops": used.gflops,
        "params": used.params,
        "top1": network.table.row(configuration).top1 if tested else None,
        "temperature": network.temperature(configuration),
        "provenance": network.provenance,
    }


def _sampling(network: TrainedNetwork, configuration: Configuration) -> dict:
    """What the runner reads: T, τ and its rate, which of the T frames are looked at, S, and the side decoded to."""
    sampling: Sampling = network.sampling
    seen = network.seen_frames(configuration, sampling.frames)
    size = network.clip_shape(configuration)[1]
    clip = {"frames": sampling.frames, "stride": sampling.stride, "rate": sampling.rate, "seen": seen, "size": size}
    return clip | {"side": decoded_side(sampling)}
