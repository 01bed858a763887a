"""The bell, the list and the way from a notice to what it tells of, in a browser."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.audit.models import LogEntry
from app.db import db
from app.flows import commands
from app.notices import gathering, queries, sending, wishes, writing
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


@ONE_DATABASE
def test_each_chooses_and_the_administrator_sees_what_failed(app: Flask, tmp_path: Path):
    here = town()
    publish(tmp_path, review={})
    office, admin = logged_in(app, "office"), logged_in(app, "admin", "en")
    assert "没有设置邮件服务器" not in office.get("/notices/settings").text
    assert office.get("/notices/ways").status_code == 403
    form = {"language": "en", "pace": "daily", "mail": "a b", "webhook": "http://10.0.0.1/", "task": "hook"}
    office.get("/notices/settings")
    refused = office.post("/notices/settings", form)
    assert (refused.status_code, 'value="a b"' in refused.text) == (422, True)
    refused = office.post("/notices/settings", {**form, "mail": "w@example.com"})
    assert "https://" in refused.text
    good = {**form, "mail": "w@example.com", "webhook": "https://127.0.0.1:9/x?token=s3cret"}
    assert office.post("/notices/settings", good).status_code == 302
    wish = wishes.of(here.people["office"])
    assert (wish.pace, wish.channels("task"), wish.channels("late")) == ("daily", {"hook"}, set())
    page = office.get("/notices/settings").text
    first = writing.secret_words(wish)
    assert first in page
    office.post("/notices/settings/secret")
    assert first not in office.get("/notices/settings").text
    logged = str(db.session.execute(sa.select(LogEntry.__table__)).all())
    assert "s3cret" not in logged

    # it is sent to no address of this machine; the administrator sees that, and may try again
    commands.start("p", {}, business_key="thing/1", by=here.actor("clerk"))
    gathering.gather()
    sending.deliver()
    assert queries.unread(here.actor("office")) == 0
    page = admin.get("/notices/ways").text
    assert "not public" in page
    assert "No mail server is set" in page
    failed = queries.failures()[0].id
    assert admin.post("/notices/ways/retry", {"delivery": failed}).status_code == 302
    assert queries.failures() == []
    admin.post("/notices/ways/test", {"mail": "x@example.com"})
    assert "It was not sent: no mail server" in admin.get("/notices/ways").text
    assert admin.post("/notices/ways/test", {"mail": ""}).status_code == 422
