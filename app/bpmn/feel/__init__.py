"""FEEL, parsed once to closures. Pure.

    feel.expression("amount > 1000 and kind = \\"official\\"")(data)  -> True, False or None (null)
    feel.unary_tests("[1..20], > 100")(15, data)                     -> True

Nothing is ever handed to Python's own evaluator. A text that cannot be read, or an evaluation that goes too
far, raises FeelError; everything else that has no meaning is null, as the standard says (DMN 1.5, clause 10).
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from app.bpmn.feel.build import Builder, free_names
from app.bpmn.feel.builtin import LIBRARY
from app.bpmn.feel.error import FeelError, Meter
from app.bpmn.feel.parse import Names, Parser
from app.bpmn.feel.scope import Run, RunTest, Scope
from app.bpmn.feel.value import Function, Months, Range, dumps, from_python, same, to_json
from app.text import Text

_BUILT_IN_NAMES = Names(
    (*LIBRARY, "time offset", "start included", "end included", "grouping separator", "decimal separator")
)
_CACHED = 8192

NOTHING: Mapping[str, Any] = {}


class Expression:
    """An expression, read. `names`: what it asks of the data it is called with."""

    __slots__ = ("names", "run", "text")

    def __init__(self, text: str, run: Run, names: frozenset[str]) -> None:
        self.text = text
        self.run = run
        self.names = names

    def __call__(self, context: Mapping[str, Any] = NOTHING, *, now: datetime | None = None) -> Any:
        """The value, in FEEL's own kinds (numbers are Decimal; `to_json` makes them plain)."""
        try:
            return self.run(scope(context, now=now))
        except RecursionError:
            raise _too_deep() from None


class UnaryTests:
    """The tests of a cell, read."""

    __slots__ = ("names", "run", "text")

    def __init__(self, text: str, run: RunTest, names: frozenset[str]) -> None:
        self.text = text
        self.run = run
        self.names = names

    def __call__(
        self, value: Any, context: Mapping[str, Any] = NOTHING, *, now: datetime | None = None
    ) -> bool:
        try:
            return self.run(from_python(value), scope(context, now=now)) is True
        except RecursionError:
            raise _too_deep() from None


def scope(context: Mapping[str, Any], *, now: datetime | None = None) -> Scope:
    """A fresh evaluation over this data. `now`: what `now()` and `today()` say; the clock when None."""
    return Scope({}, None, Meter(), now, context)


@lru_cache(maxsize=_CACHED)
def expression(text: str, names: frozenset[str] = frozenset()) -> Expression:
    """Read an expression. `names`: declared names with spaces or signs in them. Raises FeelError."""
    try:
        node = Parser(text, _names(names)).whole_expression()
        return Expression(text, Builder().run(node), free_names(node))
    except RecursionError:
        raise _too_deep() from None


@lru_cache(maxsize=_CACHED)
def unary_tests(text: str, names: frozenset[str] = frozenset()) -> UnaryTests:
    """Read the tests of a cell: `-`, `"a","b"`, `[1..5)`, `< 10`, `not(5)`, `? > limit`. Raises FeelError."""
    try:
        node = Parser(text, _names(names)).whole_tests()
        return UnaryTests(text, Builder().tests(node), free_names(node))
    except RecursionError:
        raise _too_deep() from None


@lru_cache(maxsize=256)
def _declared(names: frozenset[str]) -> Names:
    known = _BUILT_IN_NAMES.copy()
    for name in names:
        known.declare(name)
    return known


def _names(names: frozenset[str]) -> Names:
    return _declared(names).copy()  # reading an expression declares its own names too


def _too_deep() -> FeelError:
    return FeelError(0, Text("表达式嵌套过深", "The expression is nested too deeply"))


__all__ = [
    "Expression",
    "FeelError",
    "Function",
    "Meter",
    "Months",
    "Range",
    "Scope",
    "UnaryTests",
    "dumps",
    "expression",
    "from_python",
    "same",
    "scope",
    "to_json",
    "unary_tests",
]
