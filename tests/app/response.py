"""Response times of the app in a browser: `python -m tests.app.response`, on a quiet machine.

From moving the dial to the painted map of the configuration that it rests on, all in the browser; and from choosing a
video of 10 s to its first answer, and to the whole dial. Twenty and ten tries.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

from a3d.synthetic import render, write
from tests.app.browsing import STAGE, browsers, on_stage, rest, server, shown, until, upload

CHECKPOINT = "exercise12"
TRIES = 10
MOVE = f"""
const [share, done] = arguments, svg = {STAGE}.querySelector('.curve svg'), area = svg.getBoundingClientRect();
const to = (type) => svg.dispatchEvent(new PointerEvent(type, {{
  pointerId: 1, clientX: area.left + 44 + share * (area.width - 70), clientY: area.top + 4,
}}));
svg.setPointerCapture = () => {{}};
const start = performance.now();
to('pointerdown');
requestAnimationFrame(() => setTimeout(() => {{ to('pointercancel'); done(performance.now() - start); }}));
"""


def dial(browser, share: float) -> float:
    """Milliseconds from pressing the dial at a share of its length to the painted frame after it."""
    took = browser.execute_async_script(MOVE, share)
    rest(browser)
    return took


def first_answer(browser, path: Path) -> tuple[float, float]:
    """Seconds from choosing a file to its answer, and to the whole dial."""
    start = time.perf_counter()
    upload(browser, path)
    while path.name not in (on_stage(browser, "video").get_attribute("aria-label") or ""):
        time.sleep(0.01)
    first = time.perf_counter() - start
    until(browser, lambda b: path.name in shown(b, "clip"))
    return first, time.perf_counter() - start


def measure(url: str, folder: Path, video: bytes) -> dict[str, list[float]]:
    with browsers(folder) as browse:
        browser = browse(f"{url}/?network={CHECKPOINT}")
        moves = [dial(browser, (turn % 7) / 6) for turn in range(2 * TRIES)]
        uploads = []
        for number in range(TRIES):  # each another file, so that none is known already
            path = folder / f"clip{number}.mp4"
            path.write_bytes(video + bytes(number))
            uploads.append(first_answer(browser, path))
    first, whole = zip(*uploads, strict=True)
    return {"dial, ms": moves, "first answer to 10 s, s": list(first), "the whole dial, s": list(whole)}


def main() -> None:
    with tempfile.TemporaryDirectory() as name, server(XDG_CACHE_HOME=Path(name)) as (url, _):
        video = write(render("JumpRope", 4, seconds=10.0, size=(640, 480)), Path(name) / "long.mp4").read_bytes()
        for what, values in measure(url, Path(name), video).items():
            values.sort()
            print(
                json.dumps({"what": what, "median": round(statistics.median(values), 3), "worst": round(values[-1], 3)})
            )


if __name__ == "__main__":
    main()
