"""The pages of hands in a browser: passing on, asking, urging, copies, being away, the calendar."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from app.actor import SYSTEM
from app.clock import now
from app.flows import copies, queries
from app.people import commands as people
from app.people import queries as queries_of_people
from app.settings import Settings
from tests.conftest import settings_for
from tests.flows.test_hands import publish
from tests.flows.test_views import logged_in
from tests.people.makers import PASSWORD, Town, town


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


def a_colleague(here: Town) -> int:
    user_id = people.register_user("zhou", "周宁", here.department, PASSWORD, by=SYSTEM).user_id
    people.appoint(user_id, "seal_office", by=SYSTEM)
    return user_id


def test_a_task_goes_through_hands_in_the_browser(app: Flask, tmp_path: Path):
    from app.flows import commands

    here = town()
    zhou = a_colleague(here)
    publish(tmp_path, review={}, mine={"ownHand": "true"})
    clerk, office = logged_in(app, "clerk"), logged_in(app, "office")
    fact = commands.start("p", {}, business_key="thing/1", by=here.actor("clerk"))
    flow, task = f"/inbox/flow/{fact.instance_id}", queries.inbox(here.actor("office"))[0].id

    page = clerk.get(flow).text
    assert "催办" in page and "抄送" in page
    assert clerk.post(f"/inbox/{task}/urge", {"note": "客户在等"}).status_code == 302
    assert clerk.post(f"{flow}/copy", {"to": [here.people["nobody"]], "note": "知悉"}).status_code == 302
    refused = clerk.post(f"{flow}/copy", {"to": [], "to_login": "nobody，zhuo", "note": "也请看"})
    assert refused.status_code == 422 and "没有登录名为「zhuo」的人员" in refused.text
    assert 'value="nobody，zhuo"' in refused.text and "也请看" in refused.text
    assert clerk.post(f"{flow}/copy", {"to_login": "nobody, zhou", "note": ""}).status_code == 302
    assert len(copies.to(queries_of_people.actor_of(zhou))) == 1
    page = office.get(f"/inbox/{task}").text
    assert "客户在等" in page and "转办" in page and "委派" in page
    assert office.post(f"/inbox/{task}/ask", {"to": zhou, "reason": "对吗？"}).status_code == 302
    waiting = office.get(f"/inbox/{task}").text
    assert "已委派周宁答复" in waiting and "/complete" not in waiting

    other = logged_in(app, "zhou")
    assert "对吗？" in other.get(f"/inbox/{task}").text
    assert other.post(f"/inbox/{task}/answer", {"answer": "对"}).status_code == 302
    assert "周宁答复：对" in office.get(f"/inbox/{task}").text
    nobodys = {"to": zhou, "to_login": "zhuo", "reason": "出差"}
    refused = office.post(f"/inbox/{task}/hand-on", nobodys)
    assert refused.status_code == 422 and "没有登录名为「zhuo」的人员" in refused.text
    by_login = {"to": "", "to_login": "Zhou", "reason": "出差"}
    assert office.post(f"/inbox/{task}/hand-on", by_login).status_code == 302
    assert other.post(f"/inbox/{task}/complete", {"decision": "approve"}).status_code == 302
    own = queries.inbox(here.actor("office"))[0].id
    page = office.get(f"/inbox/{own}").text
    assert "须本人亲办" in page and 'data-opens="hand-on"' not in page
    assert office.post(f"/inbox/{own}/hand-on", {"to": zhou, "reason": "x"}).status_code == 409

    nobody = logged_in(app, "nobody", "en")
    page = nobody.get("/inbox/copied").text
    assert "unread" in page and "知悉" in page
    ident = copies.to(here.actor("nobody"))[0].id
    nobody.post(f"/inbox/copied/{ident}/read")
    assert copies.unread(here.actor("nobody")) == 0
    assert nobody.get(flow).status_code == 200


def test_being_away_leaving_and_the_calendar_in_the_browser(app: Flask, tmp_path: Path):
    here = town()
    zhou = a_colleague(here)
    publish(tmp_path, review={})
    office, admin = logged_in(app, "office"), logged_in(app, "admin")
    day = (now() + timedelta(days=3)).date().isoformat()
    form = {"to": zhou, "until": day, "reason": "出差"}

    office.get("/away")
    assert office.post("/away", {**form, "until": "x"}).status_code == 422
    assert office.post("/away", {**form, "to": here.people["admin"]}).status_code == 409
    assert office.post("/away", {**form, "to": "", "to_login": "ZHOU"}).status_code == 302
    page = office.get("/away").text
    assert "周宁 → 某office" in page and "离职移交" not in page
    assert (
        office.post("/away/leave", {"user": zhou, "to": here.people["clerk"], "reason": "x"}).status_code
        == 403
    )
    admin.get("/away")
    refused = admin.post("/away/leave", {"user": zhou, "to_login": "office,clerk", "reason": "回老家"})
    assert refused.status_code == 422 and "请选择一位人员" in refused.text
    assert f'value="{zhou}" selected' in refused.text and refused.text.count("回老家") == 1
    left = admin.post("/away/leave", {"user": zhou, "to_login": "office", "reason": "离职"})
    assert left.status_code == 302 and "已移交 0 项" in admin.get("/away").text

    assert office.get("/calendar").status_code == 403
    admin.get("/calendar")
    file = (io.BytesIO("date,kind,name\n2030-05-06,休,示例\n".encode()), "days.csv")
    assert admin.post("/calendar", {"file": file}).status_code == 302
    assert admin.post("/calendar", {"file": (io.BytesIO(b"\xff\xfe"), "x.csv")}).status_code == 422
    assert (
        admin.post("/calendar", {"day": "2030-05-11", "kind": "working", "name": "调休"}).status_code == 302
    )
    assert admin.post("/calendar", {"day": "", "kind": "working"}).status_code == 422
    page = admin.get("/calendar?year=2030").text
    assert "2030-05-06" in page and "调休" in page
    assert admin.get("/calendar?year=99999").status_code == 200
