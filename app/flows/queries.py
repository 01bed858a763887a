"""Reading the flows: a person's inbox, one task, an instance's history and where it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased, defer

from app.actor import Actor
from app.bpmn.picture import Picture
from app.clock import now
from app.db import Moment, db, present_transaction
from app.flows import added, copies, engine, forms, rules, standing
from app.flows.action import CHOICES
from app.flows.forms import Choice, Field, Form, form_of
from app.flows.holding import HeldInstance, HeldTask
from app.flows.models import (
    FlowDefinition,
    FlowEvent,
    FlowIncident,
    FlowInstance,
    FlowTask,
    FlowTaskCandidate,
    FlowTimer,
    MessageInbox,
    MessageSubscription,
)
from app.flows.rules import EVERYWHERE, Candidate
from app.people import queries as people
from app.text import Text

Urgency = Literal["overdue", "today", "tomorrow", "soon", "later", "none"]


@dataclass(frozen=True)
class TaskRow:
    """A task as a list shows it."""

    id: int
    instance_id: int
    key: str
    business_key: str
    title: str
    reference: str | None
    glyph: str | None
    node: str
    label: Text
    role: str | None
    initiator: str
    unit: str
    created_at: datetime
    due_at: datetime | None
    assignee_id: int | None
    assignee: str | None
    status: str
    done_at: datetime | None
    outcome: str | None
    claimable: bool
    """Filed under a role and not yet taken by anyone."""
    instead_of: str | None = None
    """In whose place it would be done (代理); None: one's own."""


@dataclass(frozen=True)
class TaskView:
    """A task as its page, its panel and its form's choices see it."""

    id: int
    instance_id: int
    key: str
    """The flow's key; `node` is the task's id in its diagram."""
    node: str
    label: Text
    business_key: str
    title: str
    reference: str | None
    glyph: str | None
    initiator: str
    initiator_id: int | None
    unit: str
    unit_id: int | None
    started_at: datetime
    created_at: datetime
    due_at: datetime | None
    status: str
    role: str | None
    assignee_id: int | None
    assignee: str | None
    done_by: str | None
    done_at: datetime | None
    claimable: bool
    page: str | None
    notice: Text | None
    data: Mapping[str, Any]
    form: Form | None
    voter_id: int | None = None
    """Who is asked by name: a voter, or somebody added. `parent_id`: the task that they were added to."""
    parent_id: int | None = None


@dataclass(frozen=True)
class HistoryRow:
    """Something that happened in an instance. `did` tells which rule fired, or which action was done."""

    at: datetime
    kind: str
    process: str
    node: str
    shape: str
    label: Text
    actor: str
    outcome: str | None
    opinion: str | None
    did: Mapping[str, Any]


@dataclass(frozen=True)
class InstanceRow:
    """An instance as a list shows it, with what it waits for now."""

    id: int
    key: str
    business_key: str
    title: str
    reference: str | None
    glyph: str | None
    status: str
    initiator: str
    unit: str
    started_at: datetime
    ended_at: datetime | None
    waits_for: tuple[Text, ...]


@dataclass(frozen=True)
class Stage:
    """One step of the main flow: a diagram it calls. `state`: done, now or ahead."""

    key: str
    label: Text
    state: Literal["done", "now", "ahead"]


@dataclass(frozen=True)
class Place:
    """Where an instance stands in one diagram: ids of the shapes passed and of those it stands at."""

    key: str
    label: Text
    picture: Picture
    done: frozenset[str]
    current: frozenset[str]


Reach = tuple[sa.Subquery, list[standing.Place]]
"""A person's tasks as ids with `place`, and the places they stand in for."""


def theirs(actor: Actor) -> Reach:
    """The ids of the tasks this person could do, open or not: those they have, those filed under them or a role of
    theirs that nobody has; and the same of whom they stand in for, but nothing of one's own hand and nothing that they
    set going themselves. `place`: 0 for one's own, else which of the places it is there for, counted from one."""
    places = standing.in_whose_place(actor, now())
    ways = _ways(actor, 0)
    for number, place in enumerate(places, 1):
        ways += _ways(place.person, number, place, actor)
    every = sa.union_all(*ways).subquery("ways")
    mine = sa.select(every.c.id, sa.func.min(every.c.place).label("place")).group_by(every.c.id)
    return mine.subquery("mine"), places


_Task, _Instance = aliased(FlowTask), aliased(FlowInstance)


def _ways(
    person: Actor, number: int, place: standing.Place | None = None, acting: Actor | None = None
) -> list[sa.Select[int, int]]:
    """Two roads to a person's tasks, each along an index: what they have, and what is filed for them."""
    filed: list[sa.ColumnElement[bool]] = [FlowTaskCandidate.user_id == person.id]
    for role, unit_id in sorted(rules.reach((g.role, g.unit_id) for g in person.grants)):
        filed.append(sa.and_(FlowTaskCandidate.role == role, FlowTaskCandidate.unit_id == unit_id))
    which = sa.literal_column(str(number), sa.Integer).label("place")
    has = sa.select(_Task.id.label("id"), which).where(_Task.status == "open", _Task.assignee_id == person.id)
    may = (
        sa.select(FlowTaskCandidate.task_id.label("id"), which)
        .join(_Task, _Task.id == FlowTaskCandidate.task_id)
        .where(_Task.assignee_id.is_(None), sa.or_(*filed))
    )
    if place is None or acting is None:
        return [has, may]
    limits = [
        _Task.own_hand.is_(False),
        _Task.owner_id.is_(None),
        _Instance.initiator_id.is_distinct_from(acting.id),
    ]
    limits += [_Instance.key == place.flow_key] if place.flow_key is not None else []
    return [s.join(_Instance, _Instance.id == _Task.instance_id).where(*limits) for s in (has, may)]


def _rows(where: Sequence[sa.ColumnElement[bool]], order: Sequence[Any], limit: int) -> list[TaskRow]:
    found = db.session.execute(
        sa.select(FlowTask, FlowInstance)
        .join(FlowInstance, FlowInstance.id == FlowTask.instance_id)
        .where(*where)
        .order_by(*order)
        .limit(limit)
        .options(defer(FlowInstance.state), defer(FlowTask.data))
    )
    return [_row(task, instance) for task, instance in found]


def _row(task: FlowTask | HeldTask, instance: FlowInstance | HeldInstance) -> TaskRow:
    return TaskRow(
        id=task.id,
        instance_id=instance.id,
        key=instance.key,
        business_key=instance.business_key,
        title=instance.title,
        reference=instance.reference,
        glyph=instance.glyph,
        node=task.node,
        label=Text(task.label_zh, task.label_en),
        role=task.role,
        initiator=instance.initiator_name,
        unit=instance.unit_name,
        created_at=task.created_at,
        due_at=task.due_at,
        assignee_id=task.assignee_id,
        assignee=task.assignee_name,
        status=task.status,
        done_at=task.done_at,
        outcome=task.outcome,
        claimable=task.status == "open"
        and task.assignee_id is None
        and task.role != "applicant"
        and task.voter_id is None,
    )


BY_DUE = (FlowTask.due_at.is_(None), FlowTask.due_at, FlowTask.id)


def inbox(actor: Actor, *, search: str = "", limit: int = 200) -> list[TaskRow]:
    """The open tasks this person can do now, due first: their own, those of their roles nobody has taken, and those
    of whom they stand in for."""
    found = listed(theirs(actor), matching(search), BY_DUE, limit)
    return [row for _task, row in found]


def listed(
    reach: Reach, where: Sequence[sa.ColumnElement[bool]], order: Sequence[Any], limit: int
) -> list[tuple[FlowTask, TaskRow]]:
    """The open tasks within reach that meet the conditions, in one statement."""
    mine, places = reach
    found = db.session.execute(
        sa.select(FlowTask, FlowInstance, mine.c.place)
        .join(mine, mine.c.id == FlowTask.id)
        .join(FlowInstance, FlowInstance.id == FlowTask.instance_id)
        .where(FlowTask.status == "open", *where)
        .order_by(*order)
        .limit(limit)
        .options(defer(FlowInstance.state), defer(FlowTask.data))
    )
    return [
        (task, replace(_row(task, instance), instead_of=places[number - 1].person.name if number else None))
        for task, instance, number in found
    ]


def done_by(actor: Actor, *, search: str = "", limit: int = 200) -> list[TaskRow]:
    """What this person has done, newest first."""
    where = [FlowTask.done_by_id == actor.id, FlowTask.status == "done", *matching(search)]
    return _rows(where, (FlowTask.done_at.desc(), FlowTask.id.desc()), limit)


def matching(search: str) -> list[sa.ColumnElement[bool]]:
    """Name, applicant, unit or number; every word must be found somewhere."""
    columns = (
        FlowInstance.title,
        FlowInstance.initiator_name,
        FlowInstance.unit_name,
        FlowInstance.reference,
    )
    return [
        sa.or_(*(column.icontains(word, autoescape=True) for column in columns))
        for word in search.split()[:5]
    ]


def started_by(actor: Actor, *, search: str = "", limit: int = 200) -> list[InstanceRow]:
    """The instances this person started, newest first."""
    found = db.session.scalars(
        sa.select(FlowInstance)
        .where(FlowInstance.initiator_id == actor.id, *matching(search))
        .order_by(FlowInstance.id.desc())
        .limit(limit)
        .options(defer(FlowInstance.state))
    ).all()
    return instance_rows(found)


def instance(instance_id: int) -> InstanceRow:
    """One instance. Refuses `NotFound`."""
    found = db.session.get(FlowInstance, instance_id)
    if found is None:
        raise rules.no_such_instance(instance_id)
    return instance_rows([found])[0]


def instance_of_task(task_id: int) -> int:
    """Refuses `NotFound`."""
    found = db.session.scalar(sa.select(FlowTask.instance_id).where(FlowTask.id == task_id))
    if found is None:
        raise rules.no_such_task(task_id)
    return found


def initiator_of(instance_id: int) -> int | None:
    """Who started it."""
    return db.session.scalar(sa.select(FlowInstance.initiator_id).where(FlowInstance.id == instance_id))


def awaited(instance_id: int) -> list[Text]:
    """The labels of the shapes where the instance waits for the world."""
    waits = db.session.scalars(
        sa.select(MessageSubscription).where(MessageSubscription.instance_id == instance_id)
    )
    program = engine.program_of(engine.definition_of(_definition_id(instance_id)))
    return [program.diagrams[w.process].nodes[w.node].label for w in waits]


def _definition_id(instance_id: int) -> int:
    return db.session.get_one(FlowInstance, instance_id).definition_id


def instance_rows(found: Sequence[FlowInstance]) -> list[InstanceRow]:
    waits: dict[int, list[Text]] = {i.id: [] for i in found}
    open_tasks = sa.select(FlowTask.instance_id, FlowTask.label_zh, FlowTask.label_en).where(
        FlowTask.instance_id.in_(waits), FlowTask.status == "open"
    )
    for instance_id, zh, en in db.session.execute(open_tasks):
        waits[instance_id].append(Text(zh, en))
    return [
        InstanceRow(
            id=i.id,
            key=i.key,
            business_key=i.business_key,
            title=i.title,
            reference=i.reference,
            glyph=i.glyph,
            status=i.status,
            initiator=i.initiator_name,
            unit=i.unit_name,
            started_at=i.started_at,
            ended_at=i.ended_at,
            waits_for=tuple(waits[i.id]),
        )
        for i in found
    ]


@dataclass(frozen=True)
class Reminder:
    """Something that has waited long, told to the holders of a role."""

    instance_id: int
    title: str
    text: Text
    at: datetime


def reminders(actor: Actor) -> list[Reminder]:
    """The latest reminder of each instance that still waits for the world, for whoever holds its role."""
    waiting = sa.select(MessageSubscription.instance_id)
    found = db.session.execute(
        sa.select(FlowEvent, FlowInstance.title)
        .join(FlowInstance, FlowInstance.id == FlowEvent.instance_id)
        .where(
            # written out: the index holds these rows only, and a bound value would not be known to match it
            FlowEvent.kind == sa.literal("reminded", literal_execute=True),
            FlowEvent.instance_id.in_(waiting),
            FlowInstance.status == "running",
        )
        .order_by(FlowEvent.id.desc())
        .limit(100)
    )
    latest: dict[int, Reminder] = {}
    for event, title in found:
        if actor.has(str(event.detail.get("role"))) and event.instance_id not in latest:
            text = Text(str(event.detail.get("zh", "")), str(event.detail.get("en", "")))
            latest[event.instance_id] = Reminder(event.instance_id, title, text, event.at)
    return list(latest.values())


def counts(actor: Actor) -> dict[str, int]:
    """How many tasks wait for this person: `inbox`, and of those `claimable`."""
    unclaimed = sa.and_(FlowTask.assignee_id.is_(None), FlowTask.role != "applicant")
    mine, _places = theirs(actor)
    every, free = db.session.execute(
        sa.select(sa.func.count(), sa.func.count(sa.case((unclaimed, 1))))
        .select_from(FlowTask)
        .join(mine, mine.c.id == FlowTask.id)
        .where(FlowTask.status == "open")
    ).one()
    return {"inbox": every, "claimable": free}


def candidates(task_id: int) -> list[Candidate]:
    found = db.session.scalars(sa.select(FlowTaskCandidate).where(FlowTaskCandidate.task_id == task_id))
    return [Candidate(role=c.role, unit_id=c.unit_id, user_id=c.user_id) for c in found]


def as_whom(task: FlowTask | HeldTask, actor: Actor) -> Actor | None:
    """Who acts when this person does: themselves, or themselves in another's place (代理), with what that other
    may do; None where the task is (or was) not theirs in either way."""
    if actor.kind != "person":
        return None
    if task.status != "open":
        return actor if may_act(task, actor) else None
    filed = candidates(task.id)
    own = actor.id in (task.assignee_id, task.owner_id) or rules.may_take(filed, actor)
    if (own and task.assignee_id in (None, actor.id)) or task.own_hand:
        return actor if own else None
    for place in standing.in_whose_place(actor, now()):
        instance = db.session.get_one(FlowInstance, task.instance_id)
        if place.covers(instance.key, instance.initiator_id, actor):
            theirs = place.person.id in (task.assignee_id, task.owner_id)
            if theirs or (task.assignee_id is None and rules.may_take(filed, place.person)):
                return place.taken_by(actor)
    return actor if own else None


def may_act(task: FlowTask | HeldTask, actor: Actor) -> bool:
    """Whether the task is, or was, this person's to do. A task that is over is filed under nobody: then the role
    it stood for decides, as it does for whom to tell who has done it."""
    if actor.id is not None and actor.id in (task.assignee_id, task.done_by_id):
        return True
    if task.status == "open":
        return as_whom(task, actor) is not None
    if task.voter_id is not None:
        return actor.id == task.voter_id
    instance = db.session.get_one(FlowInstance, task.instance_id)
    if task.role is None or task.role == "applicant":
        return actor.id == instance.initiator_id
    unit_id = task.data.get("owner_unit_id") or instance.unit_id
    return actor.has(task.role, people.unit_path(unit_id) | {EVERYWHERE})


def check_may_see(instance_id: int, actor: Actor) -> None:
    """Refuses `Forbidden` unless the person started the instance, acted in it, may act in it, or oversees flows."""
    instance = db.session.get(FlowInstance, instance_id)
    if instance is None:
        raise rules.no_such_instance(instance_id)
    if instance.initiator_id == actor.id or actor.has("process_owner") or actor.has("overseer"):
        return
    tasks = db.session.scalars(sa.select(FlowTask).where(FlowTask.instance_id == instance_id))
    if not copies.was_told(instance_id, actor) and not any(may_act(task, actor) for task in tasks):
        raise rules.not_yours()


def task(task_id: int, actor: Actor) -> TaskView:
    """One task. Refuses `NotFound`; `Forbidden` for whom it does not concern."""
    found = db.session.get(FlowTask, task_id)
    if found is None:
        raise rules.no_such_task(task_id)
    if not may_act(found, actor):
        raise rules.not_yours()
    instance = db.session.get_one(FlowInstance, found.instance_id)
    return view_of(found, instance)


def view_of(found: FlowTask | HeldTask, instance: FlowInstance | HeldInstance) -> TaskView:
    row = _row(found, instance)
    return TaskView(
        id=found.id,
        instance_id=instance.id,
        key=instance.key,
        node=found.node,
        label=row.label,
        business_key=instance.business_key,
        title=instance.title,
        reference=instance.reference,
        glyph=instance.glyph,
        initiator=instance.initiator_name,
        initiator_id=instance.initiator_id,
        unit=instance.unit_name,
        unit_id=instance.unit_id,
        started_at=instance.started_at,
        created_at=found.created_at,
        due_at=found.due_at,
        status=found.status,
        role=found.role,
        assignee_id=found.assignee_id,
        assignee=found.assignee_name,
        done_by=found.done_by_name,
        done_at=found.done_at,
        claimable=row.claimable,
        page=found.page,
        notice=Text(found.notice_zh, found.notice_en or found.notice_zh) if found.notice_zh else None,
        data=found.data,
        form=form_for(found.definition_id, found.form, found.node),
        voter_id=found.voter_id,
        parent_id=found.parent_id,
    )


def form_for(definition_id: int, name: str, node: str | None = None) -> Form | None:
    """The form of that name; with `node`, as this step of the diagram may see it."""
    made: dict[tuple[int, str, str | None], Form | None] = current_app.extensions.setdefault("flow_forms", {})
    if (definition_id, name, node) not in made:
        definition = engine.definition_of(definition_id)
        said = definition.forms.get(name.removesuffix(added.FORM))
        form = form_of(name, said) if said is not None else None
        if name.endswith(added.FORM):
            form = forms.of_the_added(form)
        elif node is not None and (shape := engine.diagram_of(definition).nodes.get(node)) is not None:
            form = forms.permitted(form, shape.properties.get("fields"))
        made[definition_id, name, node] = form
    return made[definition_id, name, node]


def offered(view: TaskView, actor: Actor) -> dict[str, list[Choice]]:
    """For each field that a house or the register of people fills: what this person may choose from."""
    if view.form is None:
        return {}
    found = {field.name: _choices(field, view, actor) for field in view.form.fields}
    return {name: choices for name, choices in found.items() if choices is not None}


def _choices(field: Field, view: TaskView, actor: Actor) -> list[Choice] | None:
    if field.source is not None and field.source in CHOICES:
        return [Choice(str(value), label) for value, label in CHOICES[field.source](view, actor)]
    if field.type == "user":
        who = people.people_of(view.unit_id) if view.unit_id is not None else people.people()
        return [Choice(str(u.id), Text(u.name, u.name)) for u in who]
    if field.type == "unit":
        return [Choice(str(u.id), Text(u.name, u.name)) for u in people.living_units()]
    return [] if field.source is not None else None


def open_task_of(business_key: str, node: str) -> int | None:
    """The open task of that id in the diagram, for the subject; None when the flow does not stand there."""
    return db.session.scalar(
        sa.select(FlowTask.id)
        .join(FlowInstance, FlowInstance.id == FlowTask.instance_id)
        .where(
            FlowInstance.business_key == business_key,
            FlowTask.node == node,
            FlowTask.status == "open",
            FlowTask.parent_id.is_(None),
        )
        .order_by(FlowTask.id.desc())
        .limit(1)
    )


def history(instance_id: int) -> list[HistoryRow]:
    """Everything that happened, in its order."""
    found = db.session.scalars(
        sa.select(FlowEvent).where(FlowEvent.instance_id == instance_id).order_by(FlowEvent.id)
    )
    return [
        HistoryRow(
            at=e.at,
            kind=e.kind,
            process=e.process,
            node=e.node,
            shape=e.shape,
            label=Text(e.label_zh, e.label_en),
            actor=e.actor_name,
            outcome=e.outcome,
            opinion=e.opinion,
            did=e.detail,
        )
        for e in found
    ]


def open_tasks(instance_id: int) -> list[TaskRow]:
    """What people are asked for in this instance now, due first."""
    return _rows([FlowTask.instance_id == instance_id, FlowTask.status == "open"], BY_DUE, 100)


def places(instance_id: int) -> list[Place]:
    """Where the instance stands, one entry for each diagram it has touched; the latest touched comes last."""
    instance = db.session.get_one(FlowInstance, instance_id)
    program = engine.program_of(engine.definition_of(instance.definition_id))
    done: dict[str, set[str]] = {}
    for row in history(instance_id):
        if row.node:
            done.setdefault(row.process, set()).add(row.node)
    now_at = _standing(instance)
    touched = [*[k for k in done if k not in now_at], *now_at]
    return [
        Place(
            key=key,
            label=program.diagrams[key].label,
            picture=program.diagrams[key].picture,
            done=frozenset(done.get(key, set())) - frozenset(now_at.get(key, set())),
            current=frozenset(now_at.get(key, set())),
        )
        for key in touched
        if key in program.diagrams
    ]


def _standing(instance: FlowInstance) -> dict[str, set[str]]:
    """Node ids the instance stands at, by diagram: open tasks and awaited messages."""
    found: dict[str, set[str]] = {}
    if instance.status in rules.OVER:
        return found
    keys = {d.id: d.key for d in db.session.scalars(sa.select(FlowDefinition))}
    for task in db.session.scalars(
        sa.select(FlowTask).where(FlowTask.instance_id == instance.id, FlowTask.status == "open")
    ):
        found.setdefault(keys[task.definition_id], set()).add(task.node)
    for waited in db.session.scalars(
        sa.select(MessageSubscription).where(MessageSubscription.instance_id == instance.id)
    ):
        found.setdefault(waited.process, set()).add(waited.node)
    return found


def stages(instance_id: int) -> list[Stage]:
    """The main flow as a row of the diagrams it calls; empty where it calls none."""
    instance = db.session.get_one(FlowInstance, instance_id)
    program = engine.program_of(engine.definition_of(instance.definition_id))
    calls = {n.id: n for n in program.main.nodes.values() if n.kind == "callActivity"}
    boxes = sorted((s for s in program.main.picture.shapes if s.id in calls), key=lambda s: (s.x, s.y))
    over = {row.node for row in history(instance_id) if row.process == program.main.key}
    found: list[Stage] = []
    for box in boxes:
        ahead = any(stage.state == "now" for stage in found)
        state: Literal["done", "now", "ahead"] = "done" if box.id in over else "ahead" if ahead else "now"
        found.append(Stage(box.id, box.label, state))
    return found


def incidents(instance_id: int) -> list[FlowIncident]:
    """What the instance is stopped by."""
    return list(
        db.session.scalars(
            sa.select(FlowIncident)
            .where(FlowIncident.instance_id == instance_id, FlowIncident.solved_at.is_(None))
            .order_by(FlowIncident.id)
        )
    )


def is_decided(instance: FlowInstance) -> bool:
    """Whether anybody but who started it has done a task in it."""
    return bool(
        db.session.scalar(
            sa.select(sa.func.count())
            .select_from(FlowTask)
            .where(
                FlowTask.instance_id == instance.id,
                FlowTask.status == "done",
                FlowTask.done_by_id.is_distinct_from(instance.initiator_id),
            )
        )
    )


def definition(key: str) -> FlowDefinition | None:
    """The newest published version."""
    return db.session.scalar(
        sa.select(FlowDefinition)
        .where(FlowDefinition.key == key)
        .order_by(FlowDefinition.version.desc())
        .limit(1)
    )


def published(key: str) -> FlowDefinition | None:
    """The version in force now, for running it: read once by each process."""
    transaction, asked = present_transaction(), {"key": key, "at": now()}
    if transaction is None:
        ident = db.session.connection().scalar(_IN_FORCE, asked)
    else:
        found = transaction.run(_in_force_in_drivers_words(), asked)
        ident = int(found[0][0] or b"") if found else None
    return engine.definition_of(int(ident)) if ident is not None else None


_columns = FlowDefinition.__table__.c
_since = sa.func.coalesce(_columns.effective_from, _columns.published_at)
_IN_FORCE = (
    sa.select(sa.cast(_columns.id, sa.Text))
    .where(
        _columns.key == sa.bindparam("key"),
        _columns.called_off_at.is_(None),
        _since <= sa.bindparam("at", type_=Moment()),
    )
    .order_by(_since.desc(), _columns.version.desc())
    .limit(sa.literal_column("1"))
)
"""As `versions.in_force` says it, compiled once: every start asks."""


@cache
def _in_force_in_drivers_words() -> str:
    return str(_IN_FORCE.compile(dialect=postgresql.dialect(paramstyle="pyformat")))


def flow_labels() -> list[tuple[str, Text]]:
    """Every flow by its newest version's name."""
    newest = sa.select(sa.func.max(FlowDefinition.id)).group_by(FlowDefinition.key)
    found = db.session.execute(
        sa.select(FlowDefinition.key, FlowDefinition.label_zh, FlowDefinition.label_en)
        .where(FlowDefinition.id.in_(newest))
        .order_by(FlowDefinition.key)
    )
    return [(key, Text(zh, en)) for key, zh, en in found]


def definitions() -> list[FlowDefinition]:
    """Every version of every flow, by key, newest first."""
    return list(
        db.session.scalars(
            sa.select(FlowDefinition).order_by(FlowDefinition.key, FlowDefinition.version.desc())
        )
    )


def running_by_definition() -> dict[int, int]:
    """How many unfinished instances each definition has."""
    found = db.session.execute(
        sa.select(FlowInstance.definition_id, sa.func.count())
        .where(FlowInstance.status.not_in(rules.OVER))
        .group_by(FlowInstance.definition_id)
    )
    return {ident: count for ident, count in found}


def due_timers(at: datetime, limit: int = 100) -> list[int]:
    """Ids of timers that are due, of instances that are not stopped, and that nobody works on at this moment. The
    locks by which that is seen are let go with the transaction."""
    return list(
        db.session.scalars(
            sa.select(FlowTimer.id)
            .join(FlowInstance, FlowInstance.id == FlowTimer.instance_id)
            .where(FlowTimer.due_at <= at, FlowInstance.status == "running")
            .order_by(FlowTimer.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=FlowInstance)
        )
    )


def due_incidents(at: datetime, limit: int = 100) -> list[int]:
    """Ids of incidents that are to be tried again by themselves now: one an instance, its last."""
    last = sa.select(sa.func.max(FlowIncident.id)).where(FlowIncident.solved_at.is_(None))
    return list(
        db.session.scalars(
            sa.select(FlowIncident.id)
            .join(FlowInstance, FlowInstance.id == FlowIncident.instance_id)
            .where(
                FlowIncident.next_try_at <= at,
                FlowIncident.solved_at.is_(None),
                FlowInstance.status == "incident",
                FlowIncident.id.in_(last.group_by(FlowIncident.instance_id)),
            )
            .order_by(FlowIncident.next_try_at)
            .limit(limit)
        )
    )


def deliverable_messages(limit: int = 100) -> list[int]:
    """Ids of kept messages that somebody waits for by now: they crossed with the waiting."""
    return list(
        db.session.scalars(
            sa.select(MessageInbox.id)
            .join(
                MessageSubscription,
                sa.and_(
                    MessageSubscription.name == MessageInbox.name,
                    MessageSubscription.correlation == MessageInbox.correlation,
                ),
            )
            .join(FlowInstance, FlowInstance.id == MessageSubscription.instance_id)
            .where(MessageInbox.delivered_at.is_(None), FlowInstance.status == "running")
            .order_by(MessageInbox.id)
            .limit(limit)
        )
    )


def urgency(due_at: datetime | None, at: datetime | None = None) -> Urgency:
    """How a due moment looks from now, in the organisation's days."""
    if due_at is None:
        return "none"
    today = engine.local_now(at or now())
    due = engine.local_now(due_at)
    if due <= today:
        return "overdue"
    days = (due.date() - today.date()) // timedelta(days=1)
    return "today" if days == 0 else "tomorrow" if days == 1 else "soon" if days <= 3 else "later"
