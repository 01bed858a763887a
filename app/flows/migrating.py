"""Running instances go on by another version of their flow. Each is a transaction of its own; those that cannot be
moved stay as they are and say why; one that was moved can be put back until it has gone on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from app.actor import Actor
from app.bpmn.differing import Change, differences
from app.bpmn.migrate import Blocker, Moved, move
from app.bpmn.parse import Program
from app.bpmn.step import resume
from app.clock import now
from app.command import command
from app.db import begin_writing, db
from app.flows import engine, ownhand, rules
from app.flows.facts import FlowMigrated, MigrationUndone
from app.flows.following import follow
from app.flows.models import (
    FlowDefinition,
    FlowEvent,
    FlowInstance,
    FlowMigration,
)
from app.flows.steering import locked
from app.people import queries as people
from app.refusal import Conflict, Invalid, NotFound, Refusal
from app.text import Text

MOST_MAPPED = 500


class Blocked(Conflict):
    """The instance cannot be moved; `blockers` says why, each with its shape."""

    def __init__(self, instance_id: int, blockers: Sequence[Blocker]) -> None:
        first = blockers[0].text
        super().__init__(
            "flow.migration_blocked",
            zh=f"实例 {instance_id} 不能迁移：{first.zh}",
            en=f"Instance {instance_id} cannot be moved: {first.en}",
            instance=instance_id,
            blockers=[b.as_json() for b in blockers],
        )
        self.blockers = list(blockers)


@dataclass(frozen=True)
class Outcome:
    """What became of one instance of a batch: `moved`, `would move`, `blocked`, `put back`."""

    instance_id: int
    outcome: str
    text: Text | None = None
    blockers: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[Text] = field(default_factory=lambda: ())

    def as_json(self) -> dict[str, Any]:
        return {
            "instance": self.instance_id,
            "outcome": self.outcome,
            "zh": self.text.zh if self.text else None,
            "en": self.text.en if self.text else None,
            "blockers": [dict(b) for b in self.blockers],
            "notes": [{"zh": n.zh, "en": n.en} for n in self.notes],
        }


def version(key: str, number: int) -> FlowDefinition:
    """Refuses `NotFound`."""
    ident = db.session.scalar(
        sa.select(FlowDefinition.id).where(FlowDefinition.key == key, FlowDefinition.version == number)
    )
    if ident is None:
        raise NotFound(
            "flow.no_such_version",
            zh=f"流程「{key}」没有第 {number} 版。",
            en=f'The flow "{key}" has no version {number}.',
            key=key,
            version=number,
        )
    return engine.definition_of(ident)


def changes(key: str, from_version: int, to_version: int, mapping: Mapping[str, str]) -> list[Change]:
    """What differs between two versions and those they call: shapes, then rule tables and forms."""
    old, new = version(key, from_version), version(key, to_version)
    found = differences(engine.program_of(old), engine.program_of(new), mapping)
    earlier, later = _with_called(old), _with_called(new)
    for name in sorted(earlier.keys() & later.keys()):
        found += _papers(name, "table", earlier[name].tables, later[name].tables)
        found += _papers(name, "form", earlier[name].forms, later[name].forms)
    return found


def _with_called(definition: FlowDefinition) -> dict[str, FlowDefinition]:
    called = {key: engine.definition_of(ident) for key, ident in definition.calls.items()}
    return {definition.key: definition, **called}


def _papers(key: str, what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Tables or forms, by their names."""
    found: list[Change] = []
    for name in sorted({*old, *new}):
        label = (
            Text(f"规则表 {name}", f"rule table {name}")
            if what == "table"
            else Text(f"表单 {name}", f"form {name}")
        )
        if name not in old:
            found.append(Change("added", key, name, label))
        elif name not in new:
            found.append(Change("removed", key, name, label))
        elif old[name] != new[name]:
            found.append(Change("changed", key, name, label, (what,)))
    return found


def movable(key: str, to_version: int) -> list[int]:
    """Ids of the instances of the flow that still go on, by another version."""
    target = version(key, to_version)
    return list(
        db.session.scalars(
            sa.select(FlowInstance.id)
            .where(
                FlowInstance.key == key,
                FlowInstance.definition_id != target.id,
                FlowInstance.status.not_in(rules.OVER),
            )
            .order_by(FlowInstance.id)
        )
    )


def rehearse(instance_id: int, to_version: int, mapping: Mapping[str, str], *, by: Actor) -> Outcome:
    """What moving it would do, on a copy; nothing is locked and nothing written. Refuses what moving would."""
    instance = db.session.get(FlowInstance, instance_id, populate_existing=True)
    if instance is None:
        raise rules.no_such_instance(instance_id)
    rules.check_not_over(instance.status)
    moved = _moved(instance, version(instance.key, to_version), mapping, by)
    if moved.run is None:
        return _blocked(Blocked(instance_id, moved.blockers))
    return Outcome(instance_id, "would move", notes=tuple(moved.notes))


def rehearse_with(instance_id: int, after: Program, *, by: Actor) -> Outcome:
    """As `rehearse`, onto a program that is not published yet."""
    instance = db.session.get_one(FlowInstance, instance_id, populate_existing=True)
    moved = _carried(instance, engine.definition_of(instance.definition_id), after, {}, by)
    if moved.run is None:
        return _blocked(Blocked(instance_id, moved.blockers))
    return Outcome(instance_id, "would move", notes=tuple(moved.notes))


def batch(
    key: str,
    instances: Sequence[int],
    to_version: int,
    mapping: Mapping[str, str],
    *,
    dry_run: bool,
    by: Actor,
) -> list[Outcome]:
    """Each in a transaction of its own; the report says what became of each, in the order given."""
    told: list[Outcome] = []
    for ident in instances:
        try:
            _check_key(key, ident)
            if dry_run:
                told.append(rehearse(ident, to_version, mapping, by=by))
            else:
                migrate(ident, to_version, mapping=mapping, by=by)
                told.append(Outcome(ident, "moved"))
        except Blocked as blocked:
            told.append(_blocked(blocked))
        except Refusal as refusal:
            told.append(Outcome(ident, "blocked", refusal.text, [{"rule": refusal.code}]))
        db.session.rollback()
    return told


def undo_batch(key: str, instances: Sequence[int], *, by: Actor) -> list[Outcome]:
    """As `batch`, the other way."""
    told: list[Outcome] = []
    for ident in instances:
        try:
            _check_key(key, ident)
            undo(ident, by=by)
            told.append(Outcome(ident, "put back"))
        except Refusal as refusal:
            told.append(Outcome(ident, "blocked", refusal.text, [{"rule": refusal.code}]))
    return told


def _check_key(key: str, instance_id: int) -> None:
    """Refuses `NotFound`: a number that belongs to no instance, or to one of another flow."""
    if db.session.scalar(sa.select(FlowInstance.key).where(FlowInstance.id == instance_id)) != key:
        raise rules.no_such_instance(f"{key} {instance_id}")


def undoable(key: str) -> list[int]:
    """Ids of the instances whose last migration can still be undone."""
    return list(
        db.session.scalars(
            sa.select(FlowMigration.instance_id)
            .join(FlowInstance, FlowInstance.id == FlowMigration.instance_id)
            .where(
                FlowInstance.key == key,
                FlowInstance.revision == FlowMigration.revision,
                FlowInstance.status.not_in(rules.OVER),
                FlowMigration.undone_at.is_(None),
                FlowMigration.state.is_not(None),
            )
            .distinct()
            .order_by(FlowMigration.instance_id)
        )
    )


def _blocked(blocked: Blocked) -> Outcome:
    return Outcome(
        int(blocked.details["instance"]), "blocked", blocked.text, [b.as_json() for b in blocked.blockers]
    )


@command
def migrate(
    instance_id: int, to_version: int, *, mapping: Mapping[str, str] | None = None, by: Actor
) -> FlowMigrated:
    """Let an instance go on by another version: the same tokens at the shapes of the same ids, or of those that
    `mapping` (old id → new id) names. Its open tasks stay the same tasks, with the words, form, page and role of
    the new version; what it waits for follows. Refuses `Forbidden`, `NotFound`, `Invalid` (a wrong mapping),
    `Conflict` when it is over or there already, `Blocked` with every reason."""
    instance = locked(instance_id)
    rules.check_may_steer(by, people.unit_path(instance.unit_id), "process_owner")
    names, at = dict(mapping or {}), now()
    old, new = engine.definition_of(instance.definition_id), version(instance.key, to_version)
    moved = _moved(instance, new, names, by)
    if moved.run is None:
        raise Blocked(instance_id, moved.blockers)
    kept = FlowMigration(
        instance_id=instance.id,
        from_id=old.id,
        to_id=new.id,
        mapping=dict(names),
        state=instance.state,
        revision=instance.revision + 1,
        at=at,
        by_id=by.id,
        by_name=by.name,
    )
    db.session.add(kept)
    follow(instance, new, moved.run, at)
    _note(instance, "migrated", old, new, by, at, moved)
    return FlowMigrated(
        instance_id=instance.id,
        key=instance.key,
        business_key=instance.business_key,
        from_version=old.version,
        to_version=new.version,
        definition_sha256=new.sha256,
        mapping=names,
    )


@command
def undo(instance_id: int, *, by: Actor) -> MigrationUndone:
    """Put an instance back to the version and the state it had. Refuses `Forbidden`, `NotFound`, `Conflict` when it
    was not moved, or has gone on since."""
    instance = locked(instance_id)
    rules.check_may_steer(by, people.unit_path(instance.unit_id), "process_owner")
    kept = db.session.scalar(
        sa.select(FlowMigration)
        .where(FlowMigration.instance_id == instance_id, FlowMigration.undone_at.is_(None))
        .order_by(FlowMigration.id.desc())
        .limit(1)
    )
    if kept is None:
        raise Conflict(
            "flow.not_migrated", zh="该流程没有迁移过。", en="This flow was not moved to another version."
        )
    if kept.state is None or kept.revision != instance.revision:
        raise Conflict(
            "flow.moved_on_since",
            zh="迁移之后流程已经前进，不能再撤回。可以再次迁移到原来的版本。",
            en="The flow has gone on since it was moved, so this cannot be undone. It can be moved to the old version.",
        )
    at = now()
    old, new = engine.definition_of(kept.from_id), engine.definition_of(kept.to_id)
    run = resume(engine.program_of(old), kept.state, host=engine.ActionHost(by), now=engine.local_now(at))
    follow(instance, old, run, at)
    kept.undone_at, kept.state = at, None
    _note(instance, "migration_undone", new, old, by, at, None)
    return MigrationUndone(
        instance_id=instance.id,
        key=instance.key,
        business_key=instance.business_key,
        from_version=new.version,
        to_version=old.version,
    )


def forget_old() -> int:
    """Drop the states that nobody can go back to any more; gives how many."""
    begin_writing()
    gone = db.session.execute(
        sa.update(FlowMigration)
        .where(
            FlowMigration.state.is_not(None),
            sa.exists().where(
                FlowInstance.id == FlowMigration.instance_id,
                sa.or_(FlowInstance.revision != FlowMigration.revision, FlowInstance.status.in_(rules.OVER)),
            ),
        )
        .values(state=None)
        .returning(FlowMigration.id)
        .execution_options(synchronize_session=False)
    ).all()
    db.session.commit()
    return len(gone)


def _moved(instance: FlowInstance, new: FlowDefinition, names: Mapping[str, str], by: Actor) -> Moved:
    if new.id == instance.definition_id:
        raise Conflict(
            "flow.there_already",
            zh=f"该流程已经是第 {new.version} 版。",
            en=f"This flow runs by version {new.version} already.",
        )
    old = engine.definition_of(instance.definition_id)
    return _carried(instance, old, engine.program_of(new), names, by)


def _carried(
    instance: FlowInstance, old: FlowDefinition, after: Program, names: Mapping[str, str], by: Actor
) -> Moved:
    before = engine.program_of(old)
    _check_names(before, after, names)
    ownhand.check_mapping(before, after, names)
    passed = db.session.execute(
        sa.select(FlowEvent.process, FlowEvent.node)
        .where(FlowEvent.instance_id == instance.id, FlowEvent.node != "")
        .distinct()
    )
    return move(
        before,
        after,
        instance.state,
        names,
        passed=[(process, node) for process, node in passed],
        host=engine.ActionHost(by),
        now=engine.local_now(now()),
    )


def _check_names(old: Program, new: Program, names: Mapping[str, str]) -> None:
    """Refuses `Invalid`: a mapping between shapes that are not there."""
    before = {ident for d in old.diagrams.values() for ident in d.nodes}
    after = {ident for d in new.diagrams.values() for ident in d.nodes}
    wrong = [f"{o}={n}" for o, n in names.items() if o not in before or n not in after]
    if wrong or len(names) > MOST_MAPPED or len(set(names.values())) < len(names):
        said = ", ".join(wrong[:5]) or "…"
        raise Invalid(
            "flow.bad_mapping",
            zh=f"对应关系有误：{said}。左边是旧版本的图元标识，右边是新版本的，一一对应。",
            en=f"The mapping is wrong: {said}. On the left stands a shape of the old version, on the right one of the "
            "new, each once.",
        )


def _note(
    instance: FlowInstance,
    kind: str,
    old: FlowDefinition,
    new: FlowDefinition,
    by: Actor,
    at: Any,
    moved: Moved | None,
) -> None:
    notes = moved.notes if moved is not None else []
    engine.note(
        instance, kind, by, at,
        zh="；".join([f"第 {old.version} 版 → 第 {new.version} 版", *(n.zh for n in notes)]),
        en="; ".join([f"version {old.version} → version {new.version}", *(n.en for n in notes)]),
    )  # fmt: skip
