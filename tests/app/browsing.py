"""A server of the app, browsers to visit it, and what a visitor does with mouse and keyboard."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
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
    "--window-size=1440,1000",
    "--autoplay-policy=no-user-gesture-required",
)
AT_ONCE = "profile.default_content_setting_values.automatic_downloads"  # several, without a question
PATIENCE = 180  # seconds: a limit against hanging, not a claim
STAGE = "document.querySelector('[data-testid=stBidiComponentIsolated]')?.shadowRoot"
AT_REST = """
const app = document.querySelector('.stApp');
const waits = '[data-stale=true], .stSpinner, .st-key-stage_place .stProgress, [data-testid=stSkeleton]';
const busy = document.querySelector(waits);
return app?.getAttribute('data-test-script-state') == 'notRunning' && !busy && !!document.querySelector('h1')
"""


@contextmanager
def server(**folders: Path):
    """The app on a free port, and its process. folders: environment variables, as A3D_CHECKPOINTS."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port)]
    environment = os.environ | {name: str(path) for name, path in folders.items()}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            WebDriverWait(address, PATIENCE).until(_answers)
            yield address, process
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


@contextmanager
def browsers(downloads: Path | None = None):
    """Gives a function that opens an address in a new browser and waits until the page is at rest."""
    with ExitStack() as stack:

        def browse(address: str) -> webdriver.Chrome:
            profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            options = webdriver.ChromeOptions()
            options.binary_location = CHROMIUM
            wanted = {"download.default_directory": str(downloads or profile), AT_ONCE: 1}
            options.add_experimental_option("prefs", wanted)
            for flag in (*FLAGS, f"--user-data-dir={profile}"):
                options.add_argument(flag)
            browser = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
            stack.callback(browser.quit)
            browser.get(address)
            rest(browser)
            return browser

        yield browse


def rest(browser) -> None:
    WebDriverWait(browser, PATIENCE, 0.1).until(lambda b: b.execute_script(AT_REST))


def until(browser, found) -> None:
    WebDriverWait(browser, PATIENCE, 0.1).until(found)
    rest(browser)


def count(browser, selector: str) -> int:
    return len(browser.find_elements(By.CSS_SELECTOR, selector))


def text(browser, selector: str) -> str:
    """Of the first element that matches, empty if there is none; never of one that is being replaced."""
    return browser.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)


def choose(browser, key: str, option: str) -> None:
    """Types into the select box with that key, as a keyboard user does, and takes what is offered."""
    box = browser.find_element(By.CSS_SELECTOR, f".st-key-{key} input")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", box)
    box.click()
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(option)
    WebDriverWait(browser, PATIENCE, 0.1).until(lambda b: option in text(b, "[role=option]"))
    browser.find_element(By.CSS_SELECTOR, "[role=option]").click()
    until(browser, lambda b: shown(b, key) == option)


def shown(browser, key: str) -> str:
    """What the select box with that key holds."""
    return browser.execute_script("return document.querySelector(arguments[0])?.value ?? ''", f".st-key-{key} input")


def on_stage(browser, selector: str):
    """The element of the stage, which lives in a root of its own."""
    return browser.execute_script(f"return {STAGE}.querySelector(arguments[0])", selector)


def staged(browser, selector: str) -> str:
    """The text of an element of the stage, empty if there is none."""
    script = f"const found = {STAGE}?.querySelector(arguments[0]); return found?.innerText ?? found?.textContent ?? ''"
    return browser.execute_script(script, selector)


def drag(browser, share: float) -> None:
    """Drags the dial of the stage to a share of its length and lets go."""
    hold(browser, share).release().perform()


def hold(browser, share: float) -> ActionChains:
    """The same without letting go."""
    track = on_stage(browser, ".curve svg")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", track)
    width = track.rect["width"] - 70
    start, goal = round(-width / 2 + 0.5 * width), round(-width / 2 + 9 + share * width)
    chain = ActionChains(browser).move_to_element_with_offset(track, start, 0).click_and_hold()
    chain.move_to_element_with_offset(track, goal, 0).perform()
    return ActionChains(browser)


def upload(browser, path: Path) -> None:
    if not count(browser, "input[type=file]"):
        browser.find_element(By.CSS_SELECTOR, "[data-testid=stPopover] button").click()
        WebDriverWait(browser, PATIENCE, 0.1).until(lambda b: count(b, "input[type=file]"))
    browser.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(path))
