"""The README's pictures of the dashboard, made anew: `python -m tests.app.pictures`, on a quiet machine.

Names given after it are made alone. `watch.png` is the figure of `a3d watch` under load, `train.png` a run's: not here.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from base64 import b64decode
from pathlib import Path

from PIL import Image
from selenium.webdriver.common.by import By

from tests.app.browsing import ROOT, STAGE, browsers, count, drag, on_stage, rest, server, until
from tests.app.test_browser import on_ribbon, press

FOLDER = ROOT / "app" / "pictures"
CLIP, MOMENT = "Lunges", 1.9  # seconds into it
GIF_WIDTH, GIF_MS, GIF_HOLD = 800, 100, 6  # pixels; milliseconds a frame; frames at either end


def window(browser, width: int, height: int, scale: float = 1.0, dark: bool = False) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    rest(browser)


def shot(browser) -> Image.Image:
    found = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    return Image.open(io.BytesIO(b64decode(found["data"]))).convert("RGB")


def keep(browser, name: str) -> None:
    """Write what is in the window, in 256 colours, which these pages hardly need."""
    shot(browser).quantize(256, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


def whole(browser, width: int, most: int) -> None:
    """Make the window as high as the page, at most so high."""
    height = browser.execute_script("return document.querySelector('[data-testid=stMain]').scrollHeight")
    window(browser, width, min(most, height))


def at_moment(browser, share: float) -> None:
    """The clip stands still at a moment, the dial at a share of its length."""
    drag(browser, share)
    rest(browser)
    video = on_stage(browser, "video")
    browser.execute_script(f"arguments[0].pause(); arguments[0].currentTime = {MOMENT}", video)
    settle(browser)
    time.sleep(1.0)
    rest(browser)


def settle(browser) -> None:
    """The top of the page, and no ring of the focus around the dial."""
    script = f"{STAGE}.activeElement?.blur(); document.querySelector('[data-testid=stMain]').scrollTo(0, 0)"
    browser.execute_script(script)


def explore(browse, url: str) -> None:
    for name, dark in (("explore", False), ("explore-dark", True)):
        browser = browse(f"{url}/?clip={CLIP}")
        window(browser, 1440, 900, dark=dark)
        at_moment(browser, 0.42)
        keep(browser, name)
    browser = browse(f"{url}/?clip={CLIP}")
    window(browser, 390, 844, 2.0)
    at_moment(browser, 0.42)
    keep(browser, "phone")


def dial(browse, url: str) -> None:
    """From a full budget to the smallest and back, the clip playing."""
    browser = browse(f"{url}/?clip={CLIP}")
    window(browser, 1440, 1000)
    path = [1.0] * GIF_HOLD + [1 - i / 20 for i in range(21)] + [0.0] * GIF_HOLD + [i / 20 for i in range(21)]
    frames = []
    for number, share in enumerate(path):
        drag(browser, share)
        wanted = number * GIF_MS / 1000
        clip = f"const v = arguments[0]; v.pause(); v.currentTime = {wanted} % v.duration"
        browser.execute_script(clip, on_stage(browser, "video"))
        settle(browser)
        time.sleep(0.4)
        picture = shot(browser)
        frames.append(picture.resize((GIF_WIDTH, round(GIF_WIDTH * picture.height / picture.width)), Image.LANCZOS))
    palette = frames[0].quantize(128, dither=Image.Dither.NONE)
    frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    options = {"save_all": True, "append_images": frames[1:], "duration": GIF_MS, "loop": 0, "optimize": True}
    frames[0].save(FOLDER / "dial.gif", **options)


def compare(browse, url: str) -> None:
    browser = browse(f"{url}/compare?clip={CLIP}")
    window(browser, 1200, 900)
    until(browser, lambda b: count(b, ".st-key-film .js-plotly-plot"))
    whole(browser, 1200, 1283)
    keep(browser, "compare")


def table(browse, url: str) -> None:
    browser = browse(f"{url}/table")
    window(browser, 1200, 833)
    keep(browser, "table")


def film(browse, url: str) -> None:
    browser = browse(f"{url}/film")
    window(browser, 1440, 900)
    press(browser, "Show a sample")
    until(browser, lambda b: on_ribbon(b, "querySelectorAll('.band.sub .part').length"))
    until(browser, lambda b: not count(b, "[data-testid=stProgress]"))
    whole(browser, 1440, 1020)  # above the command, which names a folder of this machine
    keep(browser, "film")


def live(browse, url: str) -> None:
    """A minute of it: quiet, then with other work on the machine, then quiet again."""
    browser = browse(f"{url}/live?clip={CLIP}")
    window(browser, 1440, 1030)
    press(browser, "Start")
    work = ".st-key-work input[type=range]"
    for keys in ("", "\ue014" * 9, "\ue012" * 9):  # to the right, and back to the left
        if keys:
            browser.find_element(By.CSS_SELECTOR, work).send_keys(keys)
        time.sleep(20)
    keep(browser, "live")
    press(browser, "Stop")


PICTURES = {made.__name__: made for made in (explore, dial, compare, table, film, live)}


def main(wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory() as cache, server(XDG_CACHE_HOME=Path(cache)) as (url, _):
        for name in wanted or PICTURES:
            with browsers(Path(cache)) as browse:
                PICTURES[name](browse, url)
            print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
