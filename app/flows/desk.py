"""A person's inbox in pages, and how many tasks each filter would leave. Reads one page of rows and one row a filter,
however much waits: what is counted is counted by the database."""

from dataclasses import dataclass
from functools import cache
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
    where = [*queries.matching(wanted.q), *_meets(_columns(reach, actor), wanted).values()]
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
        "whose": whose,
        "unit": sa.cast(FlowInstance.unit_id, sa.String),
        "kind": FlowInstance.glyph,
    }


def _meets(columns: Any, wanted: Wanted) -> dict[str, sa.ColumnElement[bool]]:
    """The condition of each filter that is set."""
    asked = {name: value for name in FACETS if (value := getattr(wanted, name))}
    return {n: _due()[v] if n == "due" else columns[n] == v for n, v in asked.items()}


def _due() -> dict[str, sa.ColumnElement[bool]]:
    due, at = FlowTask.due_at, Borders.of(engine.local_now(now()))
    return {
        "soon": due < at.tomorrow,
        "late": due <= at.now,
        "today": sa.and_(due > at.now, due < at.today),
        "week": due < at.week,
        "none": due.is_(None),
    }


def tally(reach: Reach, actor: Actor, wanted: Wanted, since: int = 0) -> Tally:
    """All counts, in one statement."""
    mine, _places = reach
    columns = _columns(reach, actor)
    flags = {
        "found": sa.and_(sa.true(), *queries.matching(wanted.q)),
        "is_new": FlowTask.id > since,
        **{f"meets_{name}": condition for name, condition in _meets(columns, wanted).items()},
        **{f"is_{how}": condition for how, condition in _due().items()},
    }
    asked: list[Any] = [
        FlowTask.id,
        FlowTask.label_zh,
        FlowTask.label_en,
        FlowInstance.unit_name,
        *(column.label(name) for name, column in columns.items()),
        *(sa.case((condition, 1), else_=0).label(name) for name, condition in flags.items()),
    ]
    every = (
        sa.select(*asked)
        .join(mine, mine.c.id == FlowTask.id)
        .join(FlowInstance, FlowInstance.id == FlowTask.instance_id)
        .where(FlowTask.status == "open")
        .cte("every")
    )
    said, counted = _counts(tuple(name for name in FACETS if getattr(wanted, name)))
    rows: Any = db.session.execute(sa.text(said).columns().add_cte(every)).all()
    choices: dict[str, list[Counted]] = {name: [] for name in FACETS}
    totals: dict[str, int] = {}
    for facet, value, zh, en, count, *more in rows:
        if facet:
            choices[facet].append(Counted(value, Text(zh, en), count))
        else:
            totals = dict(zip(counted, more, strict=True)) | {"inbox": count}
    for facet, values in (("due", DUE), ("whose", WHOSE)):
        choices[facet] = [Counted(v, Text("", ""), n) for v in values if (n := totals[f"{facet} {v}"])]
    newest = totals["newest"] or since
    return Tally(totals["inbox"], totals["searched"], totals["shown"], totals["fresh"], newest, choices)


@cache
def _counts(asked: tuple[str, ...]) -> tuple[str, list[str]]:
    """What is counted of `every`, in SQL of both databases: a row of totals, whose names are given too, and a row for
    each choice of the filters that have no fixed ones. Made of this module's own words only; `asked`: the filters that
    are set. Written out, since building it of expressions takes longer than asking it."""

    def meets(but: str = "") -> str:
        return " AND ".join(["found = 1", *(f"meets_{name} = 1" for name in asked if name != but)])

    def number(where: str) -> str:
        return f"count(CASE WHEN {where} THEN 1 END)"

    totals = {
        "searched": number("found = 1"),
        "shown": number(meets()),
        "fresh": number(f"{meets()} AND is_new = 1"),
        "newest": f"max(CASE WHEN {meets()} THEN id END)",
        **{f"due {how}": number(f"{meets('due')} AND is_{how} = 1") for how in DUE},
        **{f"whose {how}": number(f"{meets('whose')} AND whose = '{how}'") for how in WHOSE},
    }
    words = {"step": ("max(label_zh)", "max(label_en)"), "unit": ("max(unit_name)", "max(unit_name)")}
    parts = [f"SELECT '', '', '', '', count(*), {', '.join(totals.values())} FROM every"]  # noqa: S608
    for facet in ("step", "flow", "unit", "kind"):
        zh, en = words.get(facet, ("''", "''"))
        groups = (
            f"SELECT {facet} AS value, {zh} AS zh, {en} AS en, count(*) AS n FROM every "  # noqa: S608
            f"WHERE {facet} IS NOT NULL AND {meets(facet)} "
            f"GROUP BY {facet} ORDER BY count(*) DESC, {facet} LIMIT {MOST_CHOICES}"
        )
        nothing = ", ".join(["NULL"] * len(totals))
        parts.append(f"SELECT '{facet}', value, zh, en, n, {nothing} FROM ({groups}) AS of_{facet}")  # noqa: S608
    return " UNION ALL ".join(parts), list(totals)
