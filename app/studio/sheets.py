"""A rule table to be read: its columns and its rules, as texts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.bpmn.reading import Element, read
from app.refusal import Refusal


@dataclass(frozen=True)
class Sheet:
    file: str
    name: str
    policy: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rules: tuple[tuple[str, ...], ...]
    descriptions: tuple[str, ...]


def names(tables: Mapping[str, Any]) -> dict[str, str]:
    """What people call each file: its decisions' names; the file's own where it holds none that can be read."""
    found: dict[str, list[str]] = {file: [] for file in tables}
    for sheet in of_tables(tables):
        found[sheet.file].append(sheet.name)
    return {file: "、".join(said) or file for file, said in found.items()}


def of_tables(tables: Mapping[str, Any]) -> list[Sheet]:
    """Every decision table of every file; none of a file that cannot be read."""
    found: list[Sheet] = []
    for file, text in sorted(tables.items()):
        try:
            root = read(str(text).encode())
        except Refusal:
            continue
        for decision in root.iter("{*}decision"):
            found += [_sheet(file, decision, table) for table in decision.iter("{*}decisionTable")]
    return found


def _sheet(file: str, decision: Element, table: Element) -> Sheet:
    rules = list(table.iter("{*}rule"))
    return Sheet(
        file,
        str(decision.get("name") or decision.get("id") or file),
        str(table.get("hitPolicy") or "UNIQUE").upper(),
        tuple(_label(column) for column in table.iter("{*}input")),
        tuple(_label(column) for column in table.iter("{*}output")),
        tuple(
            tuple(_text(cell) or "-" for cell in (*rule.iter("{*}inputEntry"), *rule.iter("{*}outputEntry")))
            for rule in rules
        ),
        tuple(" ".join(str(e.text or "").strip() for e in rule.iter("{*}description")) for rule in rules),
    )


def _label(column: Element) -> str:
    return str(column.get("label") or column.get("name") or _text(column))


def _text(element: Element) -> str:
    return "".join(t.text or "" for t in element.iter("{*}text")).strip()
