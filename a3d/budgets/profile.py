"""Time of a configuration on this device: measured once, stored beside the table, a budget ever after.

GFLOPs do not tell it: small configurations leave a processor waiting for memory.
"""

from __future__ import annotations

import json
import platform
import re
from dataclasses import dataclass
from pathlib import Path

import torch

from a3d.configuration import Configuration, ConfigurationError
from a3d.errors import A3DError

FORMAT = 1
STAGES = ("decode", "prepare", "network", "both")


class ProfileError(A3DError, ValueError):
    """Times that cannot be measured or read; the message names the value and the remedy."""


@dataclass(frozen=True)
class Timing:
    """Of repeated runs, in milliseconds: the median, and the time that nine of ten keep to."""

    median: float
    p90: float


@dataclass(frozen=True)
class Latency:
    """Of `batch` clips at a configuration.

    decode: file to frames. prepare: frames to clips of the configuration's size. network: clips to logits, warmed up.
    both: all of it.
    """

    configuration: Configuration
    batch: int
    decode: Timing
    prepare: Timing
    network: Timing
    both: Timing


class Profile:
    """Latencies on one device.

    device, threads: what was measured on. latencies: a line for each configuration and batch size. notes: date,
    versions, rounds, the video that was decoded. precision: what convolutions computed in, "float32" or "bfloat16".
    """

    def __init__(
        self,
        device: str,
        threads: int,
        latencies: tuple[Latency, ...],
        notes: dict,
        precision: str = "float32",
    ) -> None:
        self.device, self.threads, self.latencies, self.notes = device, threads, latencies, notes
        self.precision = precision
        self._latencies = {(latency.configuration, latency.batch): latency for latency in latencies}

    def __contains__(self, configuration: Configuration) -> bool:
        return (configuration, 1) in self._latencies

    def __len__(self) -> int:
        return len(self.latencies)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Profile) and vars(self) == vars(other)

    __hash__ = None

    def latency(self, configuration: Configuration, batch: int = 1) -> Latency:
        """Raises ProfileError for what was not measured."""
        if (configuration, batch) not in self._latencies:
            raise ProfileError(f"{configuration} with batch {batch} was not measured on {self.device}: run a3d profile")
        return self._latencies[configuration, batch]

    def milliseconds(self, configuration: Configuration) -> float:
        """The median of the network alone, for one clip: what a budget in milliseconds counts."""
        return self.latency(configuration).network.median

    @property
    def file_name(self) -> str:
        return file_name(self.device, self.threads, self.precision)

    def to_json(self) -> str:
        lines = [
            {"configuration": latency.configuration.key, "batch": latency.batch}
            | {stage: [getattr(latency, stage).median, getattr(latency, stage).p90] for stage in STAGES}
            for latency in self.latencies
        ]
        head = {"format": FORMAT, "device": self.device, "threads": self.threads}
        head |= {"precision": self.precision, "notes": self.notes}
        rows = ",\n  ".join(json.dumps(line) for line in lines)
        return json.dumps(head, indent=1)[:-2] + f',\n "milliseconds": [\n  {rows}\n ]\n}}\n'

    @classmethod
    def read(cls, path: str | Path) -> Profile:
        """Reads what `to_json` wrote. Raises ProfileError."""
        try:
            whole = json.loads(Path(path).read_text(encoding="utf-8"))
            if whole["format"] != FORMAT:
                raise ProfileError(f"format {whole['format']!r} is not {FORMAT}")
            latencies = tuple(_latency(line) for line in whole["milliseconds"])
            facts = str(whole["device"]), int(whole["threads"]), latencies, dict(whole["notes"])
            return cls(*facts, str(whole.get("precision", "float32")))
        except (ValueError, TypeError, KeyError, ConfigurationError) as error:
            cause = f"no {error}" if isinstance(error, KeyError) else error
            raise ProfileError(f"{path} is no profile ({cause}): delete it, and measure again (a3d profile)") from None


def _latency(line: dict) -> Latency:
    timings = {}
    for stage in STAGES:
        median, p90 = map(float, line[stage])
        if not 0 <= median <= p90:
            raise ProfileError(f"{line['configuration']}: {stage} {line[stage]} is no median and 90th percentile")
        timings[stage] = Timing(median, p90)
    return Latency(Configuration.parse(line["configuration"]), int(line["batch"]), **timings)


def device_name(device: str | torch.device = "cpu") -> str:
    """What the maker calls the processor or the graphics card."""
    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()


def file_name(device: str, threads: int, precision: str = "float32") -> str:
    """`profile-DEVICE.json`: letters, digits and hyphens; one each for a device, number of threads and precision."""
    plain = re.sub(r"\(r\)|\(tm\)|[^a-z0-9.]+", " ", device.lower()).split()
    how = "" if precision == "float32" else f"-{precision}"
    return f"profile-{'-'.join(plain) or 'device'}-{threads}-thread{'s' * (threads != 1)}{how}.json"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # no Linux
        text = ""
    found = re.search(r"^model name\s*:\s*(\S.*)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()
