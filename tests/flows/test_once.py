"""A request that carries a key has its effect once, and always the same answer."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event

from app.audit.models import LogEntry
from app.clock import now
from app.db import db
from app.flows import commands, queries
from app.flows import once as once_module
from app.flows.facts import TaskCompleted
from app.flows.models import FlowInstance, FlowRequest
from app.flows.once import forget_old, once
from app.refusal import Conflict, Forbidden, Invalid
from tests.flows.makers import Hands, Town

APPROVE = {"decision": "approve"}


def count(model: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_the_same_key_again_gets_the_same_answer_and_has_no_second_effect(town: Town, hands: Hands):
    instance_id = town.apply()
    task_id = queries.inbox(town.office)[0].id

    first = once(commands.complete, task_id, APPROVE, key="k1", by=town.office)
    told, asked, entries = len(queries.history(instance_id)), len(hands.asked), count(LogEntry)
    again = once(commands.complete, task_id, APPROVE, key="k1", by=replace(town.office, grants=frozenset()))

    assert again == first
    assert (len(queries.history(instance_id)), len(hands.asked)) == (told, asked)
    assert count(LogEntry) == entries, "sending a form twice is no illegal operation"
    with pytest.raises(Conflict, match="key_used"):
        once(commands.complete, task_id, {"decision": "send_back", "opinion": "x"}, key="k1", by=town.office)
    with pytest.raises(Conflict, match="task_done"):
        once(commands.complete, task_id, APPROVE, key="k2", by=town.office)
    with pytest.raises(Forbidden):
        once(commands.complete, task_id, APPROVE, key="k1", by=town.stranger), "a key is its sender's own"
    with pytest.raises(Invalid, match="bad_key"):
        once(commands.complete, task_id, APPROVE, key="键", by=town.office)


def test_what_was_refused_may_be_corrected_under_its_key(town: Town):
    town.apply()
    task_id = queries.inbox(town.office)[0].id

    with pytest.raises(Invalid):
        once(commands.complete, task_id, {"decision": "send_back"}, key="k", by=town.office)
    once(commands.complete, task_id, {"decision": "send_back", "opinion": "不清晰"}, key="k", by=town.office)

    assert [r.node for r in queries.inbox(town.applicant)] == ["correct"]


def test_a_key_costs_one_statement_and_none_costs_nothing(town: Town):
    seen: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *said: seen.append(said[2]))
    for number, key, cost in ((1, None, 0), (2, "k2", 1)):
        seen.clear()
        once(
            commands.start, "seal_lifecycle", town.data(application_id=number),
            business_key=f"application/{number}", key=key, by=town.applicant,
        )  # fmt: skip
        assert sum("flow_request" in said for said in seen) == cost

    assert count(FlowRequest) == 1


def test_of_many_with_one_key_at_the_same_moment_one_has_its_effect_and_all_its_answer(
    app: Flask, town: Town
):
    data, by = town.data(), town.applicant
    db.session.remove()
    together = threading.Barrier(5)

    def start(_number: int) -> int:
        with app.app_context():
            together.wait()
            try:
                return once(
                    commands.start, "seal_lifecycle", data, business_key="application/7", key="k", by=by
                ).instance_id
            finally:
                db.session.remove()

    with ThreadPoolExecutor(5) as pool:
        started = set(pool.map(start, range(5)))

    assert len(started) == 1
    assert count(FlowInstance) == 1
    task_id = queries.inbox(town.office)[0].id
    db.session.remove()

    def complete(_number: int) -> TaskCompleted:
        with app.app_context():
            together.wait()
            try:
                return once(commands.complete, task_id, APPROVE, key="k", by=town.office)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(complete, range(5)))

    assert all(answer == answers[0] for answer in answers)


def test_old_answers_are_forgotten(town: Town, monkeypatch: pytest.MonkeyPatch):
    first = once(
        commands.start, "seal_lifecycle", town.data(), business_key="a/1", key="k", by=town.applicant
    )
    assert forget_old() == 0
    monkeypatch.setattr(once_module, "now", lambda: now() + timedelta(days=1, minutes=1))

    assert forget_old() == 1

    again = once(
        commands.start, "seal_lifecycle", town.data(), business_key="a/1", key="k", by=town.applicant
    )
    assert again.instance_id != first.instance_id
