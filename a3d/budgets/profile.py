"""Time of a configuration on this device: measured once, stored beside the table, a budget ever after.

GFLOPs do not tell it: small configurations leave a processor waiting for memory.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from a3d.configuration import Configuration, ConfigurationError
from a3d.engines.fastest import fastest
from a3d.engines.runtime import PLAIN, EngineError, Runtime
from a3d.errors import A3DError
from a3d.files import FileError, read_bytes, strict_json

FORMAT = 1
LARGEST = 2**20  # bytes: of a hundred configurations in every engine and precision, a quarter
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
    both: all of it. runtime: what ran the network.
    """

    configuration: Configuration
    batch: int
    decode: Timing
    prepare: Timing
    network: Timing
    both: Timing
    runtime: Runtime = PLAIN


class Profile:
    """Latencies on one device.

    device, threads: what was measured on. latencies: a line for each configuration, batch size and runtime; of several
    runtimes, the profile tells the best (`fastest`). notes: date, versions, rounds, the video that was decoded.
    """

    def __init__(self, device: str, threads: int, latencies: tuple[Latency, ...], notes: dict) -> None:
        self.device, self.threads, self.latencies, self.notes = device, threads, latencies, notes
        lines: dict[tuple[Configuration, int], dict[Runtime, Latency]] = {}
        for line in latencies:
            lines.setdefault((line.configuration, line.batch), {})[line.runtime] = line
        self._latencies = {key: by[fastest({r: x.network.median for r, x in by.items()})] for key, by in lines.items()}

    def __contains__(self, configuration: Configuration) -> bool:
        return (configuration, 1) in self._latencies

    def __len__(self) -> int:
        return len(self.latencies)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Profile) and vars(self) == vars(other)

    __hash__ = None

    def only(self, wanted: Callable[[Latency], bool]) -> Profile | None:
        """Return the profile of some of its lines, None if there are none."""
        kept = tuple(filter(wanted, self.latencies))
        return Profile(self.device, self.threads, kept, self.notes) if kept else None

    def updated(self, older: Profile) -> Profile:
        """Return it with the lines of an older profile of the same device that were not measured again."""
        known = {(line.configuration, line.batch, line.runtime) for line in self.latencies}
        kept = (x for x in older.latencies if (x.configuration, x.batch, x.runtime) not in known)
        return Profile(self.device, self.threads, (*self.latencies, *kept), self.notes)

    def latency(self, configuration: Configuration, batch: int = 1) -> Latency:
        """That of the best runtime. Raises ProfileError for what was not measured."""
        if (configuration, batch) not in self._latencies:
            raise ProfileError(f"{configuration} with batch {batch} was not measured on {self.device}: run a3d profile")
        return self._latencies[configuration, batch]

    def milliseconds(self, configuration: Configuration) -> float:
        """The median of the network alone, for one clip: what a budget in milliseconds counts."""
        return self.latency(configuration).network.median

    def precision(self, configuration: Configuration) -> str:
        """What a configuration computed in, when it took `milliseconds`."""
        return self.latency(configuration).runtime.precision

    @property
    def file_name(self) -> str:
        return file_name(self.device, self.threads)

    def to_json(self) -> str:
        lines = [
            {"configuration": latency.configuration.key, "batch": latency.batch}
            | {"engine": latency.runtime.engine, "precision": latency.runtime.precision}
            | {stage: [getattr(latency, stage).median, getattr(latency, stage).p90] for stage in STAGES}
            for latency in self.latencies
        ]
        head = {"format": FORMAT, "device": self.device, "threads": self.threads}
        head |= {"notes": self.notes}
        rows = ",\n  ".join(json.dumps(line) for line in lines)
        return json.dumps(head, indent=1)[:-2] + f',\n "milliseconds": [\n  {rows}\n ]\n}}\n'

    @classmethod
    def read(cls, path: str | Path) -> Profile:
        """Reads what `to_json` wrote. Raises ProfileError."""
        try:
            whole = strict_json(read_bytes(path, LARGEST))
            if whole["format"] != FORMAT:
                raise ProfileError(f"format {whole['format']!r} is not {FORMAT}")
            latencies = tuple(_latency(line) for line in whole["milliseconds"])
            return cls(str(whole["device"]), int(whole["threads"]), latencies, dict(whole["notes"]))
        except FileError as error:
            raise ProfileError(str(error)) from None
        except (ValueError, TypeError, KeyError, ConfigurationError, EngineError) as error:
            cause = f"no {error}" if isinstance(error, KeyError) else error
            raise ProfileError(f"{path} is no profile ({cause}): delete it, and measure again (a3d profile)") from None


def _latency(line: dict) -> Latency:
    timings = {}
    for stage in STAGES:
        median, p90 = map(float, line[stage])
        if not 0 <= median <= p90:
            raise ProfileError(f"{line['configuration']}: {stage} {line[stage]} is no median and 90th percentile")
        timings[stage] = Timing(median, p90)
    runtime = Runtime(line.get("engine", "pytorch"), line.get("precision", "float32"))
    return Latency(Configuration.parse(line["configuration"]), int(line["batch"]), **timings, runtime=runtime)


def device_name(device: str | torch.device = "cpu") -> str:
    """What the maker calls the processor or the graphics card."""
    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()


def file_name(device: str, threads: int) -> str:
    """`profile-DEVICE.json`: letters, digits and hyphens; one each for a device and number of threads."""
    plain = re.sub(r"\(r\)|\(tm\)|[^a-z0-9.]+", " ", device.lower()).split()
    return f"profile-{'-'.join(plain) or 'device'}-{threads}-thread{'s' * (threads != 1)}.json"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # no Linux
        text = ""
    found = re.search(r"^model name\s*:\s*(\S.*)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()
