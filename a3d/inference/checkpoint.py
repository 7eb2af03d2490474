"""A checkpoint folder: safetensors and plain text, nothing that could run code.

`config.json` (architecture, range, sampling, labels, provenance, checksums), `weights.safetensors`,
`statistics.safetensors` and, if it has learnt to say "none of these", `rejections.safetensors` (one tensor a
configuration), `table.csv`, `README.md` (the model card). `profile-DEVICE.json` holds times of one machine and stays
on it. What is loaded is checked: a damaged network answers as if nothing were
wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from dataclasses import replace as replace_
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor, nn

from a3d.adaptive.adaptation import adapt
from a3d.adaptive.architecture import Architecture
from a3d.adaptive.checksum import MOMENTS, checksum, weights, weights_checksum
from a3d.adaptive.moments import Statistics
from a3d.adaptive.network import AdaptiveNetwork
from a3d.budgets.profile import Latency, Profile, device_name, file_name
from a3d.budgets.table import LARGEST, Table
from a3d.configuration import ComputationalRange, Configuration, ConfigurationError
from a3d.engines.choice import Choice
from a3d.engines.clips import CalibrationClips, named_clips
from a3d.errors import A3DError
from a3d.files import declared_shapes, remove_leftovers, replace
from a3d.inference.checks import check_config, check_statistics, check_weights
from a3d.inference.contents import (
    REJECTIONS,
    STATISTICS,
    TABLE,
    WEIGHTS,
    CheckpointError,
    Contents,
    Mixed,
    remove,
    write,
)
from a3d.networks.builders import build, shapes
from a3d.trained import TrainedNetwork, check_trained
from a3d.video.sampling import Sampling

FORMAT = 2
HEADER = 2**20  # bytes: names and shapes of a file of tensors
TESTED = 2**12  # configurations: more than any table has
LARGEST_WEIGHTS = 2**33  # bytes, of a network of one's own
MOST_LOST = 1.0  # percentage points of accuracy that int8 may cost where nobody asked for it


def save(network: TrainedNetwork, folder: str | Path, half: bool = False) -> None:
    """Write everything but the model card: the folder holds this checkpoint or the one before, never parts of both.

    half: weights in float16 on disk (they come back as float32). Calibrate and test what was read back then.
    Raises Untrained for a network without class names, sampling and range; CheckpointError for one that could not be
    read back, or whose table is a test of other weights.
    """
    check_trained(network)
    dtype = torch.float16 if half else torch.float32
    config = _config(network) | {"weights": weights_checksum(network, dtype)}
    _check_table(network.table, config["weights"], Path(folder) / TABLE)
    tensors = {name: tensor.detach().cpu().to(dtype).contiguous() for name, tensor in weights(network).items()}
    _checked(check_weights, tensors, Path(folder) / WEIGHTS)
    files = {WEIGHTS: safetensors.save(tensors)} | _tested(network)
    if network.table is None:
        remove(folder, TABLE)  # of other weights
    if not network.rejections:
        remove(folder, REJECTIONS)
    write(folder, files, config)


def save_table(network: TrainedNetwork, folder: str | Path) -> None:
    """Write statistics and table into a checkpoint folder; its weights stay as they are, in their precision."""
    config = {"weights": weights_checksum(network)} | Contents(folder).config
    _check_table(network.table, config["weights"], Path(folder) / TABLE)
    if not network.rejections:
        remove(folder, REJECTIONS)
    write(folder, _tested(network), config)


def holds(folder: str | Path, network: AdaptiveNetwork) -> bool:
    """Return whether a checkpoint folder holds the weights of `network`, in whatever precision."""
    contents = Contents(folder)
    known = contents.config.get("weights") or checksum(_tensors(contents, WEIGHTS, LARGEST_WEIGHTS))
    return known in (weights_checksum(network), weights_checksum(network, torch.float16))


def is_checked(folder: str | Path) -> bool:
    """Return whether a checkpoint has checksums of its files; those of older versions have none."""
    return Contents(folder).checksums is not None


def _tested(network: TrainedNetwork) -> dict[str, bytes]:
    packed = {c.key: pack(statistics) for c, statistics in network.statistics.items()}
    check_statistics(packed)
    files = {STATISTICS: safetensors.save(packed)}
    if network.table is not None:
        files[TABLE] = network.table.to_csv()
    if network.rejections:
        files[REJECTIONS] = safetensors.save({c.key: line for c, line in network.rejections.items()})
    return files


def _check_table(table: Table | None, known: str, path: Path) -> None:
    """Raise CheckpointError for tests of other weights."""
    others = {row.weights for row in table.rows} - {"", known} if table is not None else ()
    if others:
        raise CheckpointError(
            f"{path} holds tests of the weights {', '.join(sorted(others))}, not of these, {known}: test them (a3d "
            "table)"
        )


def save_profile(profile: Profile, folder: str | Path) -> Path:
    """Write `profile-DEVICE.json`, named by the device and its threads, into a checkpoint folder.

    What it holds of other engines and precisions stays.
    """
    path = Path(folder) / profile.file_name
    remove_leftovers(folder)
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
    contents = Contents(folder)
    try:
        return _loaded(contents, device, network, engine, precision, clips)
    except Mixed:
        if Contents(folder).config == contents.config:
            raise
        return _loaded(
            Contents(folder), device, network, engine, precision, clips
        )  # it was written anew in this moment


def _loaded(
    contents: Contents,
    device: str | torch.device,
    module: nn.Module | None,
    engine: str | None,
    precision: str,
    clips: str | Path | None,
) -> TrainedNetwork:
    folder, config = contents.folder, contents.config
    if config.get("format") not in (1, FORMAT):
        raise CheckpointError(f'{folder / "config.json"} has no "format": {FORMAT}: it was written by another version')
    try:
        check_config(config)
        architecture = architecture_of(config["architecture"])
        tensors = _weights(contents, architecture)
        adapted = _network(architecture, config, module).eval()
        sampling = Sampling(**{k: tuple(v) if isinstance(v, list) else v for k, v in config["sampling"].items()})
        range = ComputationalRange(**{k: tuple(v) if isinstance(v, list) else v for k, v in config["range"].items()})
        labels, provenance = tuple(config["labels"]), config.get("provenance", {})
    except CheckpointError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as error:
        cause = " ".join(str(error).split())[:300]
        raise CheckpointError(f"{folder / 'config.json'}: {cause}; restore it, or write it with a3d.save") from None
    _fill(adapted, tensors, folder / WEIGHTS)
    adapted.statistics.clear()
    adapted.statistics.update(_statistics(contents, adapted))
    content = contents.read(TABLE, LARGEST)
    table = Table.parse(content, folder / TABLE) if content is not None else None
    if "weights" in config:
        _check_table(table, config["weights"], folder / TABLE)
    choice = _choice(engine, precision, folder, clips or named_clips(provenance), sampling, str(device))
    path = folder / file_name(device_name(device), torch.get_num_threads())
    profile = usable(Profile.read(path), table, choice) if path.exists() else None
    found = TrainedNetwork(adapted, labels, sampling, range, table, profile, provenance, choice)
    found.rejections = _rejections(contents, found)
    return found.to(device)


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
    if not statistics:
        return torch.zeros(2, 0)
    means, variances = zip(*statistics.values(), strict=True)
    return torch.stack([torch.cat(means), torch.cat(variances)]).float().cpu()


def unpack(packed: Tensor, network: AdaptiveNetwork, configuration: Configuration) -> Statistics:
    """Return what `pack` packed, by layer. Raises CheckpointError if it does not fit the network."""
    channels = _check_moments(tuple(packed.shape), network, configuration)
    parts = packed.split(list(channels.values()), 1)
    return {layer: (part[0].clone(), part[1].clone()) for layer, part in zip(channels, parts, strict=True)}


def _check_moments(shape: tuple, network: AdaptiveNetwork, configuration: Configuration) -> dict[str, int]:
    """Return the channels of every layer, by which packed statistics are cut."""
    channels = network.uses.channels(configuration.width)
    if shape != (2, sum(channels.values())):
        raise CheckpointError(f"statistics of {configuration} do not fit the network: calibrate again (a3d table)")
    return channels


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


def _weights(contents: Contents, architecture: Architecture) -> dict[str, Tensor]:
    """The weights, of a file that is no larger than the network's are: before memory is taken for either."""
    if not architecture.network:
        return _checked(check_weights, _tensors(contents, WEIGHTS, LARGEST_WEIGHTS), contents.folder / WEIGHTS)
    wanted = {name: shape for name, shape in shapes(architecture).items() if not name.endswith(MOMENTS)}
    limit = HEADER + 4 * sum(torch.Size(shape).numel() for shape in wanted.values())
    path = contents.folder / WEIGHTS
    tensors = _tensors(contents, WEIGHTS, limit, lambda declared: _check_fit(declared, wanted, path))
    return _checked(check_weights, tensors, contents.folder / WEIGHTS)


def _check_fit(found: dict[str, tuple], wanted: dict[str, tuple], path: Path) -> None:
    wrong = sorted(set(found) ^ set(wanted)) or [name for name in wanted if found[name] != wanted[name]]
    if wrong:
        raise CheckpointError(f"{path}: {wrong[0][:80]!r} does not fit the network of config.json: restore the folder")


def _fill(network: AdaptiveNetwork, tensors: dict[str, Tensor], path: Path) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in weights(network).items()}
    _check_fit({name: tuple(tensor.shape) for name, tensor in tensors.items()}, wanted, path)
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=False)


def _statistics(contents: Contents, network: AdaptiveNetwork) -> dict[Configuration, Statistics]:
    path, channels = contents.folder / STATISTICS, network.uses.channels

    def check(declared: Mapping[str, tuple]) -> None:
        for key, shape in _few(declared, path).items():
            _check_moments(shape, network, _configuration(key, path))

    limit = HEADER + TESTED * 8 * sum(channels(1.0).values())
    packed = _checked(check_statistics, _tensors(contents, STATISTICS, limit, check), path)
    configurations = {key: _configuration(key, path) for key in sorted(packed)}
    return {configuration: unpack(packed[key], network, configuration) for key, configuration in configurations.items()}


def _rejections(contents: Contents, network: AdaptiveNetwork) -> dict[Configuration, Tensor]:
    """How to tell clips of none of the classes; a checkpoint without that file has not learnt it."""
    path = contents.folder / REJECTIONS
    if REJECTIONS not in (contents.checksums or {REJECTIONS}) or not path.exists():
        return {}

    def check(declared: Mapping[str, tuple]) -> None:
        for key, shape in _few(declared, path).items():
            configuration = _configuration(key, path)
            if shape != (2 + network.uses.features(configuration.width),):
                raise CheckpointError(
                    f"{path}: {configuration} does not fit the network: learn it again (a3d table --foreign)"
                )

    limit = HEADER + TESTED * 8 * (2 + network.uses.features(1.0))
    lines = _checked(check_statistics, _tensors(contents, REJECTIONS, limit, check), path)
    return {_configuration(key, path): line for key, line in lines.items()}


def _few(declared: Mapping[str, tuple], path: Path) -> Mapping[str, tuple]:
    if len(declared) > TESTED:
        raise CheckpointError(f"{path} has {len(declared)} configurations, more than any table: restore the file")
    return declared


def _configuration(key: str, path: Path) -> Configuration:
    try:
        return Configuration.parse(key[:40])
    except ConfigurationError as error:
        raise CheckpointError(f"{path}: {error}: restore it") from None


def _tensors(
    contents: Contents, name: str, limit: int, check: Callable[[Mapping[str, tuple]], object] = lambda declared: None
) -> dict[str, Tensor]:
    """Tensors of a file, whose declared shapes are checked before memory is taken for them."""
    content = contents.read(name, limit, lambda path: check(declared_shapes(path, HEADER)))
    path = contents.folder / name
    if content is None:
        raise CheckpointError(f"{path} does not exist: restore the file")
    try:
        return safetensors.load(content)
    except (SafetensorError, ValueError, KeyError) as error:  # KeyError: a kind of number that is not known
        raise CheckpointError(f"{path} is damaged ({' '.join(str(error).split())[:200]}): restore the file") from None


def _checked(check: Any, tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    try:
        check(tensors)
    except A3DError as error:
        raise CheckpointError(f"{path}: {error}: restore it, or train or calibrate again") from None
    return tensors
