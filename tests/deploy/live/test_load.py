"""Busy processes: never more than processors, and none that outlive their owner."""

import os
import signal
import subprocess
import sys
import time

import pytest

from a3d.deploy.live.load import PROCESSORS, Load


def test_as_many_as_wanted_and_no_more_than_processors():
    with Load() as load:
        load.set(1)
        (process,) = load._busy
        assert process.poll() is None and load.count == 1
        load.set(10 * PROCESSORS)
        assert load.count == PROCESSORS
        everyone = list(load._busy)
        load.set(-1)
        assert load.count == 0
    assert all(process.returncode is not None for process in everyone)


def test_none_is_started_once_it_is_closed():
    load = Load()
    load.close()
    load.set(1)
    assert load.count == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a parent is not missed on Windows")
def test_they_end_when_their_owner_is_killed():
    script = (
        "import time\nfrom a3d.deploy.live.load import Load\n"
        "load = Load()\nload.set(1)\nprint(load._busy[0].pid, flush=True)\ntime.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as owner:
        pid = int(owner.stdout.readline())
        os.kill(owner.pid, signal.SIGKILL)
    until = time.monotonic() + 60
    while _runs(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    """Whether it is there, and no zombie that nobody waits for."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(found) and not found.startswith("Z")
