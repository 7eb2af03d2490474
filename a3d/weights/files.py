"""From a file to its tensors by their own names, without running any code of the file's."""

from __future__ import annotations

import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from a3d.errors import one_line
from a3d.files import FileError, declared_shapes
from a3d.weights import caffe2, mmaction2, pyslowfast, pytorchvideo
from a3d.weights.assembly import ConversionError
from a3d.weights.unpickling import ROOM, Numbers, UnsafeFile, check_steps, read_numbers

FORMATS = (pyslowfast, caffe2, pytorchvideo, mmaction2)
TORCH_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # files of torch before 1.6 begin so, later ones are zips


@dataclass(frozen=True)
class WeightFile:
    """The weights that a file holds. settings: `SECTION.KEY` to value, of the configuration it carries, if it does."""

    path: Path
    format: ModuleType
    tensors: dict[str, Tensor]
    settings: dict[str, str]

    @property
    def format_name(self) -> str:
        return self.format.__name__.rpartition(".")[2]


def read(path: str | Path) -> WeightFile:
    """Raises ConversionError for a file that is missing, unsafe, damaged, or of no known format."""
    path = Path(path)
    tensors, text = _content(path)
    for layout in FORMATS:
        if layout.recognises(set(tensors)):
            tensors = mmaction2.slow_first(tensors) if layout is mmaction2 else tensors
            return WeightFile(path, layout, tensors, pyslowfast.settings(text))
    first = f"its first name is {one_line(min(tensors))[:80]!r}" if tensors else "it holds no tensors"
    raise ConversionError(
        f"{path} is not Slow or SlowFast as PySlowFast, Caffe2, PyTorchVideo or mmaction2 name them: {first}"
    )


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a file by its own names, whatever network they are of.

    Raises ConversionError for a file that is missing, unsafe or damaged.
    """
    return _content(Path(path))[0]


def _content(path: Path) -> tuple[dict[str, Tensor], str]:
    """Tensors, and the text of the configuration that the file carries."""
    if not path.is_file():  # nor a pipe, which would be waited for
        raise ConversionError(f"{path} does not exist: give a file of weights (.pth, .pyth, .pkl, .safetensors)")
    if path.suffix == ".safetensors":
        return _safetensors(path), ""
    return _torch(path) if _written_by_torch(path) else _caffe2(path)


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        declared_shapes(path, HEADER)
        return load_file(path)
    except (FileError, SafetensorError) as error:
        raise ConversionError(
            f"{path} cannot be read as safetensors ({one_line(error)[:200]}): download it again"
        ) from None


def _written_by_torch(path: Path) -> bool:
    return zipfile.is_zipfile(path) or _is_older(path)


def _is_older(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(TORCH_MAGIC)) == TORCH_MAGIC


def _torch(path: Path) -> tuple[dict[str, Tensor], str]:
    try:
        _check_torch(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch about files that are refused here
            content = torch.load(path, "cpu", weights_only=True, mmap=not _is_older(path))
    except Exception as error:
        # torch answers a file that could run code, or is cut short, with an error of many kinds and many lines
        cause = one_line(str(error).strip().partition("\n")[0] or type(error).__name__)[:200]
        raise ConversionError(f"{path} is refused, only weights are read ({cause})") from None
    content = content if isinstance(content, dict) else {}
    state = content.get("model_state", content.get("state_dict", content))
    text = content.get("cfg", "")
    if isinstance(text, str) and len(text) > LONGEST:
        raise ConversionError(f"{path} carries a configuration of {len(text)} characters: give the file of a network")
    tensors = (
        {str(name): value for name, value in state.items() if isinstance(value, Tensor)}
        if isinstance(state, dict)
        else {}
    )
    for name, tensor in tensors.items():
        _check_tensor(tensor, f"{path}: {one_line(name)[:80]!r}")
    return tensors, text if isinstance(text, str) else ""


def _check_torch(path: Path) -> None:
    """Raise for a file that unpacks to more than it holds, as torch packs nothing, or whose instructions never end."""
    if _is_older(path):
        with path.open("rb") as file:
            for _ in range(PICKLES):
                check_steps(file, STEPS)
        return
    with zipfile.ZipFile(path) as file:
        unpacked = sum(entry.file_size for entry in file.infolist())
        if unpacked > 2 * path.stat().st_size + ROOM:
            raise ConversionError(f"it would unpack to {unpacked} bytes")
        for entry in file.infolist():
            if entry.filename.endswith("data.pkl"):
                with file.open(entry) as instructions:
                    check_steps(instructions, STEPS)


HEADER = 2**22  # bytes: names and shapes of a file of tensors
LONGEST = 2**17  # characters of the configuration that a file carries
PICKLES = 5  # that files of torch before 1.6 begin with
STEPS = 2**18  # of the instructions in a file of torch: weights, and the state of the optimiser
REPEATED = 2**26  # bytes that one tensor may fill with a value that the file holds once


def _check_tensor(tensor: Tensor, place: str) -> None:
    """Raise ConversionError for one that is no plain block of numbers, or claims more of them than it has."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex():
        raise ConversionError(f"{place} is no plain tensor: give a file of float weights")
    claimed = tensor.numel() * tensor.element_size()
    if claimed > max(tensor.untyped_storage().nbytes(), REPEATED):
        raise ConversionError(f"{place} claims {tuple(tensor.shape)} values, more than the file holds")


def _caffe2(path: Path) -> tuple[dict[str, Tensor], str]:
    try:
        content = read_numbers(path)
    except UnsafeFile as error:
        raise ConversionError(str(error)) from None
    blobs = content.get("blobs", content) if isinstance(content, dict) else {}
    blobs = blobs if isinstance(blobs, dict) else {}
    arrays = {str(name): value.array for name, value in blobs.items() if isinstance(value, Numbers)}
    return {name: torch.from_numpy(np.array(array, np.float32)) for name, array in arrays.items()}, ""
