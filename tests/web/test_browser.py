"""The shell in a real browser: nothing the content policy refuses, nothing wider than a phone, all by keyboard."""

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from app.db import db
from app.factory import create_app
from tests.conftest import settings_for
from tests.people.makers import PASSWORD, town
from tests.web.waiting import wait_until

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("browser")
    settings = settings_for(
        folder,
        f"sqlite:///{folder}/pages.sqlite",
        login_rate="1000 per minute",
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    app: Flask = create_app(settings)
    with app.app_context():
        db.create_all()
        town()
        db.session.remove()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not (ROOT / "app/web/static/dist/main.js").exists():
        pytest.fail("the pages' JavaScript is not built: run scripts/build-assets")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


class Desk:
    """A page, and what its console complained about."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.address = address
        self.complaints: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def log_in(self, login: str) -> Page:
        """By keyboard alone, as the page puts the focus."""
        page = self.go("/login")
        wait_until(page, "document.activeElement.id === 'field-login'")
        page.keyboard.type(login)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        return page


@pytest.fixture(params=["desktop", "phone"])
def desk(request: pytest.FixtureRequest, chromium: Browser, address: str) -> Iterator[Desk]:
    width = 1400 if request.param == "desktop" else 390
    context = chromium.new_context(viewport={"width": width, "height": 844}, locale="zh-CN")
    context.set_default_timeout(20_000)
    yield Desk(context, address)
    context.close()


def test_the_menu_of_a_phone_opens_and_closes(desk: Desk) -> None:
    page = desk.log_in("clerk")
    link = page.locator("#menu a", has_text="我的申请")
    if page.viewport_size and page.viewport_size["width"] > 720:
        assert link.is_visible()
        return
    assert not link.is_visible()
    page.click(".menu-button")
    assert link.is_visible()
    page.keyboard.press("Escape")
    assert not link.is_visible()


def test_a_dialog_opens_from_its_button_and_takes_the_focus(desk: Desk) -> None:
    page = desk.log_in("officer")
    desk.go("/people")
    page.locator("[data-opens^=grant-]").first.click()
    dialog = page.locator("dialog[open]")
    assert dialog.is_visible()
    assert page.evaluate("document.activeElement.closest('dialog[open]') !== null")
    dialog.locator("[data-closes]").click()
    assert not dialog.is_visible()


def test_an_error_takes_the_focus(desk: Desk) -> None:
    page = desk.log_in("clerk")
    desk.go("/account")
    page.fill("#field-old", "not my password")
    page.fill("#field-new", "a new long password")
    page.locator("#field-new").press("Enter")
    page.wait_for_selector(".errors")
    wait_until(page, "document.activeElement.classList.contains('errors')")


def test_the_look_changes_and_is_remembered(desk: Desk) -> None:
    page = desk.go("/login")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click(".switch.theme")
    page.wait_for_selector("html[data-theme=dark]")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    desk.go("/verify")
    assert page.locator("html[data-theme=dark]").count() == 1


def test_the_skip_link_is_the_first_stop(desk: Desk) -> None:
    page = desk.log_in("clerk")
    desk.go("/applications")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_ordinary_pages_ship_little_script() -> None:
    script = (ROOT / "app/web/static/dist/main.js").read_bytes()
    assert len(gzip.compress(script)) < 40_000
