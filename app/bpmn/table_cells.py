"""A condition of a rule table as plain data, and as the S-FEEL text that the standard stores. Pure.

What was written elsewhere and says more than these kinds can is `written`: shown, never changed, never lost.
Source: DMN 1.5, clause 9 (S-FEEL) and 8.2.8 (input entries).
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Value = str | Decimal | date | bool
Kind = Literal["any", "is", "not", "lt", "le", "gt", "ge", "between", "written"]

SIGNS: dict[str, str] = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_KINDS: dict[str, Kind] = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}

_LITERAL = r"\"(?:[^\"\\]|\\[\"\\nrt])*\"|-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|(?:date\s*\(\s*\"[0-9-]{10}\"\s*\))|@\"[0-9]{4}-[0-9]{2}-[0-9]{2}\"|true|false"
_ONE = re.compile(_LITERAL)
_LIST = re.compile(rf"(?:{_LITERAL})(?:\s*,\s*(?:{_LITERAL}))*")
_COMPARED = re.compile(rf"(<=|>=|<|>)\s*({_LITERAL})")
_RANGE = re.compile(rf"([\[\](])\s*({_LITERAL})\s*\.\.\s*({_LITERAL})\s*([\[\])])")
_NOT = re.compile(r"not\s*\((.*)\)", re.DOTALL)
_SAID = {"n": "\n", "r": "\r", "t": "\t"}
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True)
class Cell:
    """`is`, `not`: one or more values of one type; comparisons: one number or date; `between`: two, whose `ends`
    are in it (`[`, `]`) or not (`(`, `)`); `written`: any other `text`."""

    kind: Kind = "any"
    values: tuple[Value, ...] = ()
    ends: str = "[]"
    text: str = ""


ANY = Cell()


def cell(text: str) -> Cell:
    """What a cell's text says; `written` when it says more than the other kinds can."""
    said = text.strip()
    if said in ("", "-"):
        return ANY
    return _read(said) or Cell("written", text=said)


def _read(said: str) -> Cell | None:
    if found := _COMPARED.fullmatch(said):
        values = _values(found[2], ordered=True)
        return Cell(_KINDS[found[1]], values) if values else None
    if found := _RANGE.fullmatch(said):
        values = _values(f"{found[2]},{found[3]}", ordered=True)
        ends = ("[" if found[1] == "[" else "(") + ("]" if found[4] == "]" else ")")
        return Cell("between", values, ends) if values else None
    inner = _NOT.fullmatch(said)
    said = inner[1].strip() if inner else said
    values = _values(said) if _LIST.fullmatch(said) else ()
    return Cell("not" if inner else "is", values) if values else None


def _values(said: str, *, ordered: bool = False) -> tuple[Value, ...]:
    """The literals, or none: not of one type, no date of the calendar, without an order where one is asked for."""
    try:
        values = tuple(value(found[0]) for found in _ONE.finditer(said))
    except ValueError:
        return ()
    kinds = {type(v) for v in values}
    return values if len(kinds) == 1 and (not ordered or kinds <= {Decimal, date}) else ()


def value(literal: str) -> Value:
    """Raises ValueError: no literal of these kinds, or a day that is none."""
    said = literal.strip()
    if _ONE.fullmatch(said) is None:
        raise ValueError(said)
    if said in ("true", "false"):
        return said == "true"
    if said[0] == '"':
        return re.sub(r"\\(.)", lambda m: _SAID.get(m[1], m[1]), said[1:-1])
    if said[0] in "d@":
        return date.fromisoformat(said.split('"')[1])
    return Decimal(said)


def literal(value: Value) -> str:
    """As FEEL writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_ESCAPED.get(c, c) for c in value) + '"'
    if isinstance(value, date):
        return f'date("{value.isoformat()}")'
    return format(value, "f")


def text(cell: Cell) -> str:
    """The S-FEEL text that a cell is stored as."""
    said = [literal(v) for v in cell.values]
    match cell.kind:
        case "any":
            return "-"
        case "written":
            return cell.text
        case "is":
            return ",".join(said)
        case "not":
            return f"not({','.join(said)})"
        case "between":
            return f"{cell.ends[0]}{said[0]}..{said[1]}{cell.ends[1]}"
        case _:
            return f"{SIGNS[cell.kind]} {said[0]}"
