"""The list on the left of the inbox: one page of rows, the filters over it (each an address), what was kept."""

from dataclasses import dataclass
from typing import Any

from flask import g, request

from app.actor import Actor
from app.flows import batching, desk, informing, kept_filters, queries
from app.flows.desk import Counted, Page, Tally
from app.flows.queries import TaskRow
from app.flows.wanted import FACETS, Place, Wanted
from app.glossary import SEAL_KINDS
from app.text import Text

STEPS_SHOWN = 4
"""So many steps have a chip of their own; the others are in the list behind it."""

WORDS: dict[str, dict[str, Text]] = {
    "due": {
        "soon": Text("将超时", "Due soon"),
        "late": Text("已超时", "Late"),
        "today": Text("今天到期", "Due today"),
        "week": Text("本周内到期", "Due this week"),
        "none": Text("没有时限", "No due time"),
    },
    "whose": {
        "mine": Text("我已领取", "Claimed by me"),
        "free": Text("可领取", "Unclaimed"),
        "instead": Text("代理他人", "As a substitute"),
        "asked": Text("指名请我", "Asked of me"),
    },
    "kind": {**SEAL_KINDS, "department": Text("部门章", "Department seal")},
}
TITLES = {
    "step": Text("步骤", "Step"),
    "due": Text("时限", "Due"),
    "whose": Text("归属", "Whose"),
    "flow": Text("流程", "Flow"),
    "unit": Text("申请单位", "Applicant's unit"),
    "kind": Text("印章类型", "Kind of seal"),
}


@dataclass(frozen=True)
class Chip:
    """A filter to press. Chosen: pressing takes it away. `count`: None where it is not known."""

    label: Text
    count: int | None
    address: dict[str, str]
    chosen: bool


@dataclass(frozen=True)
class Filters:
    """The filters over the list, and what each would leave."""

    wanted: Wanted
    tally: Tally
    flows: dict[str, Text]

    @property
    def chips(self) -> list[Chip]:
        """All; the steps with most tasks; what is due soon; what is free; and every other filter that is set."""
        only = Wanted(q=self.wanted.q, sort=self.wanted.sort)
        made = [Chip(Text("全部", "All"), self.tally.searched, only.address, self.wanted == only)]
        steps = self.tally.choices["step"]
        shown = [("step", one) for one in steps[:STEPS_SHOWN] if len(steps) > 1]
        for facet, value in (("due", "soon"), ("whose", "free")):
            shown += [(facet, one) for one in self.tally.choices[facet] if one.value == value]
        for facet in FACETS:
            value = getattr(self.wanted, facet)
            if value and (facet, value) not in [(f, one.value) for f, one in shown]:
                shown.append((facet, Counted(value, Text("", ""), self.tally.shown)))
        return made + [self._chip(facet, one) for facet, one in shown]

    def _chip(self, facet: str, one: Counted) -> Chip:
        chosen = getattr(self.wanted, facet) == one.value
        then = self.wanted.but(**{facet: "" if chosen else one.value})
        return Chip(self.said(facet, one.value), one.count, then.address, chosen)

    def said(self, facet: str, value: str) -> Text:
        """A filter's choice in words."""
        counted = next((one for one in self.tally.choices[facet] if one.value == value), None)
        if facet == "flow":
            return self.flows.get(value, Text(value, value))
        if facet in WORDS:
            return WORDS[facet].get(value, Text(value, value))
        return counted.label if counted else TITLES[facet].format()

    @property
    def facets(self) -> list[tuple[str, Text, str, list[tuple[str, Text, int]]]]:
        """Each filter as a list to choose from: its name, title, what is chosen, and the choices with their counts."""
        found: list[tuple[str, Text, str, list[tuple[str, Text, int]]]] = []
        for facet, title in TITLES.items():
            chosen = getattr(self.wanted, facet)
            choices = [
                (one.value, self.said(facet, one.value), one.count) for one in self.tally.choices[facet]
            ]
            if chosen and all(value != chosen for value, _, _ in choices):
                choices.append((chosen, self.said(facet, chosen), 0))
            if len(choices) > 1 or chosen or (choices and facet in ("due", "whose")):
                found.append((facet, title, chosen, choices))
        return found

    @property
    def hindrances(self) -> list[tuple[Text, dict[str, str]]]:
        """What leaves the list empty: each filter that is set, and the address without it."""
        q = self.wanted.q
        found = [(Text(f"搜索“{q}”", f"the search “{q}”"), self.wanted.without("q").address)] if q else []
        for facet in FACETS:
            value = getattr(self.wanted, facet)
            if value:
                found.append((self.said(facet, value), self.wanted.without(facet).address))
        return found


@dataclass(frozen=True)
class Pane:
    """`after`: where this page begins; `more`: where the next one does; `together`: which rows may be decided with others
    in one press."""

    rows: list[TaskRow]
    together: frozenset[int]
    after: Place | None
    more: Place | None
    filters: Filters
    kept: list[kept_filters.KeptFilter]
    reminders: list[queries.Reminder]
    nudges: list[informing.Nudge]

    @property
    def wanted(self) -> Wanted:
        return self.filters.wanted

    @property
    def address(self) -> dict[str, Any]:
        """This page of this list, as the arguments of an address."""
        return self.wanted.address | ({"after": str(self.after)} if self.after else {})

    @property
    def further(self) -> dict[str, Any]:
        return self.wanted.address | {"after": str(self.more)}


def filters_of(actor: Actor, reach: queries.Reach | None = None, *, since: int = 0) -> Filters:
    """As the present address says them. `since`: a task's number; those above it are counted as fresh."""
    wanted = Wanted.of(request.args)
    tally = desk.tally(reach or queries.theirs(actor), actor, wanted, since)
    g.inbox_waits = tally.inbox
    several = len(tally.choices["flow"]) > 1 or wanted.flow
    return Filters(wanted, tally, dict(queries.flow_labels()) if several else {})


def pane_of(actor: Actor) -> Pane:
    """The page of the list that the present address asks for."""
    reach = queries.theirs(actor)
    filters, after = filters_of(actor, reach), Place.of(request.args.get("after", ""))
    page = desk.page(reach, actor, filters.wanted, after)
    if after is not None and not page.rows:
        page, after = desk.page(reach, actor, filters.wanted), None
    return Pane(
        rows=page.rows,
        together=_together(page),
        after=after,
        more=page.after,
        filters=filters,
        kept=kept_filters.of(actor),
        reminders=queries.reminders(actor),
        nudges=informing.nudges([row.id for row in page.rows]) if page.rows else [],
    )


def _together(page: Page) -> frozenset[int]:
    return frozenset(task.id for task in page.tasks if batching.form_of(task) is not None)


def next_of(actor: Actor) -> int | None:
    """The task that opens once one was done: the first of the page that the present address asks for, else of the
    list."""
    wanted, after = Wanted.of(request.args), Place.of(request.args.get("after", ""))
    reach = queries.theirs(actor)
    rows = desk.page(reach, actor, wanted, after, size=1).rows
    if not rows and after is not None:
        rows = desk.page(reach, actor, wanted, size=1).rows
    return rows[0].id if rows else None


def present_address() -> dict[str, Any]:
    """The list that the present address asks for, as the arguments of another one."""
    after = Place.of(request.args.get("after", ""))
    return Wanted.of(request.args).address | ({"after": str(after)} if after else {})


def waits(actor: Actor) -> int:
    """How much waits for the person; counted once a request."""
    if "inbox_waits" not in g:
        g.inbox_waits = queries.counts(actor)["inbox"]
    return int(g.inbox_waits)
