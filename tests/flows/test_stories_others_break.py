"""Four stories that other platforms break, each through commands and from the tables between any two acts."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.actor import Actor
from app.clock import now
from app.db import db
from app.flows import commands, jobs
from app.flows.models import FlowEvent, FlowTimer
from app.refusal import Refusal
from tests.bpmn.diagrams import bpmn, flow, line, shape
from tests.bpmn.test_loops import many
from tests.flows.returns import Office, office, task


@pytest.fixture
def desk(app: Flask) -> Office:
    return office()


VOTES = line(
    task("draft", role="applicant", merge="true"),
    task("vote", many(times="3", until='count(vote[item.opinion = "yes"]) >= 2')),
    task("sign"),
    names=["draft", "vote", "sign"],
)


def test_return_into_a_countersigning_asks_all_again_and_counts_nothing_twice(desk: Office):
    desk.begin(VOTES)
    desk.do("draft", desk.applicant)
    desk.do("vote", desk.one, opinion="yes")
    desk.do("vote", desk.two, opinion="yes")  # two of three: decided, the third is called off
    assert desk.open == ["sign"]
    assert desk.offered("sign", desk.three) == ["vote", "draft"]

    desk.back("sign", "vote", desk.three)

    assert desk.open == ["vote"] * 3
    assert desk.only("vote").notice_zh == "金额不对"
    desk.do("vote", desk.one, opinion="yes")
    assert desk.open == ["vote"] * 2, "the two votes of the first round count for nothing now"
    desk.do("vote", desk.two, opinion="no")
    desk.back("vote", "draft", desk.three)  # and out of the middle of it
    assert desk.open == ["draft"]
    desk.nothing_is_left_over()
    desk.do("draft", desk.applicant, opinion="corrected")
    for voter in (desk.one, desk.two):
        desk.do("vote", voter, opinion="yes")
    assert desk.known("sign")["vote"] == [{"opinion": "yes"}, {"opinion": "yes"}, None]
    desk.do("sign")

    assert desk.instance.status == "finished"
    said = db.session.scalars(
        sa.select(FlowEvent.opinion).where(FlowEvent.node == "vote").order_by(FlowEvent.id)
    )
    assert list(said) == ["yes", "yes", "yes", "no", "yes", "yes"], "who voted how stays in the history"


BRANCHES = bpmn(
    shape("startEvent", "s"), shape("parallelGateway", "fork"), shape("parallelGateway", "join"),
    task("first"), task("a1"), task("a2"), task("b1"), task("b2"), task("last"), shape("endEvent", "e"),
    *(flow(*pair.split()) for pair in (
        "s first", "first fork", "fork a1", "a1 a2", "a2 join", "fork b1", "b1 b2", "b2 join", "join last", "last e",
    )),
)  # fmt: skip


def test_return_inside_a_parallel_branch_leaves_the_other_branch_alone(desk: Office):
    desk.begin(BRANCHES)
    for node in ("first", "a1", "b1"):
        desk.do(node)
    assert desk.offered("a2") == ["a1", "first"], "a task of the other branch does not lie before"

    desk.back("a2", "a1")
    assert desk.open == ["a1", "b2"], "what does not come from the target stays"
    desk.do("b2", desk.two, opinion="b")
    desk.do("a1")
    desk.do("a2", opinion="a")

    assert desk.open == ["last"], "the join takes each branch once"
    assert (desk.known("last")["a2"], desk.known("last")["b2"]) == ({"opinion": "a"}, {"opinion": "b"})
    desk.back("last", "a1")  # from behind the join: the branch that is done stays done
    assert desk.open == ["a1"]
    desk.do("a1")
    desk.do("a2", opinion="a, better")
    assert desk.known("last")["b2"] == {"opinion": "b"}
    desk.back("last", "first")
    desk.do("first")
    desk.do("a1")
    assert desk.open == ["a2", "b1"]
    desk.back("b1", "first")  # before the fork: the other branch comes from there, and is called off
    assert desk.open == ["first"]
    desk.nothing_is_left_over()
    for node in ("first", "b1", "a1", "a2", "b2", "last"):
        desk.do(node)
    assert desk.instance.status == "finished"


REMINDED = bpmn(
    shape("startEvent", "s"), task("draft", role="applicant"), task("check", dueIn="P2D"), task("sign"),
    shape("boundaryEvent", "late", "<bpmn:timerEventDefinition><bpmn:timeCycle>R9/PT4H</bpmn:timeCycle></bpmn:timerEventDefinition>",
          attachedToRef="check", cancelActivity="false"),
    shape("endEvent", "reminded"), shape("endEvent", "e"),
    *(flow(*pair.split()) for pair in ("s draft", "draft check", "check sign", "sign e", "late reminded")),
)  # fmt: skip


def test_reminders_come_after_a_return_as_they_came_before(desk: Office, monkeypatch: pytest.MonkeyPatch):
    desk.begin(REMINDED)
    desk.do("draft", desk.applicant)
    first = db.session.scalars(sa.select(FlowTimer)).one().token
    desk.do("check")
    assert db.session.scalars(sa.select(FlowTimer)).all() == []

    desk.back("sign", "check")

    again = db.session.scalars(sa.select(FlowTimer)).one()
    assert again.token != first and again.due_at > now() + timedelta(hours=3)
    assert desk.only("check").due_at is not None, "and the task is due again"
    moment = now() + timedelta(hours=4, minutes=1)
    with monkeypatch.context() as later:
        later.setattr(commands, "now", lambda: moment)
        later.setattr(jobs, "now", lambda: moment)
        assert jobs.sweep() == 1
    assert "late" in [e.node for e in db.session.scalars(sa.select(FlowEvent))]
    desk.back("check", "draft")
    assert db.session.scalars(sa.select(FlowTimer)).all() == [], "nobody is reminded of what was called off"
    desk.do("draft", desk.applicant)
    assert len(db.session.scalars(sa.select(FlowTimer)).all()) == 1
    desk.nothing_is_left_over()


def at_once(app: Flask, acts: list[tuple[int, Actor]]) -> list[str]:
    """Everybody completes their task at the same moment, each in a thread and a session of their own."""
    db.session.remove()
    together = threading.Barrier(len(acts))

    def complete(act: tuple[int, Actor]) -> str:
        with app.app_context():
            together.wait()
            try:
                commands.complete(act[0], {"opinion": "yes"}, by=act[1])
                return "done"
            except Refusal as refusal:
                return refusal.code
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(complete, acts))


def test_completing_at_the_same_moment_succeeds_for_all_and_twice_for_none(app: Flask, desk: Office):
    desk.begin(BRANCHES)
    desk.do("first")
    branches: list[Any] = [(desk.only("a1").id, desk.one), (desk.only("b1").id, desk.two)]
    assert at_once(app, branches) == ["done", "done"]
    assert desk.open == ["a2", "b2"]

    same = desk.only("a2").id
    ends = at_once(app, [(same, desk.one), (same, desk.two), (same, desk.three)])
    assert sorted(ends) == ["done", "flow.task_done", "flow.task_done"]
    desk.do("b2")
    assert desk.open == ["last"]
    desk.do("last")

    desk.begin(
        line(task("vote", many(times="3")), task("sign"), names=["vote", "sign"]).replace(b'"p"', b'"q"')
    )
    votes = [(t.id, who) for t, who in zip(desk.tasks(), (desk.one, desk.two, desk.three), strict=True)]
    assert at_once(app, votes) == ["done"] * 3
    assert desk.known("sign")["vote"] == [{"opinion": "yes"}] * 3
