"""Freed memory is kept for the next pass: no page is cleared anew."""

import os
import subprocess
import sys

import pytest

from a3d.memory import keep_freed_memory


def faults(code: str, **environment: str) -> int:
    """Pages that the system cleared during the last of some passes, in a process of its own."""
    code += "\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | environment, check=True
    )
    return int(process.stdout)


SMALL = """
import resource, torch
from a3d.adaptive.fused import FusedConv3d
from a3d.memory import keep_freed_memory
if {keeps}:
    keep_freed_memory({everything})
layer, clip = FusedConv3d(torch.ones(8, 8, 1, 1, 1), None), torch.ones(1, 8, {frames}, 128, 128)
for _ in range(8):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    layer(layer(clip))
"""
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc alone")


@linux
@pytest.mark.parametrize(("everything", "frames"), [(False, 16), (True, 16), (True, 80)])  # maps of 8 and of 40 MB
def test_a_pass_gets_the_pages_of_the_pass_before(everything, frames):
    code = SMALL.format(keeps=True, everything=everything, frames=frames)
    assert faults(code) < 100
    assert faults(code, MALLOC_TRIM_THRESHOLD_="131072") > 1000, "what the environment says holds"


@linux
def test_large_blocks_go_back_unless_everything_is_kept():
    assert faults(SMALL.format(keeps=True, everything=False, frames=80)) > 1000


def test_it_is_told_once():
    assert keep_freed_memory() is keep_freed_memory()


@linux
def test_what_is_kept_can_be_given_back():
    code = SMALL.format(keeps=True, everything=True, frames=80)
    code = code.replace("    before", "    give_back_freed_memory()\n    before").replace(
        "import keep", "import give_back_freed_memory, keep"
    )
    assert faults(code) > 1000
