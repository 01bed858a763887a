"""What a step read without a lock: whoever was quicker is never overwritten, and who comes second begins anew."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.audit.models import LogEntry, LogPending
from app.db import db
from app.flows import answering, commands, queries
from app.flows.models import FlowEvent, FlowInstance, FlowTask
from app.refusal import Conflict, Forbidden
from tests.flows.makers import Town

APPROVE = {"decision": "approve", "opinion": "同意"}


def meanwhile(app: Flask, statement: Any) -> Callable[..., Any]:
    """`answering.complete`, before which another connection has done this and committed (the first time only)."""
    real, todo = answering.complete, [statement]

    def late(*args: Any) -> Any:
        for each in (todo.pop(),) if todo else ():
            with db.engine.connect() as another:
                another.execute(each)
                another.commit()
        return real(*args)

    return late


def counted() -> tuple[int | None, ...]:
    return tuple(
        db.session.scalar(sa.select(sa.func.count()).select_from(t))
        for t in (LogEntry, LogPending, FlowEvent)
    )


@pytest.fixture
def task_id(town: Town) -> int:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("on SQLite whoever writes is alone from the start")
    town.apply()
    (row,) = queries.inbox(town.office)
    db.session.remove()
    return row.id


def test_a_task_claimed_meanwhile_is_its_claimers(
    app: Flask, town: Town, task_id: int, monkeypatch: pytest.MonkeyPatch
):
    claimed = sa.update(FlowTask).where(FlowTask.id == task_id).values(assignee_id=town.colleague.id)
    monkeypatch.setattr(answering, "complete", meanwhile(app, claimed))
    before = counted()

    with pytest.raises(Forbidden, match="claimed_by_another"):
        commands.complete(task_id, APPROVE, by=town.office)

    entries, pending, events = counted()
    assert (entries, events) == ((before[0] or 0) + 1, before[2])  # the refusal is told, and nothing else
    assert db.session.get_one(FlowTask, task_id).status == "open" and pending


def test_an_instance_held_meanwhile_stays_where_it_was(
    app: Flask, town: Town, task_id: int, monkeypatch: pytest.MonkeyPatch
):
    held = sa.update(FlowInstance).values(status="suspended")
    monkeypatch.setattr(answering, "complete", meanwhile(app, held))

    with pytest.raises(Conflict, match="suspended"):
        commands.complete(task_id, APPROVE, by=town.office)
    assert db.session.get_one(FlowTask, task_id).status == "open"


def test_what_changed_nothing_of_the_decision_only_makes_it_begin_anew(
    app: Flask, town: Town, task_id: int, monkeypatch: pytest.MonkeyPatch
):
    touched = sa.update(FlowTask).where(FlowTask.id == task_id).values(timeouts=FlowTask.timeouts + 1)
    monkeypatch.setattr(answering, "complete", meanwhile(app, touched))

    assert commands.complete(task_id, APPROVE, by=town.office).outcome == "approve"
    task = db.session.get_one(FlowTask, task_id)
    assert (task.status, task.timeouts) == ("done", 1)
