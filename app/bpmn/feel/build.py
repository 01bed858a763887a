"""Tree → closures, once; then an evaluation only calls them. Pure."""

from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import Any, cast

from app.bpmn.feel import (  # the library fills itself when imported
    library_context,  # noqa: F401  # pyright: ignore[reportUnusedImport]
    library_list,
    library_moment,  # noqa: F401  # pyright: ignore[reportUnusedImport]
    library_number,  # noqa: F401  # pyright: ignore[reportUnusedImport]
    library_other,  # noqa: F401  # pyright: ignore[reportUnusedImport]
    library_range,  # noqa: F401  # pyright: ignore[reportUnusedImport]
    library_text,  # noqa: F401  # pyright: ignore[reportUnusedImport]
)
from app.bpmn.feel.arithmetic import compute, negative
from app.bpmn.feel.builtin import LIBRARY
from app.bpmn.feel.error import FeelError, Meter
from app.bpmn.feel.kinds import ANY, fitted, is_instance, said_by
from app.bpmn.feel.relations import PLAIN, against, compared, matches, member, one_of, within_range
from app.bpmn.feel.scope import Run, RunTest, Scope, called
from app.bpmn.feel.tree import (
    Arithmetic,
    Between,
    Call,
    Compare,
    Constant,
    ContextOf,
    Filter,
    FunctionOf,
    If,
    In,
    InstanceOf,
    Iterate,
    ListOf,
    Logic,
    Name,
    Negative,
    Node,
    Path,
    RangeOf,
    Test,
    Tests,
    TypeName,
)
from app.bpmn.feel.value import Function, Range, compare, from_python
from app.bpmn.feel.walking import NotIterable, can_be_walked, each_item, filtered
from app.text import Text

MAX_TREE = 120
"""Levels of a tree: what one evaluation may put on Python's stack."""


class _UserFunction(Function):
    __slots__ = ("body", "params", "scope", "types")

    def __init__(self, node: FunctionOf, body: Run, scope: Scope) -> None:
        takes = tuple(kind or ANY for kind in node.types)
        super().__init__("function", len(node.params), takes, said_by(node.body))
        self.params = node.params
        self.types = node.types
        self.body = body
        self.scope = scope

    def call(self, meter: Meter, args: list[Any], names: tuple[str, ...] = ()) -> Any:
        if names:
            given = dict(zip(names, args, strict=True))
            if set(given) != set(self.params):
                return None
            args = [given[name] for name in self.params]
        if len(args) != len(self.params):
            return None
        bound = {
            name: arg if kind is None else fitted(arg, kind, meter.declared)
            for name, arg, kind in zip(self.params, args, self.types, strict=True)
        }
        return called(meter, self.body, self.scope.child(bound))


class Builder:
    """Compiles one tree."""

    def __init__(self) -> None:
        self.depth = 0

    def run(self, node: Node) -> Run:
        self.depth += 1
        if self.depth > MAX_TREE:
            raise FeelError(
                node.at,
                Text(
                    f"表达式过于复杂：最多 {MAX_TREE} 层，请拆开",
                    f"The expression is too complex: at most {MAX_TREE} levels; split it",
                ),
            )
        built = _BUILDERS[type(node)](self, node)
        self.depth -= 1
        return built

    # -- cells ------------------------------------------------------------------------------------------

    def tests(self, node: Tests) -> RunTest:
        """Any of the tests; or, negated, none of them. A null among the answers is no match."""
        if not node.tests:
            return lambda _value, _scope: True
        listed = tuple(test.value for test in node.tests if isinstance(test, Constant))
        if len(listed) == len(node.tests) and all(type(value) in PLAIN for value in listed):
            tests = [one_of(listed)]
        else:
            tests = [self.test(test) for test in node.tests]
        if node.negated:
            return lambda value, scope: all(test(value, scope) is False for test in tests)
        if len(tests) == 1:
            return tests[0]
        return lambda value, scope: any(test(value, scope) is True for test in tests)

    def test(self, node: Node) -> RunTest:
        if isinstance(node, Test):
            return self._operator_test(node)
        if isinstance(node, Constant) and type(node.value) in PLAIN:
            return one_of((node.value,))
        if isinstance(node, RangeOf) and isinstance(node.low, Constant) and isinstance(node.high, Constant):
            fixed = _range(node.low.value, node.high.value, node.low_closed, node.high_closed)
            if fixed is not None and type(fixed.low) in PLAIN:
                return within_range(fixed)
        run = self.run(node)
        asks = any(isinstance(inner, Name) and inner.name == "?" for inner in walk(node))
        answers = isinstance(node, (Compare, Logic, Between, In, InstanceOf)) or (
            isinstance(node, Iterate) and node.kind != "for"
        )

        def test(value: Any, scope: Scope) -> bool | None:
            found = run(scope.child({"?": value}) if asks else scope)
            if asks and type(found) is bool:
                return found
            return matches(found, value, scope, answers)

        return test

    def _operator_test(self, node: Test) -> RunTest:
        run, op = self.run(node.to), node.op
        if isinstance(node.to, Constant) and type(node.to.value) in PLAIN:
            return against(op, node.to.value)
        if any(isinstance(inner, Name) and inner.name == "?" for inner in walk(node.to)):
            return lambda value, scope: compared(op, value, run(scope.child({"?": value})), scope.meter)
        return lambda value, scope: compared(op, value, run(scope), scope.meter)

    # -- expressions ------------------------------------------------------------------------------------

    def constant(self, node: Constant) -> Run:
        value = node.value
        return lambda _scope: value

    def name(self, node: Name) -> Run:
        name = node.name

        def run(scope: Scope) -> Any:
            names = scope.names
            return names[name] if name in names else scope.find(name)

        return run

    def path(self, node: Path) -> Run:
        name = node.name
        of = self.run(node.of)
        if not isinstance(node.of, Name):
            return lambda scope: member(of(scope), name, scope.meter)
        root = node.of.name

        def run(scope: Scope) -> Any:
            raw = scope.raw_of_root(root)
            if raw is not None:
                return from_python(raw.get(name))
            return member(of(scope), name, scope.meter)

        return run

    def filter(self, node: Filter) -> Run:
        of, by = self.run(node.of), self.run(node.by)

        def run(scope: Scope) -> Any:
            values = of(scope)
            if type(values) is not list:
                values = [] if values is None else [values]
            return filtered(cast("list[Any]", values), by, scope)

        return run

    def call(self, node: Call) -> Run:
        args = [self.run(arg) for arg in node.args]
        names = node.names
        if isinstance(node.of, Name) and node.of.name in ("now", "today") and not args:
            return _now if node.of.name == "now" else lambda scope: _now(scope).date()
        of = self.run(node.of)
        # data called `count` must not hide the function `count`
        builtin = LIBRARY.get(node.of.name) if isinstance(node.of, Name) else None

        def run(scope: Scope) -> Any:
            function = of(scope)
            if not isinstance(function, Function):
                function = builtin
            if function is None:
                return None
            return function.call(scope.meter, [arg(scope) for arg in args], names)

        return run

    def negative(self, node: Negative) -> Run:
        of = self.run(node.of)
        return lambda scope: negative(of(scope))

    def arithmetic(self, node: Arithmetic) -> Run:
        op, left, right = node.op, self.run(node.left), self.run(node.right)
        return lambda scope: compute(op, left(scope), right(scope), scope.meter)

    def compare(self, node: Compare) -> Run:
        op, left, right = node.op, self.run(node.left), self.run(node.right)
        if isinstance(node.right, Constant) and type(node.right.value) in PLAIN:
            fast = against(op, node.right.value)
            return lambda scope: fast(left(scope), scope)
        return lambda scope: compared(op, left(scope), right(scope), scope.meter)

    def logic(self, node: Logic) -> Run:
        terms = [self.run(term) for term in node.terms]
        decisive = node.op == "or"

        def run(scope: Scope) -> bool | None:
            unknown = False
            for term in terms:
                value = term(scope)
                if value is decisive:
                    return decisive
                if type(value) is not bool:
                    unknown = True
            return None if unknown else not decisive

        return run

    def between(self, node: Between) -> Run:
        of, low, high = self.run(node.of), self.run(node.low), self.run(node.high)

        def run(scope: Scope) -> bool | None:
            value = of(scope)
            above, below = compare(value, low(scope)), compare(value, high(scope))
            if (above is not None and above < 0) or (below is not None and below > 0):
                return False
            return None if above is None or below is None else True

        return run

    def contained(self, node: In) -> Run:
        of = self.run(node.of)
        tests = [self.test(test) for test in node.tests]

        def run(scope: Scope) -> bool | None:
            value = of(scope)
            answers = [test(value, scope) for test in tests]
            return True if True in answers else False if False in answers else None

        return run

    def instance_of(self, node: InstanceOf) -> Run:
        of, kind = self.run(node.of), node.type
        return lambda scope: is_instance(of(scope), kind, scope.meter.declared)

    def range(self, node: RangeOf) -> Run:
        low = self.run(node.low) if node.low is not None else None
        high = self.run(node.high) if node.high is not None else None
        low_closed, high_closed = node.low_closed, node.high_closed
        if isinstance(node.low, Constant) and isinstance(node.high, Constant):
            fixed = _range(node.low.value, node.high.value, low_closed, high_closed)
            return lambda _scope: fixed

        def run(scope: Scope) -> Range | None:
            start = low(scope) if low is not None else None
            end = high(scope) if high is not None else None
            if (low is not None and start is None) or (high is not None and end is None):
                return None
            return _range(start, end, low_closed, high_closed)

        return run

    def list(self, node: ListOf) -> Run:
        items = [self.run(item) for item in node.items]

        def run(scope: Scope) -> list[Any]:
            scope.meter.spend(1 + len(items))
            return [item(scope) for item in items]

        return run

    def context(self, node: ContextOf) -> Run:
        entries = [(name, self.run(value)) for name, value in zip(node.names, node.values, strict=True)]

        def run(scope: Scope) -> dict[str, Any]:
            scope.meter.spend(1 + len(entries))
            made: dict[str, Any] = {}
            inside = scope.child(made)
            for name, value in entries:
                made[name] = value(inside)
            return made

        return run

    def condition(self, node: If) -> Run:
        condition, then, otherwise = self.run(node.condition), self.run(node.then), self.run(node.otherwise)
        return lambda scope: then(scope) if condition(scope) is True else otherwise(scope)

    def iterate(self, node: Iterate) -> Run:
        sources = [self._source(source) for source in node.sources]
        names, body = node.names, self.run(node.body)
        if node.kind == "for":
            return lambda scope: _collected(names, sources, body, scope)
        decisive = node.kind == "some"

        def run(scope: Scope) -> bool | None:
            unknown = False
            try:
                for inside in _each(names, sources, scope):
                    value = body(inside)
                    if value is decisive:
                        return decisive
                    unknown = unknown or type(value) is not bool
            except NotIterable:
                return None
            return None if unknown else not decisive

        return run

    def _source(self, node: Node) -> Run:
        """What one iterates over; `5..1` counts down here, though it is no range elsewhere."""
        if not isinstance(node, RangeOf) or node.low is None or node.high is None:
            return self.run(node)
        low, high = self.run(node.low), self.run(node.high)
        return lambda scope: Range(low(scope), high(scope), node.low_closed, node.high_closed)

    def function(self, node: FunctionOf) -> Run:
        body = self.run(node.body)
        return lambda scope: _UserFunction(node, body, scope)


_BUILDERS: dict[type[Node], Callable[[Builder, Any], Run]] = {
    Constant: Builder.constant,
    Name: Builder.name,
    Path: Builder.path,
    Filter: Builder.filter,
    Call: Builder.call,
    Negative: Builder.negative,
    Arithmetic: Builder.arithmetic,
    Compare: Builder.compare,
    Logic: Builder.logic,
    Between: Builder.between,
    In: Builder.contained,
    InstanceOf: Builder.instance_of,
    RangeOf: Builder.range,
    ListOf: Builder.list,
    ContextOf: Builder.context,
    If: Builder.condition,
    Iterate: Builder.iterate,
    FunctionOf: Builder.function,
}


def _now(scope: Scope) -> datetime:
    return scope.now or datetime.now(UTC)


def _range(low: Any, high: Any, low_closed: bool, high_closed: bool) -> Range | None:
    if low is not None and high is not None:
        order = compare(low, high)
        if order is None or order > 0:
            return None
    return Range(low, high, low_closed, high_closed)


def _each(names: tuple[str, ...], sources: list[Run], scope: Scope) -> Generator[Scope]:
    """A scope for every combination; later sources see earlier variables."""
    if not sources:
        yield scope
        return
    source = sources[0](scope)
    if not can_be_walked(source):
        raise NotIterable
    for value in each_item(source, scope.meter):
        yield from _each(names[1:], sources[1:], scope.child({names[0]: value}))


def _collected(names: tuple[str, ...], sources: list[Run], body: Run, scope: Scope) -> list[Any] | None:
    made: list[Any] = []
    try:
        for inside in _each(names, sources, scope.child({"partial": made})):
            made.append(body(inside))
            if len(made) % 1000 == 0:
                library_list.check_items(len(made), Meter())
    except NotIterable:
        return None
    return made


def walk(node: Any) -> Generator[Node]:
    """The node and every node inside it."""
    waiting: list[Any] = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, tuple):
            waiting.extend(cast("tuple[Any, ...]", current))
        elif isinstance(current, Node):
            yield current
            waiting.extend(getattr(current, name) for name in _fields(type(current)))


def _fields(kind: type[Node]) -> tuple[str, ...]:
    return tuple(name for name in kind.__dataclass_fields__ if name != "at")


def free_names(node: Node) -> frozenset[str]:
    """The names that must come from outside: neither bound inside nor of the library."""
    bound: set[str] = {"?", "item", "partial"}
    used: set[str] = set()
    for inner in walk(node):
        if isinstance(inner, Name):
            used.add(inner.name)
        elif isinstance(inner, Iterate):
            bound.update(inner.names)
        elif isinstance(inner, FunctionOf):
            bound.update(inner.params)
        elif isinstance(inner, ContextOf):
            bound.update(inner.names)
    return frozenset(used - bound - set(LIBRARY) - {"now", "today"})


__all__ = ["Builder", "Run", "RunTest", "Scope", "TypeName", "free_names", "walk"]
