"""Commands that are killed at random moments, and run again.

`python -m tests.kills COMMAND FOLDER COUNT SEED`: a line of JSON for each kill of one of `COMMANDS`.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

NETWORK = "--network slow_r18 --base-channels 8 --spatial 32 --frames 4 --stride 2"
COMMANDS = {  # to what they write, whose content is the same after every whole run
    "table": ("table --checkpoint {here}/checkpoint --data {root}/data --calibration-clips 4", ("*",)),
    "profile": ("profile --checkpoint {here}/checkpoint --rounds 3", ("*.safetensors", "config.json", "table.csv")),
    "export": ("export --checkpoint {here}/checkpoint --gflops 1 --out {here}/deployed", ("run.py",)),
    "explain": (
        "explain {root}/data/val/class_0/0.mp4 --checkpoint {here}/checkpoint --gflops 1 --out {here}/maps.gif",
        ("*",),
    ),
    "train": (
        "train --data {root}/data --out {here}/run "
        + NETWORK
        + " --no-teacher --epochs 2 --batch 4 --workers 0 {resume}",
        ("*.safetensors",),
    ),
}


def killed(command: str, folder: Path, count: int, seed: int = 0) -> list[dict]:
    """Return what was found after each of so many kills, of a process that had imported everything."""
    line = [sys.executable, "-m", "tests.kills", command, str(folder), str(count), str(seed)]
    ran = subprocess.run(line, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert ran.returncode == 0, ran.stderr
    return [json.loads(found) for found in ran.stdout.splitlines()]


def main(command: str, root: str, count: str, seed: str) -> None:
    """Print what was left by each kill, and what differs after the next run from an undisturbed one."""
    warnings.simplefilter("ignore")
    prepare(Path(root), command)
    chance, whole = random.Random(int(seed)), Path(root) / "whole"
    begun = time.monotonic()
    assert wait(start(command, whole)) == 0, (whole / "log").read_text()
    duration = time.monotonic() - begun
    for number in range(int(count)):
        here = Path(root) / str(number)
        shutil.copytree(Path(root) / "before", here)
        moment = chance.uniform(0.02, 1) * duration
        process = start(command, here)
        time.sleep(moment)
        os.kill(process, signal.SIGKILL)
        found = {"moment": round(moment, 2), "killed": wait(process) != 0, "left": left(here, whole)}
        found |= {"loads": wait(fork(lambda here=here: read(here))) == 0}
        found |= {"again": wait(start(command, here)), "left_after": left(here, whole)}
        found |= {"differs": differences(command, here, whole)}
        print(json.dumps(found), flush=True)
        shutil.rmtree(here)


def prepare(root: Path, command: str) -> None:
    """Make clips, and in `before` and `whole` a checkpoint, with a table where one is needed."""
    from a3d.inference.checkpoint import save
    from tests.cli.conftest import trained
    from tests.clips import write_classes

    write_classes(root / "data", classes=2, train=4, val=2)

    def write() -> None:
        save(trained(("class_0", "class_1")), root / "before" / "checkpoint")

    (root / "before").mkdir()
    assert wait(fork(write)) == 0
    if command not in ("table", "train"):
        assert wait(start("table", root / "before")) == 0
    (root / "before" / "log").unlink(missing_ok=True)
    shutil.copytree(root / "before", root / "whole")


def start(command: str, here: Path) -> int:
    """Run a command in a fork, which notes all that it has found so far at every chance; return its process."""

    def run() -> None:
        from a3d.cli import main as a3d
        from a3d.testing import unfinished

        unfinished.SECONDS = unfinished.SHARE = 0
        log = os.open(here / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1), os.dup2(log, 2)
        resume = "--resume" if (here / "run" / "state.pt").exists() else ""
        os._exit(a3d(COMMANDS[command][0].format(here=here, root=here.parent, resume=resume).split()))

    return fork(run)


def fork(call) -> int:
    """Call in another process, and return its number."""
    if (process := os.fork()) == 0:
        try:
            call()
            os._exit(0)
        finally:
            os._exit(1)
    return process


def wait(process: int) -> int:
    return os.waitpid(process, 0)[1]


def read(here: Path) -> None:
    from a3d.inference.checkpoint import load

    load(here / "checkpoint")


def left(here: Path, whole: Path) -> list[str]:
    """Return the names of files that an undisturbed run does not leave."""
    return sorted(set(names(here)) - set(names(whole)))


def names(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "log"
    }


def differences(command: str, here: Path, whole: Path) -> list[str]:
    """Return what is missing, and what should have the same content and has another."""
    found, wanted = names(here), names(whole)
    same = [name for name in wanted if any(Path(name).match(pattern) for pattern in COMMANDS[command][1])]
    return sorted({name for name in wanted if name not in found} | {n for n in same if found.get(n) != wanted[n]})


if __name__ == "__main__":
    import torch

    import a3d.cli.explain
    import a3d.cli.export
    import a3d.cli.profile
    import a3d.cli.table
    import a3d.cli.train
    import a3d.deploy.export  # noqa: F401

    torch.set_num_threads(1)  # forks have no other threads
    main(*sys.argv[1:])
