"""A table: what a report is before it is a page or a file. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from app.text import Text

Kind = Literal["text", "number", "moment", "date"]
Cell = str | int | float | datetime | Text | None
"""A Text is written in the reader's language; a datetime has its zone."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """`width`: in characters of a spreadsheet; a Chinese character takes two."""

    title: Text
    kind: Kind = "text"
    width: int = 16


@dataclass(frozen=True, kw_only=True)
class Table:
    """`rows`: one cell a column. `strong`: indexes of rows that sum up others."""

    title: Text
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    strong: frozenset[int] = field(default_factory=frozenset[int])

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title.en}: {len(row)} cells under {len(self.columns)} columns")
