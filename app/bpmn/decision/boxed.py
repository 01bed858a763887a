"""Boxed expressions: from XML to closures. Pure. Source: DMN 1.5, clauses 7.3 and 10.2."""

from collections.abc import Callable
from typing import Any, cast

from app.bpmn import feel
from app.bpmn.decision.elements import (
    Element,
    attribute,
    child,
    children,
    expression_in,
    local,
    text_of,
    type_ref,
    where,
)
from app.bpmn.decision.table import Table
from app.bpmn.decision.trace import misread, mistake
from app.bpmn.decision.types import Mismatch, Type, Types
from app.bpmn.feel.error import Meter
from app.bpmn.feel.kinds import ANY
from app.bpmn.feel.scope import Run, Scope, called
from app.bpmn.feel.tree import TypeName
from app.bpmn.feel.value import Function
from app.bpmn.feel.walking import can_be_walked, each_item, filtered


class Knowledge(Function):
    """A function of the model: business knowledge, a decision service, a boxed function."""

    __slots__ = ("body", "params", "result", "scope", "shown")

    def __init__(
        self,
        name: str,
        params: list[tuple[str, Type | None]],
        body: Run,
        scope: Scope,
        result: Type | None = None,
    ) -> None:
        super().__init__(
            name,
            len(params),
            tuple(_type_name(kind) for _, kind in params),
            _type_name(result) if result else None,
        )
        self.params = params
        self.body = body
        self.scope = scope
        self.result = result
        self.shown: Type | None = None
        """What the variable that holds it says of its results."""

    def call(self, meter: Meter, args: list[Any], names: tuple[str, ...] = ()) -> Any:
        known = [name for name, _ in self.params]
        if names:
            given = dict(zip(names, args, strict=True))
            if not set(given) <= set(known):
                return None
            args = [given.get(name) for name in known]
        if len(args) != len(known):
            return None
        bound = {name: _fitted(kind, arg) for (name, kind), arg in zip(self.params, args, strict=True)}
        answer = _fitted(self.result, called(meter, self.body, self.scope.child(bound)))
        return _fitted(self.shown, answer)


def _fitted(kind: Type | None, value: Any) -> Any:
    """The value in the type it should have; null when it does not fit. A function stays one: what holds it may
    name the type of its results."""
    try:
        return value if kind is None or isinstance(value, Function) else kind.fit(value)
    except Mismatch:
        return None


def _type_name(kind: Type | None) -> TypeName:
    return ANY if kind is None else TypeName(kind.name)


class Boxes:
    """Compiles the boxed expressions of one model."""

    def __init__(self, types: Types, names: frozenset[str]) -> None:
        self.types = types
        self.names = names

    def text(self, said: str, at: str) -> Run:
        """FEEL as a closure. Raises DecisionError that says where the text stands."""
        try:
            return feel.expression(said, self.names).run
        except feel.FeelError as error:
            raise misread(at, said, error) from error

    def box(self, element: Element, name: str) -> Run:
        """The closure of an expression element. Raises DecisionError for what we do not run."""
        run = _BOXES[local(element)](self, element, name)
        kind = self.types.of(element)
        return _typed(run, kind) if kind is not None and local(element) != "functionDefinition" else run

    def inside(self, element: Element, name: str) -> Run:
        found = expression_in(element)
        if found is None:
            raise mistake(where(element), "缺少表达式", "an expression is missing")
        return self.box(found, name)

    def literal(self, element: Element, name: str) -> Run:
        if child(element, "importedValues") is not None:
            raise mistake(where(element), "不读取外部数据", "imported values are not read")
        return self.text(text_of(element) or "null", name)

    def table(self, element: Element, name: str) -> Run:
        return Table(element, name, self.text, self.types, self.names).run

    def context(self, element: Element, name: str) -> Run:
        entries: list[tuple[str, Run]] = []
        for entry in children(element, "contextEntry"):
            variable = child(entry, "variable")
            label = attribute(variable, "name")
            run = self.inside(entry, label or name)
            kind = self.types.of(variable)
            entries.append((label, _typed(run, kind) if kind is not None else run))

        def run_all(scope: Scope) -> Any:
            scope.meter.spend(1 + len(entries))
            made: dict[str, Any] = {}
            within = scope.child(made)
            for label, run in entries:
                if not label:  # an entry without a name is the result
                    return run(within)
                made[label] = run(within)
            return made

        return run_all

    def invocation(self, element: Element, name: str) -> Run:
        function = self.inside(element, name)
        bindings = [
            (attribute(child(found, "parameter"), "name"), self.inside(found, name))
            for found in children(element, "binding")
        ]
        names = tuple(label for label, _ in bindings)

        def run(scope: Scope) -> Any:
            found = function(scope)
            if not isinstance(found, Function):
                return None
            return found.call(scope.meter, [bound(scope) for _, bound in bindings], names)

        return run

    def list(self, element: Element, name: str) -> Run:
        items = [self.box(found, name) for found in children(element) if local(found) in _BOXES]

        def run(scope: Scope) -> list[Any]:
            scope.meter.spend(1 + len(items))
            return [item(scope) for item in items]

        return run

    def relation(self, element: Element, name: str) -> Run:
        columns = [attribute(found, "name") for found in children(element, "column")]
        rows = [
            [self.box(cell, name) for cell in children(row) if local(cell) in _BOXES]
            for row in children(element, "row")
        ]
        if any(len(row) != len(columns) for row in rows):
            raise mistake(where(element), "行的格数与列数不符", "a row has more or fewer cells than columns")

        def run(scope: Scope) -> list[Any]:
            scope.meter.spend(1 + len(rows) * len(columns))
            return [{c: cell(scope) for c, cell in zip(columns, row, strict=True)} for row in rows]

        return run

    def function(self, element: Element, name: str) -> Run:
        if attribute(element, "kind") not in ("", "FEEL"):
            raise mistake(
                where(element),
                "不允许外部函数（Java、PMML）",
                "external functions (Java, PMML) are not allowed",
            )
        params = [
            (attribute(found, "name"), self.types.of(found)) for found in children(element, "formalParameter")
        ]
        body = self.inside(element, name)
        result = self.types.named(type_ref(expression_in(element)))
        return lambda scope: Knowledge(name, params, body, scope, result)

    def conditional(self, element: Element, name: str) -> Run:
        condition, then, otherwise = (self._part(element, part, name) for part in ("if", "then", "else"))
        return lambda scope: then(scope) if condition(scope) is True else otherwise(scope)

    def _part(self, element: Element, part: str, name: str) -> Run:
        found = child(element, part)
        if found is None:
            raise mistake(where(element), f"缺少 {part}", f"'{part}' is missing")
        return self.inside(found, name)

    def iterator(self, element: Element, name: str) -> Run:
        kind, variable = local(element), attribute(element, "iteratorVariable")
        source = self._part(element, "in", name)
        body = self._part(element, "return" if kind == "for" else "satisfies", name)

        def run(scope: Scope) -> Any:
            made: list[Any] = []
            values = source(scope)
            if not can_be_walked(values):
                return None
            scope = scope.child({"partial": made})
            for value in each_item(values, scope.meter):
                made.append(body(scope.child({variable: value})))
            if kind == "for":
                return made
            decisive = kind == "some"
            if any(value is decisive for value in made):
                return decisive
            return None if any(type(value) is not bool for value in made) else not decisive

        return run

    def filter(self, element: Element, name: str) -> Run:
        source, match = self._part(element, "in", name), self._part(element, "match", name)

        def run(scope: Scope) -> Any:
            values = source(scope)
            if type(values) is not list:
                values = [] if values is None else [values]
            return filtered(cast("list[Any]", values), match, scope)

        return run


def _typed(run: Run, kind: Type) -> Run:
    return lambda scope: _fitted(kind, run(scope))


_BOXES: dict[str, Callable[[Boxes, Element, str], Run]] = {
    "literalExpression": Boxes.literal,
    "decisionTable": Boxes.table,
    "context": Boxes.context,
    "invocation": Boxes.invocation,
    "list": Boxes.list,
    "relation": Boxes.relation,
    "functionDefinition": Boxes.function,
    "conditional": Boxes.conditional,
    "for": Boxes.iterator,
    "every": Boxes.iterator,
    "some": Boxes.iterator,
    "filter": Boxes.filter,
}
