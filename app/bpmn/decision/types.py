"""Declared types: item definitions, and bringing a value to the type it should have. Pure.

Source: DMN 1.5, clauses 7.3.3 and 10.3.2.9.4 (implicit conversions).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from app.bpmn import feel
from app.bpmn.decision.elements import Element, attribute, child, children, text_of, type_ref, where
from app.bpmn.decision.error import DecisionError
from app.bpmn.decision.trace import misread, mistake
from app.bpmn.feel.kinds import ANY, KINDS
from app.bpmn.feel.moments import literal, midnight
from app.bpmn.feel.tree import TypeName
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
    gives: "Type | None" = None
    """What a function of this type gives."""

    @property
    def result(self) -> "Type":
        """What comes of a service or of business knowledge, whose variable names the type of its result or that
        of a function which gives it."""
        found = self
        while found.of is not None and not found.many:
            found = found.of
        return (found.gives or _ANYTHING) if found.kind == "function" else self

    @property
    def listed(self) -> str:
        """The values it allows, as its definition lists them; empty when it allows all."""
        found: Type | None = self
        while found is not None and found.allowed is None:
            found = found.of
        return found.allowed.text if found is not None and found.allowed is not None else ""

    def fit(self, value: Any, *, whole: bool = True) -> Any:
        """The value, converted where the standard converts. Raises Mismatch. Null fits every type.

        `whole`: a context lacks none of the type's parts; what comes from outside may.
        """
        if value is None:
            return None
        if self.many:
            values = cast("list[Any]", value) if type(value) is list else [value]
            fitted = [self._one(item, whole) for item in values]
            if self.allowed_whole is not None and not self.allowed_whole(fitted):
                raise Mismatch(self.name)
            return fitted
        return self._one(value, whole)

    def _one(self, value: Any, whole: bool) -> Any:
        if value is None:
            return None
        fitted = self.of.fit(value, whole=whole) if self.of is not None else self._base(value, whole)
        if self.allowed is not None and not self.allowed(fitted):
            raise Mismatch(self.name)
        return fitted

    def _base(self, value: Any, whole: bool) -> Any:
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
            return self._context(value, whole) if self.parts else value
        return _converted(value, wanted, self.name)

    def _context(self, value: dict[str, Any], whole: bool) -> dict[str, Any]:
        fitted = dict(value)
        for name, part in self.parts.items():
            if name in value:
                fitted[name] = part.fit(value[name], whole=whole)
            elif whole:
                raise Mismatch(f"{self.name}.{name}")
        return fitted


_ANYTHING = Type("Any")


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
    """All types of a model, by name. `declared`: the same for FEEL (`instance of`, typed parameters).

    `imported`: those of other models, by the name they are seen under; it may be empty. `forgiving`: a
    definition that cannot be read holds for everything instead.
    """

    def __init__(
        self,
        root: Element,
        names: frozenset[str],
        imported: Sequence[tuple[str, "Types"]] = (),
        *,
        forgiving: bool = False,
    ) -> None:
        self._names = names
        self._imported = imported
        self._forgiving = forgiving
        self._elements = {attribute(e, "name"): e for e in children(root, "itemDefinition")}
        self._made: dict[str, Type] = {}
        for name in list(self._elements):
            try:
                self._check_aliases(name)
            except DecisionError:
                if not forgiving:
                    raise
                del self._elements[name]
        for name in self._elements:
            self.named(name)
        self.declared: dict[str, TypeName] = {
            f"{alias}.{name}" if alias else name: of
            for alias, types in imported
            for name, of in types.declared.items()
        }
        for name, element in self._elements.items():
            self.declared[name] = self._said(element)

    def of(self, element: Element | None) -> Type | None:
        """The type that an element refers to; None when it names none, or Any."""
        made = self.named(type_ref(element))
        if made is not None and element is not None and _is_collection(element):  # DMN 1.1
            return Type(made.name, many=True, of=made)
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
        return self._named_elsewhere(reference)

    def _named_elsewhere(self, reference: str) -> Type | None:
        """`alias.name`, or as DMN 1.1 has it `prefix:name`, of a model that is imported."""
        for alias, types in self._imported:
            if alias and reference.startswith(f"{alias}."):
                found = types.named(reference[len(alias) + 1 :])
            else:
                found = types.named(reference) if not alias or ":" in reference else None
            if found is not None:
                return found
        return None

    def _fill(self, made: Type, element: Element) -> None:
        made.many = _is_collection(element)
        parts = list(children(element, "itemComponent"))
        if parts:
            made.kind = "context"
            for part in parts:
                inner = Type(attribute(part, "name"))
                self._fill(inner, part)
                made.parts[inner.name] = inner
        elif (function := child(element, "functionItem")) is not None:
            made.kind = "function"
            made.gives = self.named(attribute(function, "outputTypeRef"))
        else:
            made.of = self.named(type_ref(element))
        made.allowed = self._tests(child(element, "allowedValues"))
        whole = self._tests(child(element, "typeConstraint"))
        if made.many:
            made.allowed_whole = whole
        elif whole is not None:
            made.allowed = whole

    def _tests(self, element: Element | None) -> feel.UnaryTests | None:
        try:
            return None if element is None else tests_in(element, self._names)
        except DecisionError:
            if self._forgiving:
                return None
            raise

    def _said(self, element: Element) -> TypeName:
        """A definition as FEEL would write it; what it refers to stays a name."""
        parts = list(children(element, "itemComponent"))
        function = child(element, "functionItem")
        if parts:
            names = tuple(attribute(part, "name") for part in parts)
            of = TypeName("context", tuple(self._said(part) for part in parts), names)
        elif function is not None:
            takes = (self._reference(type_ref(p)) for p in children(function, "parameters"))
            of = TypeName("function", (*takes, self._reference(attribute(function, "outputTypeRef"))))
        else:
            of = self._reference(type_ref(element))
        return TypeName("list", (of,)) if _is_collection(element) else of

    def _reference(self, reference: str) -> TypeName:
        if not reference:
            return ANY
        bare = reference.rpartition(":")[2]
        known = reference in self._elements or reference in KINDS
        return TypeName(reference if known else bare)

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


def _is_collection(element: Element) -> bool:
    return element.get("isCollection", "false") in ("true", "1")


def tests_in(element: Element, names: frozenset[str]) -> feel.UnaryTests | None:
    """The unary tests of an element's text, read; None when it has none. Raises DecisionError."""
    said = text_of(element)
    if not said:
        return None
    try:
        return feel.unary_tests(said, names)
    except feel.FeelError as error:
        raise misread(where(element), said, error) from error
