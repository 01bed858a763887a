"""The inbox in a real browser, by keyboard: j, k, x, ? and /; the next page below this one; counts that renew themselves."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from app.db import db
from app.factory import create_app
from tests.conftest import settings_for
from tests.flows.test_desk import copies_of, publish, start
from tests.people.makers import Town
from tests.web.test_browser import Desk, chromium

pytestmark = pytest.mark.browser
__all__ = ["chromium"]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """An office for which 60 tasks wait. Asked for `/more`, one more comes."""
    app = create_app(
        settings_for(tmp_path, f"sqlite:///{tmp_path}/desk.sqlite", REDIS_URL="redis://127.0.0.1:1/0"),
        diagrams=False,
    )
    people: list[Town] = []

    @app.get("/more")
    def more() -> str:
        return str(start(people[0], 1))

    with app.app_context():
        db.create_all()
        people.append(publish(tmp_path))
        copies_of(start(people[0], 1)[0], 59)
        db.session.remove()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    with app.app_context():
        db.engine.dispose()


def test_the_inbox_is_worked_by_keyboard_and_tells_what_is_new(chromium: Browser, address: str):
    desk = Desk(chromium.new_context(locale="zh-CN"), address)
    page = desk.log_in("office")
    items, ticks = page.locator(".list-item"), page.locator("[name=task]")

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(items.nth(1)).to_be_focused()
    expect(ticks.nth(1)).to_be_checked()
    page.keyboard.press("k")
    expect(items.nth(0)).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="键盘操作")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("j?x")
    expect(page.locator("[name=q]")).to_have_value("j?x")
    expect(page.locator("#keys")).not_to_be_visible()
    page.locator(".further .button").click()
    expect(items).to_have_count(60)
    expect(page.locator(".further")).to_have_count(0)

    page.request.get(address + "/more")
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#inbox-new")).to_have_text("1 项新任务，点按显示")
    expect(page.locator("#inbox-badge")).to_contain_text("61")
    expect(items).to_have_count(60)
    page.locator("#inbox-new a").click()
    page.wait_for_load_state()
    expect(page.locator("#inbox-live a").first).to_have_text("全部 61")
    assert desk.complaints == []
