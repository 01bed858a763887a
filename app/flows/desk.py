"""A person's inbox in pages, and how many tasks each filter would leave. Reads one page of rows and one row a filter,
however much waits: what is counted is counted by the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.actor import Actor
from app.clock import now
from app.db import db
from app.flows import engine, queries
from app.flows.models import FlowInstance, FlowTask
from app.flows.queries import Reach, TaskRow
from app.flows.wanted import DUE, FACETS, WHOSE, Borders, Place, Wanted
from app.text import Text

PAGE = 50
MOST_CHOICES = 60
"""So many units, steps or flows are offered as filters, those with most tasks first."""


@dataclass(frozen=True)
class Page:
    """Some rows; `after`: the place behind which the next page begins, None on the last."""

    rows: list[TaskRow]
    tasks: list[FlowTask]
    after: Place | None


@dataclass(frozen=True)
class Counted:
    """A choice of a filter, and how many tasks it would leave beside the other filters."""

    value: str
    label: Text
    count: int


@dataclass(frozen=True)
class Tally:
    """`inbox`: all that waits for the person; `searched`: of those, what the search finds; `shown`: what all filters
    leave; `fresh`: of those, the ones with a number above `since`; `newest`: the greatest number among them, for the
    page to ask with later."""

    inbox: int
    searched: int
    shown: int
    fresh: int
    newest: int
    choices: dict[str, list[Counted]]


def page(reach: Reach, actor: Actor, wanted: Wanted, after: Place | None = None, size: int = PAGE) -> Page:
    """One page in the order that is wanted."""
    where = [*queries.matching(wanted.q), *_meets(_columns(reach, actor), wanted)]
    order, behind = (_ARRIVED, _behind_arrived) if wanted.sort == "arrived" else (queries.BY_DUE, _behind_due)
    where += [behind(after)] if after is not None else []
    found = queries.listed(reach, where, order, size + 1)
    last = found[size - 1][0] if len(found) > size else None
    at = last and (last.created_at if wanted.sort == "arrived" else last.due_at)
    rest = Place(at or None, last.id) if last is not None else None
    return Page([row for _, row in found[:size]], [task for task, _ in found[:size]], rest)


_ARRIVED = (FlowTask.created_at.desc(), FlowTask.id.desc())


def _behind_due(place: Place) -> sa.ColumnElement[bool]:
    due, later = FlowTask.due_at, FlowTask.id > place.task_id
    if place.at is None:
        return sa.and_(due.is_(None), later)
    return sa.or_(due.is_(None), due > place.at, sa.and_(due == place.at, later))


def _behind_arrived(place: Place) -> sa.ColumnElement[bool]:
    came, at = FlowTask.created_at, place.at or now()
    return sa.or_(came < at, sa.and_(came == at, FlowTask.id < place.task_id))


def _columns(reach: Reach, actor: Actor) -> dict[str, sa.SQLColumnExpression[Any]]:
    """What the filters ask about, of the tables themselves."""
    mine, _places = reach
    asked = sa.or_(
        FlowTask.voter_id == actor.id,
        sa.and_(FlowTask.owner_id.is_not(None), FlowTask.assignee_id == actor.id),
    )
    free = sa.and_(
        FlowTask.assignee_id.is_(None),
        FlowTask.voter_id.is_(None),
        FlowTask.role.is_distinct_from("applicant"),
    )
    whose = sa.case(
        (mine.c.place > 0, "instead"),
        (asked, "asked"),
        (free, "free"),
        (FlowTask.assignee_id == actor.id, "mine"),
        else_="",
    )
    return {
        "flow": FlowInstance.key,
        "step": FlowInstance.key + sa.literal(":") + FlowTask.node,
        "due": FlowTask.due_at,
        "whose": whose,
        "unit": sa.cast(FlowInstance.unit_id, sa.String),
        "kind": FlowInstance.glyph,
    }


def _meets(columns: Any, wanted: Wanted, but: str = "") -> list[sa.ColumnElement[bool]]:
    """The conditions of all filters that are set; `but` this one."""
    found: list[sa.ColumnElement[bool]] = []
    for name in FACETS:
        value = getattr(wanted, name)
        if value and name != but:
            found.append(_due(columns["due"], value) if name == "due" else columns[name] == value)
    return found


def _due(due: sa.ColumnElement[Any], how: str) -> sa.ColumnElement[bool]:
    at = Borders.of(engine.local_now(now()))
    return {
        "soon": due < at.tomorrow,
        "late": due <= at.now,
        "today": sa.and_(due > at.now, due < at.today),
        "week": due < at.week,
        "none": due.is_(None),
    }[how]


def tally(reach: Reach, actor: Actor, wanted: Wanted, since: int = 0) -> Tally:
    """All counts, in one statement."""
    mine, _places = reach
    columns = _columns(reach, actor)
    found = sa.and_(sa.true(), *queries.matching(wanted.q))
    asked: list[Any] = [
        FlowTask.id,
        FlowTask.label_zh,
        FlowTask.label_en,
        FlowInstance.unit_name,
        sa.case((found, 1), else_=0).label("found"),
        *(column.label(name) for name, column in columns.items()),
    ]
    every = (
        sa.select(*asked)
        .join(mine, mine.c.id == FlowTask.id)
        .join(FlowInstance, FlowInstance.id == FlowTask.instance_id)
        .where(FlowTask.status == "open")
        .cte("every")
    )
    rows: Any = db.session.execute(sa.union_all(*_counts(every.c, wanted, since)))
    choices: dict[str, list[Counted]] = {name: [] for name in FACETS}
    totals: dict[str, tuple[int, int]] = {}
    for facet, value, zh, en, count, newest in rows:
        if facet in choices:
            choices[facet] += [Counted(value, Text(zh, en), count)] if count else []
        else:
            totals[facet] = (count, newest or 0)
    shown, newest = totals["shown"]
    return Tally(
        totals["inbox"][0], totals["searched"][0], shown, totals["fresh"][0], newest or since, choices
    )


def _counts(c: Any, wanted: Wanted, since: int) -> list[Any]:
    def one(facet: str, value: Any, where: Sequence[sa.ColumnElement[bool]]) -> sa.Select[*tuple[Any, ...]]:
        empty = _said("")
        return sa.select(
            _said(facet).label("facet"), value.label("value"), empty.label("zh"), empty.label("en"),
            sa.func.count().label("n"), sa.func.max(c.id).label("newest"),
        ).where(*where)  # fmt: skip

    def grouped(facet: str, zh: Any, en: Any) -> sa.Select[*tuple[Any, ...]]:
        where = [c[facet].is_not(None), c.found == 1, *_meets(c, wanted, but=facet)]
        n = sa.func.count()
        groups = (
            sa.select(
                _said(facet).label("facet"), c[facet].label("value"), zh.label("zh"), en.label("en"), n.label("n"),
                sa.cast(sa.null(), sa.Integer).label("newest"),
            )
            .where(*where)
            .group_by(c[facet])
            .order_by(n.desc(), c[facet])
            .limit(MOST_CHOICES)
        )  # fmt: skip
        return sa.select(groups.subquery())

    top, empty = sa.func.max, _said("")
    found = c.found == 1
    due = [found, *_meets(c, wanted, but="due")]
    return [
        one("inbox", empty, []),
        one("searched", empty, [found]),
        one("shown", empty, [found, *_meets(c, wanted)]),
        one("fresh", empty, [found, c.id > since, *_meets(c, wanted)]),
        *(one("due", _said(how), [*due, _due(c.due, how)]) for how in DUE),
        *(
            one("whose", _said(how), [found, *_meets(c, wanted, but="whose"), c.whose == how])
            for how in WHOSE
        ),
        grouped("step", top(c.label_zh), top(c.label_en)),
        grouped("flow", empty, empty),
        grouped("unit", top(c.unit_name), top(c.unit_name)),
        grouped("kind", empty, empty),
    ]


def _said(constant: str) -> sa.ColumnElement[str]:
    """A word of this module as SQL has it: as a parameter it would have no type in a union."""
    return sa.literal_column(f"'{constant}'", sa.String)
