"""Whose hands a task comes into: 转办, 委派, 代理, 离职, 抄送, 催办, 本人亲办, timeouts and the calendar."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.actor import SYSTEM, Actor
from app.audit.log import _by
from app.clock import now
from app.db import db
from app.flows import (
    calendaring,
    calendars,
    commands,
    copies,
    engine,
    handing,
    informing,
    jobs,
    queries,
    steering,
    substituting,
    timeouts,
)
from app.flows.models import FlowInstance, FlowTask
from app.flows.models_hands import FlowNudge, FlowSubstitution
from app.people import queries as people
from app.people.models import RoleGrant, Unit, User
from app.refusal import Conflict, Forbidden, Invalid, NotFound, Refusal, TooMany
from tests.bpmn.diagrams import extensions, line, properties, shape
from tests.flows import makers

APPROVE = {"decision": "approve", "opinion": "可以"}
FORM = {
    "title": {"zh": "审核", "en": "Review"},
    "fields": [
        {
            "name": "decision", "type": "choice", "label": {"zh": "结论", "en": "Decision"}, "required": True,
            "choices": [{"value": v, "label": {"zh": v, "en": v}} for v in ("approve", "send_back")],
        },
        {"name": "opinion", "type": "textarea", "label": {"zh": "意见", "en": "Opinion"}},
    ],
}  # fmt: skip


def publish(folder: Path, **steps: dict[str, str]) -> None:
    """A flow `p` of these user tasks in a row; each is the seal office's unless it says otherwise."""
    shapes = [
        shape("userTask", name, extensions(properties(**{"role": "seal_office", "form": "review", **said})))
        for name, said in steps.items()
    ]
    home = folder / f"flows{len(list(folder.iterdir()))}" / "p"
    (home / "forms").mkdir(parents=True)
    (home / "p.bpmn").write_bytes(line(*shapes, names=list(steps)))
    (home / "forms" / "review.json").write_text(json.dumps(FORM))
    commands.load_files(folder=home.parent, by=SYSTEM)


class Office:
    """An organisation of one department, where everybody's roles stand in the register."""

    def __init__(self) -> None:
        self.top = makers.unit("总公司")
        self.unit = makers.unit("财务部", self.top)
        self.clerk = self.someone("李航", "applicant")
        self.wang = self.someone("王敏", "seal_office")
        self.zhou = self.someone("周宁", "seal_office")
        self.lin = self.someone("林一", "applicant")
        self.owner = self.someone("孙流", "process_owner")
        self.admin = self.someone("吴桐", "system_administrator")
        self.boss = self.someone("郑总", "unit_head", over=self.top)

    def someone(self, name: str, *roles: str, over: Unit | None = None) -> Actor:
        made = makers.person(name, self.unit)
        for role in roles:
            db.session.add(RoleGrant(user_id=made.id or 0, role=role, unit_id=(over or self.unit).id))
        db.session.commit()
        return people.actor_of(made.id or 0)

    def start(self, by: Actor | None = None) -> int:
        data = {"boss": self.boss.id}
        return commands.start("p", data, business_key="thing/1", by=by or self.clerk).instance_id


@pytest.fixture
def office(app: Flask) -> Office:
    return Office()


def task_of(instance_id: int) -> FlowTask:
    return db.session.scalars(
        sa.select(FlowTask).where(FlowTask.instance_id == instance_id, FlowTask.status == "open")
    ).one()


def ids(actor: Actor) -> list[int]:
    """The inbox; its count must agree."""
    rows = [row.id for row in queries.inbox(actor)]
    assert queries.counts(actor)["inbox"] == len(rows)
    return rows


def number(actor: Actor) -> int:
    assert actor.id is not None
    return actor.id


def kinds(instance_id: int) -> list[str]:
    return [row.kind for row in queries.history(instance_id)]


def away(office: Office, who: Actor, deputy: Actor, by: Actor | None = None, **more: Any) -> int:
    given = {
        "begins": now() - timedelta(hours=1),
        "ends": now() + timedelta(days=2),
        "reason": "出差",
        **more,
    }
    return substituting.substitute(number(who), number(deputy), by=by or who, **given).substitution_id


def lapse(model: Any, **values: Any) -> None:
    db.session.execute(sa.update(model).values(**values))
    db.session.commit()


def test_a_task_is_handed_on_for_good_to_one_who_may_have_it(office: Office, tmp_path: Path):
    publish(tmp_path, review={})
    instance_id = office.start()
    task = task_of(instance_id).id

    for receiver, code in (
        (office.lin, "receiver_lacks"),
        (office.admin, "officers_apart"),
        (office.wang, "same_"),
    ):
        with pytest.raises(Conflict, match=code):
            handing.hand_on(task, number(receiver), "我不在", by=office.wang)
    for words in ("  ", "我\u202e不在"):
        with pytest.raises(Invalid, match="words_needed"):
            handing.hand_on(task, number(office.zhou), words, by=office.wang)
    with pytest.raises(Forbidden):
        handing.hand_on(task, number(office.zhou), "我不在", by=office.lin)
    fact = handing.hand_on(task, number(office.zhou), "我不在", by=office.wang)

    assert (fact.to_name, fact.reason) == ("周宁", "我不在")
    assert (ids(office.wang), ids(office.zhou)) == ([], [task])
    queries.check_may_see(instance_id, office.wang)
    with pytest.raises(Forbidden, match="claimed_by_another"):
        commands.complete(task, APPROVE, by=office.wang)
    commands.complete(task, APPROVE, by=office.zhou)
    assert "handed_on" in kinds(instance_id)


def test_another_is_asked_answers_and_the_decision_stays_with_who_asked(office: Office, tmp_path: Path):
    publish(tmp_path, review={})
    instance_id = office.start()
    task = task_of(instance_id).id

    handing.ask(task, number(office.lin), "金额对吗？", by=office.wang)

    assert (ids(office.lin), ids(office.wang), ids(office.zhou)) == ([task], [], [])
    for person in (office.lin, office.wang):
        with pytest.raises(Conflict, match=r"flow\.asked"):
            commands.complete(task, APPROVE, by=person)
    with pytest.raises(Conflict, match=r"flow\.asked"):
        commands.release(task, by=office.lin)
    with pytest.raises(Forbidden):
        handing.answer(task, "对", by=office.wang)
    with pytest.raises(Forbidden):
        handing.call_back(task, by=office.lin)
    steering.suspend(instance_id, "等补充材料", by=SYSTEM)
    for held in (
        lambda: handing.answer(task, "金额无误", by=office.lin),
        lambda: handing.call_back(task, by=office.wang),
        lambda: informing.urge(task, by=office.wang),
    ):
        with pytest.raises(Conflict, match=r"flow\.suspended"):
            held()
    steering.resume(instance_id, by=SYSTEM)
    handing.answer(task, "金额无误", by=office.lin)
    assert (ids(office.lin), ids(office.wang)) == ([], [task])

    handing.ask(task, number(office.lin), "日期呢？", by=office.wang)
    handing.call_back(task, by=office.wang)
    with pytest.raises(Conflict, match="not_asked"):
        handing.call_back(task, by=office.wang)
    commands.complete(task, APPROVE, by=office.wang)
    told = [
        (r.kind, r.did.get("zh"))
        for r in queries.history(instance_id)
        if r.kind in ("answered", "called_back")
    ]
    assert told == [("answered", "金额无误"), ("called_back", None)]
    queries.check_may_see(instance_id, office.lin)


def test_a_substitute_does_what_comes_to_another_and_all_records_name_both(office: Office, tmp_path: Path):
    publish(tmp_path, review={}, again={})
    instance_id = office.start()
    own = office.start(by=office.lin)
    task, own_task = task_of(instance_id).id, task_of(own).id
    assert ids(office.lin) == []

    away(office, office.wang, office.lin)

    assert ids(office.lin) == [task], "but not what the substitute set going"
    assert [r.instead_of for r in queries.inbox(office.lin)] == ["王敏"]
    assert {r.instead_of for r in queries.inbox(office.wang)} == {None}
    with pytest.raises(Forbidden):
        commands.complete(own_task, APPROVE, by=office.lin)
    commands.claim(task, by=office.lin)
    assert (ids(office.wang), ids(office.lin), ids(office.zhou)) == ([task, own_task], [task], [own_task])
    fact = commands.complete(task, APPROVE, by=office.lin)
    assert (fact.for_id, fact.for_name) == (office.wang.id, "王敏")
    done = next(r for r in queries.history(instance_id) if r.kind == "done")
    assert (done.actor, done.did["on_behalf_of"]) == ("林一", "王敏")
    assert db.session.get_one(FlowTask, task).done_by_id == office.lin.id

    following = task_of(instance_id).id
    assert ids(office.lin) == [following]
    lapse(FlowSubstitution, valid_until=now() - timedelta(seconds=1))
    assert ids(office.lin) == []
    with pytest.raises(Forbidden):
        commands.complete(following, APPROVE, by=office.lin)


def test_a_substitute_never_gets_more_and_the_officers_stay_apart(office: Office, tmp_path: Path):
    publish(tmp_path, review={}, mine={"ownHand": "true"})
    instance_id = office.start()
    substitution = away(office, office.wang, office.lin, flow_key="p")
    task = task_of(instance_id).id
    assert ids(office.lin) == [task]

    lapse(User, active=False)
    assert ids(office.lin) == [], "who has left lends nothing"
    lapse(User, active=True)
    lapse(FlowSubstitution, flow_key="other")
    assert ids(office.lin) == [], "another flow"
    lapse(FlowSubstitution, flow_key=None)
    db.session.add(RoleGrant(user_id=number(office.lin), role="security_auditor"))
    db.session.commit()
    assert ids(people.actor_of(number(office.lin))) == [], "an officer stands in for nobody"

    commands.complete(task, APPROVE, by=office.lin)
    assert ids(office.lin) == [], "what one's own hand does is not lent"
    for do in (
        lambda t: commands.complete(t, APPROVE, by=office.lin),
        lambda t: commands.claim(t, by=office.lin),
    ):
        with pytest.raises(Forbidden):
            do(task_of(instance_id).id)

    with pytest.raises(Forbidden, match="may_not_arrange"):
        substituting.end_substitution(substitution, "x", by=office.lin)
    substituting.end_substitution(substitution, by=office.wang)
    with pytest.raises(Conflict, match="substitution_over"):
        substituting.end_substitution(substitution, by=office.wang)


def test_substitutions_neither_overlap_nor_chain_and_others_need_an_administrator(
    office: Office, tmp_path: Path
):
    publish(tmp_path, review={})
    away(office, office.wang, office.lin)

    def refused(who: Actor, deputy: Actor, by: Actor | None = None, **more: Any) -> str:
        with pytest.raises(Refusal) as found:
            away(office, who, deputy, by, **more)
        return found.value.code

    assert refused(office.wang, office.zhou) == "flow.substitutes_overlap"
    assert refused(office.wang, office.zhou, flow_key="p") == "flow.substitutes_overlap"
    assert refused(office.lin, office.zhou) == "flow.substitutes_chain"
    assert refused(office.zhou, office.wang) == "flow.substitutes_chain"
    assert refused(office.zhou, office.zhou) == "flow.same_person"
    assert refused(office.zhou, office.admin) == "flow.officers_apart"
    assert refused(office.zhou, office.clerk, reason=" ") == "flow.words_needed"
    assert refused(office.zhou, office.clerk, ends=now() - timedelta(days=1)) == "flow.bad_period"
    assert refused(office.zhou, office.clerk, flow_key="nothing") == "flow.no_such_flow"
    assert refused(office.zhou, office.clerk, by=office.lin) == "flow.may_not_arrange"
    later = {"begins": now() + timedelta(days=3), "ends": now() + timedelta(days=5)}
    away(office, office.wang, office.zhou, **later)
    away(office, office.zhou, office.clerk, by=office.owner, ends=now() + timedelta(days=1))


def test_who_leaves_hands_over_what_may_go_and_what_will_come(office: Office, tmp_path: Path):
    publish(tmp_path, review={}, mine={"ownHand": "true"}, correct={"role": "applicant"})
    first, second, third = (office.start() for _ in range(3))
    for instance_id in (first, second):
        commands.claim(task_of(instance_id).id, by=office.wang)
    handing.ask(task_of(third).id, number(office.wang), "对吗", by=office.zhou)
    commands.complete(task_of(first).id, APPROVE, by=office.wang)
    commands.claim(task_of(first).id, by=office.wang)

    with pytest.raises(Forbidden):
        handing.hand_over_all(number(office.wang), number(office.zhou), "离职", by=office.lin)
    with pytest.raises(Conflict, match="officers_apart"):
        handing.hand_over_all(number(office.wang), number(office.admin), "离职", by=office.owner)
    fact = handing.hand_over_all(number(office.wang), number(office.zhou), "离职", by=office.admin)

    assert fact.moved == [task_of(second).id]
    assert fact.released == [task_of(first).id, task_of(third).id], "one's own hand is not moved"
    assert task_of(second).assignee_name == "周宁" and task_of(third).assignee_name == "周宁"
    assert task_of(first).assignee_id is None

    commands.complete(task_of(first).id, APPROVE, by=office.zhou)
    at_applicant = task_of(first).id
    assert ids(office.clerk) == [at_applicant]
    unfit = handing.hand_over_all(number(office.clerk), number(office.zhou), "离职", by=office.admin)
    assert [s["task_id"] for s in unfit.stuck] == [at_applicant]
    moved = handing.hand_over_all(number(office.clerk), number(office.lin), "离职", by=office.admin)
    assert moved.moved == [at_applicant] and ids(office.lin) == [at_applicant]
    commands.complete(task_of(second).id, APPROVE, by=office.zhou)
    commands.complete(task_of(second).id, APPROVE, by=office.zhou)
    assert set(ids(office.lin)) == {at_applicant, task_of(second).id}, "what is filed later goes there too"
    commands.complete(task_of(second).id, APPROVE, by=office.lin)


def test_copies_let_people_look_and_not_act(office: Office, tmp_path: Path):
    publish(tmp_path, review={"copyTo": "unit_head"}, again={"copyTo": "[boss, 99999, null, 1.5, true]"})
    instance_id = office.start()
    task = task_of(instance_id).id
    with pytest.raises(Forbidden):
        queries.check_may_see(instance_id, office.boss)
    with pytest.raises(Forbidden):
        informing.copy(instance_id, [number(office.boss)], "", by=office.lin)
    with pytest.raises(Invalid, match="nobody_told"):
        informing.copy(instance_id, [99999], "", by=office.clerk)
    informing.copy(instance_id, [number(office.boss)], "请知悉", by=office.clerk)
    commands.complete(task, APPROVE, by=office.wang)
    commands.complete(task_of(instance_id).id, APPROVE, by=office.wang)

    told = copies.to(office.boss)
    assert [(c.sender, c.note, c.step.zh) for c in told] == [("王敏", "", "again"), ("王敏", "", "review"),
                                                             ("李航", "请知悉", "")]  # fmt: skip
    queries.check_may_see(instance_id, office.boss)
    with pytest.raises(Conflict):
        commands.complete(task, APPROVE, by=office.wang)
    with pytest.raises(Forbidden):
        commands.complete(task, APPROVE, by=office.boss)
    with pytest.raises(NotFound):
        informing.read_copy(told[0].id, by=office.wang)
    informing.read_copy(told[0].id, by=office.boss)
    assert copies.unread(office.boss) == 2


def test_whoever_waits_urges_at_most_once_an_hour(office: Office, tmp_path: Path):
    publish(tmp_path, review={})
    instance_id = office.start()
    task = task_of(instance_id).id

    informing.urge(task, "客户在等", by=office.clerk)

    with pytest.raises(TooMany, match="urged_already"):
        informing.urge(task, by=office.clerk)
    with pytest.raises(Forbidden, match="may_not_urge"):
        informing.urge(task, by=office.lin)
    assert [n.note for n in informing.nudges([task])] == ["客户在等"]
    lapse(FlowNudge, at=now() - timedelta(hours=2))
    informing.urge(task, by=office.owner)
    commands.complete(task, APPROVE, by=office.wang)
    with pytest.raises(Conflict, match="task_done"):
        informing.urge(task, by=office.clerk)
    assert kinds(instance_id).count("urged") == 2


def test_ones_own_hand_refuses_with_the_reason(office: Office, tmp_path: Path):
    publish(
        tmp_path,
        sign={"ownHand": "true", "dueIn": "PT1H", "onTimeout": "escalate", "escalateTo": "unit_head"},
    )
    instance_id = office.start()
    task = task_of(instance_id).id

    for verb in (handing.hand_on, handing.ask):
        with pytest.raises(Conflict, match="own_hand") as refused:
            verb(task, number(office.zhou), "代我签", by=office.wang)
        assert "本人亲办" in refused.value.text.zh
    lapse(FlowTask, timeout_at=now() - timedelta(seconds=1))
    assert jobs.sweep() == 1
    assert ids(office.boss) == [] and [c.step.zh for c in copies.to(office.boss)] == ["sign"], (
        "told, not given"
    )
    commands.complete(task, APPROVE, by=office.wang)


def due_now(instance_id: int) -> int:
    task = task_of(instance_id)
    lapse(FlowTask, timeout_at=now() - timedelta(seconds=1))
    return task.id


def test_a_timeout_reminds_as_often_as_the_shape_says_and_no_more(office: Office, tmp_path: Path):
    publish(tmp_path, review={"dueIn": "PT1H", "onTimeout": "remind", "every": "PT1H", "atMost": "2"})
    instance_id = office.start()
    assert timeouts.due(now()) == [] and timeouts.due(now() + timedelta(hours=2)) != []
    db.session.rollback()

    assert jobs.sweep() == 0
    for _ in range(2):
        task = due_now(instance_id)
        assert jobs.sweep() == 1
        assert jobs.sweep() == 0, "once each time"
    assert task_of(instance_id).timeout_at is None
    with pytest.raises(Conflict, match=r"flow\.over"):
        timeouts.time_out(task, by=SYSTEM)
    assert kinds(instance_id).count("late") == 2
    assert len(informing.nudges([task])) == 1, "the latest is shown"


def test_a_timeout_passes_in_the_systems_name_or_says_why_it_cannot(office: Office, tmp_path: Path):
    late = {"dueIn": "PT1H", "onTimeout": "refuse"}
    publish(
        tmp_path,
        review={**late, "onTimeout": "pass"},
        again=late,
        third={**late, "timeoutOutcome": "perhaps"},
    )
    instance_id = office.start()

    for _ in range(3):
        due_now(instance_id)
        assert jobs.sweep() == 1

    done = [(r.node, r.actor, r.outcome) for r in queries.history(instance_id) if r.kind == "done"]
    assert done == [("review", "system", "approve"), ("again", "system", "send_back")]
    last = task_of(instance_id)
    assert (last.node, last.timeout_at) == ("third", None), "it stays open for a person"
    assert kinds(instance_id)[-1] == "late"
    commands.complete(last.id, APPROVE, by=office.wang)
    assert db.session.get_one(FlowInstance, instance_id).status == "finished"


def test_a_timeout_escalates_what_was_claimed(office: Office, tmp_path: Path):
    publish(tmp_path, review={"dueIn": "PT1H", "onTimeout": "escalate", "escalateTo": "unit_head"})
    instance_id = office.start()
    task = task_of(instance_id).id
    commands.claim(task, by=office.wang)
    due_now(instance_id)

    assert jobs.sweep() == 1

    assert ids(office.boss) == ids(office.wang) == ids(office.zhou) == [task]
    assert [c.sender for c in copies.to(office.boss)] == [""]
    commands.complete(task, APPROVE, by=office.boss)


def test_the_calendar_decides_when_a_task_is_due(office: Office, tmp_path: Path):
    publish(tmp_path, review={"dueIn": "P2WD"})
    today = engine.local_now(now()).date()
    free = [today + timedelta(days=n) for n in range(1, 8)]
    days = "".join(f"{d},holiday,某节\n" for d in free if d.year == today.year or d.year == free[-1].year)

    with pytest.raises(Forbidden):
        calendaring.load_calendar("date,kind,name\n" + days, by=office.owner)
    calendaring.load_calendar("date,kind,name\n" + days, by=office.admin)
    calendaring.set_day(free[2], "working", "调休", by=office.admin)
    calendaring.set_day(today, "working", by=office.admin)
    calendaring.set_day(free[5], "week", by=office.admin)
    calendaring.set_day(free[5], "working", "上班", by=office.admin)

    due = engine.local_now(task_of(office.start()).due_at or now())
    assert due.date() == free[5]
    assert calendars.days(free[2], free[2])[0].name == "调休"
    reloaded = calendaring.load_calendar(f"date,kind,name\n{date(today.year, 1, 2)},休,x\n", by=SYSTEM)
    assert reloaded.holidays == [f"{today.year}-01-02"]
    with pytest.raises(Invalid):
        calendaring.set_day(date(1999, 1, 1), "holiday", by=office.admin)


def test_a_substitute_hands_on_and_the_log_names_both(office: Office, tmp_path: Path):
    publish(tmp_path, review={})
    instance_id = office.start()
    away(office, office.wang, office.lin)
    acting = queries.as_whom(task_of(instance_id), office.lin)
    assert acting is not None and _by(acting)["actor"]["on_behalf_of"] == {
        "id": office.wang.id,
        "name": "王敏",
    }

    handing.hand_on(task_of(instance_id).id, number(office.zhou), "我代她转", by=office.lin)

    handed = next(r for r in queries.history(instance_id) if r.kind == "handed_on")
    assert (handed.actor, handed.did["on_behalf_of"]) == ("林一", "王敏")
