"""The inbox in a browser: what is seen, what is sent, what comes back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.actor import SYSTEM, Actor
from app.flows import commands, queries
from app.flows.action import PANELS
from app.people import commands as people_commands
from app.people.queries import actor_of
from app.refusal import Conflict
from app.settings import Settings
from tests.conftest import settings_for
from tests.flows.makers import Hands
from tests.people.makers import PASSWORD, Browser
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


def test_a_form_that_is_sent_twice_gets_the_same_page_twice(office: Browser, people: People):
    apply(people, 7)
    one = first_task(people)
    found = re.search(r'name="request_key" value="([^"]+)"', office.get(f"/inbox/{one}").text)
    assert found is not None
    form: dict[str, object] = dict(decision="approve", opinion="", request_key=found[1])

    first, second = (office.post(f"/inbox/{one}/complete", form) for _ in range(2))

    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert first.status_code == 302

    two, said = first_task(people), dict[str, object](card_serial="C-0001", station_id="3")
    header = {"Accept": "application/json", "Idempotency-Key": "a program's own"}
    one_answer, other = (office.post(f"/inbox/{two}/complete", said, **header) for _ in range(2))

    assert (one_answer.status_code, one_answer.json) == (200, other.json)


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


def test_an_operator_sees_what_is_stopped_and_mends_it_from_its_page(
    app: Flask, people: People, hands: Hands
):
    instance_id = apply(people)
    owner = people_commands.register_user("owner", "某owner", people.top, PASSWORD, by=SYSTEM).user_id
    people_commands.appoint(owner, "process_owner", by=SYSTEM)
    browser, address = logged_in(app, "owner"), f"/inbox/flow/{instance_id}"
    page = browser.get(address).text
    assert 'data-opens="suspend"' in page and 'data-opens="skip"' not in page

    assert browser.post(f"/flows/{instance_id}/suspend", dict(reason="核对")).location == address

    assert "该流程已被暂停" in browser.get(address).text
    held = logged_in(app, "office").get("/inbox").text
    assert "该流程已被暂停" in held and 'value="approve"' not in held
    admin = logged_in(app, "admin")
    assert "财务专用章" in admin.get("/flows/incidents").text
    back = admin.post(f"/flows/{instance_id}/resume", dict(back="/flows/incidents"))
    assert back.location == "/flows/incidents"
    assert "没有受阻的流程" in admin.get("/flows/incidents").text
    assert admin.get(address).status_code == 403, "what it is about is not the administrator's"
    assert logged_in(app, "nobody").get("/flows/incidents").status_code == 403

    def refuse(**_given: object) -> None:
        raise Conflict("card.gone", zh="卡不在位", en="no card")

    office = logged_in(app, "office")
    office.get("/inbox")
    office.post(f"/inbox/{first_task(people)}/complete", dict(decision="approve", opinion=""))
    office.post(f"/inbox/{first_task(people)}/complete", dict(card_serial="C-0001", station_id="3"))
    hands.answers["record_made"] = refuse
    assert commands.deliver("seal_production.reported", "41", {"status": "made"}, by=SYSTEM).stopped
    assert "卡不在位" in browser.get("/flows/incidents").text
    assert "卡不在位" in browser.get(address).text
    assert browser.post(f"/flows/{instance_id}/skip", dict(reason="x", outputs="[")).status_code == 422
    done = browser.post(f"/flows/{instance_id}/skip", dict(reason="已补录", outputs='{"seal_id": 9}'))
    assert done.location == address
    assert "跳过受阻的步骤" in browser.get(address).text
    clerk = logged_in(app, "clerk")
    clerk.get(address)
    assert clerk.post(f"/flows/{instance_id}/cancel", dict(reason="x")).status_code == 409
