"""A checkpoint folder: safetensors and plain text, nothing that could run code.

`config.json` (architecture, range, sampling, labels, provenance), `weights.safetensors`, `statistics.safetensors`
(one tensor a configuration), `table.csv`, `README.md` (the model card). `profile-DEVICE.json` holds times of one
machine and stays on it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from a3d.adaptive.extraction import build, trace
from a3d.adaptive.network import AdaptiveNetwork, Architecture
from a3d.adaptive.slimmable import Statistics
from a3d.budgets.profile import Profile, device_name, file_name
from a3d.budgets.table import Table
from a3d.configuration import ComputationalRange, Configuration, ConfigurationError
from a3d.video.sampling import Sampling

FORMAT = 1


class CheckpointError(ValueError):
    """A checkpoint that cannot be read; the message names the file, the cause and the remedy."""


def save(network: AdaptiveNetwork, folder: str | Path, half: bool = False) -> None:
    """Writes everything but the model card, each file to a temporary name first.

    half: weights in float16 on disk (they come back as float32). Calibrate and test what was read back then.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    dtype = torch.float16 if half else torch.float32
    weights = {name: tensor.detach().cpu().to(dtype).contiguous() for name, tensor in network.state_dict().items()}
    replace(folder / "weights.safetensors", lambda path: save_file(weights, path))
    save_table(network, folder)
    text = json.dumps(_config(network), indent=1, ensure_ascii=False)
    replace(folder / "config.json", lambda path: path.write_text(text, encoding="utf-8"))


def save_table(network: AdaptiveNetwork, folder: str | Path) -> None:
    """Writes statistics and table into a checkpoint folder; its weights stay as they are, in their precision."""
    packed = {c.key: pack(statistics) for c, statistics in network.statistics.items()}
    replace(Path(folder) / "statistics.safetensors", lambda path: save_file(packed, path))
    if network.table is not None:
        network.table.write_csv(Path(folder) / "table.csv")


def save_profile(profile: Profile, folder: str | Path) -> Path:
    """Writes `profile-DEVICE.json`, named by the device and its threads, into a checkpoint folder."""
    path = Path(folder) / profile.file_name
    replace(path, lambda temporary: temporary.write_text(profile.to_json(), encoding="utf-8"))
    return path


def load(folder: str | Path, device: str | torch.device = "cpu") -> AdaptiveNetwork:
    """The network of a checkpoint folder, in evaluation mode, with labels, sampling, range, table and provenance.

    `network.profile` is what `a3d profile` measured on this device with as many threads, None if it has not.
    """
    folder = Path(folder)
    config = _read_config(folder / "config.json")
    try:
        network = build(Architecture(**config["architecture"])).eval()
        network.labels = tuple(config["labels"])
        network.sampling = Sampling(
            **{k: tuple(v) if isinstance(v, list) else v for k, v in config["sampling"].items()}
        )
        network.range = ComputationalRange(
            **{k: tuple(v) if isinstance(v, list) else v for k, v in config["range"].items()}
        )
    except (KeyError, TypeError, ConfigurationError) as error:
        raise CheckpointError(f"{folder / 'config.json'}: {error}; write it with a3d.save") from None
    network.provenance = config.get("provenance", {})
    _load_weights(network, folder / "weights.safetensors")
    packed = _read_tensors(folder / "statistics.safetensors")
    for key in sorted(packed):
        configuration = Configuration.parse(key)
        network.statistics[configuration] = unpack(packed[key], network.architecture, configuration)
    if (folder / "table.csv").exists():
        network.table = Table.read_csv(folder / "table.csv")
    profile = folder / file_name(device_name(device), torch.get_num_threads())
    if profile.exists():
        network.profile = Profile.read(profile)
    return network.to(device)


def pack(statistics: Statistics) -> Tensor:
    """Means and variances of every batch norm, side by side in the order of the file: (2, ΣC)."""
    means, variances = zip(*(statistics[layer] for layer in file_order(statistics)), strict=True)
    return torch.stack([torch.cat(means), torch.cat(variances)]).float().cpu()


def unpack(packed: Tensor, architecture: Architecture, configuration: Configuration) -> Statistics:
    # Channels follow the width alone: one trace serves every size and frame count.
    alike = Configuration(architecture.spatial, architecture.frames, configuration.width)
    channels = {use.layer: use.outputs for use in trace(architecture, alike) if use.kernel == 0}
    layers = file_order(channels)
    if packed.shape != (2, sum(channels.values())):
        raise CheckpointError(f"statistics of {configuration} do not fit the network: calibrate again (a3d table)")
    parts = packed.split([channels[layer] for layer in layers], 1)
    return {layer: (part[0].clone(), part[1].clone()) for layer, part in zip(layers, parts, strict=True)}


def file_order(layers: Iterable[str]) -> list[str]:
    """Layers in the order of a pass as they stand on disk: a block's shortcut last, though it may be computed before.

    It holds for every checkpoint that there is: nothing in the file tells the parts from each other.
    """
    layers = list(layers)
    for shortcut in [layer for layer in layers if ".shortcut." in layer]:
        layers.remove(shortcut)
        block = shortcut.partition("shortcut.")[0]
        last = max(i for i, layer in enumerate(layers) if layer.startswith(block))
        layers.insert(last + 1, shortcut)
    return layers


def replace(path: Path, write: Callable[[Path], object]) -> None:
    """Calls `write` with a temporary name beside `path`, then renames: the file is old or new, never half.

    Folders are made as needed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _config(network: AdaptiveNetwork) -> dict:
    return {
        "format": FORMAT,
        "architecture": asdict(network.architecture),
        "range": asdict(network.range),
        "sampling": asdict(network.sampling),
        "labels": list(network.labels),
        "provenance": network.provenance,
    }


def _read_config(path: Path) -> dict:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"{path} does not exist: give a checkpoint folder, one that a3d train, convert or save wrote"
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} is not JSON ({error}): restore the file") from None
    if not isinstance(config, dict) or config.get("format") != FORMAT:
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
    expected = network.state_dict()
    wrong = sorted(set(weights) ^ set(expected)) or [n for n in expected if weights[n].shape != expected[n].shape]
    if wrong:
        raise CheckpointError(f"{path}: {wrong[0]} does not fit {network.architecture.name}: restore config.json or it")
    network.load_state_dict(weights)
