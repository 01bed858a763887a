"""An operator holds, ends and mends what runs."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.actor import SYSTEM, Actor, Grant
from app.clock import now
from app.db import db
from app.flows import attempting, commands, jobs, mending, queries, steering
from app.flows.models import (
    FlowIncident,
    FlowInstance,
    FlowTaskCandidate,
    FlowTimer,
    MessageInbox,
    MessageSubscription,
)
from app.refusal import Conflict, Forbidden, Invalid, NotFound
from tests.flows.makers import Hands, Town

REPORTED = "seal_production.reported"
APPROVE = {"decision": "approve"}
OWNER = Actor(id=901, name="流程管理员", grants=frozenset({Grant(role="process_owner")}))
ADMINISTRATOR = Actor(id=902, name="系统管理员", grants=frozenset({Grant(role="system_administrator")}))


def ordered(town: Town) -> int:
    """An instance that waits for its station's report; the first job is number 41."""
    instance_id = town.apply()
    town.act(town.office, "review", decision="approve")
    town.act(town.operator, "assign_card", card_serial="C-0001", station_id="3")
    return instance_id


def status(instance_id: int) -> str:
    return db.session.get_one(FlowInstance, instance_id, populate_existing=True).status


def count(model: Any) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def later(monkeypatch: pytest.MonkeyPatch, **more: float) -> None:
    moment = now() + timedelta(**more)
    for module in (commands, jobs, mending):
        monkeypatch.setattr(module, "now", lambda: moment)


def test_a_suspended_flow_takes_nothing_and_forgets_nothing(
    town: Town, hands: Hands, monkeypatch: pytest.MonkeyPatch
):
    held = ordered(town)
    town.apply(application_id=8)
    task_id = queries.inbox(town.office)[0].id
    other = queries.task(task_id, town.office).instance_id
    for refused, by, reason in (
        (Forbidden, town.office, "x"),
        (Forbidden, town.applicant, "x"),
        (Invalid, OWNER, " "),
    ):
        with pytest.raises(refused):
            steering.suspend(held, reason, by=by)
    with pytest.raises(NotFound):
        steering.suspend(999, "x", by=OWNER)

    steering.suspend(held, "等待法务意见", by=OWNER)
    steering.suspend(other, "核对名称", by=ADMINISTRATOR)

    with pytest.raises(Conflict, match=r"flow\.suspended"):
        steering.suspend(held, "again", by=OWNER)
    for act in (
        lambda: commands.complete(task_id, APPROVE, by=town.office),
        lambda: commands.claim(task_id, by=town.office),
    ):
        with pytest.raises(Conflict) as refused_to:
            act()
        assert "暂停" in refused_to.value.text.zh
    assert commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM).early
    later(monkeypatch, hours=5)
    assert jobs.sweep() == 0, "neither its message nor its timer"
    timer = db.session.scalars(sa.select(FlowTimer)).one()
    with pytest.raises(Conflict):
        commands.fire(timer.id, by=SYSTEM)

    assert not steering.resume(held, by=ADMINISTRATOR).stopped

    with pytest.raises(Conflict, match="not_suspended"):
        steering.resume(held, by=OWNER)
    assert jobs.sweep() >= 1
    assert [r.node for r in queries.inbox(town.office)] == ["review", "hand_over"]
    assert "remind_operator" in hands.names(), "what fell due meanwhile fires at once"
    steering.resume(other, by=OWNER)
    commands.complete(task_id, APPROVE, by=town.office)
    kinds = [e.kind for e in queries.history(held)]
    assert kinds.index("suspended") < kinds.index("resumed")


def test_whoever_started_a_flow_cancels_it_while_nobody_has_decided(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    undecided = town.apply()
    with pytest.raises(Forbidden):
        steering.cancel(undecided, "x", by=town.office)
    task_id = queries.inbox(town.office)[0].id

    fact = steering.cancel(undecided, "名称写错", by=town.applicant)

    assert fact.tasks == ["review"]
    assert status(undecided) == "cancelled"
    assert queries.inbox(town.office) == [] and count(FlowTaskCandidate) == 0
    with pytest.raises(Conflict, match="task_gone"):
        commands.complete(task_id, APPROVE, by=town.office)
    for act in (steering.cancel, steering.suspend):
        with pytest.raises(Conflict, match="is_over"):
            act(undecided, "x", by=OWNER)
    assert queries.running_by_definition() == {}
    with pytest.raises(NotFound):
        commands.remind("application/7", role="x", zh="", en="", by=SYSTEM)

    decided = ordered(town)
    with pytest.raises(Conflict, match="already_decided"):
        steering.cancel(decided, "x", by=town.applicant)
    steering.cancel(decided, "不再需要", by=OWNER)

    assert count(MessageSubscription) == count(FlowTimer) == 0
    assert commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM).early
    later(monkeypatch, hours=5)
    assert jobs.sweep() == 0
    assert queries.history(decided)[-1].did["zh"] == "不再需要"
    assert [p.current for p in queries.places(decided)] == [frozenset()] * len(queries.places(decided))


def stopped(town: Town, hands: Hands) -> int:
    """An instance whose action after the report is refused by its house."""
    instance_id = ordered(town)

    def refuse(**_given: Any) -> None:
        raise Conflict("seal.no_receipt", zh="没有回执", en="no receipt")

    hands.answers["record_made"] = refuse
    assert commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM).stopped
    return instance_id


def test_a_step_that_a_house_refuses_is_stepped_over_with_what_it_should_have_brought(
    town: Town, hands: Hands
):
    instance_id = stopped(town, hands)
    incident = queries.incidents(instance_id)[0]
    assert (incident.node_id, incident.process) == ("record", "seal_production")
    with pytest.raises(Forbidden):
        mending.skip(instance_id, "x", by=ADMINISTRATOR)
    with pytest.raises(Invalid):
        mending.skip(instance_id, "", by=OWNER)
    asked = hands.names().count("record_made")

    fact = mending.skip(instance_id, "已在台帐补录", outputs={"seal_id": 12}, by=OWNER)

    assert fact.solved and fact.outputs == {"seal_id": 12}
    assert hands.names().count("record_made") == asked, "it is not done on the way"
    assert queries.task(queries.inbox(town.office)[0].id, town.office).data["made"] == {"seal_id": 12}
    assert status(instance_id) == "running"
    event = next(e for e in queries.history(instance_id) if e.kind == "skipped")
    assert "已在台帐补录" in event.did["zh"] and event.actor == OWNER.name
    with pytest.raises(Conflict, match="not_stopped"):
        mending.skip(instance_id, "x", by=OWNER)


def test_data_is_corrected_where_the_flow_stands_and_told_as_old_and_new(town: Town, hands: Hands):
    instance_id = stopped(town, hands)
    hands.answers["record_made"] = {"seal_id": 9}

    with pytest.raises(Invalid):
        mending.correct(instance_id, {}, "x", by=OWNER)
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    for hostile in ({"x": deep}, {"x": "字" * 40_000}, {"x": 2**80}, {"x" * 200: 1}):
        with pytest.raises(Invalid):
            mending.correct(instance_id, hostile, "x", by=OWNER)
    with pytest.raises(Conflict, match="own_hand"):
        mending.correct(instance_id, {"review": {"decision": "send_back"}}, "x", by=OWNER)
    fact = mending.correct(instance_id, {"seal_name": "合同专用章", "note": 1}, "名称有误", by=OWNER)

    assert fact.solved
    assert fact.changes == [
        {"name": "seal_name", "old": "财务专用章", "new": "合同专用章"},
        {"name": "note", "old": None, "new": 1},
    ]
    data = queries.task(queries.inbox(town.office)[0].id, town.office).data
    assert (data["seal_name"], data["note"]) == ("合同专用章", 1)
    event = next(e for e in queries.history(instance_id) if e.kind == "corrected")
    assert "seal_name: 财务专用章 → 合同专用章" in event.did["zh"]


def test_what_may_pass_is_tried_again_by_itself_ever_more_rarely_and_then_waits_for_a_person(
    town: Town, hands: Hands, monkeypatch: pytest.MonkeyPatch
):
    instance_id = stopped(town, hands)
    assert jobs.sweep() == 0
    waits: list[float] = []
    for _try in range(5):
        incident = queries.incidents(instance_id)[0]
        assert incident.next_try_at is not None
        waits.append(round((incident.next_try_at - incident.at).total_seconds()))
        moment = incident.next_try_at
        for module in (commands, jobs, mending):
            monkeypatch.setattr(module, "now", lambda moment=moment: moment)
        assert jobs.sweep() >= 1

    assert waits == [60, 120, 240, 480, 960]
    incident = queries.incidents(instance_id)[0]
    assert (incident.tries, incident.next_try_at) == (5, None)
    later(monkeypatch, days=2)
    asked = hands.names().count("record_made")
    jobs.sweep()
    assert hands.names().count("record_made") == asked
    hands.answers["record_made"] = {"seal_id": 9}
    assert commands.retry(instance_id, by=OWNER).solved
    assert count(FlowIncident) == 6


def test_what_the_engine_finds_wrong_waits_for_a_person_at_once(town: Town, hands: Hands):
    instance_id = ordered(town)

    def break_down(**_given: Any) -> None:
        raise ZeroDivisionError

    hands.answers["record_made"] = break_down
    commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM)

    incident = queries.incidents(instance_id)[0]
    assert (incident.code, incident.node_id, incident.next_try_at) == ("flow.defect", "record", None)
    steering.suspend(instance_id, "x", by=OWNER)
    with pytest.raises(Conflict, match=r"flow\.suspended"):
        commands.retry(instance_id, by=OWNER)
    assert steering.resume(instance_id, by=OWNER).stopped
    assert status(instance_id) == "incident"
    assert db.session.scalars(sa.select(MessageInbox)).one().delivered_at is None
    assert attempting.who_waits(db.session.scalars(sa.select(MessageInbox)).one()) is not None
