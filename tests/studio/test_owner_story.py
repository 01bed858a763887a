"""A process owner new to it inserts a step, changes a threshold, looks what comes of it, and publishes (C2, C3).

What runs stays on its way; what is begun afterwards takes the new one. No field for code is met on the way. Pictures
of each stage go to the folder that YINXU_OWNER_STORY names (docs/studio.md shows how), else to the test's own.
"""

import io
import os
import re
import secrets
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from app.actor import SYSTEM, Actor
from app.db import db
from app.factory import create_app
from app.flows import commands as flows
from app.flows import queries as tasks
from app.people import commands as people
from app.people import queries
from app.people.models import LoginSession
from app.studio import bundle, commands, releasing
from tests.conftest import settings_for
from tests.desk.keyboard import Keyboard
from tests.people.makers import PASSWORD, Town, town
from tests.web.test_browser import chromium

pytestmark = pytest.mark.browser
__all__ = ["chromium"]
EXAMPLE = Path(__file__).parents[2] / "docs/examples/flows/contract_approval"
CODE = re.compile(r"[<>{}]|\$\{|==|&lt;|\blambda\b|^[a-z]+(_[a-z0-9]+)+$")
"""What no value that a person may type over looks like: markup, an expression, an id."""


@dataclass
class Office:
    app: Flask
    address: str
    here: Town
    owner: int

    def begin(self, contract: str, amount: int) -> int:
        """Hand in a contract; the number of its flow."""
        said = {"contract": contract, "amount": amount}
        return flows.start(
            "contract_approval", said, business_key=f"contract/{amount}", by=self.here.actor("clerk")
        ).instance_id

    def route(self, instance_id: int) -> list[str]:
        """Approve until it is finished; the names of the steps that somebody did."""
        done: list[str] = []
        while open_ := tasks.open_tasks(instance_id):
            done += [task.label.zh for task in open_]
            for task in open_:
                flows.complete(task.id, {"decision": "approve"}, by=self.here.actor("office"))
        assert tasks.instance(instance_id).status == "finished"
        return done


def carried_in(owner: Actor) -> None:
    """The example of the docs, imported and published as it is."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for file in EXAMPLE.rglob("*.*"):
            archive.write(file, file.relative_to(EXAMPLE.parent))
    papers = bundle.unpacked(out.getvalue())
    fact = commands.open_draft(
        papers.key,
        None,
        bpmn=papers.bpmn,
        tables=papers.tables,
        forms=papers.forms,
        scenarios=papers.stories,
        by=owner,
    )
    releasing.publish(fact.draft_id, releasing.Plan(1, None), by=owner)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    app = create_app(settings_for(tmp_path / "var", f"sqlite:///{tmp_path}/pages.db", REDIS_URL="redis://127.0.0.1:1/0"))  # fmt: skip
    with app.app_context():
        db.create_all()
        here = town()
        owner = people.register_user("owner", "流程主", here.department, PASSWORD, by=SYSTEM).user_id
        people.appoint(owner, "process_owner", by=SYSTEM)
        carried_in(queries.actor_of(owner))
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Office(app, f"http://127.0.0.1:{server.port}", here, owner)
        server.shutdown()
        thread.join()
        db.session.remove()
        db.engine.dispose()


@dataclass
class Watched:
    """The owner's window: each stage is photographed, and every field that can be seen is looked at."""

    page: Page
    folder: Path
    complaints: list[str] = field(default_factory=list[str])
    stages: int = 0

    def stage(self, name: str) -> None:
        self.stages += 1
        self.page.screenshot(path=str(self.folder / f"{self.stages}-{name}.png"), full_page=True)
        values = self.page.evaluate(
            """[...document.querySelectorAll('input:not([type=hidden]):not([type=checkbox]):not([type=radio]), textarea')]
               .filter(it => it.checkVisibility()).map(it => it.value)"""
        )
        assert not [value for value in values if CODE.search(value)], (name, values)
        assert self.page.locator("textarea.code, .CodeMirror, [contenteditable=true]").count() == 0, name


@pytest.fixture
def watched(office: Office, chromium: Browser, tmp_path: Path) -> Iterator[Watched]:
    folder = Path(os.environ.get("YINXU_OWNER_STORY", tmp_path / "pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(32)
    db.session.add(LoginSession(token_hash=queries.token_hash(token), user_id=office.owner))
    db.session.commit()
    context = chromium.new_context(
        viewport={"width": 1500, "height": 950}, locale="zh-CN", base_url=office.address
    )
    context.set_default_timeout(20_000)
    context.add_cookies([{"name": "yinxu", "value": token, "url": office.address}])
    found = Watched(context.new_page(), folder)
    found.page.on("console", lambda m: found.complaints.append(m.text) if m.type == "error" else None)
    found.page.on("pageerror", lambda e: found.complaints.append(str(e)))
    yield found
    context.close()


def test_a_step_is_inserted_a_threshold_changed_and_published(office: Office, watched: Watched) -> None:
    page = watched.page
    running = office.begin("办公设备采购合同", 300_000)

    page.goto("/studio/")
    watched.stage("flows")
    page.get_by_role("link", name="合同用印审批").first.click()
    watched.stage("flow")
    page.locator('form[action$="/drafts"] button').first.click()
    state = page.locator('[data-part="state"]')
    expect(state).to_have_text("已保存")

    page.get_by_role("button", name="在「部门审核」之后").click()
    page.keyboard.type("法务审核")
    page.keyboard.press("Tab")
    page.get_by_label("由谁办理").select_option(label="用印监督员")
    page.get_by_label("时限").fill("2")
    with page.expect_response(lambda r: r.request.method == "PUT" and "P2WD" in (r.request.post_data or "")):
        page.keyboard.press("Tab")
    expect(state).to_have_text("已保存")
    watched.stage("step-inserted")

    page.locator("[data-step]", has_text="确定审批级别").locator(".step-name").click()
    page.get_by_role("link", name=re.compile("规则表")).first.click()
    value = page.get_by_label("合同金额（元） 的值").first
    expect(value).to_have_value("500000")
    with page.expect_response(lambda r: r.request.method == "POST" and "/tables/" in r.url):
        value.fill("200000")
    expect(page.locator("#told")).to_contain_text("已保存")
    watched.stage("threshold-changed")

    page.get_by_role("link", name="回到流程图").click()
    expect(state).to_have_text("已保存")
    page.get_by_role("link", name=re.compile("检查并发布")).click()
    page.wait_for_load_state()
    watched.stage("gate")
    medium = page.locator("details.story", has_text="三十万元的合同")
    if medium.get_attribute("open") is None:
        medium.locator("summary").click()
    expect(medium).to_contain_text("走法改变")
    old, new = medium.locator(".route").nth(0), medium.locator(".route").nth(1)
    assert "法务审核" not in old.inner_text() and "领导审批" not in old.inner_text()
    assert "法务审核" in new.inner_text() and "领导审批" in new.inner_text()
    watched.stage("replayed")
    page.get_by_role("button", name="发布", exact=True).click()
    confirm = page.locator("dialog[open] button.primary, dialog[open] button.danger")
    if confirm.count():
        watched.stage("confirmed")
        confirm.first.click()
    expect(page.get_by_text(re.compile("已发布"))).not_to_have_count(0)
    watched.stage("published")
    assert watched.complaints == []

    begun_after = office.begin("办公设备采购合同二", 300_001)
    assert office.route(running) == ["部门审核"]
    assert office.route(begun_after) == ["部门审核", "法务审核", "领导审批"]


def test_the_same_is_done_without_a_mouse(office: Office, watched: Watched) -> None:
    page, keyboard = watched.page, Keyboard(watched.page)
    page.goto("/studio/")

    keyboard.reach("合同用印审批").follow()
    keyboard.reach("修改流程").follow()
    expect(page.locator('[data-part="state"]')).to_have_text("已保存")
    keyboard.reach("步骤列表").follow()
    keyboard.reach("部门审核").follow()
    keyboard.reach("名称（中文）").reach("名称（中文）").type("法务审核").reach("谁办理").choose("用印监督员")
    keyboard.reach("加入").follow()
    expect(page.locator("#field-name_zh")).to_have_value("法务审核")
    keyboard.reach("时限").type("2").reach("时限单位").choose("工作日").reach("保存这一步").follow()
    expect(page.get_by_text("2 个工作日").first).to_be_visible()
    keyboard.reach("确定审批级别").follow()
    keyboard.reach("合同审批级别").follow()
    keyboard.reach("合同金额（元） 的值").press("Control+A").type("200000")
    expect(page.locator("#told")).to_contain_text("已保存")
    keyboard.reach("回到流程图", back=True).follow()
    keyboard.reach("检查并发布").follow()
    keyboard.reach("三十万元的合同")
    keyboard.reach("button 发布").follow()

    expect(page.get_by_text("第 2 版已发布")).to_be_visible()
    assert office.route(office.begin("采购合同", 300_001)) == ["部门审核", "法务审核", "领导审批"]
