"""Response times of the app in a browser: `python -m tests.app.response`, on a quiet machine.

From letting go of the dial to the new answer on the screen (the sentence, and the film strip of the network that the
budget buys), new to the server and known to it; and from choosing a video of 10 s to its first answer. Ten tries each.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

from selenium.webdriver.support.wait import WebDriverWait

from a3d.synthetic import render, write
from tests.app.browsing import PATIENCE, browsers, choose, drag, rest, server, upload

CHECKPOINT = "exercise12"
TRIES = 10
STARTS = "window.start = null; document.addEventListener({0!r}, () => window.start = performance.now(), true);"
# The strip names the configuration that it shows: the answer is there when that is the one of the numbers, a new one.
WATCH = """
const [before, name] = arguments;
const configuration = () => document.querySelector('.st-key-numbers [data-testid=stMetricValue]')?.innerText ?? '';
const strip = () => [...document.querySelectorAll('.st-key-strip .annotation-text')].map(e => e.textContent).join();
const clip = () => document.querySelector('.st-key-clip input')?.value ?? '';
window.took = null;
const look = () => {
  const now = performance.now(), one = configuration();
  const fresh = name ? clip().includes(name) && !document.querySelector('.st-key-strip[data-stale=true]')
                     : one != before && strip().includes(one);
  if (window.start && fresh) requestAnimationFrame(() => window.took = performance.now() - window.start);
  else requestAnimationFrame(look);
};
look();
"""
CONFIGURATION = "return document.querySelector('.st-key-numbers [data-testid=stMetricValue]').innerText"


def dial(browser, share: float) -> float:
    """Seconds from letting go of the dial at a share of its length."""
    browser.execute_script(STARTS.format("pointerup"))
    browser.execute_script(WATCH, browser.execute_script(CONFIGURATION), "")
    drag(browser, share)
    return _took(browser)


def first_answer(browser, path: Path) -> float:
    """Seconds from choosing a file."""
    browser.execute_script(STARTS.format("change"))
    browser.execute_script(WATCH, "", path.name)
    upload(browser, path)
    return _took(browser)


def _took(browser) -> float:
    took = WebDriverWait(browser, PATIENCE, 0.05).until(lambda b: b.execute_script("return window.took"))
    rest(browser)
    return took / 1000


def measure(url: str, folder: Path, video: bytes) -> dict[str, list[float]]:
    with browsers(folder) as browse:
        browser = browse(url)
        places = (0.0, 0.3, 0.45, 0.8, 0.95)  # each buys another configuration
        cold: list[float] = []
        for sample in ("Lunges", "Jump rope", "Jumping jack"):
            choose(browser, "clip", sample)
            drag(browser, 0.65)
            rest(browser)
            cold += [dial(browser, place) for place in places[: TRIES - len(cold)]]
        warm = [dial(browser, places[turn % 2]) for turn in range(TRIES + 2)][2:]
        uploads = []
        for number in range(TRIES):  # each another file, so that none is known already
            path = folder / f"clip{number}.mp4"
            path.write_bytes(video + bytes(number))
            uploads.append(first_answer(browser, path))
    return {"dial, new to the server": cold, "dial, known to the server": warm, "upload of 10 s": uploads}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        clip = render("JumpingJack", 3, seconds=10.0, size=(640, 360))
        video = write(clip, Path(name) / "clip.mp4").read_bytes()
        with server(XDG_CACHE_HOME=Path(name)) as (url, _):
            found = measure(url, Path(name), video)
    for what, seconds in found.items():
        print(f"{what}: median {statistics.median(seconds):.3f} s, largest {max(seconds):.3f} s")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
