"""The editor in a real browser: what is chosen in it stands in the file, and what two owners do is never lost.

That a step is inserted, told who does it and until when, and published is `test_owner_story.py`.
"""

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, expect
from werkzeug.serving import make_server

from app.actor import SYSTEM
from app.bpmn.reading import Element, properties, read, xpath
from app.db import db
from app.factory import create_app
from app.flows import commands as flows
from app.flows.action import ACTIONS
from app.glossary import PARAMETERS
from app.people import commands as people
from app.people import queries
from app.people.models import LoginSession
from app.studio import choices, commands
from app.studio import queries as drafts
from tests.conftest import settings_for
from tests.people.makers import PASSWORD, town
from tests.web.test_browser import chromium

__all__ = ["chromium"]
browser = pytest.mark.browser
BUILT = Path(__file__).parents[2] / "app/web/static/dist"


class Studio:
    """Two process owners and the shipped flows, served."""

    def __init__(self, app: Flask, chromium: Browser, address: str) -> None:
        here = town()
        self.app, self.chromium, self.address = app, chromium, address
        self.owners = {name: people.register_user(name, words, here.department, PASSWORD, by=SYSTEM).user_id for name, words in (("owner", "流程主"), ("other", "王敏"))}  # fmt: skip
        for ident in self.owners.values():
            people.appoint(ident, "process_owner", by=SYSTEM)

    def draft(self) -> int:
        return commands.start_draft("seal_approval", by=queries.actor_of(self.owners["owner"])).draft_id

    def diagram(self, draft_id: int) -> Element:
        db.session.rollback()
        return read(drafts.draft(draft_id, queries.actor_of(self.owners["owner"])).bpmn.encode())

    def cookie(self, who: str) -> Any:
        token = secrets.token_urlsafe(32)
        db.session.add(LoginSession(token_hash=queries.token_hash(token), user_id=self.owners[who]))
        db.session.commit()
        return {"name": "yinxu", "value": token, "url": self.address}

    def open(self, who: str, draft_id: int, language: str = "zh") -> Page:
        context = self.chromium.new_context(
            viewport={"width": 1500, "height": 950}, locale="zh-CN", base_url=self.address
        )
        context.set_default_timeout(20_000)
        context.add_cookies([self.cookie(who), {"name": "language", "value": language, "url": self.address}])
        page = context.new_page()
        page.goto(f"/studio/drafts/{draft_id}")
        expect(state(page)).to_have_attribute("data-state", "saved")
        return page


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    app = create_app(settings_for(folder / "var", f"sqlite:///{folder}/pages.db", REDIS_URL="redis://127.0.0.1:1/0"))  # fmt: skip
    with app.app_context():
        db.create_all()
        flows.load_files(by=SYSTEM)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Studio(app, chromium, f"http://127.0.0.1:{server.port}")
        server.shutdown()
        thread.join()
        db.session.remove()
        db.engine.dispose()


def state(page: Page) -> Locator:
    return page.locator('[data-part="state"]')


def card(page: Page, step: str) -> Locator:
    return page.locator(f'[data-step="{step}"] .step-name')


def rename(page: Page, name: str) -> None:
    card(page, "review").click()
    page.get_by_label("名称", exact=True).fill(name)
    page.keyboard.press("Tab")


def choose(page: Page, **chosen: str) -> None:
    for name, value in chosen.items():
        page.locator(f'[data-part="panel"] [data-name="{name.replace("_", "-")}"]').select_option(label=value)


def saving(page: Page, holding: str, do: Callable[[], object]) -> None:
    with page.expect_response(
        lambda r: r.request.method == "PUT" and holding in json.loads(r.request.post_data or "{}")["bpmn"]
    ):
        do()
    expect(state(page)).to_have_text("已保存")


@browser
def test_everything_is_chosen_and_stands_in_the_file(studio: Studio) -> None:
    """Conditions, votes, what happens when it is late, who may see which field; moving, removing, undoing, a phone."""
    ident = studio.draft()
    page = studio.open("owner", ident)
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))

    card(page, "needs_head").click()
    expect(page.locator(".way legend").first).to_have_text("不需要 → 批准申请")
    page.get_by_role("button", name="再加一个条件").click()
    page.locator('[data-name="condition-field"]').nth(1).select_option(label="修改申请 · 宽（毫米）")
    page.locator('[data-name="condition-compare"]').nth(1).select_option(label="不大于")
    page.locator('[data-name="condition-value"]').nth(1).fill("45")
    first = page.locator('[data-name="condition-value"]').first
    expect(first.locator("option:checked")).to_have_text("印章管理部门审批")
    typed = page.locator('[data-part="panel"] input:not([type=radio])').evaluate_all(
        "all => all.map(it => it.value)"
    )
    assert "office" not in typed, "a rule table's result is chosen by its words"

    card(page, "head_review").click()
    page.locator("summary", has_text="会签").click()
    choose(page, vote="按比例", share="至少四分之三", order="依次")
    card(page, "review").click()
    page.locator("summary", has_text="字段权限").click()
    choose(page, access_opinion="只读", onTimeout="升级给上级", escalateTo="单位负责人")
    page.get_by_label("每隔多久再次提醒").fill("4")
    saving(page, "PT4WH", lambda: choose(page, every_unit="个工作小时"))

    root = studio.diagram(ident)
    way = "".join(xpath(root, "//*[@id='needs_head_to_agreed']/bpmn:conditionExpression/text()"))
    assert way == 'routing.route = "office" and width_mm <= 45'
    vote, review = (properties(xpath(root, f"//*[@id='{step}']")[0]) for step in ("head_review", "review"))
    assert (vote["vote"], vote["share"], vote["voterRole"]) == ("ratio", "3/4", "seal_office_head")
    assert xpath(root, "//*[@id='head_review']/bpmn:multiInstanceLoopCharacteristics/@isSequential") == [
        "true"
    ]
    late = (review["onTimeout"], review["escalateTo"], review["every"])
    assert (review["fields"], *late) == ("opinion=read", "escalate", "unit_head", "PT4WH")
    card(page, "send_back_by_office").click()
    expect(page.get_by_label("理由取自").locator("option:checked")).to_have_text(
        "印章管理部门审核 · 审批意见"
    )
    expect(page.locator(".bjs-powered-by")).to_be_visible()

    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="在「印章管理部门审核」之后").click()
    page.keyboard.type("法务审核")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="删除：法务审核").click()
    expect(page.locator("[data-step]", has_text="法务审核")).to_have_count(0)
    page.get_by_role("button", name="撤销").click()
    page.get_by_role("button", name="上移：法务审核").click()
    assert page.locator(".step-name strong").all_inner_texts()[2:4] == ["法务审核", "印章管理部门审核"]
    assert complaints == []
    page.context.close()


@browser
def test_two_owners_at_one_draft_lose_nothing(studio: Studio) -> None:
    """They see each other; no line and no login are told and made good; who comes second overwrites nothing."""
    ident = studio.draft()
    mine, theirs = studio.open("owner", ident), studio.open("other", ident, "en")
    expect(theirs.locator('[data-part="others"]')).to_have_text("流程主 also has this draft open")
    mine.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(mine.locator('[data-part="others"]')).to_have_text("王敏 也打开着这份草稿")

    mine.context.set_offline(True)
    expect(state(mine)).to_contain_text("没有连上服务器")
    mine.context.set_offline(False)
    expect(state(mine)).to_have_text("已保存")  # nothing was waiting
    mine.context.set_offline(True)
    rename(mine, "离线审核")
    expect(state(mine)).to_contain_text("改动留在此页")
    saving(mine, "离线审核", lambda: mine.context.set_offline(False))

    mine.context.clear_cookies()
    rename(mine, "登录过期后审核")
    expect(state(mine)).to_contain_text("登录已过期")
    mine.context.add_cookies([studio.cookie("owner")])
    mine.evaluate("dispatchEvent(new Event('online'))")  # instead of waiting for the next attempt
    expect(state(mine)).to_have_text("已保存")

    card(theirs, "review").click()
    theirs.get_by_label("Name in English").fill("Theirs")
    theirs.keyboard.press("Tab")
    expect(theirs.locator("[data-element-id=review] .djs-label")).to_have_text("Theirs")
    dialog = theirs.locator("dialog[open]")
    expect(dialog).to_contain_text("流程主 saved this draft")
    theirs.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    theirs.get_by_label("Name in English").fill("Theirs again")
    theirs.keyboard.press("Tab")
    expect(dialog).to_have_count(1)  # whoever goes on is told once more that nothing is saved
    dialog.get_by_role("button", name="Keep mine as a new draft").click()
    theirs.wait_for_url(lambda url: not url.partition("#")[0].endswith(f"/{ident}"))
    expect(state(theirs)).to_have_text("Saved")
    other = int(theirs.url.partition("#")[0].rpartition("/")[2])

    names = [[step.get("name"), properties(step)["en"]] for draft in (ident, other) for step in xpath(studio.diagram(draft), "//*[@id='review']")]  # fmt: skip
    assert names == [["登录过期后审核", "Review by the seal office"], ["印章管理部门审核", "Theirs again"]]
    for page in (mine, theirs):
        page.context.close()


def test_only_the_editor_s_page_loads_the_editor() -> None:
    assert "bpmn" not in (BUILT / "main.js").read_text()
    assert (
        (BUILT / "studio.js").exists() and (BUILT / "studio.css").exists() and (BUILT / "bpmn.woff2").exists()
    )


def test_every_parameter_of_an_action_has_its_words() -> None:
    asked = {name for action in ACTIONS.values() for name in action.allowed}
    assert asked <= set(PARAMETERS) and choices.parameter("a_new_one").en == "a new one"
