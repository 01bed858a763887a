"""The editor as somebody who cannot program uses it: a step more, who does it and until when, and it has saved itself."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

from app.actor import SYSTEM
from app.bpmn.reading import properties, read, xpath
from app.db import db
from app.factory import create_app
from app.flows import commands as flows
from app.people import commands as people
from tests.conftest import settings_for
from tests.people.makers import PASSWORD, town

BUILT = Path(__file__).parents[2] / "app/web/static/dist"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    app = create_app(settings_for(tmp_path / "var", f"sqlite:///{tmp_path}/pages.db", https=False, redis_url="redis://127.0.0.1:1/0"))  # fmt: skip
    with app.app_context():
        db.create_all()
        flows.load_files(by=SYSTEM)
        here = town()
        owner = people.register_user("owner", "流程主", here.department, PASSWORD, by=SYSTEM).user_id
        people.appoint(owner, "process_owner", by=SYSTEM)
        db.session.remove()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1500, "height": 950}, locale="zh-CN")
        context.set_default_timeout(20_000)
        yield context.new_page()
        browser.close()


def test_a_step_is_inserted_and_saves_itself(address: str, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.goto(f"{address}/login")
    page.fill("#field-login", "owner")
    page.fill("[type=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto(f"{address}/studio/flows/seal_approval")
    page.locator('form[action$="/drafts"] button').first.click()
    state = page.locator('[data-part="state"]')
    expect(state).to_have_text("已保存")

    page.get_by_role("button", name="在「印章管理部门审核」之后").click()
    page.keyboard.type("法务审核")
    page.keyboard.press("Tab")
    page.get_by_label("由谁办理").select_option(label="印章管理部门负责人")
    page.get_by_label("时限").fill("2")
    with page.expect_response(lambda r: r.request.method == "PUT" and "P2WD" in (r.request.post_data or "")):
        page.keyboard.press("Tab")
    expect(state).to_have_text("已保存")

    model: dict[str, Any] = json.loads(page.request.get(page.url.partition("#")[0] + "/model").text())
    root = read(model["bpmn"].encode())
    (step,) = xpath(root, "//bpmn:userTask[@name='法务审核']")
    said = properties(step)
    assert (said["role"], said["dueIn"], said["form"]) == ("seal_office_head", "P2WD", "review")
    ways = {(f.get("sourceRef"), f.get("targetRef")) for f in xpath(root, "//bpmn:sequenceFlow")}
    assert ("review", step.get("id")) in ways and (step.get("id"), "reviewed") in ways
    problems = json.loads(page.request.get(page.url.partition("#")[0] + "/problems").text())
    assert [p["zh"] for p in problems if p["severity"] == "error"] == []
    expect(page.locator(".bjs-powered-by")).to_be_visible()

    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="删除：法务审核").click()
    expect(page.locator("[data-step]", has_text="法务审核")).to_have_count(0)
    page.get_by_role("button", name="撤销").click()
    page.get_by_role("button", name="上移：法务审核").click()
    assert page.locator(".step-name strong").all_inner_texts()[2:4] == ["法务审核", "印章管理部门审核"]
    assert complaints == []


def test_only_the_editor_s_page_loads_the_editor() -> None:
    assert "bpmn" not in (BUILT / "main.js").read_text()
    assert (
        (BUILT / "studio.js").exists() and (BUILT / "studio.css").exists() and (BUILT / "bpmn.woff2").exists()
    )
