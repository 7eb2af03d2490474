"""Memory of the server over 100 uploads of a 20 MB clip, by one visitor: `python -m tests.app.memory`."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from a3d.video.encode import write_video
from tests.app.browsing import browsers, server, shown, until, upload

MEGABYTES = 20


def resident(process_id: int) -> float:
    """MB of memory that a process holds."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def noise(path: Path) -> Path:
    """A clip of noise, which compresses badly, padded to 20 MB."""
    draw = np.random.default_rng(0)
    write_video(path, (draw.integers(0, 255, (360, 640, 3), np.uint8) for _ in range(75)), 25, quality=30)
    with path.open("ab") as file:
        file.write(bytes(max(0, MEGABYTES * 10**6 - path.stat().st_size)))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=100)
    uploads = parser.parse_args().uploads
    with tempfile.TemporaryDirectory() as name, server(XDG_CACHE_HOME=Path(name)) as (url, process):
        folder, curve = Path(name), []
        source = noise(folder / "noise.mp4").read_bytes()
        with browsers(folder) as browse:
            browser = browse(url)
            curve.append(resident(process.pid))
            for number in range(uploads):
                # Every file is another one: what is kept by content would be kept again.
                path = folder / f"clip{number}.mp4"
                path.write_bytes(source + number.to_bytes(4))
                upload(browser, path)
                until(browser, lambda b, path=path: path.name in shown(b, "clip"))
                path.unlink()
                curve.append(resident(process.pid))
    print(f"{len(source) / 1e6:.1f} MB a clip; MB of the server, before and after each upload:")
    print(json.dumps([round(value) for value in curve]))


if __name__ == "__main__":
    main()
