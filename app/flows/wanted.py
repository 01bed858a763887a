"""What a person wants to see of their inbox: filters that combine, an order, and the place of a page; each an address. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

DUE = ("soon", "late", "today", "week", "none")
"""Late or due by the end of tomorrow; late; still due today; due until Sunday; without a due moment."""
WHOSE = ("mine", "free", "instead", "asked")
"""Claimed by me; not yet claimed; only there because I stand in for somebody; asked of me by name."""
SORTS = ("", "arrived")
"""Due first (what has no due moment comes last); or the latest first."""
LONGEST_SEARCH = 100

_NAME = re.compile(r"[\w.\-]{1,120}")
_STEP = re.compile(r"[\w.\-]{1,80}:[\w.\-]{1,120}")


@dataclass(frozen=True)
class Wanted:
    """Empty: not asked for. `step`: the flow's key and the step's id, `seal_lifecycle:review`, since two flows may
    give different steps one id; `unit`: the number of the applicant's unit; `kind`: the seal sign (`official`)."""

    flow: str = ""
    step: str = ""
    due: str = ""
    whose: str = ""
    unit: str = ""
    kind: str = ""
    q: str = ""
    sort: str = ""

    @classmethod
    def of(cls, said: Mapping[str, str]) -> Self:
        """As an address says it; what makes no sense there is not asked for."""
        show = said.get("show", "")  # as addresses said it before filters combined
        given = {name: said.get(name, "") for name in FACETS}
        given["due"] = given["due"] or ("soon" if show == "soon" else "")
        given["whose"] = given["whose"] or ("free" if show == "free" else "")
        return cls(
            q=" ".join(said.get("q", "").replace("\0", " ").split())[:LONGEST_SEARCH],
            sort=said["sort"] if said.get("sort") in SORTS else "",
            **{name: value if _makes_sense(name, value) else "" for name, value in given.items()},
        )

    @property
    def address(self) -> dict[str, Any]:
        """The arguments of the address that asks for this."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name))}

    @property
    def narrows(self) -> bool:
        """Whether it may leave anything out."""
        return bool(set(self.address) - {"sort"})

    def but(self, **other: str) -> "Wanted":
        return replace(self, **other)

    def without(self, name: str) -> "Wanted":
        return replace(self, **{name: ""})


FACETS = ("flow", "step", "due", "whose", "unit", "kind")


def _makes_sense(name: str, value: str) -> bool:
    if name == "due":
        return value in DUE
    if name == "whose":
        return value in WHOSE
    if name == "unit":
        return bool(re.fullmatch("[1-9][0-9]{0,8}", value))
    return bool((_STEP if name == "step" else _NAME).fullmatch(value))


@dataclass(frozen=True)
class Place:
    """The last task of a page: the next page begins behind it. `at`: its due moment, or when it arrived."""

    at: datetime | None
    task_id: int

    def __str__(self) -> str:
        at = "none" if self.at is None else str((self.at - _EPOCH) // timedelta(microseconds=1))
        return f"{at}-{self.task_id}"

    @staticmethod
    def of(said: str) -> "Place | None":
        """None: from the beginning."""
        found = re.fullmatch(r"(none|[0-9]{1,17})-([0-9]{1,9})", said)
        if found is None:
            return None
        at = None if found[1] == "none" else _EPOCH + timedelta(microseconds=int(found[1]))
        return Place(at, int(found[2]))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Borders:
    """The moments that part late from today, today from tomorrow, and this week from the next: in the
    organisation's days, a week ending with its Sunday."""

    now: datetime
    today: datetime
    tomorrow: datetime
    week: datetime

    @staticmethod
    def of(local: datetime) -> "Borders":
        """`local`: now, in the organisation's zone."""
        midnight = datetime(local.year, local.month, local.day, tzinfo=local.tzinfo)
        days = (midnight + timedelta(days=n) for n in (1, 2, 7 - local.weekday()))
        today, tomorrow, week = (day.astimezone(UTC) for day in days)
        return Borders(local.astimezone(UTC), today, tomorrow, week)
