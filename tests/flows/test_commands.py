"""The verbs of flows: who may, once only, all or nothing."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.actor import SYSTEM, Actor, Grant
from app.clock import now
from app.db import db
from app.flows import commands, jobs, queries
from app.flows.models import (
    FlowDefinition,
    FlowIncident,
    FlowInstance,
    FlowTask,
    FlowTaskCandidate,
    FlowTimer,
    MessageInbox,
    MessageSubscription,
)
from app.flows.publishing import FOLDER
from app.refusal import Conflict, Forbidden, Invalid, NotFound, Refusal
from tests.flows.makers import Hands, Town
from workflows import FLOWS

APPROVE = {"decision": "approve"}
REPORTED = "seal_production.reported"


def count(model: Any) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_files_are_loaded_once_and_again_only_when_they_change(town: Town):
    assert {d.key: d.version for d in queries.definitions()} == dict.fromkeys(FLOWS, 1)

    again = commands.load_files(by=SYSTEM)

    assert again.published == []
    assert count(FlowDefinition) == len(FLOWS)


def test_a_changed_file_becomes_a_version_and_so_does_what_calls_it(town: Town, tmp_path: Path):
    copy = shutil.copytree(FOLDER, tmp_path / "workflows")
    file = copy / "seal_issuance" / "seal_issuance.bpmn"
    file.write_text(file.read_text().replace("发放登记", "发放与登记"))

    fact = commands.load_files(folder=copy, by=SYSTEM)

    assert [line.split()[:2] for line in fact.published] == [
        ["seal_issuance", "v2"],
        ["seal_lifecycle", "v2"],
        ["seal_remaking", "v2"],
    ]


def test_starting_asks_for_the_role_that_the_diagram_names(town: Town):
    with pytest.raises(Forbidden, match="may_not_start"):
        commands.start("seal_lifecycle", town.data(), business_key="application/7", by=town.office)
    with pytest.raises(NotFound, match="no_such_flow"):
        commands.start("nothing", {}, business_key="x/1", by=town.applicant)


def test_a_task_is_filed_for_the_office_of_the_unit_and_for_nobody_else(town: Town):
    town.apply()

    assert [r.node for r in queries.inbox(town.office)] == ["review"]
    assert [r.node for r in queries.inbox(town.colleague)] == ["review"]
    for other in (town.applicant, town.head, town.operator, town.stranger):
        assert queries.inbox(other) == []
    assert queries.counts(town.office) == {"inbox": 1, "claimable": 1}


def test_a_task_of_someone_elses_is_refused_in_both_languages(town: Town):
    town.apply()
    task_id = queries.inbox(town.office)[0].id

    for other in (town.applicant, town.stranger, SYSTEM):
        with pytest.raises(Forbidden) as refused:
            commands.complete(task_id, APPROVE, by=other)
        assert refused.value.code == "flow.not_yours"
        assert refused.value.text.zh and refused.value.text.en
    with pytest.raises(NotFound):
        commands.complete(999, APPROVE, by=town.office)


def test_the_same_task_is_done_once_and_the_second_learns_who_did_it(town: Town, hands: Hands):
    town.apply()
    task_id = queries.inbox(town.office)[0].id
    commands.complete(task_id, APPROVE, by=town.office)
    asked = len(hands.asked)

    for again in (town.office, town.colleague):
        with pytest.raises(Conflict) as refused:
            commands.complete(task_id, APPROVE, by=again)
        assert refused.value.code == "flow.task_done"
        assert town.office.name in refused.value.text.zh
        assert town.office.name in refused.value.text.en

    assert len(hands.asked) == asked
    with pytest.raises(Forbidden):
        commands.complete(task_id, APPROVE, by=town.stranger)


def test_a_claimed_task_is_left_alone_by_colleagues(town: Town):
    town.apply()
    task_id = queries.inbox(town.office)[0].id

    commands.claim(task_id, by=town.office)

    assert queries.inbox(town.colleague) == []
    with pytest.raises(Forbidden, match="claimed_by_another"):
        commands.complete(task_id, APPROVE, by=town.colleague)
    commands.release(task_id, by=town.office)
    assert [(r.id, r.claimable) for r in queries.inbox(town.colleague)] == [(task_id, True)]
    with pytest.raises(Conflict, match="not_claimed"):
        commands.release(task_id, by=town.office)


def test_a_wrong_form_names_its_fields_and_changes_nothing(town: Town):
    instance_id = town.apply()
    before = db.session.get_one(FlowInstance, instance_id).revision
    task_id = queries.inbox(town.office)[0].id

    with pytest.raises(Invalid) as refused:
        commands.complete(task_id, {"decision": "send_back", "opinion": "  "}, by=town.office)
    assert set(refused.value.fields) == {"opinion"}
    with pytest.raises(Invalid) as refused:
        commands.complete(task_id, {"decision": "burn"}, by=town.office)
    assert set(refused.value.fields) == {"decision"}

    assert db.session.get_one(FlowInstance, instance_id).revision == before


def test_what_an_action_refuses_undoes_the_whole_step(town: Town, hands: Hands):
    instance_id = town.apply()
    refusal = Conflict("impression.suspended", zh="印模已停用", en="The impression is suspended")

    def refuse(**_given: Any) -> None:
        raise refusal

    hands.answers["register_impression"] = refuse
    with pytest.raises(Refusal) as raised:
        town.act(town.office, "review", decision="approve")

    assert raised.value is refusal
    assert [r.node for r in queries.inbox(town.office)] == ["review"]
    assert "done" not in [e.kind for e in queries.history(instance_id)]
    hands.answers["register_impression"] = {"impression_id": 5}
    town.act(town.office, "review", decision="approve")
    assert [r.node for r in queries.inbox(town.operator)] == ["assign_card"]


def test_automatic_steps_are_done_in_the_name_of_who_completed_the_task(town: Town, hands: Hands):
    town.apply()

    town.act(town.office, "review", decision="approve")

    assert {by.id for _, _, by in hands.asked} == {town.office.id}


def ordered(town: Town) -> int:
    """An instance that waits for its station's report; the first job is number 41."""
    instance_id = town.apply()
    town.act(town.office, "review", decision="approve")
    town.act(town.operator, "assign_card", card_serial="C-0001", station_id="3")
    return instance_id


def test_a_choice_is_one_of_those_offered(town: Town, hands: Hands):
    town.apply()
    town.act(town.office, "review", decision="approve")

    with pytest.raises(Invalid) as refused:
        town.act(town.operator, "assign_card", card_serial="C-9999", station_id="x")

    assert set(refused.value.fields) == {"card_serial", "station_id"}
    town.act(town.operator, "assign_card", card_serial="C-0001", station_id="3")
    assert hands.asked[-1][1]["station_id"] == 3


def test_a_message_finds_the_one_instance_that_waits_for_it_and_works_once(town: Town, hands: Hands):
    instance_id = ordered(town)

    first = commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM)
    second = commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM)

    assert (first.instance_id, first.early, first.repeated) == (instance_id, False, False)
    assert (second.instance_id, second.repeated) == (instance_id, True)
    assert hands.names().count("record_made") == 1
    assert [r.node for r in queries.inbox(town.office)] == ["hand_over"]


def test_a_message_that_comes_early_is_kept_until_it_is_waited_for(town: Town):
    early = commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM)
    assert early.early and early.instance_id is None

    ordered(town)

    assert [r.node for r in queries.inbox(town.office)] == ["hand_over"]
    assert db.session.scalars(sa.select(MessageInbox)).one().delivered_at is not None


def test_a_message_for_nobody_stays_in_the_inbox(town: Town):
    ordered(town)

    fact = commands.deliver(REPORTED, "no-such-job", {"status": "made"}, by=SYSTEM)

    assert fact.early
    assert queries.deliverable_messages() == []
    assert count(MessageSubscription) == 1


def test_a_message_that_crossed_with_the_waiting_is_found_by_the_sweep(town: Town):
    ordered(town)
    db.session.add(
        MessageInbox(
            name=REPORTED, correlation="41", message_id="", payload={"status": "made"}, received_at=now()
        )
    )
    db.session.commit()

    assert jobs.sweep() == 1

    assert [r.node for r in queries.inbox(town.office)] == ["hand_over"]
    assert jobs.sweep() == 0


def test_what_cannot_be_done_after_a_message_stops_the_flow_and_can_be_retried(town: Town, hands: Hands):
    instance_id = ordered(town)
    good = hands.answers["record_made"]

    def refuse(**_given: Any) -> None:
        raise Conflict("seal.no_receipt", zh="没有回执", en="no receipt")

    hands.answers["record_made"] = refuse
    fact = commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM)

    assert fact.stopped
    incident = queries.incidents(instance_id)[0]
    assert (incident.code, incident.text_zh) == ("seal.no_receipt", "没有回执")
    assert db.session.get_one(FlowInstance, instance_id).status == "incident"
    assert jobs.sweep() == 0, "a stopped flow is not tried every second"

    owner = Actor(id=1, name="流程管理员", grants=frozenset({Grant(role="process_owner")}))
    with pytest.raises(Forbidden):
        commands.retry(instance_id, by=town.office)
    assert not commands.retry(instance_id, by=owner).solved
    hands.answers["record_made"] = good
    assert commands.retry(instance_id, by=owner).solved
    assert [r.node for r in queries.inbox(town.office)] == ["hand_over"]
    assert queries.incidents(instance_id) == []
    with pytest.raises(Conflict, match="not_stopped"):
        commands.retry(instance_id, by=owner)
    assert count(FlowIncident) == 2


def test_a_defect_after_a_message_is_an_incident_too_and_loses_nothing(town: Town, hands: Hands):
    instance_id = ordered(town)

    def break_down(**_given: Any) -> None:
        raise ZeroDivisionError

    hands.answers["record_made"] = break_down
    assert commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM).stopped

    assert queries.incidents(instance_id)[0].code == "flow.defect"
    assert db.session.scalars(sa.select(MessageInbox)).one().delivered_at is None


def test_a_due_timer_reminds_and_the_wait_goes_on(town: Town, hands: Hands, monkeypatch: pytest.MonkeyPatch):
    instance_id = ordered(town)
    assert jobs.sweep() == 0
    moment = now() + timedelta(hours=4, minutes=1)
    monkeypatch.setattr(commands, "now", lambda: moment)
    monkeypatch.setattr(jobs, "now", lambda: moment)

    assert jobs.sweep() == 1

    assert hands.names()[-1] == "remind_operator"
    assert count(MessageSubscription) == 1
    assert db.session.scalars(sa.select(FlowTimer)).one().due_at > moment
    assert jobs.sweep() == 0
    assert "remind" in [e.node for e in queries.history(instance_id)]


def test_firing_a_timer_that_is_not_due_is_refused(town: Town):
    ordered(town)
    timer = db.session.scalars(sa.select(FlowTimer)).one()

    with pytest.raises(Conflict):
        commands.fire(timer.id, by=SYSTEM)
    with pytest.raises(Conflict):
        commands.fire(999, by=SYSTEM)


def test_a_reminder_stands_in_the_history(town: Town):
    instance_id = ordered(town)

    commands.remind(
        "application/7", role="station_operator", zh="请到工位", en="go to the station", by=SYSTEM
    )

    event = queries.history(instance_id)[-1]
    assert (event.kind, event.did["zh"]) == ("reminded", "请到工位")
    assert [r.text.zh for r in queries.reminders(town.operator)] == ["请到工位"]
    assert queries.reminders(town.office) == []
    commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM)
    assert queries.reminders(town.operator) == [], "what has come needs no reminder"
    with pytest.raises(NotFound):
        commands.remind("application/8", role="x", zh="", en="", by=SYSTEM)


def test_a_task_that_is_over_is_filed_under_nobody(town: Town):
    town.apply()
    town.act(town.office, "review", decision="approve")

    open_ids = set(db.session.scalars(sa.select(FlowTask.id).where(FlowTask.status == "open")))
    assert set(db.session.scalars(sa.select(FlowTaskCandidate.task_id))) == open_ids


def test_a_save_over_somebody_elses_step_is_a_conflict(town: Town, monkeypatch: pytest.MonkeyPatch):
    instance_id = town.apply()
    task_id = queries.inbox(town.office)[0].id
    real = commands.engine.advance

    def overtaken(instance: FlowInstance, *args: Any, **kwargs: Any) -> Any:
        db.session.execute(
            sa.update(FlowInstance)
            .where(FlowInstance.id == instance_id)
            .values(revision=FlowInstance.revision + 1)
            .execution_options(synchronize_session=False)
        )
        return real(instance, *args, **kwargs)

    monkeypatch.setattr(commands.engine, "advance", overtaken)
    with pytest.raises(Conflict, match="moved_on"):
        commands.complete(task_id, APPROVE, by=town.office)

    assert [r.node for r in queries.inbox(town.office)] == ["review"]


def test_of_many_who_complete_one_task_at_the_same_moment_one_does(app: Flask, town: Town, hands: Hands):
    town.apply()
    task_id = queries.inbox(town.office)[0].id
    db.session.remove()
    together = threading.Barrier(6)

    def complete(by: Actor) -> str:
        with app.app_context():
            together.wait()
            try:
                commands.complete(task_id, APPROVE, by=by)
                return "done"
            except Refusal as refusal:
                return refusal.code
            finally:
                db.session.remove()

    with ThreadPoolExecutor(6) as pool:
        ends = list(pool.map(complete, [town.office, town.colleague] * 3))

    assert sorted(ends) == ["done"] + ["flow.task_done"] * 5
    assert hands.names().count("register_impression") == 1
    assert [r.node for r in queries.inbox(town.operator)] == ["assign_card"]


def test_the_same_message_from_many_at_once_works_once(app: Flask, town: Town, hands: Hands):
    ordered(town)
    db.session.remove()
    together = threading.Barrier(6)

    def send(_number: int) -> bool:
        with app.app_context():
            together.wait()
            try:
                return commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM).repeated
            finally:
                db.session.remove()

    with ThreadPoolExecutor(6) as pool:
        repeated = list(pool.map(send, range(6)))

    assert repeated.count(False) == 1
    assert hands.names().count("record_made") == 1
