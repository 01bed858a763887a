"""Rows → groups with subtotals: by level of the organisation, by department (A28). Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Generic, TypeVar

from app.text import Text
from reports.table import Cell, Column, Table

R = TypeVar("R")
SUBTOTAL = Text("小计", "Subtotal")
TOTAL = Text("合计", "Total")


@dataclass(frozen=True, kw_only=True)
class Key(Generic[R]):
    """What rows are grouped by: `order` sorts the groups and tells them apart, `shown` is what people read."""

    column: Column
    order: Callable[[R], tuple[int | str, ...]]
    shown: Callable[[R], Cell]


@dataclass(frozen=True, kw_only=True)
class Sum(Generic[R]):
    """A figure that adds up over rows."""

    title: Text
    of: Callable[[R], int]


def grouped(title: Text, rows: Iterable[R], keys: Sequence[Key[R]], sums: Sequence[Sum[R]]) -> Table:
    """One row a group of the innermost key, a subtotal after each outer group, a total at the end.

    An outer group of one inner group has no subtotal: it would say the same twice.
    """
    ordered = sorted(rows, key=lambda row: tuple(key.order(row) for key in keys))
    made: list[tuple[tuple[Cell, ...], bool]] = list(_groups(ordered, keys, sums, ()))
    total = [TOTAL, *[None] * (len(keys) - 1)] if keys else []
    made.append(((*total, *_sums(ordered, sums)), True))
    return Table(
        title=title,
        columns=[
            *(key.column for key in keys),
            *(Column(title=s.title, kind="number", width=12) for s in sums),
        ],
        rows=[cells for cells, _strong in made],
        strong=frozenset(i for i, (_cells, strong) in enumerate(made) if strong),
    )


def _groups(
    rows: list[R], keys: Sequence[Key[R]], sums: Sequence[Sum[R]], above: tuple[Cell, ...]
) -> Iterator[tuple[tuple[Cell, ...], bool]]:
    if len(above) == len(keys):
        yield (*above, *_sums(rows, sums)), False
        return
    key = keys[len(above)]
    for _order, members in groupby(rows, key.order):
        group = list(members)
        here = (*above, key.shown(group[0]))
        inner = list(_groups(group, keys, sums, here))
        yield from inner
        missing = len(keys) - len(here)
        if missing and len(inner) > 1:
            yield (*here, SUBTOTAL, *[None] * (missing - 1), *_sums(group, sums)), True


def _sums(rows: list[R], sums: Sequence[Sum[R]]) -> tuple[int, ...]:
    return tuple(sum(one.of(row) for row in rows) for one in sums)
