"""What runs by one version of a flow, page by page, and its move to another version."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import defer

from app.actor import Actor
from app.clock import now
from app.db import db
from app.flows import migrating, rules, versions
from app.flows.migrating import Outcome
from app.flows.models import FlowDefinition, FlowInstance
from app.flows.queries import InstanceRow, instance_rows, matching
from app.refusal import Invalid
from app.studio.overview import VersionRow
from app.text import Text

AT_ONCE = 50
MOST_MOVED = 500
"""Instances that are moved, or tried, while somebody waits for the page; the rest follow when it is asked again."""


@dataclass(frozen=True)
class Running:
    """An instance that is not over. `version`: its own flow's; `movable`: it is of the flow whose page this is, and
    not of one that calls it, which is moved from that one's page."""

    row: InstanceRow
    version: int
    movable: bool


@dataclass(frozen=True)
class Page:
    rows: Sequence[Running]
    more: int | None
    """The number before which the next page begins."""


def listed(key: str, number: int | None, search: str, before: int | None) -> Page:
    """Those that go by a version of the flow (None: by any), their callers' too; the newest first. Refuses
    `NotFound`."""
    versions.version(key, number)
    found = db.session.scalars(
        sa.select(FlowInstance)
        .where(
            FlowInstance.definition_id.in_(_goes_by(key, number)),
            FlowInstance.status.not_in(rules.OVER),
            *matching(search),
            *([FlowInstance.id < before] if before else []),
        )
        .order_by(FlowInstance.id.desc())
        .limit(AT_ONCE + 1)
        .options(defer(FlowInstance.state))
    ).all()
    shown = found[:AT_ONCE]
    asked = sa.select(FlowDefinition.id, FlowDefinition.version).where(
        FlowDefinition.id.in_({i.definition_id for i in shown})
    )
    numbers = {ident: number for ident, number in db.session.execute(asked)}
    rows = [
        Running(row, numbers[i.definition_id], i.key == key)
        for row, i in zip(instance_rows(shown), shown, strict=True)
    ]
    return Page(rows, shown[-1].id if len(found) > AT_ONCE else None)


def _goes_by(key: str, number: int | None) -> list[int]:
    """The definitions that are the version, or call it."""
    mine = sa.select(FlowDefinition.id).where(FlowDefinition.key == key)
    if number is not None:
        mine = mine.where(FlowDefinition.version == number)
    own = set(db.session.scalars(mine))
    every = db.session.execute(sa.select(FlowDefinition.id, FlowDefinition.calls))
    return [ident for ident, calls in every if ident in own or calls.get(key) in own]


def targets(rows: Sequence[VersionRow]) -> list[VersionRow]:
    """To which versions one may move: those that are or were in force; the newest first."""
    return [v for v in rows if v.state in ("now", "earlier")]


def move(
    key: str, ids: Sequence[int], to: int | None, *, dry_run: bool, by: Actor
) -> tuple[list[Outcome], int]:
    """Let them go on by another version, each in a transaction of its own, or only try it on a copy; gives what
    became of each, and how many are left for another time. Refuses `Invalid` where nothing or no such version was
    chosen."""
    target = versions.version(key, to) if to is not None else None
    if target is None or target.called_off_at is not None or versions.since(target) > now():
        text = Text("请选择一个已经生效的版本", "Choose a version that is in force, or was")
        raise Invalid("studio.no_target", zh=text.zh, en=text.en, fields={"to": text})
    if not ids:
        text = Text("请勾选要改版本的流程", "Tick those that are to be moved")
        raise Invalid("studio.nothing_chosen", zh=text.zh, en=text.en, fields={"instance": text})
    number = target.version
    told = migrating.batch(key, ids[:MOST_MOVED], number, {}, dry_run=dry_run, by=by)
    return told, max(0, len(ids) - MOST_MOVED)


def all_of(key: str, number: int | None, to: int | None) -> list[int]:
    """The flow's own instances that go by a version of it (None: by any but `to`), the oldest first."""
    if number is None:
        return migrating.movable(key, to) if to is not None else []
    mine = sa.select(FlowInstance.id).where(
        FlowInstance.definition_id == versions.version(key, number).id,
        FlowInstance.status.not_in(rules.OVER),
    )
    return list(db.session.scalars(mine.order_by(FlowInstance.id)))


def reasons(told: Sequence[Outcome]) -> list[tuple[Text, int]]:
    """Why some stay, and how many for each reason, the commonest first."""
    counted: Counter[Text] = Counter()
    for one in told:
        if one.outcome == "blocked":
            first: Mapping[str, Any] = one.blockers[0] if one.blockers else {}
            said = one.text or Text("", "")
            counted[Text(str(first.get("zh") or said.zh), str(first.get("en") or said.en))] += 1
    return counted.most_common()
