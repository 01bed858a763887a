"""What people are told of what happens, once each, whatever becomes of the worker and in whatever order it commits."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.actor import Actor
from app.clock import now
from app.db import begin_writing, commit, db, writing_engine
from app.flows import commands, handing, informing, returning, steering
from app.flows.models import FlowEvent, FlowIncident, FlowTask
from app.notices import cursor, gathering, kinds
from app.notices.commands import set_wishes
from app.notices.cursor import Horizon, settled
from app.notices.models import Notice, NoticeCursor, NoticeSeen
from app.notices.queries import of, unread
from tests.flows.test_hands import Office, away, number, publish, task_of


@pytest.fixture
def office(app: Flask, tmp_path: Path) -> Office:
    made = Office()
    publish(tmp_path, review={}, head={"role": "process_owner"})
    return made


EVERYTHING = {kind: ["page"] for kind in kinds.KINDS}


def told(who: Actor) -> list[str]:
    """The kinds, the first first."""
    return [row.kind for row in reversed(of(who))]


def test_each_is_told_once_of_what_concerns_them(office: Office):
    clerk, wang, zhou, lin, owner = office.clerk, office.wang, office.zhou, office.lin, office.owner
    instance_id = office.start()
    task = task_of(instance_id).id

    for _ in range(2):
        gathering.gather()
    assert (told(wang), told(zhou), told(clerk), told(lin)) == (["task"], ["task"], [], [])
    assert unread(wang) == 1

    informing.copy(instance_id, [number(lin)], "供参考", by=clerk)
    informing.urge(task, "请今天办", by=clerk)
    gathering.gather()
    handing.ask(task, number(lin), "金额对吗", by=wang)
    gathering.gather()
    handing.answer(task, "对", by=lin)
    gathering.gather()
    commands.complete(task, {"decision": "approve", "opinion": "可以"}, by=wang)
    gathering.gather()
    commands.complete(task_of(instance_id).id, {"decision": "send_back", "opinion": "缺委托书"}, by=owner)
    gathering.gather()
    gathering.gather()

    assert told(wang) == ["task", "urged", "answered"]
    assert told(zhou) == ["task", "urged"]
    assert told(lin) == ["copied", "handed"]
    assert told(owner) == ["task"]
    assert told(clerk) == ["returned", "finished"]
    reason = of(clerk)[1]
    assert (reason.said.zh, reason.who, reason.tone) == ("缺委托书", owner.name, "bad")
    # what is done asks nothing of anybody, though nobody has opened it
    assert [(row.kind, row.over) for row in of(wang)] == [
        ("answered", False),
        ("urged", True),
        ("task", True),
    ]
    assert (unread(wang), unread(zhou), unread(clerk)) == (1, 0, 2)
    gathering.tidy()
    still = db.session.scalars(sa.select(Notice.kind).where(Notice.read_at.is_(None))).all()
    assert sorted(still) == ["answered", "copied", "finished", "returned"]


def test_substitutes_incidents_due_moments_returns_and_the_end(office: Office):
    clerk, wang, zhou, lin, at = office.clerk, office.wang, office.zhou, office.lin, now()
    away(office, wang, lin)
    instance_id = office.start()
    first = task_of(instance_id).id
    gathering.gather()
    assert sorted(told(lin)) == ["substitute", "task"]

    db.session.execute(
        sa.update(FlowTask).values(created_at=at - timedelta(days=9), due_at=at + timedelta(hours=3))
    )
    db.session.add(
        FlowIncident(
            instance_id=instance_id, at=at, process="p", node="登记印模", code="x", text_zh="卡不在", text_en="no card",
            message_id=None,
        )
    )  # fmt: skip
    db.session.commit()
    gathering.gather()
    for hours in (0, 0, 4, 4):
        gathering.look_at_due(at + timedelta(hours=hours))
    assert told(zhou) == ["task", "due", "late"]
    assert (told(office.owner), told(office.admin)) == (["incident"], ["incident"])

    commands.complete(first, {"decision": "approve", "opinion": "可以"}, by=zhou)
    second = task_of(instance_id).id
    returning.send_back(second, "review", reason="缺委托书", by=office.owner)
    gathering.gather()
    assert told(clerk) == ["returned"]
    again = of(zhou)[0]
    assert (again.kind, again.said.zh) == ("task", "缺委托书")
    steering.cancel(instance_id, "不需要了", by=office.owner)
    gathering.gather()
    assert told(clerk) == ["returned", "cancelled"]


def test_a_correction_is_told_once_with_its_reason_to_whoever_wants_to_hear_of_returns(
    office: Office, tmp_path: Path
):
    publish(tmp_path, fill={"role": "applicant", "merge": "true"}, review={})
    clerk = office.clerk
    for chosen, heard in ((EVERYTHING, ["returned"]), (EVERYTHING | {"returned": []}, ["task"])):
        set_wishes(language="zh", mail="", webhook="", pace="at_once", choices=chosen, by=clerk)
        instance_id = office.start()
        commands.complete(task_of(instance_id).id, {"decision": "approve"}, by=clerk)
        gathering.gather()
        before = len(of(clerk))
        returning.send_back(task_of(instance_id).id, "fill", reason="缺委托书", by=office.wang)
        for _ in range(2):
            gathering.gather()
        assert told(clerk)[before:] == heard
        assert of(clerk)[0].said.zh.endswith("缺委托书")
        steering.cancel(instance_id, "不需要了", by=office.owner)
        gathering.gather()


def test_what_is_committed_late_below_what_was_read_is_told_all_the_same(office: Office):
    """On PostgreSQL an id is drawn before others commit theirs; the row appears behind the reader's back."""
    instance_id = office.start()
    gathering.gather()
    late = sa.insert(FlowEvent).values(
        instance_id=instance_id, at=now(), kind="finished", process="p", node="", shape="", label_zh="", label_en="",
        actor_id=None, actor_name="", detail={},
    )  # fmt: skip
    if db.engine.dialect.name == "postgresql":
        with writing_engine().connect() as other:
            other.execute(late)
            office.start()
            gathering.gather()
            for hours in (0, 1):
                cursor.move("event", FlowEvent, now() + timedelta(hours=hours))
            assert db.session.get_one(NoticeCursor, "event").floor == 0
            other.commit()
    else:
        begin_writing()
        db.session.execute(late)
        commit()

    gathering.gather()
    assert told(office.clerk) == ["finished"]

    # then the floor moves, and the memory of what lies below it goes
    for hours in (2, 3, 4, 5):
        cursor.move("event", FlowEvent, now() + timedelta(hours=hours))
    top = db.session.scalar(sa.select(sa.func.max(FlowEvent.id)))
    db.session.expire_all()
    assert db.session.get_one(NoticeCursor, "event").floor == top
    assert db.session.scalars(sa.select(NoticeSeen.row_id).where(NoticeSeen.source == "event")).all() == []
    gathering.gather()
    assert told(office.clerk) == ["finished"]


def test_a_floor_moves_only_once_nobody_can_write_below_it():
    at = now()
    assert settled(None, at, at, None)
    assert not settled(100, at, at + timedelta(hours=1), Horizon(99, 105))
    assert not settled(100, at, at, Horizon(100, 105))
    assert settled(100, at, at + timedelta(hours=1), Horizon(100, 105))


def test_a_batch_that_failed_is_told_by_the_next(office: Office, monkeypatch: pytest.MonkeyPatch):
    office.start()

    def fail(*_: object) -> int:
        raise RuntimeError("the worker is killed here")

    with monkeypatch.context() as patch:
        patch.setattr(gathering, "_write", fail)
        with pytest.raises(RuntimeError):
            gathering.gather()
    assert told(office.wang) == []
    assert db.session.scalars(sa.select(NoticeSeen.row_id)).all() == []
    gathering.gather()
    assert told(office.wang) == ["task"]
