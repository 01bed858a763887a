"""The bell, the list and the way from a notice to what it tells of, in a browser."""

from pathlib import Path

import pytest
from flask import Flask

from app.flows import commands
from app.notices import gathering, queries
from app.settings import Settings
from tests.conftest import ONE_DATABASE, settings_for
from tests.flows.test_hands import APPROVE, publish, task_of
from tests.flows.test_views import logged_in
from tests.people.makers import town


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


@ONE_DATABASE
def test_a_notice_is_seen_followed_and_marked(app: Flask, tmp_path: Path):
    here = town()
    publish(tmp_path, review={})
    office, clerk = logged_in(app, "office"), logged_in(app, "clerk")
    assert "还没有通知" in office.get("/notices").text
    flow = commands.start("p", {}, business_key="thing/1", by=here.actor("clerk")).instance_id
    task = task_of(flow).id
    gathering.gather()

    page = office.get("/notices")
    notice = queries.of(here.actor("office"))[0].id
    assert 'aria-label="通知：1 条未读"' in page.text
    assert "待您办理" in page.text
    assert clerk.get(f"/notices/{notice}").status_code == 404
    clerk.get("/notices")
    assert clerk.post(f"/notices/{notice}/read").status_code == 404
    assert queries.unread(here.actor("office")) == 1

    assert office.get(f"/notices/{notice}").headers["Location"] == f"/inbox/{task}"
    assert queries.unread(here.actor("office")) == 0
    office.post(f"/notices/{notice}/unread")
    assert "待您办理" in office.get("/notices?show=unread").text
    office.post("/notices/read")
    assert "没有未读的通知" in office.get("/notices?show=unread").text

    commands.complete(task, APPROVE, by=here.actor("office"))
    gathering.gather()
    assert "已处理" in office.get("/notices").text
    assert office.get(f"/notices/{notice}").headers["Location"] == f"/inbox/flow/{flow}"
    own = queries.of(here.actor("clerk"))[0]
    assert own.kind == "finished"
    english = logged_in(app, "clerk", "en").get("/notices").text
    assert "It is finished" in english
    assert "Mark all as read" in english
