"""What reading a file takes a process that has imported everything: seconds, memory, and what it says.

`python -m tests.limits load PATH ...` or `convert`: a line of JSON for each path, in order, each read in a fork.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

SECONDS, MEGABYTES = 10, 500  # 2 seconds on a machine that does nothing else
PATIENCE = 60  # seconds, after which a reader is killed


def limits_of(kind: str, paths: list[Path]) -> list[dict]:
    """Return `seconds` of the processor, `megabytes` of growth and `message` for each path."""
    command = [sys.executable, "-m", "tests.limits", kind, *map(str, paths)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    assert "canary" not in ran.stderr and not ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]  # what a file printed would be no JSON


def check_limits(found: dict) -> None:
    """One printable line, within the limits."""
    message = found["message"]
    assert message is not None and len(message.splitlines()) == 1 and len(message) < 600 and message.isprintable()
    assert found["seconds"] < SECONDS and found["megabytes"] < MEGABYTES


def measured(read, path: str, errors: type[Exception]) -> dict:
    """Read in a fork; a message of None for a file that was read, ran into a traceback or took too long."""
    receive, send = os.pipe()
    if (child := os.fork()) == 0:
        signal.alarm(PATIENCE)
        before, begun, message = _megabytes(), time.process_time(), None
        try:
            read(path)
        except errors as error:
            message = str(error)
        finally:
            found = {"seconds": time.process_time() - begun, "megabytes": _megabytes() - before, "message": message}
            os.write(send, json.dumps(found).encode())
            os._exit(0)
    os.close(send)
    with os.fdopen(receive) as file:
        content = file.read()
    os.waitpid(child, 0)
    return json.loads(content or '{"seconds": null, "megabytes": null, "message": null}')


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main(kind: str, *paths: str) -> None:
    """Print what every path took."""
    warnings.simplefilter("ignore")  # of packages that are imported
    import pytorchvideo.models.hub  # noqa: F401  takes seconds, and a checkpoint may name a network of it
    import torch

    from a3d.errors import A3DError
    from a3d.inference.checkpoint import load
    from a3d.weights import convert

    torch.set_num_threads(1)  # forks have no other threads
    warnings.resetwarnings()
    for path in paths:
        print(json.dumps(measured({"load": load, "convert": convert}[kind], path, A3DError)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
