"""The app in a real browser, as visitors use it."""

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from .browsing import CHROMIUM, DRIVER, browsers, choose, count, drag, server, shown, text, until, upload

POINTS = ".st-key-curve .scatterlayer .trace .point"
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


def hit(browser, point) -> None:
    """Clicks a point of the curve where it is, whatever mark Plotly has laid over it."""
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", point)
    ActionChains(browser).move_to_element(point).pause(0.3).click().perform()


def test_a_visit(url, browse, network, video, tmp_path):
    """Sample, dial, curve, upload, class, film, files, and the address given to somebody else."""
    browser = browse(url)
    assert_healthy(browser)
    assert count(browser, POINTS) >= len(network.table)

    choose(browser, "clip", "Lunges")
    assert_healthy(browser)

    before = text(browser, CONFIGURATION)
    drag(browser, 0.0)
    until(browser, lambda b: text(b, CONFIGURATION) != before)
    assert text(browser, CONFIGURATION) == str(network.table.trade_off()[0].configuration)

    # The first trace holds every tested configuration, in the order of the table.
    wanted = next(i for i, row in enumerate(network.table.rows) if not row.trade_off)
    hit(browser, browser.find_elements(By.CSS_SELECTOR, POINTS)[wanted])
    configuration = str(network.table.rows[wanted].configuration)
    until(browser, lambda b: text(b, CONFIGURATION) == configuration)
    assert shown(browser, "pick") == configuration

    address = browser.current_url
    upload(browser, video)
    until(browser, lambda b: shown(b, "clip") == f"Your video: {video.name}")
    assert_healthy(browser)
    assert text(browser, CONFIGURATION) == configuration

    browser.find_element(By.CSS_SELECTOR, "a[href*='/compare']").click()
    until(browser, lambda b: count(b, "video"))
    assert shown(browser, "clip") == f"Your video: {video.name}"
    choose(browser, "class", "wave")
    until(browser, lambda b: "Where they look for wave" in text(b, "[data-testid=stMain]"))
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
    assert shown(browser, "clip") == "Lunges" and count(browser, ".st-key-budget_share")
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


def test_a_bad_file_leaves_the_page(url, browse, tmp_path):
    bad = tmp_path / "letter.mp4"
    bad.write_text("Dear all")
    browser = browse(url)
    upload(browser, bad)
    until(browser, lambda b: "letter.mp4" in text(b, "[data-testid=stAlert]"))
    assert not count(browser, "[data-testid=stException]")
    assert count(browser, POINTS)


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
    return text(browser, CONFIGURATION), text(browser, ".st-key-verdict")
