"""The app in a real browser, as a visitor uses it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

ROOT = Path(__file__).parents[2]
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)
PATIENCE = 240  # seconds: a limit against hanging, not a claim
AT_REST = """
const app = document.querySelector('.stApp');
const busy = document.querySelector('[data-stale=true], .stSpinner, [data-testid=stSkeleton]');
return app?.getAttribute('data-test-script-state') == 'notRunning' && !busy
    && !!document.querySelector('[data-testid=stMetric]')
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the path"),
]


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def url(checkpoints):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port)]
    environment = os.environ | {"A3D_CHECKPOINTS": str(checkpoints)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            WebDriverWait(address, PATIENCE).until(answers)
            yield address
        finally:
            server.terminate()


@pytest.fixture
def browse():
    """Opens an address in a new browser and waits until the page is at rest."""
    browsers, profiles = [], []

    def browse(address: str):
        profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        profiles.append(profile)
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"--user-data-dir={profile.name}"):
            options.add_argument(flag)
        browser = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
        browsers.append(browser)
        browser.get(address)
        rest(browser)
        return browser

    yield browse
    for browser in browsers:
        browser.quit()
    for profile in profiles:
        profile.cleanup()


def rest(browser) -> None:
    WebDriverWait(browser, PATIENCE).until(lambda b: b.execute_script(AT_REST))


def until(browser, found) -> None:
    WebDriverWait(browser, PATIENCE).until(found)
    rest(browser)


def count(browser, selector: str) -> int:
    return len(browser.find_elements(By.CSS_SELECTOR, selector))


def configuration(browser) -> str:
    return browser.find_element(By.CSS_SELECTOR, "[data-testid=stMetricValue]").text


def assert_healthy(browser) -> None:
    assert not count(browser, "[data-testid=stException], [data-testid=stAlert]")


def test_a_visit(url, browse, video, tmp_path):
    browser = browse(url)
    assert_healthy(browser)
    assert count(browser, ".st-key-curve .scatterlayer .trace") >= 4
    browser.save_screenshot(str(tmp_path / "open.png"))

    browser.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(video))
    until(browser, lambda b: count(b, "[data-testid=stFileChip]"))
    assert_healthy(browser)

    before = configuration(browser)
    dial = browser.find_element(By.CSS_SELECTOR, ".st-key-budget input[type=range]")
    dial.send_keys(Keys.HOME)  # the cheapest
    until(browser, lambda b: configuration(b) != before)
    assert_healthy(browser)
    assert "budget=" in browser.current_url

    length = "return document.querySelector('video')?.duration || 0"
    WebDriverWait(browser, PATIENCE).until(lambda b: b.execute_script(length) > 0)
    browser.save_screenshot(str(tmp_path / "upload.png"))

    other = browse(browser.current_url)  # the address, given to somebody else
    assert configuration(other) == configuration(browser)


def test_pages_can_be_opened_by_their_address(url, browse):
    browser = browse(f"{url}/?sample=Lunges&class=wave")
    assert_healthy(browser)
    assert "Lunges" in browser.find_element(By.CSS_SELECTOR, ".st-key-sample").text
    assert "wave" in browser.find_element(By.CSS_SELECTOR, ".st-key-class").text


def test_a_bad_file_leaves_the_page(url, browse, tmp_path):
    bad = tmp_path / "letter.mp4"
    bad.write_text("Dear all")
    browser = browse(url)
    browser.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(bad))
    until(browser, lambda b: count(b, "[data-testid=stAlert]"))
    assert "letter.mp4" in browser.find_element(By.CSS_SELECTOR, "[data-testid=stAlert]").text
    assert not count(browser, "[data-testid=stException]")
    assert count(browser, ".st-key-curve .scatterlayer .trace") >= 4
