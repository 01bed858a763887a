"""A table of 20 rules and 4 inputs, against its cells as Python, each handed to eval.

Stock SpiffWorkflow does so; its own engine made 361 decisions a second on such a table.
"""

from collections.abc import Iterator
from typing import Any

from app.bench.measure import Measure, compared
from app.bpmn import decision

RULES = 20
DATA: dict[str, Any] = {"kind": "official", "level": 19, "amount": 950, "urgent": False}


def measures() -> Iterator[Measure]:
    xml = _table()
    model = decision.parse(xml)
    cells = _python_cells()
    if model.decide("d", DATA).outputs != {"route": "r19"} or _first(cells) != "r19":
        raise AssertionError("the two tables disagree")
    yield compared(
        "decision.table_20x4",
        lambda: model.decide("d", DATA),
        lambda: _first(cells),
        unit="decisions/s",
        goal=10.0,
    )
    yield compared(
        "decision.cached_reading",
        lambda: decision.parse(xml),
        lambda: decision.Decisions(xml),
        unit="readings/s",
        goal=20.0,
    )


def _table() -> bytes:
    inputs = "".join(f"<input><inputExpression><text>{n}</text></inputExpression></input>" for n in DATA)
    rows = "".join(
        "<rule>"
        + "".join(f"<inputEntry><text>{cell}</text></inputEntry>" for cell in _feel_cells(i))
        + f'<outputEntry><text>"r{i}"</text></outputEntry></rule>'
        for i in range(RULES)
    )
    table = f'<decisionTable hitPolicy="FIRST">{inputs}<output name="route"/>{rows}</decisionTable>'
    head = '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="m" namespace="urn:bench">'
    return f'{head}<decision id="d" name="d">{table}</decision></definitions>'.encode()


def _feel_cells(i: int) -> tuple[str, str, str, str]:
    return ('"official","personal_name"', f"[{i}..{i + 1})", f"&lt; {50 * (i + 1)}", "not(true)")


def _python_cells() -> list[tuple[str, ...]]:
    return [
        (
            "kind in ('official', 'personal_name')",
            f"{i} <= level < {i + 1}",
            f"amount < {50 * (i + 1)}",
            "not urgent",
        )
        for i in range(RULES)
    ]


def _first(rows: list[tuple[str, ...]]) -> str:
    for index, cells in enumerate(rows):
        if all(eval(cell, {"__builtins__": {}}, dict(DATA)) for cell in cells):  # noqa: S307 - the baseline
            return f"r{index}"
    return ""
