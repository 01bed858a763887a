"""Where a decision table answers nothing, or more than its hit policy allows. Pure.

Each column is parted by the values its cells speak of: those values, one between each two of them, one beyond either
end, and for texts one that none names. Whatever the cells say, they say of such a value what they say of all others in
the same part, so trying every combination tries everything. A table whose cells ask for other data, or call functions,
or that has more combinations than can be tried, is not looked into.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from itertools import pairwise, product
from math import prod
from typing import Any, Literal

from app.bpmn import feel
from app.bpmn.decision.elements import Element, attribute, child, children, read_model, text_of
from app.bpmn.feel.build import walk
from app.bpmn.feel.parse import Names, Parser
from app.bpmn.feel.tree import Call, Constant, Name, Negative
from app.text import Text

MOST_TRIED = 40_000
MOST_TOLD = 20
SINGLE = ("UNIQUE", "ANY")
ELSE = "\0else"


@dataclass(frozen=True)
class Flaw:
    """`kind`: nothing answers (`gap`), or the rules with these numbers (from 1) answer at once. `sure`: False for a
    gap that only exists between two neighbouring whole numbers, or for a text that no cell names."""

    kind: Literal["gap", "overlap"]
    decision: str
    table: str
    where: Text
    rules: tuple[int, ...] = ()
    sure: bool = True


@dataclass(frozen=True)
class _Part:
    """One value that stands for all of its part, and how that part is called."""

    value: Any
    words: Text
    sure: bool = True


@dataclass(frozen=True)
class _Column:
    label: str
    parts: tuple[_Part, ...]
    masks: tuple[int, ...]
    """For each part: the rules that it fits, as bits."""


class _TooMuch(Exception):
    """The column cannot be parted."""


def flaws(xml: bytes) -> list[Flaw]:
    """Of every table of a file that has been read without a mistake."""
    return [flaw for decision in children(read_model(xml), "decision") for flaw in _of_decision(decision)]


def _of_decision(decision: Element) -> Iterator[Flaw]:
    for table in children(decision, "decisionTable"):
        policy = attribute(table, "hitPolicy").upper() or "UNIQUE"
        rules, inputs = list(children(table, "rule")), list(children(table, "input"))
        defaults = any(text_of(child(o, "defaultOutputEntry")) for o in children(table, "output"))
        gaps = not defaults and not (policy in ("RULE ORDER", "OUTPUT ORDER") or policy == "COLLECT")
        try:
            columns = [_column(column, position, rules) for position, column in enumerate(inputs)]
        except (_TooMuch, feel.FeelError, RecursionError, IndexError):
            return
        if prod(len(column.parts) for column in columns) > MOST_TRIED:
            return
        name = attribute(decision, "name") or attribute(decision, "id")
        yield from _tried(columns, rules, policy, gaps, attribute(decision, "id"), name)


def _tried(
    columns: Sequence[_Column], rules: Sequence[Element], policy: str, gaps: bool, ident: str, name: str
) -> Iterator[Flaw]:
    everything, seen, told = (1 << len(rules)) - 1, set[tuple[int, ...]](), 0
    for combination in product(*(range(len(column.parts)) for column in columns)):
        fits = reduce(
            lambda mask, at: mask & at[0].masks[at[1]], zip(columns, combination, strict=True), everything
        )
        many = fits & (fits - 1)
        if (fits and not (many and policy in SINGLE)) or (not fits and not gaps):
            continue
        numbers = tuple(n + 1 for n in range(len(rules)) if fits >> n & 1)
        if numbers and (numbers in seen or (policy == "ANY" and _say_the_same(rules, numbers))):
            continue
        seen.add(numbers) if numbers else None
        parts = [column.parts[at] for column, at in zip(columns, combination, strict=True)]
        yield Flaw(
            "overlap" if numbers else "gap",
            ident,
            name,
            _words(columns, parts),
            numbers,
            sure=bool(numbers) or all(part.sure for part in parts),
        )
        told += 1
        if told >= MOST_TOLD:
            return


def _say_the_same(rules: Sequence[Element], numbers: Sequence[int]) -> bool:
    said = {tuple(text_of(e) for e in children(rules[n - 1], "outputEntry")) for n in numbers}
    return len(said) == 1


def _words(columns: Sequence[_Column], parts: Sequence[_Part]) -> Text:
    said = [(column.label, part.words) for column, part in zip(columns, parts, strict=True)]
    return Text(
        "，".join(f"「{label}」{words.zh}" for label, words in said),
        ", ".join(f"“{label}” {words.en}" for label, words in said),
    )


def _column(column: Element, position: int, rules: Sequence[Element]) -> _Column:
    cells = [text_of(list(children(rule, "inputEntry"))[position]) for rule in rules]
    tests = [feel.unary_tests(cell) if cell not in ("", "-") else None for cell in cells]
    if any(test is not None and test.names for test in tests):
        raise _TooMuch
    listed = text_of(child(column, "inputValues"))
    spoken = {value for cell in [*cells, listed] if cell not in ("", "-") for value in _constants(cell)}
    parts = _parted(spoken, closed=bool(listed) and listed != "-")
    masks = tuple(
        sum(1 << n for n, test in enumerate(tests) if test is None or test(part.value)) for part in parts
    )
    expression = child(column, "inputExpression")
    return _Column(attribute(column, "label") or text_of(expression), parts, masks)


def _constants(cell: str) -> Iterator[Any]:
    tree = Parser(cell, Names(("date",))).whole_tests()
    dates = {id(node.args[0]) for node in walk(tree) if isinstance(node, Call) and _is_date(node)}
    negated = {id(node.of): node for node in walk(tree) if isinstance(node, Negative)}
    for node in walk(tree):
        if isinstance(node, Call) and not _is_date(node):
            if isinstance(node.of, Name) and node.of.name == "not":
                continue
            raise _TooMuch
        if isinstance(node, Constant) and node.value is not None:
            value: Any = date.fromisoformat(str(node.value)) if id(node) in dates else node.value
            yield -value if id(node) in negated and isinstance(value, Decimal) else value


def _is_date(node: Any) -> bool:
    return (
        isinstance(node, Call)
        and isinstance(node.of, Name)
        and node.of.name == "date"
        and len(node.args) == 1
        and isinstance(node.args[0], Constant)
    )


def _parted(spoken: set[Any], *, closed: bool) -> tuple[_Part, ...]:
    kinds: set[Any] = {type(value) for value in spoken}
    if not spoken:
        return (_Part(None, Text("任意", "any")),)
    if kinds == {str}:
        known = [_Part(v, Text(f"为“{v}”", f"is “{v}”")) for v in sorted(spoken)]
        return (*known, *([] if closed else [_Part(ELSE, Text("为其他值", "is anything else"), sure=False)]))
    if kinds == {bool}:
        return (_Part(True, Text("为是", "is true")), _Part(False, Text("为否", "is false")))
    if kinds == {Decimal}:
        return tuple(_along(sorted(spoken), Decimal(1)))
    if kinds == {date}:
        return tuple(_along(sorted(spoken), timedelta(days=1)))
    raise _TooMuch


def _along(values: Sequence[Any], step: Any) -> Iterator[_Part]:
    """The values in their order, one between each two, one beyond either end."""
    first, last = values[0], values[-1]
    yield _Part(first - step, Text(f"小于 {first}", f"is less than {first}"))
    yield _Part(first, Text(f"等于 {first}", f"is {first}"))
    for value, following in pairwise(values):
        near = following - value <= step
        if isinstance(value, date):
            if not near:
                yield _Part(value + step, _between(value, following))
        else:
            whole = value == value.to_integral_value() and following == following.to_integral_value()
            yield _Part((value + following) / 2, _between(value, following), sure=not (near and whole))
        yield _Part(following, Text(f"等于 {following}", f"is {following}"))
    yield _Part(last + step, Text(f"大于 {last}", f"is more than {last}"))


def _between(low: Any, high: Any) -> Text:
    return Text(f"在 {low} 与 {high} 之间", f"is between {low} and {high}")
