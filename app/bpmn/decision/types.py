"""Declared types: item definitions, and bringing a value to the type it should have. Pure.

Source: DMN 1.5, clauses 7.3.3 and 10.3.2.9.4 (implicit conversions).
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from app.bpmn import feel
from app.bpmn.decision.elements import Element, attribute, child, children, text_of, type_ref, where
from app.bpmn.decision.trace import mistake
from app.bpmn.feel.kinds import KINDS
from app.bpmn.feel.moments import literal, midnight
from app.bpmn.feel.value import Function, Months

_MAX_ALIASES = 30
_TEMPORAL = frozenset({date, time, datetime, timedelta, Months})


class Mismatch(Exception):
    """The value is not of the type; says which type."""


@dataclass(slots=True)
class Type:
    """`kind`: a name of feel.kinds, "Any", "context" or "function". `allowed`: what else must hold of a value."""

    name: str
    kind: str = "Any"
    many: bool = False
    parts: dict[str, "Type"] = field(default_factory=lambda: {})
    allowed: feel.UnaryTests | None = None
    allowed_whole: feel.UnaryTests | None = None
    of: "Type | None" = None

    def fit(self, value: Any) -> Any:
        """The value, converted where the standard converts. Raises Mismatch. Null fits every type."""
        if value is None:
            return None
        if self.many:
            values = cast("list[Any]", value) if type(value) is list else [value]
            fitted = [self._one(item) for item in values]
            if self.allowed_whole is not None and not self.allowed_whole(fitted):
                raise Mismatch(self.name)
            return fitted
        return self._one(value)

    def _one(self, value: Any) -> Any:
        if value is None:
            return None
        fitted = self.of.fit(value) if self.of is not None else self._base(value)
        if self.allowed is not None and not self.allowed(fitted):
            raise Mismatch(self.name)
        return fitted

    def _base(self, value: Any) -> Any:
        if self.kind == "Any":
            return value
        if self.kind == "function":
            if isinstance(value, Function):
                return value
            raise Mismatch(self.name)
        wanted = KINDS[self.kind]
        if type(value) is list and wanted is not list and len(cast("list[Any]", value)) == 1:
            value = cast("list[Any]", value)[0]
        value = cast(Any, value)
        if type(value) is wanted:
            return self._context(value) if self.parts else value
        return _converted(value, wanted, self.name)

    def _context(self, value: dict[str, Any]) -> dict[str, Any]:
        fitted = dict(value)
        for name, part in self.parts.items():
            if name in value:
                fitted[name] = part.fit(value[name])
        return fitted


def _converted(value: Any, wanted: type[Any], name: str) -> Any:
    """JSON holds no moments: ISO text becomes one where one is declared. A date is midnight where both are."""
    if type(value) is str and wanted in _TEMPORAL:
        found = literal(value)
        if type(found) is wanted:
            return found
        if type(found) is date and wanted is datetime:
            return midnight(found)
    if type(value) is date and wanted is datetime:
        return midnight(value)
    raise Mismatch(name)


class Types:
    """All types of a model, by name."""

    def __init__(self, root: Element, names: frozenset[str]) -> None:
        self._names = names
        self._elements = {attribute(e, "name"): e for e in children(root, "itemDefinition")}
        self._made: dict[str, Type] = {}
        for name in self._elements:
            self._check_aliases(name)
        for name in self._elements:
            self.named(name)

    def of(self, element: Element | None) -> Type | None:
        """The type that an element refers to; None when it names none, or Any."""
        made = self.named(type_ref(element))
        return None if made is None or (made.kind == "Any" and made.of is None and not made.many) else made

    def named(self, reference: str) -> Type | None:
        if not reference:
            return None
        for name in (reference, reference.rpartition(":")[2], reference.rpartition(".")[2]):
            if name in self._made:
                return self._made[name]
            if name in self._elements:
                made = self._made[name] = Type(name)
                self._fill(made, self._elements[name])
                return made
            if name in KINDS:
                return Type(name, kind=name)
        return None

    def _fill(self, made: Type, element: Element) -> None:
        made.many = element.get("isCollection", "false") in ("true", "1")
        parts = list(children(element, "itemComponent"))
        if parts:
            made.kind = "context"
            for part in parts:
                inner = Type(attribute(part, "name"))
                self._fill(inner, part)
                made.parts[inner.name] = inner
        elif child(element, "functionItem") is not None:
            made.kind = "function"
        else:
            made.of = self.named(type_ref(element))
        made.allowed = self._tests(child(element, "allowedValues"))
        whole = self._tests(child(element, "typeConstraint"))
        if made.many:
            made.allowed_whole = whole
        elif whole is not None:
            made.allowed = whole

    def _tests(self, element: Element | None) -> feel.UnaryTests | None:
        return None if element is None else tests_in(element, self._names)

    def _check_aliases(self, name: str) -> None:
        """A type may not be a name for itself, however far around."""
        seen = name
        for _step in range(_MAX_ALIASES):
            element = self._elements.get(seen)
            if element is None or child(element, "itemComponent") is not None:
                return
            seen = type_ref(element)
            if seen not in self._elements:
                seen = seen.rpartition(":")[2]
        raise mistake(f"itemDefinition “{name}”", "类型定义循环引用自身", "the type is defined by itself")


def tests_in(element: Element, names: frozenset[str]) -> feel.UnaryTests | None:
    """The unary tests of an element's text, read; None when it has none. Raises DecisionError."""
    said = text_of(element)
    if not said:
        return None
    try:
        return feel.unary_tests(said, names)
    except feel.FeelError as error:
        raise mistake(where(element), f"“{said}” {error.text.zh}", f"“{said}” {error.text.en}") from error
