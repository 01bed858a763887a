"""How a built-in function is declared and called. Pure.

    @builtin("substring(string: s, start position: n, length?: n)")
    def substring(meter, string, start, length=None): ...

The text before each colon is the parameter's name as the standard gives it (for named arguments); after it
stands its kind, a letter of KINDS. `?` may be left out; `*` takes all that follow, or one list of them.
One name may have several declarations: the first whose arguments fit is called; when none fits, the
result is null. Each call pays for its arguments' sizes, so no function needs to count what it reads once.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast

from app.bpmn.feel.error import Meter
from app.bpmn.feel.value import Function, Months, Range, items

KINDS: dict[str, tuple[type[Any], ...]] = {
    "s": (str,),
    "n": (Decimal,),
    "b": (bool,),
    "l": (list,),
    "c": (dict,),
    "date": (date,),
    "time": (time,),
    "moment": (datetime,),
    "on": (date, datetime),
    "days": (timedelta,),
    "months": (Months,),
    "range": (Range,),
    "point": (Decimal, str, date, time, datetime, timedelta, Months),
}
"""`any` and `function` besides: anything at all, null too; anything that can be called."""

LIBRARY: dict[str, "Builtin"] = {}
_PARAMETER = re.compile(r"([A-Za-z0-9 ]+)([?*]?): (\w+)")


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    optional: bool
    many: bool
    kind: str


@dataclass(frozen=True, slots=True)
class _Signature:
    parameters: tuple[_Parameter, ...]
    required: int
    run: Callable[..., Any]

    def fit(self, args: list[Any], names: tuple[str, ...]) -> list[Any] | None:
        """The arguments in order, each of its kind; None when they are not for this signature."""
        if names:
            placed = self._by_name(args, names)
            if placed is None:
                return None
            args = placed
        if self.parameters and self.parameters[-1].many:
            return self._spread(args)
        if not self.required <= len(args) <= len(self.parameters):
            return None
        return _fit_all(args, [p.kind for p in self.parameters], [p.optional for p in self.parameters])

    def _by_name(self, args: list[Any], names: tuple[str, ...]) -> list[Any] | None:
        given = dict(zip(names, args, strict=True))
        order = [p.name for p in self.parameters]
        if len(given) != len(names) or not set(given) <= set(order):
            return None
        last = max((order.index(name) for name in given), default=-1)
        if any(name not in given for name in order[: min(self.required, last + 1)]):
            return None
        return [given.get(name) for name in order[: last + 1]]

    def _spread(self, args: list[Any]) -> list[Any] | None:
        """`min(1, 2)` and `min([1, 2])` are one: the function gets the fixed arguments and a list."""
        fixed = len(self.parameters) - 1
        if len(args) <= fixed:
            return None
        head = _fit_all(args[:fixed], [p.kind for p in self.parameters[:fixed]], [False] * fixed)
        rest = args[fixed:]
        if len(rest) == 1 and type(rest[0]) is list and self.parameters[-1].kind == "one":
            rest = cast("list[Any]", rest[0])
        return None if head is None else [*head, rest]


def _fit_all(args: list[Any], kinds: list[str], optional: list[bool]) -> list[Any] | None:
    fitted: list[Any] = []
    for arg, kind, may_lack in zip(args, kinds, optional, strict=False):
        if arg is None and may_lack:
            fitted.append(None)
            continue
        fits, value = fit(arg, kind)
        if not fits:
            return None
        fitted.append(value)
    return fitted


def fit(value: Any, kind: str) -> tuple[bool, Any]:
    """Whether the value is of the kind, after the standard's implicit conversions: x ↔ [x]."""
    if kind == "any":
        return True, value
    if kind == "function":
        return isinstance(value, Function), value
    wanted = KINDS[kind]
    if type(value) in wanted:
        return True, value
    if kind == "l":
        return value is not None, items(value)
    if type(value) is list and len(cast("list[Any]", value)) == 1:
        only = cast("list[Any]", value)[0]
        return type(only) in wanted, only
    return False, None


class Builtin(Function):
    """One name of the library, with all its signatures."""

    __slots__ = ("signatures",)

    def __init__(self, name: str) -> None:
        super().__init__(name, 1)
        self.signatures: list[_Signature] = []

    def call(self, meter: Meter, args: list[Any], names: tuple[str, ...] = ()) -> Any:
        meter.spend(1 + sum(_size(arg) for arg in args))
        for signature in self.signatures:
            fitted = signature.fit(args, names)
            if fitted is not None:
                try:
                    return signature.run(meter, *fitted)
                except (ArithmeticError, OverflowError):
                    return None
        return None


def _size(value: Any) -> int:
    if type(value) is str:
        return len(value) // 100
    return len(cast("list[Any]", value)) if type(value) in (list, dict) else 0


def builtin(declaration: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    name, _, inside = declaration.partition("(")
    parameters = tuple(
        _Parameter(found[1], found[2] == "?", found[2] == "*", found[3])
        for found in (_PARAMETER.fullmatch(part) for part in inside.rstrip(")").split(", ") if part)
        if found
    )

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        found = LIBRARY.setdefault(name, Builtin(name))
        required = sum(not p.optional and not p.many for p in parameters)
        found.signatures.append(_Signature(parameters, required, function))
        found.arity = len(parameters)
        return function

    return declare
