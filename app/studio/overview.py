"""The flows as their owner sees them: versions, drafts, what runs by which, what is stopped, where it takes long."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.bpmn.picture import Picture
from app.clock import now
from app.db import db
from app.flows import engine, rules, versions
from app.flows import queries as flows
from app.flows.models import FlowDefinition, FlowIncident, FlowInstance, FlowTask
from app.studio import queries
from app.studio.models import StudioDraft
from app.text import Text

SHORT, LONG = timedelta(days=90), 4
"""How far back waiting is reckoned; into how many degrees of heat it is parted."""


@dataclass(frozen=True)
class VersionRow:
    """One version. `state`: `now` in force, `later`, `earlier`, `called_off`. `follows`: see `app.flows.versions`."""

    version: int
    state: str
    since: datetime
    published_at: datetime
    by: str | None
    origin: str
    note: str
    follows: int | None
    running: int


@dataclass(frozen=True)
class FlowRow:
    key: str
    label: Text
    versions: tuple[VersionRow, ...]
    drafts: tuple[StudioDraft, ...]
    incidents: int

    @property
    def present(self) -> VersionRow | None:
        return next((v for v in self.versions if v.state == "now"), None)

    @property
    def running(self) -> int:
        return sum(v.running for v in self.versions)

    @property
    def scheduled(self) -> list[VersionRow]:
        return [v for v in self.versions if v.state == "later" and v.follows is None]


@dataclass(frozen=True)
class Waiting:
    """How long one step takes. `degree`: 0 (short) to 4, against the longest of its flow."""

    node: str
    label: Text
    done: int
    average: timedelta | None
    open: int
    oldest: datetime | None
    degree: int


def flow_rows() -> list[FlowRow]:
    """Every flow by its name; nothing of what it runs by is read."""
    at, running, stopped = now(), running_by_version(), _stopped()
    drafts = queries.drafts()
    found: dict[str, list[Any]] = {}
    columns = (
        FlowDefinition.id, FlowDefinition.key, FlowDefinition.version, FlowDefinition.label_zh,
        FlowDefinition.label_en, FlowDefinition.published_at, FlowDefinition.published_by_name,
        FlowDefinition.origin, FlowDefinition.note, FlowDefinition.follows, FlowDefinition.called_off_at,
        FlowDefinition.effective_from,
    )  # fmt: skip
    for row in db.session.execute(
        sa.select(*columns).order_by(FlowDefinition.key, FlowDefinition.version.desc())
    ):
        found.setdefault(row.key, []).append(row)
    return [
        FlowRow(
            key,
            Text(rows[0].label_zh, rows[0].label_en),
            _versions(rows, at, running),
            tuple(d for d in drafts if d.key == key),
            stopped.get(key, 0),
        )
        for key, rows in found.items()
    ]


def running_by_version() -> dict[int, int]:
    """Unfinished instances by the definition they go by: their own, and those of every flow that it calls."""
    own = flows.running_by_definition()
    found = dict(own)
    calls = sa.select(FlowDefinition.id, FlowDefinition.calls).where(FlowDefinition.id.in_(own))
    for ident, pins in db.session.execute(calls):
        for called in pins.values():
            found[called] = found.get(called, 0) + own[ident]
    return found


def flow_row(key: str) -> FlowRow:
    """Refuses `NotFound`."""
    versions.version(key)
    return next(row for row in flow_rows() if row.key == key)


def _versions(rows: Sequence[Any], at: datetime, running: Mapping[int, int]) -> tuple[VersionRow, ...]:
    lawful = [r for r in rows if r.called_off_at is None and _since(r) <= at]
    present = max(lawful, key=lambda r: (_since(r), r.version), default=None)
    return tuple(
        VersionRow(
            row.version,
            "called_off" if row.called_off_at else "later" if _since(row) > at else "now" if row is present else "earlier",
            _since(row), row.published_at, row.published_by_name, row.origin, row.note, row.follows,
            running.get(row.id, 0),
        )
        for row in rows
    )  # fmt: skip


def _since(row: Any) -> datetime:
    return row.effective_from or row.published_at


def _stopped() -> dict[str, int]:
    """How many instances are stopped, by the flow whose step it is."""
    found = db.session.execute(
        sa.select(FlowIncident.process, sa.func.count(sa.distinct(FlowInstance.id)))
        .join(FlowInstance, FlowIncident.instance_id == FlowInstance.id)
        .where(FlowIncident.solved_at.is_(None), FlowInstance.status.not_in(rules.OVER))
        .group_by(FlowIncident.process)
    )
    return {key: count for key, count in found}


def waiting(definition: FlowDefinition) -> list[Waiting]:
    """For each step of people of a version: how long it took in all versions of the flow, and what waits there now,
    the slowest first."""
    at = now()
    of_it = FlowTask.definition_id.in_(
        sa.select(FlowDefinition.id).where(FlowDefinition.key == definition.key)
    )
    took = _seconds(FlowTask.done_at, FlowTask.created_at)
    done = {
        node: (count, average)
        for node, count, average in db.session.execute(
            sa.select(FlowTask.node, sa.func.count(), sa.func.avg(took))
            .where(of_it, FlowTask.status == "done", FlowTask.done_at > at - SHORT)
            .group_by(FlowTask.node)
        )
    }
    held = {
        node: (count, oldest)
        for node, count, oldest in db.session.execute(
            sa.select(FlowTask.node, sa.func.count(), sa.func.min(FlowTask.created_at))
            .where(of_it, FlowTask.status == "open")
            .group_by(FlowTask.node)
        )
    }
    nodes = [n for n in engine.diagram_of(definition).nodes.values() if n.kind in ("userTask", "manualTask")]
    longest = max((float(a) for n in nodes for _, a in [done.get(n.id, (0, 0))]), default=0.0)
    found: list[Waiting] = []
    for node in nodes:
        count, average = done.get(node.id, (0, None))
        opened, oldest = held.get(node.id, (0, None))
        lasted = timedelta(seconds=float(average)) if average is not None else None
        degree = round(LONG * float(average) / longest) if average and longest else 0
        found.append(Waiting(node.id, node.label, count, lasted, opened, oldest, degree))
    return sorted(found, key=lambda w: w.average or timedelta(0), reverse=True)


def _seconds(later: Any, earlier: Any) -> sa.ColumnElement[Any]:
    """How many seconds lie between, in each database's own words."""
    if db.engine.dialect.name == "postgresql":
        return sa.extract("epoch", later - earlier)
    days = sa.func.julianday(later) - sa.func.julianday(earlier)
    return sa.type_coerce(days, sa.Float()) * 86_400.0


def picture_of(definition: FlowDefinition) -> Picture:
    return engine.diagram_of(definition).picture
