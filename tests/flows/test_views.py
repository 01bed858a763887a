"""The inbox in a browser: what is seen, what is sent, what comes back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.actor import SYSTEM, Actor
from app.flows import commands, queries
from app.flows.action import PANELS
from app.people.queries import actor_of
from app.settings import Settings
from tests.conftest import settings_for
from tests.flows.makers import Hands
from tests.people.makers import Browser
from tests.people.makers import Town as People
from tests.people.makers import town as register_people


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


@pytest.fixture
def people(app: Flask, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> People:
    monkeypatch.delitem(PANELS, "application", raising=False)
    commands.load_files(by=SYSTEM)
    return register_people()


@pytest.fixture
def office(app: Flask, people: People) -> Iterator[Browser]:
    yield logged_in(app, "office")


def logged_in(app: Flask, login: str, language: str = "zh") -> Browser:
    browser = Browser(app)
    browser.client.set_cookie("language", language)
    assert browser.log_in(login).status_code == 302
    return browser


def apply(people: People, number: int = 7, name: str = "财务专用章", level: int = 2) -> int:
    clerk: Actor = actor_of(people.people["clerk"])
    data = {
        "application_id": number,
        "number": f"SQ-2026-{number:04}",
        "kind": "official",
        "seal_name": name,
        "owner_unit_id": people.department,
        "applicant_id": clerk.id,
        "unit_level": level,
    }
    return commands.start("seal_lifecycle", data, business_key=f"application/{number}", by=clerk).instance_id


def first_task(people: People) -> int:
    return queries.inbox(people.actor("office"))[0].id


def test_an_empty_inbox_says_what_happens_next(office: Browser):
    page = office.get("/inbox")

    assert page.status_code == 200
    assert "都办完了" in page.text


def test_the_inbox_shows_the_task_its_place_and_the_rule_that_fired(office: Browser, people: People):
    apply(people)

    page = office.get("/inbox").text

    for shown in (
        "财务专用章",
        "SQ-2026-0007",
        "某clerk",
        "印章管理部门审核",
        "规则 2",
        "同意",
        "退回修改",
        "领取",
    ):
        assert shown in page
    assert re.search(r'class="shape userTask current"><title>印章管理部门审核', page)
    assert re.search(r'class="shape businessRuleTask done"', page)


def test_the_same_page_in_english_holds_no_chinese_but_names(app: Flask, people: People):
    apply(people, name="Finance seal")
    page = logged_in(app, "office", "en").get(f"/inbox/{first_task(people)}").text

    main = re.search(r"<main.*</footer>", page, re.DOTALL)
    assert main is not None
    left = re.sub(r"某[a-z]+|供应链中心|<span class=\"glyph.*?</span>|中文", "", main[0])
    assert re.findall(r"[一-鿿]+", left) == []


def test_after_a_decision_the_next_task_opens(office: Browser, people: People):
    apply(people, 7)
    apply(people, 8, "合同专用章")
    one = first_task(people)
    office.get(f"/inbox/{one}")

    answer = office.post(f"/inbox/{one}/complete", dict(decision="approve", opinion="同意"))

    following = first_task(people)
    assert (answer.status_code, answer.location) == (302, f"/inbox/{following}")
    assert following != one
    assert "已办理" in office.get(answer.location).text


def test_sending_back_without_a_reason_is_refused_at_the_field_and_keeps_what_was_typed(
    office: Browser, people: People
):
    apply(people)
    task_id = first_task(people)
    office.get(f"/inbox/{task_id}")

    answer = office.post(f"/inbox/{task_id}/complete", dict(decision="send_back", opinion=""))

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'href="#field-opinion"' in answer.text
    assert "请填写审批意见" in answer.text

    long = office.post(f"/inbox/{task_id}/complete", dict(decision="send_back", opinion="很长" * 300))
    assert long.status_code == 422
    assert "很长很长" in long.text


def test_a_long_form_stands_on_the_page_and_keeps_its_values(office: Browser, people: People):
    apply(people)
    commands.complete(first_task(people), {"decision": "approve"}, by=people.actor("office"))
    task_id = first_task(people)
    assert 'form="task-form"' in office.get(f"/inbox/{task_id}").text

    answer = office.post(f"/inbox/{task_id}/complete", dict(card_serial="C-0002"))

    assert answer.status_code == 422
    assert re.search(r'<option value="C-0002" selected>', answer.text)


def test_a_second_approval_is_a_page_that_says_who_was_quicker(office: Browser, people: People):
    apply(people)
    task_id = first_task(people)
    office.get(f"/inbox/{task_id}")
    office.post(f"/inbox/{task_id}/complete", dict(decision="approve"))

    answer = office.post(f"/inbox/{task_id}/complete", dict(decision="approve"))

    assert answer.status_code == 409
    assert "某office" in answer.text
    assert "某office" in office.get(f"/inbox/{task_id}").text


def test_a_task_of_somebody_elses_is_refused_on_every_door(app: Flask, people: People):
    apply(people)
    task_id = first_task(people)
    stranger = logged_in(app, "nobody")
    stranger.get("/inbox")

    assert stranger.get(f"/inbox/{task_id}").status_code == 403
    for verb in ("complete", "claim", "release"):
        assert stranger.post(f"/inbox/{task_id}/{verb}", dict(decision="approve")).status_code == 403
    assert stranger.get("/inbox/999").status_code == 404
    assert stranger.get("/inbox/flow/1").status_code == 403
    assert "不归您办理" in stranger.get(f"/inbox/{task_id}").text


def test_nobody_sees_an_inbox_without_logging_in(app: Flask):
    answer = app.test_client().get("/inbox")

    assert answer.status_code == 302
    assert answer.location.startswith("/login")


def test_claiming_and_putting_back(office: Browser, people: People):
    apply(people)
    task_id = first_task(people)
    office.get(f"/inbox/{task_id}")

    office.post(f"/inbox/{task_id}/claim")
    assert "退还" in office.get(f"/inbox/{task_id}").text
    office.post(f"/inbox/{task_id}/release")
    assert "领取" in office.get(f"/inbox/{task_id}").text


def test_filters_are_addresses_and_the_search_finds_by_name_applicant_and_number(
    office: Browser, people: People
):
    apply(people, 7)
    apply(people, 8, "合同专用章")

    def shown(address: str) -> list[str]:
        return re.findall(r'<strong>([^<]+)</strong><span class="chip', office.get(address).text)

    assert len(shown("/inbox")) == 2
    assert shown("/inbox?q=合同") == ["合同专用章"]
    assert shown("/inbox?q=SQ-2026-0007") == ["财务专用章"]
    assert len(shown("/inbox?q=某clerk")) == 2
    assert "没有找到" in office.get("/inbox?q=无此物").text
    assert len(shown("/inbox?show=free")) == 2
    assert shown("/inbox?show=soon") == []


def test_the_applicant_sees_where_it_stands_and_is_led_to_the_correction(app: Flask, people: People):
    instance_id = apply(people)
    commands.complete(
        first_task(people), {"decision": "send_back", "opinion": "请重扫"}, by=people.actor("office")
    )
    clerk = logged_in(app, "clerk")

    page = clerk.get("/inbox").text
    assert 'href="/applications/7/correct"' in page
    assert "请重扫" in page
    assert "财务专用章" in clerk.get("/inbox/started").text
    assert "退回修改" in clerk.get(f"/inbox/flow/{instance_id}").text


def test_what_was_done_is_kept(office: Browser, people: People):
    assert "您还没有办理过任务" in office.get("/inbox/done").text
    apply(people)
    commands.complete(first_task(people), {"decision": "approve"}, by=people.actor("office"))

    page = office.get("/inbox/done").text

    assert "财务专用章" in page and "同意" in page


def test_machines_read_the_same_in_json(office: Browser, people: People):
    apply(people)
    listed = office.get("/inbox", Accept="application/json").get_json()["tasks"]
    assert [row["node"] for row in listed] == ["review"]
    task_id = listed[0]["id"]
    assert office.get(f"/inbox/{task_id}", Accept="application/json").get_json()["task"]["fields"] == [
        "decision",
        "opinion",
    ]
    assert office.get("/inbox/done", Accept="application/json").get_json() == {"tasks": []}
    assert office.get("/inbox/started", Accept="application/json").get_json() == {"instances": []}


def test_the_panel_of_the_house_that_owns_the_subject_is_shown(
    office: Browser, people: People, monkeypatch: pytest.MonkeyPatch
):
    from markupsafe import Markup

    apply(people)
    monkeypatch.setitem(
        PANELS, "application", lambda ident, task: Markup("<b>申请 {} {}</b>").format(ident, task.node)
    )

    assert "<b>申请 7 review</b>" in office.get("/inbox").text
