"""The versions of a flow: which is in force at a moment, how another is added, and what that means for its callers.

A version is in force from its moment on (`effective_from`, else from when it was published) until a later one is. No
timer makes it so: it is asked at each start. An instance keeps the version that it began with.

A version names the versions of the flows that it calls. So where a called flow gets another version, its callers get
one too, of the same texts (`follows` says of which); otherwise whoever starts the caller would still take the old way.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.actor import Actor
from app.bpmn.parse import Diagram, Program, parse, program
from app.db import db
from app.flows import engine, publishing, rules
from app.flows.models import FlowDefinition
from app.refusal import Conflict, NotFound

SINCE = sa.func.coalesce(FlowDefinition.effective_from, FlowDefinition.published_at)


@dataclass(frozen=True)
class Papers:
    """What a version is made of: the diagram, its rule tables, forms and example stories."""

    key: str
    bpmn: str
    tables: Mapping[str, Any]
    forms: Mapping[str, Any]
    stories: Mapping[str, Any]

    @property
    def diagram(self) -> Diagram:
        """Refuses `Invalid` where it cannot be run."""
        return parse(self.bpmn.encode(), {name: str(text).encode() for name, text in self.tables.items()})


def papers_of(definition: FlowDefinition) -> Papers:
    return Papers(
        definition.key, definition.bpmn, definition.tables, definition.forms, stories_of(definition)
    )


def stories_of(definition: FlowDefinition) -> Mapping[str, Any]:
    """Its example stories: name → YAML. Those of a version from files lie beside the files, as they are now."""
    return publishing.stories_of(definition.key) if definition.origin == "files" else definition.scenarios


def version(key: str, number: int | None = None) -> FlowDefinition:
    """One version, the newest when no number is given. Refuses `NotFound`."""
    numbered = [FlowDefinition.version == number] if number is not None else []
    ident = db.session.scalar(
        sa.select(FlowDefinition.id)
        .where(FlowDefinition.key == key, *numbered)
        .order_by(FlowDefinition.version.desc())
        .limit(1)
    )
    if ident is None:
        raise NotFound(
            "flow.no_such_version",
            zh=f"流程「{key}」没有第 {number} 版。" if number else f"没有流程「{key}」。",
            en=f'The flow "{key}" has no version {number}.' if number else f'There is no flow "{key}".',
            key=key,
            version=number,
        )
    return _row(ident)


def _row(ident: int) -> FlowDefinition:
    """Not from what each process keeps: it may be written in this very transaction, and undone with it."""
    return db.session.get_one(FlowDefinition, ident)


def in_force(key: str, at: datetime, *, made: bool = False) -> FlowDefinition | None:
    """The version by which the flow is started at that moment; `made`: of those that somebody made."""
    ident = db.session.scalar(
        sa.select(FlowDefinition.id)
        .where(
            FlowDefinition.key == key,
            FlowDefinition.called_off_at.is_(None),
            at >= SINCE,
            *([FlowDefinition.follows.is_(None)] if made else []),
        )
        .order_by(SINCE.desc(), FlowDefinition.version.desc())
        .limit(1)
    )
    return _row(ident) if ident is not None else None


def newest(key: str) -> FlowDefinition | None:
    """The version of the highest number that somebody made, in force or not, called off or not."""
    return db.session.scalar(
        sa.select(FlowDefinition)
        .where(FlowDefinition.key == key, FlowDefinition.follows.is_(None))
        .order_by(FlowDefinition.version.desc())
        .limit(1)
    )


def since(definition: FlowDefinition) -> datetime:
    """From when it is in force, unless a later one is."""
    return definition.effective_from or definition.published_at


def one_at_a_time() -> None:
    """Let nobody else publish until this transaction is over: the next number, and which version calls which, are
    worked out from all that is there. Nobody who starts a flow waits for it."""
    db.session.execute(
        sa.select(FlowDefinition.id).order_by(FlowDefinition.id).limit(1).with_for_update(key_share=True)
    )


def add(
    papers: Papers,
    *,
    origin: str,
    at: datetime,
    effective_from: datetime | None = None,
    note: str = "",
    by: Actor | None = None,
) -> list[FlowDefinition]:
    """Another version of a flow, and of those that call it: the first is its own. Inside a command. Refuses
    `Invalid` where it cannot be run or calls in a circle, `NotFound` for a called flow that is not published."""
    one_at_a_time()
    start = effective_from if effective_from is not None and effective_from > at else None
    made = write(papers, origin=origin, at=at, start=start, note=note, by=by)
    return [made, *settle(start or at, at)]


def settle(start: datetime, at: datetime) -> list[FlowDefinition]:
    """From `start` on, let every flow call the versions that are in force then; gives those that were added."""
    moments = db.session.scalars(
        sa.select(FlowDefinition.effective_from)
        .where(FlowDefinition.effective_from > start, FlowDefinition.called_off_at.is_(None))
        .distinct()
        .order_by(FlowDefinition.effective_from)
    )
    return [
        made for moment in [start, *(m for m in moments if m is not None)] for made in _settled(moment, at)
    ]


def _settled(moment: datetime, at: datetime) -> Iterator[FlowDefinition]:
    for key in _called_first(moment):
        base, present = in_force(key, moment, made=True), in_force(key, moment)
        if base is None or present is None or not engine.diagram_of(base).calls:
            continue
        papers = papers_of(base)
        wanted = _identity(papers, _pins(papers.diagram, moment))
        if present.follows is not None and present.sha256 != wanted and since(present) == moment > at:
            _call_off(present, at)
            present = in_force(key, moment) or base
        if present.sha256 != wanted:
            start = moment if moment > at else None
            yield write(papers, origin=base.origin, at=at, start=start, follows=base.version)


def _called_first(moment: datetime) -> list[str]:
    """Every flow, those that are called before those that call them."""
    keys = db.session.scalars(sa.select(FlowDefinition.key).distinct().order_by(FlowDefinition.key))
    drawn = {key: engine.diagram_of(base).calls for key in keys if (base := in_force(key, moment, made=True))}
    ordered: dict[str, None] = {}

    def visit(key: str, path: tuple[str, ...]) -> None:
        if key in drawn and key not in ordered and key not in path:
            for called in sorted(drawn[key]):
                visit(called, (*path, key))
            ordered[key] = None

    for key in drawn:
        visit(key, ())
    return list(ordered)


def call_off(definition: FlowDefinition, at: datetime) -> None:
    """A version that is not yet in force never will be. Inside a command. Refuses `Conflict`."""
    one_at_a_time()
    if since(definition) <= at or definition.called_off_at is not None:
        raise Conflict(
            "flow.in_force_already",
            zh="该版本已经生效或已撤销，不能再撤销。可以从旧版本新建草稿并发布。",
            en="This version is in force already, or was called off. Start a draft from an older one and publish that.",
        )
    _call_off(definition, at)
    settle(since(definition), at)


def _call_off(definition: FlowDefinition, at: datetime) -> None:
    db.session.execute(
        sa.update(FlowDefinition).where(FlowDefinition.id == definition.id).values(called_off_at=at)
    )
    db.session.expire_all()


def program_at(papers: Papers, moment: datetime) -> Program:
    """What would run by these papers at that moment. Nothing is written. Refuses as `add` does."""
    return program(papers.diagram, _called(papers.diagram, moment))


def callers_with(papers: Papers, moment: datetime) -> dict[str, Program]:
    """What would run, at that moment, of every flow that calls this one, directly or not, were these its papers."""
    found: dict[str, Program] = {}
    for key in _called_first(moment):
        base = in_force(key, moment, made=True)
        if base is None or key == papers.key:
            continue
        main = engine.diagram_of(base)
        called = _called(main, moment) | {papers.key: papers.diagram}
        called |= _called(papers.diagram, moment)
        joined = program(main, called)
        if papers.key in joined.diagrams:
            found[key] = joined
    return found


def _called(diagram: Diagram, moment: datetime) -> dict[str, Diagram]:
    """The diagrams that it calls, and those that these call."""
    found: dict[str, Diagram] = {}
    for key in diagram.calls:
        called = in_force(key, moment)
        if called is not None:
            found[key] = engine.diagram_of(called)
            found |= {k: engine.diagram_of(_row(i)) for k, i in called.calls.items()}
    return found


def write(
    papers: Papers,
    *,
    origin: str,
    at: datetime,
    start: datetime | None = None,
    follows: int | None = None,
    note: str = "",
    by: Actor | None = None,
) -> FlowDefinition:
    """Another version of one flow; its callers wait for `settle`. Refuses as `add` does."""
    diagram = papers.diagram
    program_at(papers, start or at)  # it calls in no circle, and nothing that is not there
    pins = _pins(diagram, start or at)
    highest = db.session.scalar(
        sa.select(sa.func.max(FlowDefinition.version)).where(FlowDefinition.key == papers.key)
    )
    row = FlowDefinition(
        key=papers.key,
        version=(highest or 0) + 1,
        sha256=_identity(papers, pins),
        label_zh=diagram.label.zh,
        label_en=diagram.label.en,
        bpmn=papers.bpmn,
        tables=dict(papers.tables),
        forms=dict(papers.forms),
        calls=pins,
        origin=origin,
        published_at=at,
        published_by_id=by.id if by else None,
        published_by_name=by.name if by else None,
        note=note,
        effective_from=start,
        follows=follows,
        scenarios=dict(papers.stories) if origin != "files" else {},
    )
    db.session.add(row)
    db.session.flush()
    return row


def _pins(diagram: Diagram, moment: datetime) -> dict[str, Any]:
    """The definition in force of every flow that is called, and of those they call. Refuses `NotFound`."""
    pins: dict[str, Any] = {}
    for key in sorted(diagram.calls):
        called = in_force(key, moment)
        if called is None:
            raise rules.no_such_flow(key)
        pins |= {**called.calls, key: called.id}
    return pins


def _identity(papers: Papers, calls: Mapping[str, Any]) -> str:
    """SHA-256 over the diagram with its tables, its forms, and the identities of what it calls."""
    called = {key: _row(ident).sha256 for key, ident in calls.items()}
    text = json.dumps([papers.diagram.sha256, dict(papers.forms), called], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def is_as(papers: Papers, definition: FlowDefinition) -> bool:
    """Whether a version of these papers would be no other than that one, but for what it calls."""
    same = papers.diagram.sha256 == engine.diagram_of(definition).sha256
    return same and dict(papers.forms) == dict(definition.forms)
