"""The rule table in a real browser: a change is saved by itself, and what it opens is said at once."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from app.studio import commands, queries
from tests.people.makers import PASSWORD, Town

sync_api = pytest.importorskip("playwright.sync_api")
BUNDLE = Path(__file__).parents[2] / "app/web/static/dist/main.js"
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()


@pytest.mark.skipif(
    not (BUNDLE.exists() and CHROMIUM.exists()), reason="needs the built scripts and chromium"
)
def test_a_change_is_saved_and_its_overlap_is_told_without_a_click(
    people_here: Town, address: str, shots: Path
):
    owner = people_here.actor("owner")
    ident = commands.start_draft("seal_approval", by=owner).draft_id
    with sync_api.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM))
        page = browser.new_page(locale="zh-CN", viewport={"width": 1280, "height": 900})
        page.goto(f"{address}/login")
        page.fill("[name=login]", "owner")
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        page.goto(f"{address}/studio/drafts/{ident}/tables/routing.dmn")
        page.select_option("[name=r1-c1-kind]", "between")
        page.fill("[name=r1-c1-a]", "2")
        page.fill("[name=r1-c1-b]", "5")
        page.select_option("[name=policy]", "UNIQUE")
        page.wait_for_selector("#told :text('条规则重叠')")
        page.screenshot(path=str(shots / "table.png"), full_page=True)
        page.focus("[name=r1-c1-kind]")
        page.keyboard.press("Alt+ArrowDown")
        assert page.evaluate("document.activeElement.name") == "r2-c1-kind"
        page.select_option("[name=case-0]", label="公章")
        page.fill("[name=case-1]", "7")
        page.wait_for_selector("#case :text('适用规则')")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=str(shots / "table_390_dark.png"), full_page=True)
        browser.close()
    assert "[2..5]" in queries.draft(ident, owner).tables["routing.dmn"]


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    return tmp_path
