"""`constraints.txt`, the exact set that was tested: pyproject.toml allows it, and it holds all that is asked for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINES = [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
PINNED = dict(line.split("==") for line in LINES)
UNPINNED = ("benchmark",)  # rivals, which nothing is tested with
ASKED = [*PROJECT["dependencies"], *(line for name, part in PROJECT["optional-dependencies"].items() for line in part)]


def test_every_line_is_one_version():
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in LINES) and len(PINNED) == len(LINES) > 100
    assert sorted(LINES) == LINES


@pytest.mark.parametrize("line", ASKED)
def test_what_is_asked_for_is_there_in_a_version_that_is_allowed(line):
    requirement = Requirement(line)
    name = canonicalize_name(requirement.name)
    if name != "a3d" and line not in [part for extra in UNPINNED for part in PROJECT["optional-dependencies"][extra]]:
        assert requirement.specifier.contains(PINNED[name])


@pytest.mark.parametrize("version", ["torch==2.9.0", "torch==2.9.1", "av==17.0.0", "av==20.0.0", "pandas==2.2.1"])
def test_versions_that_are_known_to_be_wrong_are_not_allowed(version):
    """torch 2.9 is slow and wrong in 3D on CUDA; PyAV 17.0.0 fails four tests; pandas before 2.2.2 wants NumPy 1."""
    name, number = version.split("==")
    (allowed,) = (Requirement(line).specifier for line in PROJECT["dependencies"] if Requirement(line).name == name)
    assert not allowed.contains(number)
