"""The app in a real browser, as visitors use it."""

import subprocess

import numpy as np
import pytest
from axe_core_python.selenium import Axe
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from a3d.synthetic import render, write
from a3d.video.encode import write_video

from .browsing import (
    CHROMIUM,
    DRIVER,
    PATIENCE,
    STAGE,
    browsers,
    choose,
    count,
    drag,
    hold,
    on_stage,
    rest,
    server,
    shown,
    staged,
    text,
    until,
    upload,
)

CONFIGURATION = ".st-key-numbers [data-testid=stMetricValue]"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the path"),
]


@pytest.fixture(scope="module")
def url(checkpoints, tmp_path_factory):
    folders = {"A3D_CHECKPOINTS": checkpoints, "A3D_RUNS": tmp_path_factory.mktemp("runs")}
    with server(**folders, XDG_CACHE_HOME=tmp_path_factory.mktemp("cache")) as (address, _):
        yield address


@pytest.fixture
def browse(tmp_path):
    with browsers(tmp_path) as browse:
        yield browse


def assert_healthy(browser) -> None:
    assert not count(browser, "[data-testid=stException], [data-testid=stAlert]")


def hit(browser, place: int) -> None:
    """Clicks a point of the curve where it is."""
    point = browser.execute_script(f"return {STAGE}.querySelectorAll('.curve circle.tested')[arguments[0]]", place)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", point)
    ActionChains(browser).move_to_element(point).pause(0.3).click().perform()


def test_a_visit(url, browse, network, video, tmp_path):
    """Sample, dial, curve, upload, class, film, files, and the address given to somebody else."""
    browser = browse(url)
    assert_healthy(browser)

    choose(browser, "clip", "Lunges")
    assert_healthy(browser)

    before = text(browser, CONFIGURATION)
    drag(browser, 0.0)
    until(browser, lambda b: text(b, CONFIGURATION) != before)
    assert text(browser, CONFIGURATION) == str(network.table.trade_off()[0].configuration)
    drag(browser, 1.0)
    full = str(network.table.full.configuration)
    until(browser, lambda b: text(b, CONFIGURATION) == full)

    hit(browser, 0)
    until(browser, lambda b: text(b, CONFIGURATION) != full)
    configuration = text(browser, CONFIGURATION)
    assert shown(browser, "pick") == configuration
    assert configuration in {str(row.configuration) for row in network.table.rows if not row.trade_off}

    address = browser.current_url
    upload(browser, video)
    until(browser, lambda b: shown(b, "clip") == f"Your video: {video.name}")
    assert_healthy(browser)
    assert not count(browser, "input[type=file]")  # what it was given in is closed
    assert text(browser, CONFIGURATION) == configuration

    browser.find_element(By.CSS_SELECTOR, "a[href*='/compare']").click()
    until(browser, lambda b: count(b, "video"))
    assert shown(browser, "clip") == f"Your video: {video.name}"
    choose(browser, "class", "Wave")
    until(browser, lambda b: "Where they look for Wave" in text(b, "[data-testid=stMain]"))
    assert_healthy(browser)
    assert_plays(browser)
    assert_downloads(browser, tmp_path)

    other = browse(address)
    assert_healthy(other)
    assert text(other, CONFIGURATION) == configuration
    assert shown(other, "clip") == "Lunges" and shown(other, "pick") == configuration


def assert_plays(browser) -> None:
    film = browser.find_element(By.TAG_NAME, "video")
    browser.execute_script("arguments[0].scrollIntoView()", film)
    until(browser, lambda b: b.execute_script("return arguments[0].duration > 0", film))
    browser.execute_script("arguments[0].play()", film)
    until(browser, lambda b: b.execute_script("return arguments[0].currentTime > 0.1", film))


def assert_downloads(browser, folder) -> None:
    """Film, maps and figures arrive, and the maps are arrays."""
    names = ("overlay.mp4", "maps.npz", "figures.html")
    for button in browser.find_elements(By.CSS_SELECTOR, "[data-testid=stDownloadButton] button"):
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", button)
    until(browser, lambda _: all((folder / name).exists() and (folder / name).stat().st_size for name in names))
    with np.load(folder / "maps.npz", allow_pickle=False) as arrays:
        assert str(arrays["first_label"]) == "wave" and arrays["first_map"].ndim == 3
    assert "Plotly.newPlot(" in (folder / "figures.html").read_text(encoding="utf-8")


def test_every_page_opens_by_its_address(url, browse):
    browser = browse(f"{url}/?clip=Lunges&unit=Share")
    assert_healthy(browser)
    assert shown(browser, "clip") == "Lunges" and "%" in staged(browser, ".curve svg")
    for page, title in (("compare", "Two networks"), ("table", "Every configuration"), ("about", "About")):
        browser.get(f"{url}/{page}")
        until(browser, lambda b, title=title: title in text(b, "h1"))
        assert_healthy(browser)
    browser.get(f"{url}/train")
    until(browser, lambda b: "a3d train" in text(b, "[data-testid=stAlert]"))


def test_every_control_and_picture_has_a_name(url, browse):
    """What a screen reader would say; the arrow keys move the dial."""
    browser = browse(f"{url}/compare")
    unnamed = browser.execute_script(
        "return [...document.querySelectorAll('[data-testid=stMain] :is(input, button, video, a)')]"
        ".filter(e => !(e.ariaLabel || e.innerText || e.title || e.labels?.length || e.closest('[aria-label]')"
        "|| e.getAttribute('aria-labelledby'))).map(e => e.outerHTML.slice(0, 200))"
    )
    assert not unnamed
    pictures = browser.find_elements(By.CSS_SELECTOR, "[data-testid=stPlotlyChart]")
    assert len(pictures) == 3 and all(picture.accessible_name for picture in pictures)


@pytest.mark.parametrize(("width", "height", "scrolled"), [(1440, 900, 0), (390, 844, 0), (390, 844, 120)])
def test_dial_film_and_answers_are_in_sight_together(url, browse, width, height, scrolled):
    browser = browse(url)
    resize(browser, width, height)
    browser.execute_script("document.querySelector('[data-testid=stMain]').scrollTo(0, arguments[0])", scrolled)
    until(browser, lambda b: on_stage(b, ".screen").rect["width"] < width)
    boxes = {name: box(browser, name) for name in (".screen", ".curve", ".verdict", ".bars li")}
    for name, (left, top, right, bottom) in boxes.items():
        assert 0 <= left < right <= width, name
        assert 40 <= top < bottom <= height, (name, top, bottom)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_film_and_dial_stay_together_on_a_phone(url, browse):
    """However far the answers are scrolled below them."""
    browser = browse(url)
    resize(browser, 390, 844)
    browser.execute_script("document.querySelector('[data-testid=stMain]').scrollTo(0, 260)")
    (_, top, _, _), (_, _, _, bottom) = box(browser, ".screen"), box(browser, ".curve")
    assert top >= 40 and bottom <= 844


def resize(browser, width: int, height: int) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    rest(browser)


def box(browser, selector: str) -> tuple[float, float, float, float]:
    """Left, top, right, bottom in the window."""
    script = (
        "const {left, top, right, bottom} = arguments[0].getBoundingClientRect(); return [left, top, right, bottom]"
    )
    return tuple(browser.execute_script(script, on_stage(browser, selector)))


PICTURE = f"""
const canvas = {STAGE}.querySelector('.screen > canvas');
const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
return pixels.reduce((sum, value, place) => (31 * sum + value) % 1000003, 0)
"""
LISTEN = """
window.sent = 0;
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (message) { window.sent += 1; return send.call(this, message); };
"""


def pause(browser) -> None:
    on_stage(browser, ".toggle").click()
    until(browser, lambda b: on_stage(b, "video").get_property("paused"))


def test_the_dial_answers_before_the_server_is_told(url, browse):
    browser = browse(f"{url}/?clip=Lunges")
    pause(browser)
    on_stage(browser, "[data-side=sub]").click()
    before, verdict = browser.execute_script(PICTURE), staged(browser, ".bars")
    configuration = text(browser, CONFIGURATION)
    browser.execute_script(LISTEN)
    held = hold(browser, 0.0)
    assert browser.execute_script(PICTURE) != before and staged(browser, ".bars") != verdict
    assert browser.execute_script("return window.sent") == 0 and text(browser, CONFIGURATION) == configuration
    held.release().perform()
    until(browser, lambda b: text(b, CONFIGURATION) != configuration)


def test_wipe_cells_and_class(url, browse):
    """By mouse and by key, all of it in the browser."""
    browser = browse(f"{url}/?clip=Lunges")
    pause(browser)
    pictures = []
    for act in ("[data-side=full]", "[data-side=sub]", "[data-side=both]", "[data-toggle=cells]"):
        on_stage(browser, act).click()
        assert on_stage(browser, act).get_attribute("aria-pressed") == "true"
        pictures.append(browser.execute_script(PICTURE))
    assert len(set(pictures)) == 4
    for key, place in (("g", 2), ("a", 0), ("b", 1)):
        ActionChains(browser).send_keys(key).perform()
        assert browser.execute_script(PICTURE) == pictures[place], key
    browser.execute_script(LISTEN)
    other = on_stage(browser, ".bars button[aria-pressed=false]")
    name = other.find_element(By.CSS_SELECTOR, ".class").text
    other.click()
    assert staged(browser, ".scale .name") == name and browser.execute_script("return window.sent") == 0
    assert staged(browser, ".bars button[aria-pressed=true] .class") == name


def test_what_is_seen_is_saved_as_picture_and_gif(url, browse, network, tmp_path):
    """By button, by key, on a desktop and on a phone."""
    name = f"lunges-{network.table.trade_off()[1].configuration.key}"
    browser = browse(f"{url}/?clip=Lunges&configuration={name.removeprefix('lunges-')}")
    pause(browser)
    on_stage(browser, "[data-side=both]").click()
    on_stage(browser, ".save").click()
    until(browser, lambda _: (tmp_path / f"{name}.png").exists())
    assert_a_sheet(tmp_path / f"{name}.png")

    button = browser.find_element(By.CSS_SELECTOR, "[data-testid=stDownloadButton] button")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", button)
    until(browser, lambda _: (tmp_path / f"{name}.gif").exists())
    with Image.open(tmp_path / f"{name}.gif") as image:
        assert (image.format, image.info["loop"]) == ("GIF", 0) and image.n_frames > 4
    assert (tmp_path / f"{name}.gif").stat().st_size < 3e6

    (tmp_path / f"{name}.png").unlink()
    resize(browser, 390, 844)
    ActionChains(browser).send_keys("p").perform()
    until(browser, lambda _: (tmp_path / f"{name}.png").exists())
    assert_a_sheet(tmp_path / f"{name}.png")


def assert_a_sheet(path) -> None:
    """A picture of its size with a clip, bars of both colours, and a curve along its whole width."""
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (1800, 1080))
        pixels = np.asarray(image.convert("RGB")).astype(int)
    clip, answers, dial = pixels[170:740, 60:900], pixels[170:800, 1050:], pixels[860:1040]
    assert clip.std() > 10
    for colour in ((0x00, 0x72, 0xB2), (0xE6, 0x9F, 0x00)):
        assert (np.abs(answers - colour).max(-1) < 8).sum() > 200
    drawn = (np.abs(dial - pixels[2, 2]).max(-1) > 40).any(0).nonzero()[0]
    assert drawn[0] < 200 and drawn[-1] > 1600


LANES = (".lane.full", ".lane.sub")


def took(browser, lane: str) -> float:
    return float(staged(browser, f"{lane} .took").removesuffix(" ms"))


def test_the_race_runs_and_stands_still_for_who_wants_no_motion(url, browse):
    browser = browse(f"{url}/?clip=Lunges")
    running = f"return {STAGE}.querySelectorAll('.done')[1].getAnimations().length"
    on_stage(browser, ".again").click()
    assert browser.execute_script(running) == 1
    until(browser, lambda b: b.execute_script(running) == 0)
    share = f"return Number({STAGE}.querySelector(arguments[0]).style.getPropertyValue('--share'))"
    shares, times = zip(*((browser.execute_script(share, lane), took(browser, lane)) for lane in LANES), strict=True)
    assert shares == pytest.approx([time / max(times) for time in times], abs=0.01)
    assert "clips a second" in staged(browser, ".pace")
    still = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", still)
    browser.refresh()
    until(browser, lambda b: "clips a second" in staged(b, ".pace"))
    assert browser.execute_script(running) == 0 and not on_stage(browser, ".again").is_displayed()


def test_the_clip_plays(url, browse, tmp_path):
    browser = browse(url)
    upload(browser, write(render("Lunges", 5, seconds=2.0, size=(160, 120)), tmp_path / "lunges.mp4"))
    until(browser, lambda b: "lunges.mp4" in shown(b, "clip"))
    until(browser, lambda b: on_stage(b, "video").get_property("currentTime") > 0.1)
    assert on_stage(browser, "video").get_property("videoWidth") == 160


def test_back_goes_back_a_page_and_not_a_choice(url, browse, video):
    browser = browse(url)
    upload(browser, video)
    until(browser, lambda b: video.name in shown(b, "clip"))
    for share in (0.0, 1.0, 0.0):
        before = text(browser, CONFIGURATION)
        drag(browser, share)
        until(browser, lambda b, before=before: text(b, CONFIGURATION) != before)
    browser.find_element(By.CSS_SELECTOR, "a[href*='/compare']").click()
    until(browser, lambda b: "Two networks" in text(b, "h1"))
    browser.back()
    until(browser, lambda b: "any budget" in text(b, "h1") and text(b, CONFIGURATION))
    assert staged(browser, ".verdict")  # of a sample: the address forgets an upload


def test_an_address_that_says_nonsense_is_named(url, browse):
    browser = browse(f"{url}/?colour=red&configuration=31x4@1&clip=Lunges")
    told = text(browser, "[data-testid=stAlert]")
    assert "colour" in told and "31x4@1" in told
    assert shown(browser, "clip") == "Lunges" and staged(browser, ".verdict")


def test_a_refused_file_is_named_and_the_old_answer_is_gone(url, browse, tmp_path):
    bad = tmp_path / "letter.txt"
    bad.write_text("Dear all")
    browser = browse(url)
    assert staged(browser, ".verdict")
    upload(browser, bad)
    until(browser, lambda b: "letter.txt" in text(b, "[data-testid=stAlert]"))
    assert not count(browser, "[data-testid=stException]")
    assert not on_stage(browser, ".answers").is_displayed() and not on_stage(browser, ".film").is_displayed()
    assert on_stage(browser, ".curve").is_displayed()


def test_two_visitors_at_once(url, browse):
    """At different budgets, again and again: each gets what a single one gets."""
    clips, ends = ("Lunges", "Jump rope"), (0.0, 1.0)
    visitors = {clip: browse(f"{url}/?clip={clip}") for clip in clips}
    alone = {(clip, end): seen(browser, end) for clip, browser in visitors.items() for end in ends}
    assert len({configuration for configuration, _ in alone.values()}) == 2
    for turn in range(8):
        wanted = {clip: ends[(turn + place) % 2] for place, clip in enumerate(clips)}
        for clip, browser in visitors.items():
            drag(browser, wanted[clip])
        for clip, browser in visitors.items():
            until(browser, lambda b, one=(clip, wanted[clip]): state(b) == alone[one])


def seen(browser, end: float) -> tuple[str, str]:
    before = text(browser, CONFIGURATION)
    drag(browser, end)
    until(browser, lambda b: text(b, CONFIGURATION) != before)
    return state(browser)


def state(browser) -> tuple[str, str]:
    return text(browser, CONFIGURATION), staged(browser, ".verdict")


def test_a_film_is_read_dragged_along_and_looked_into(url, browse, video, tmp_path):
    """Upload, ribbon, keys, a moment taken to Explore; the page loaded anew, and Back."""
    parts = [render(name, 1, seconds=1.5, size=(96, 64)).frames for name in ("Lunges", "JumpingJack")]
    film = write_video(tmp_path / "two.mp4", (frame for part in parts for frame in part), 25)
    browser = browse(f"{url}/film")
    browser.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(film))
    until(browser, lambda b: on_ribbon(b, "querySelectorAll('.band.sub .part').length"))
    until(browser, lambda b: not count(b, "[data-testid=stProgress]"))
    rest(browser)
    assert_healthy(browser)
    assert on_ribbon(browser, "querySelectorAll('.strip img').length") > 1
    before = on_ribbon(browser, "querySelector('.when').textContent")
    browser.execute_script(f"{RIBBON}.querySelector('input').focus()")
    ActionChains(browser).send_keys(Keys.END).perform()
    until(browser, lambda b: on_ribbon(b, "querySelector('.when').textContent") != before)
    assert on_ribbon(browser, "querySelector('.when').textContent").endswith("to 0:03")
    assert "Full network: " in on_ribbon(browser, "querySelector('input').getAttribute('aria-valuetext')")

    browser.execute_script(f"{RIBBON}.querySelector('.look').click()")
    until(browser, lambda b: "two.mp4 at 0:02" in (shown(b, "clip") if count(b, ".st-key-clip") else ""))
    rest(browser)
    assert_healthy(browser)
    browser.refresh()
    until(browser, lambda b: count(b, ".st-key-clip") and "two.mp4 at 0:02" in shown(b, "clip"))
    rest(browser)
    assert_healthy(browser)
    browser.back()
    until(browser, lambda b: on_ribbon(b, "querySelectorAll('.band.sub .part').length"))
    assert "/film" in browser.current_url


def test_rows_of_networks_are_seen_whole_on_a_phone(url, browse):
    """As wide as the page, in either theme; each row has its pictures."""
    browser = browse(f"{url}/compare?view=Two+to+six+in+rows&clip=Lunges")
    resize(browser, 390, 844)
    until(browser, lambda b: count(b, ".a3d-multiples section") == 5)
    assert_healthy(browser)
    pictures = browser.find_elements(By.CSS_SELECTOR, ".a3d-multiples img")
    assert len(pictures) == 20 and all(picture.get_property("naturalWidth") for picture in pictures)
    edges = [(picture.rect["x"], picture.rect["x"] + picture.rect["width"]) for picture in pictures]
    assert all(0 <= left < right <= 390 for left, right in edges)
    assert pictures[0].rect["width"] > 60 and pictures[0].rect["width"] == pictures[-1].rect["width"]


def test_many_clips_are_given_at_once(url, browse, video, tmp_path):
    """Two files and a letter; the table as a file; and what is said when the page is loaded anew."""
    (tmp_path / "letter.txt").write_text("Dear all")
    browser = browse(f"{url}/many")
    field = browser.find_element(By.CSS_SELECTOR, "input[type=file]")
    field.send_keys(f"{video}\n{tmp_path / 'letter.txt'}")
    until(browser, lambda b: "same of" in text(b, "[data-testid=stMain]") and not count(b, "[data-testid=stProgress]"))
    assert_healthy(browser)
    press(browser, "Table (.csv)")
    until(browser, lambda _: list(tmp_path.glob("answers-*.csv")))
    head, first, second = next(tmp_path.glob("answers-*.csv")).read_text(encoding="utf-8").splitlines()
    assert head.startswith("file,") and first.startswith(f"{video.name},") and second.startswith("letter.txt,")
    browser.refresh()
    until(browser, lambda b: "same of" in text(b, "[data-testid=stMain]"))
    assert_healthy(browser)


def test_a_clip_is_watched_live(url, browse):
    """It answers and goes on by itself; other work is processes; they and the watching end with Stop."""
    browser = browse(f"{url}/live?clip=Lunges")
    press(browser, "Start")
    WebDriverWait(browser, PATIENCE, 0.1).until(lambda b: count(b, ".st-key-trace .js-plotly-plot"))
    assert text(browser, CONFIGURATION) and count(browser, "[data-testid=stImage] img")
    browser.execute_script(LATEST)
    WebDriverWait(browser, PATIENCE, 0.1).until(lambda b: b.execute_script("return window.latest() > window.first"))
    idle = busy_processes()
    browser.find_element(By.CSS_SELECTOR, ".st-key-work input[type=range]").send_keys(Keys.ARROW_RIGHT)
    WebDriverWait(browser, PATIENCE, 0.1).until(lambda _: busy_processes() == idle + 1)
    press(browser, "Stop")
    WebDriverWait(browser, PATIENCE, 0.1).until(lambda _: busy_processes() == idle)
    until(browser, lambda b: "Start" in text(b, "[data-testid=stMain]"))
    assert_healthy(browser)
    assert count(browser, ".st-key-trace .js-plotly-plot")


LATEST = """
window.latest = () => {
  const plot = document.querySelector('.st-key-trace .js-plotly-plot');
  return Math.max(...plot.data.flatMap((trace) => [...trace.x]));
};
window.first = window.latest();
"""


def press(browser, name: str) -> None:
    """Clicks the button that says so, even where it is drawn anew meanwhile."""
    buttons = "[...document.querySelectorAll('[data-testid=stMain] button')]"
    browser.execute_script(f"{buttons}.find((one) => one.innerText.includes(arguments[0])).click()", name)


def busy_processes() -> int:
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return found.count("while os.getppid()")


RIBBON = (
    "[...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')].map((one) => one.shadowRoot)"
    ".find((root) => root?.querySelector('.ribbon'))"
)


def on_ribbon(browser, what: str):
    return browser.execute_script(f"return {RIBBON}?.{what}")


PAGES = ("", "compare", "film", "live", "gallery", "many", "table", "train", "about")


@pytest.mark.parametrize("page", [*PAGES, "compare?view=Two+to+six+in+rows"])
def test_axe_finds_nothing_serious(url, browse, page):
    browser = browse(f"{url}/{page}")
    rest(browser)
    found = Axe().run(browser)["violations"]
    serious = [
        (one["id"], node["target"], node["failureSummary"])
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
    assert not serious
