"""A checkpoint folder: safetensors and plain text, nothing that could run code.

`config.json` (architecture, range, sampling, labels, provenance), `weights.safetensors`, `statistics.safetensors`
(one tensor a configuration), `table.csv`, `README.md` (the model card). `profile-DEVICE.json` holds times of one
machine and stays on it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from dataclasses import replace as replace_
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from a3d.adaptive.adaptation import adapt
from a3d.adaptive.architecture import Architecture
from a3d.adaptive.moments import Statistics
from a3d.adaptive.network import AdaptiveNetwork
from a3d.budgets.profile import Latency, Profile, device_name, file_name
from a3d.budgets.table import Table
from a3d.configuration import ComputationalRange, Configuration, ConfigurationError
from a3d.engines.choice import Choice
from a3d.engines.clips import CalibrationClips, named_clips
from a3d.errors import A3DError
from a3d.files import replace
from a3d.networks.builders import build
from a3d.trained import TrainedNetwork, check_trained
from a3d.video.sampling import Sampling

FORMAT = 2
MOST_LOST = 1.0  # percentage points of accuracy that int8 may cost where nobody asked for it
MOMENTS = (".running_mean", ".running_var", ".num_batches_tracked")  # kept by configuration, in statistics.safetensors


class CheckpointError(A3DError, ValueError):
    """A checkpoint that cannot be read; the message names the file, the cause and the remedy."""


def save(network: TrainedNetwork, folder: str | Path, half: bool = False) -> None:
    """Write everything but the model card, each file to a temporary name first.

    half: weights in float16 on disk (they come back as float32). Calibrate and test what was read back then.
    Raises Untrained for a network without class names, sampling and range.
    """
    check_trained(network)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    dtype = torch.float16 if half else torch.float32
    weights = {name: tensor.detach().cpu().to(dtype).contiguous() for name, tensor in _weights(network).items()}
    replace(folder / "weights.safetensors", lambda path: save_file(weights, path))
    save_table(network, folder)
    text = json.dumps(_config(network), indent=1, ensure_ascii=False)
    replace(folder / "config.json", lambda path: path.write_text(text, encoding="utf-8"))


def save_table(network: TrainedNetwork, folder: str | Path) -> None:
    """Write statistics and table into a checkpoint folder; its weights stay as they are, in their precision."""
    packed = {c.key: pack(statistics) for c, statistics in network.statistics.items()}
    replace(Path(folder) / "statistics.safetensors", lambda path: save_file(packed, path))
    if network.table is not None:
        network.table.write_csv(Path(folder) / "table.csv")


def save_profile(profile: Profile, folder: str | Path) -> Path:
    """Write `profile-DEVICE.json`, named by the device and its threads, into a checkpoint folder.

    What it holds of other engines and precisions stays.
    """
    path = Path(folder) / profile.file_name
    if path.exists():
        profile = profile.updated(Profile.read(path))
    replace(path, lambda temporary: temporary.write_text(profile.to_json(), encoding="utf-8"))
    return path


def load(
    folder: str | Path,
    device: str | torch.device = "cpu",
    network: nn.Module | None = None,
    engine: str | None = None,
    precision: str = "float32",
    clips: str | Path | None = None,
) -> TrainedNetwork:
    """Return the network of a checkpoint folder, in evaluation mode, with labels, sampling, range, table, provenance.

    `.profile` is what `a3d profile` measured on this device with as many threads, None if it has not. network: the
    module that was adapted, for a network of one's own, whose code no checkpoint holds.

    engine, precision: what runs its sub-networks, whose times `.profile` then holds: `pytorch` (float32, bfloat16),
    `openvino` (these and int8) or `onnxruntime` (float32); "auto" for what was measured to be fastest, else float32 on
    PyTorch. Weights are float32. clips: to quantise on where no int8 file is there yet, a folder or a list; by default
    those that the checkpoint was trained on, if they are still there.
    Raises CheckpointError, naming the file, the cause and the remedy; EngineError for what does not run here.
    """
    folder = Path(folder)
    config = _read_config(folder / "config.json")
    try:
        adapted = _network(architecture_of(config["architecture"]), config, network).eval()
        sampling = Sampling(**{k: tuple(v) if isinstance(v, list) else v for k, v in config["sampling"].items()})
        range = ComputationalRange(**{k: tuple(v) if isinstance(v, list) else v for k, v in config["range"].items()})
        labels, provenance = tuple(config["labels"]), config.get("provenance", {})
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{folder / 'config.json'}: {error}; write it with a3d.save") from None
    _load_weights(adapted, folder / "weights.safetensors")
    packed = _read_tensors(folder / "statistics.safetensors")
    for key in sorted(packed):
        configuration = Configuration.parse(key)
        adapted.statistics[configuration] = unpack(packed[key], adapted, configuration)
    table = Table.read_csv(folder / "table.csv") if (folder / "table.csv").exists() else None
    choice = _choice(engine, precision, folder, clips or named_clips(provenance), sampling, str(device))
    path = folder / file_name(device_name(device), torch.get_num_threads())
    profile = usable(Profile.read(path), table, choice) if path.exists() else None
    return TrainedNetwork(adapted, labels, sampling, range, table, profile, provenance, choice).to(device)


def usable(profile: Profile, table: Table | None, choice: Choice) -> Profile | None:
    """Return what of a profile a choice may run: left open, int8 only where it costs at most a point of accuracy."""
    allowed = choice.runtimes()

    def fits(line: Latency) -> bool:
        if line.runtime not in allowed or line.runtime.precision != "int8" or choice.precision == "int8":
            return line.runtime in allowed
        rows = () if table is None else table.rows
        tested = next((row for row in rows if row.configuration == line.configuration), None)
        return tested is not None and tested.int8 is not None and tested.int8 >= tested.accuracy - MOST_LOST

    return profile.only(fits)


def _choice(
    engine: str | None, precision: str, folder: Path, clips: str | Path | None, sampling: Sampling, device: str
) -> Choice:
    """Raises EngineError if nothing here runs it; clips are read where they are needed alone."""
    plain = Choice(engine, precision, folder, device=device.partition(":")[0])
    needs_clips = any(runtime.precision == "int8" for runtime in plain.runtimes())
    return replace_(plain, clips=CalibrationClips.read(clips, sampling)) if clips and needs_clips else plain


def architecture_of(fields: dict[str, Any]) -> Architecture:
    """Return the architecture that a checkpoint names; those of version 0.2 name a family and a depth."""
    if "family" not in fields:
        return Architecture(**fields)
    options = dict(fields)
    name = f"{options.pop('family')}_r{options.pop('depth')}"
    shape = {key: options.pop(key) for key in ("classes", "spatial", "frames", "task") if key in options}
    if name.startswith("slow_"):
        options = {
            key: value for key, value in options.items() if key in ("base_channels", "dropout", "temporal_blocks")
        }
    if shape.get("task") == "detection":
        options["aligned"] = fields.get("aligned", True)
    else:
        options.pop("aligned", None)
    return Architecture(name, **shape, options=options)


def pack(statistics: Statistics) -> Tensor:
    """Return means and variances of every batch norm, side by side in the order of a pass: (2, ΣC)."""
    means, variances = zip(*statistics.values(), strict=True)
    return torch.stack([torch.cat(means), torch.cat(variances)]).float().cpu()


def unpack(packed: Tensor, network: AdaptiveNetwork, configuration: Configuration) -> Statistics:
    """Return what `pack` packed, by layer. Raises CheckpointError if it does not fit the network."""
    channels = network.uses.channels(configuration.width)
    if packed.shape != (2, sum(channels.values())):
        raise CheckpointError(f"statistics of {configuration} do not fit the network: calibrate again (a3d table)")
    parts = packed.split(list(channels.values()), 1)
    return {layer: (part[0].clone(), part[1].clone()) for layer, part in zip(channels, parts, strict=True)}


def _network(architecture: Architecture, config: dict, module: nn.Module | None) -> AdaptiveNetwork:
    if architecture.network:
        return build(architecture)
    if module is None:
        raise ConfigurationError("it was adapted from a network of one's own: give that, a3d.load(folder, network=...)")
    frames, side = config["clip"]
    clip = torch.empty(1, 3, frames, side, side, device="meta")
    return adapt(module, clip=clip, fixed=config["fixed"], order=False, task=architecture.task)


def _config(network: TrainedNetwork) -> dict:
    graph = network.graph
    return {
        "format": FORMAT,
        "architecture": asdict(network.architecture),
        "clip": [graph.clip_frames, graph.clip_side],
        "fixed": list(graph.fixed),
        "range": asdict(network.range),
        "sampling": asdict(network.sampling),
        "labels": list(network.labels),
        "provenance": network.provenance,
    }


def _weights(network: AdaptiveNetwork) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in network.state_dict().items() if not name.endswith(MOMENTS)}


def _read_config(path: Path) -> dict:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"{path} does not exist: give a checkpoint folder, one that a3d train, convert or save wrote"
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} is not JSON ({error}): restore the file") from None
    if not isinstance(config, dict) or config.get("format") not in (1, FORMAT):
        raise CheckpointError(f'{path} has no "format": {FORMAT}: it was written by another version')
    return config


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path} does not exist: restore the file") from None
    except SafetensorError as error:
        raise CheckpointError(f"{path} is damaged ({error}): restore the file") from None


def _load_weights(network: AdaptiveNetwork, path: Path) -> None:
    weights = {name: tensor.float() for name, tensor in _read_tensors(path).items()}
    expected = _weights(network)
    wrong = sorted(set(weights) ^ set(expected)) or [n for n in expected if weights[n].shape != expected[n].shape]
    if wrong:
        raise CheckpointError(f"{path}: {wrong[0]} does not fit {network.architecture.name}: restore config.json or it")
    network.load_state_dict(weights, strict=False)
