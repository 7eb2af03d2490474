"""OpenVINO gives a thread a stack for signals: one that has been taken away again must not stay in use."""

import subprocess
import sys

import pytest

SCRIPT = """
import ctypes
import torch
from a3d import calibrate
from a3d.configuration import Configuration
from a3d.engines import Choice
from a3d.networks import by_name
from tests.trained import as_trained

class Stack(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

def run():
    found = as_trained(network, 2, 2).run_by(Choice("openvino")).resident(configuration)
    found(torch.randn(1, 3, 2, 32, 32))
    return found

network, configuration = by_name("slow_r18", 3, base_channels=8, spatial=32, frames=2), Configuration(32, 2, 1.0)
calibrate(network, configuration, [torch.randn(4, 3, 2, 32, 32)])
first, second = run(), run()
assert first is not second
del first  # before the second: not in turn
del second
now = Stack()
ctypes.CDLL(None).sigaltstack(None, ctypes.byref(now))
ranges = [[int(end, 16) for end in line.split()[0].split("-")] for line in open("/proc/self/maps")]
print(not now.start or any(start <= now.start and now.start + now.size <= end for start, end in ranges))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux tells of memory")
def test_no_signal_stack_is_left_that_is_not_there():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr
