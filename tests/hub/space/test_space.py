# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The demo in a real browser, as wide as a desktop's and a phone's. GATO_SCREENSHOTS names a folder for pictures."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect, sync_playwright

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.subprocess]

APP = Path(__file__).parents[3] / "hub" / "space" / "app.py"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Without these the browser looks for hosts of its maker at every start.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES = {"desktop": {"width": 1280, "height": 860}, "phone": {"width": 390, "height": 844}}
PATIENCE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


def served(checkpoint):
    """The address of the app, which runs until the generator ends."""
    environment = os.environ | {
        "GATO_CHECKPOINT": str(checkpoint),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, str(APP)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            break
    else:
        pytest.fail("".join(lines))
    yield found[0]
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture(scope="module")
def address(checkpoint):
    yield from served(checkpoint)


@pytest.fixture(params=SIZES)
def page(browser, address, request):
    context = browser.new_context(viewport=SIZES[request.param])
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.wait_for_selector("#play")
    page.size_name = request.param
    yield page
    assert not complaints
    context.close()


def look_at(page, name):
    """A screenshot of the whole page, where one is wanted; nothing may stick out to the side."""
    width, inner = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= inner, f"the page is {width} pixels wide in a window of {inner}"
    if folder := os.environ.get("GATO_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}-{page.size_name}.png", full_page=True)


def test_it_acts_with_its_tokens_beside_the_picture(page, tmp_path):
    page.click("#play")
    page.wait_for_selector("#tokens .gato-step")
    expect(page.locator("#state")).to_contain_text("the episode has ended")
    steps = page.locator("#tokens .gato-step")
    assert 2 <= steps.count() <= 11
    assert steps.first.locator(".gato-image").inner_text() == "<image> x4"
    written = steps.first.locator(".gato-written")
    assert written.count() == 1 and written.inner_text() in "0123456"
    # The picture is one of the environment: of many colors, and of some size on the screen.
    picture = page.locator("#picture img")
    assert min(picture.bounding_box()["width"], picture.bounding_box()["height"]) > 250
    picture.screenshot(path=tmp_path / "picture.png")
    pixels = np.asarray(Image.open(tmp_path / "picture.png").convert("RGB")).reshape(-1, 3)
    assert len(np.unique(pixels, axis=0)) > 4
    look_at(page, "act")


def test_an_episode_is_stopped_and_another_task_played(page):
    page.click("#task input")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.type("cart-pole")
    page.get_by_role("option", name="classic-control/cart-pole").click()
    page.click("#play")
    page.wait_for_selector("#tokens .gato-continuous")
    state = page.locator("#state")
    page.click("#stop")
    expect(state).to_contain_text("Stopped.")
    page.fill("#episode input", "3")
    page.click("#play")
    expect(state).to_contain_text("the episode has ended")


def test_it_looks_at_a_picture_and_is_asked_about_it(page, tmp_path):
    page.get_by_role("tab", name="Look").click()
    page.click("#ask")
    expect(page.get_by_text("There is no picture yet")).to_be_visible()
    Image.new("RGB", (120, 90), "red").save(tmp_path / "red.png")
    page.set_input_files("#seen input[type=file]", tmp_path / "red.png")
    page.wait_for_selector("#seen img")
    page.fill("#question textarea", "What color is it?")
    page.click("#ask")
    expect(page.locator("#said textarea")).not_to_have_value("")
    look_at(page, "look")


def test_it_talks(page):
    page.get_by_role("tab", name="Chat").click()
    box = page.get_by_role("textbox").last
    for number, words in enumerate(("Hello?", "And what else?"), 1):
        box.fill(words)
        box.press("Enter")
        replies = page.locator("#conversation .bot.message")
        expect(replies).to_have_count(number)
        expect(replies.last).not_to_be_empty()
        page.wait_for_selector("#conversation .bot.message >> nth=-1")
        expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    look_at(page, "chat")


def test_a_page_says_what_is_wrong_with_the_checkpoint(browser, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    for address in served(tmp_path):
        page = browser.new_page()
        page.goto(address)
        expect(page.get_by_text("could not be loaded")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("holds no processor: there is no processor_config.json in it")).to_be_visible()
        page.close()
