"""Print the small packages of pyproject.toml at the `lowest` or the `newest` version that it allows."""

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

LARGE = ("torch", "torchvision")  # installed once
project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
for line in project["dependencies"]:
    package = Requirement(line)
    if package.name not in LARGE:
        (lowest,) = (part.version for part in package.specifier if part.operator == ">=")
        print(f"{package.name}=={lowest}" if sys.argv[1] == "lowest" else line)
