"""FEEL, against handing the condition's text to Python's eval each time, as stock SpiffWorkflow does."""

from collections.abc import Iterator
from typing import Any

from app.bench.measure import Measure, compared
from app.bpmn import feel

DATA: dict[str, Any] = {
    "amount": 1200,
    "kind": "official",
    "form": {"level": 3, "note": "x" * 1000, "lines": list(range(50))},
    "votes": [{"ok": True}] * 9 + [{"ok": False}],
}

CASES = (
    ("feel.condition", 'amount > 1000 and kind = "official"', "amount > 1000 and kind == 'official'", 3.0),
    ("feel.path", "form.level >= 2", "form['level'] >= 2", 3.0),
    (
        "feel.votes",
        "count(votes[ok]) / count(votes) >= 2 / 3",
        "len([v for v in votes if v['ok']]) / len(votes) >= 2 / 3",
        None,
    ),
)


def measures() -> Iterator[Measure]:
    for name, ours, theirs, goal in CASES:
        yield _case(name, ours, theirs, goal)
    text = CASES[0][1]
    yield compared(
        "feel.cached_reading",
        lambda: feel.expression(text),
        lambda: feel.expression.__wrapped__(text),
        unit="readings/s",
        goal=20.0,
    )


def _case(name: str, ours: str, theirs: str, goal: float | None) -> Measure:
    read = feel.expression(ours)
    if read(DATA) != _evaluated(theirs):
        raise AssertionError(f"{name}: the two expressions disagree")
    return compared(name, lambda: read(DATA), lambda: _evaluated(theirs), unit="evaluations/s", goal=goal)


def _evaluated(text: str) -> Any:
    return eval(text, {"__builtins__": {"len": len}}, dict(DATA))  # noqa: S307 - the baseline; a literal of this file
