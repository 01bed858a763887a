"""Where a decision table answers nothing, or more than its hit policy allows. Pure.

Each column is parted by the values its cells speak of: those values, one between each two of them, one beyond either
end, and for texts one that none names. Whatever the cells say, they say of such a value what they say of all others in
the same part, so trying every combination tries everything. A table whose cells ask for other data, or call functions,
is not looked into; one that has more combinations than can be tried says so.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, islice, pairwise
from operator import ge, gt, le, lt
from typing import Any, Literal

from app.bpmn import feel
from app.bpmn.decision.elements import Element, attribute, child, children, read_model, text_of
from app.bpmn.feel.build import walk
from app.bpmn.feel.parse import Names, Parser
from app.bpmn.feel.tree import Call, Constant, Name, Negative
from app.bpmn.table_cells import cell
from app.text import Text

MOST_TRIED = 40_000
MOST_TOLD = 20
SINGLE = ("UNIQUE", "ANY")
ELSE = "\0else"


@dataclass(frozen=True)
class Flaw:
    """`kind`: nothing answers (`gap`), the rules with these numbers (from 1) answer at once (`overlap`), or the table
    has more combinations than can be looked at for gaps (`unchecked`). `sure`: False for a
    gap that only exists between two neighbouring whole numbers, or for a text that no cell names."""

    kind: Literal["gap", "overlap", "unchecked"]
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
    low: tuple[Any, bool] | None = None
    """Where it begins, and whether that is in it; None where nothing bounds it."""
    high: tuple[Any, bool] | None = None


@dataclass(frozen=True)
class _Column:
    label: str
    parts: tuple[_Part, ...]
    masks: tuple[int, ...]
    """For each part: the rules that it fits, as bits."""

    def fitting(self, rules: int) -> list[int]:
        """The other way about: for each rule the parts that it fits, as bits."""
        return [sum(1 << n for n, mask in enumerate(self.masks) if mask >> rule & 1) for rule in range(rules)]

    @property
    def ordered(self) -> bool:
        return isinstance(self.parts[0].value, Decimal | date)

    def said(self, places: Sequence[int]) -> Text | None:
        """These parts in words, the first row of neighbours where the column has an order; None for all of them."""
        if len(places) == len(self.parts):
            return None
        if not self.ordered:
            words = [self.parts[n].words for n in places]
            return Text("或".join(w.zh for w in words), " or ".join(w.en for w in words))
        run = next(_runs(self, places))
        return self.parts[run[0]].words if len(run) == 1 else self._stretch(run[0], run[-1])

    def _stretch(self, first: int, last: int) -> Text:
        """From one part to another, both in it. The parts between two values lie open on both sides."""
        low, high = self.parts[first].low, self.parts[last].high
        a = (
            None
            if low is None
            else (
                Text(f"不小于 {low[0]}", f"is at least {low[0]}")
                if low[1]
                else Text(f"大于 {low[0]}", f"is more than {low[0]}")
            )
        )
        b = (
            None
            if high is None
            else (
                Text(f"不大于 {high[0]}", f"at most {high[0]}")
                if high[1]
                else Text(f"小于 {high[0]}", f"less than {high[0]}")
            )
        )
        if a is None or b is None:
            only = a or b or Text("任意", "any")
            return only if b is None else Text(only.zh, f"is {only.en}")
        return Text(f"{a.zh}、{b.zh}", f"{a.en} and {b.en}")


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
        ident = attribute(decision, "id")
        name = attribute(decision, "name") or ident
        try:
            columns = [_column(column, position, rules) for position, column in enumerate(inputs)]
        except (_TooMuch, feel.FeelError, RecursionError, IndexError):
            return
        found = list(islice(_overlaps(columns, rules, policy), MOST_TOLD)) if policy in SINGLE else []
        yield from (Flaw("overlap", ident, name, where, numbers) for where, numbers in found)
        if gaps:
            search = _Gaps(columns, len(rules))
            for where, sure in islice(search, MOST_TOLD):
                yield Flaw("gap", ident, name, where, sure=sure)
            if search.gave_up:
                yield Flaw("unchecked", ident, name, Text("", ""), sure=False)


def _overlaps(
    columns: Sequence[_Column], rules: Sequence[Element], policy: str
) -> Iterator[tuple[Text, tuple[int, ...]]]:
    """Each two rules that meet in every column: exact, and no more work than pairs times columns."""
    fitting = [column.fitting(len(rules)) for column in columns]
    for one, other in combinations(range(len(rules)), 2):
        meet = [fits[one] & fits[other] for fits in fitting]
        numbers = (one + 1, other + 1)
        if all(meet) and not (policy == "ANY" and _say_the_same(rules, numbers)):
            yield _words((c, c.said(_bits(places))) for c, places in zip(columns, meet, strict=True)), numbers


def _bits(mask: int) -> list[int]:
    return [n for n in range(mask.bit_length()) if mask >> n & 1]


class _Gaps:
    """The cases that no rule fits, found column by column: parts that the rules still in play cannot tell apart are
    looked at once, and so is what remains when the same rules are left. `gave_up`: there was more than could be."""

    def __init__(self, columns: Sequence[_Column], rules: int) -> None:
        self.columns, self.all = columns, (1 << rules) - 1
        self.steps, self.gave_up, self.whole = 0, False, set[tuple[int, int]]()

    def __iter__(self) -> Iterator[tuple[Text, bool]]:
        try:
            yield from self._below(0, self.all, ())
        except _TooMuch:
            self.gave_up = True

    def _below(
        self, at: int, left: int, taken: tuple[tuple[_Column, list[int]], ...]
    ) -> Iterator[tuple[Text, bool]]:
        if not left:
            sure = all(any(c.parts[n].sure for n in places) for c, places in taken)
            yield _words((c, c.said(places)) for c, places in taken), sure
            return
        if at == len(self.columns) or (at, left) in self.whole:
            return
        column, groups, clean = self.columns[at], dict[int, list[int]](), True
        for n, mask in enumerate(column.masks):
            groups.setdefault(left & mask, []).append(n)
        self.steps += len(column.masks)
        if self.steps > MOST_TRIED:
            raise _TooMuch
        for mask, places in groups.items():
            for run in _runs(column, places):
                for found in self._below(at + 1, mask, (*taken, (column, run))):
                    clean = False
                    yield found
        if clean:
            self.whole.add((at, left))


def _runs(column: _Column, places: Sequence[int]) -> Iterator[list[int]]:
    """Places side by side belong together where the column has an order; else all do."""
    if not column.ordered:
        yield list(places)
        return
    run: list[int] = []
    for n in places:
        if run and n != run[-1] + 1:
            yield run
            run = []
        run.append(n)
    if run:
        yield run


def _say_the_same(rules: Sequence[Element], numbers: Sequence[int]) -> bool:
    said = {tuple(text_of(e) for e in children(rules[n - 1], "outputEntry")) for n in numbers}
    return len(said) == 1


def _words(said: Iterable[tuple[_Column, Text | None]]) -> Text:
    """Columns that say nothing, because every value is meant, are left out."""
    told = [(column.label, words) for column, words in said if words is not None]
    if not told:
        return Text("任何情形", "whatever is given")
    return Text(
        "，且".join(f"「{label}」{words.zh}" for label, words in told),
        " and ".join(f"“{label}” {words.en}" for label, words in told),
    )


def _column(column: Element, position: int, rules: Sequence[Element]) -> _Column:
    cells = [text_of(list(children(rule, "inputEntry"))[position]) for rule in rules]
    elsewhere = [said for said in cells if cell(said).kind == "written"]
    if any(feel.unary_tests(said).names for said in elsewhere):
        raise _TooMuch
    listed = text_of(child(column, "inputValues"))
    spoken = {value for said in [*cells, listed] for value in _spoken(said)}
    parts = _parted(spoken, closed=bool(listed) and listed != "-")
    same: dict[str, int] = {}
    for n, said in enumerate(cells):
        same[said] = same.get(said, 0) | 1 << n
    asked = [(_test(said), rules_) for said, rules_ in same.items()]
    masks = tuple(sum(rules_ for test, rules_ in asked if test(part.value)) for part in parts)
    expression = child(column, "inputExpression")
    return _Column(attribute(column, "label") or text_of(expression), parts, masks)


def _test(said: str) -> Callable[[Any], bool]:
    """What the cell says, without the engine's ceremony where plain data can say it too."""
    read = cell(said)
    v: tuple[Any, ...] = read.values
    if read.kind == "between":
        low, high = (le if read.ends[0] == "[" else lt), (le if read.ends[1] == "]" else lt)
        return lambda value: low(v[0], value) and high(value, v[1])
    if read.kind == "written":
        return feel.unary_tests(said)
    if read.kind in ("lt", "le", "gt", "ge"):
        compare = {"lt": lt, "le": le, "gt": gt, "ge": ge}[read.kind]
        return lambda value: compare(value, v[0])
    return lambda value: read.kind == "any" or (value in v) == (read.kind == "is")


def _spoken(said: str) -> Iterable[Any]:
    read = cell(said)
    return _constants(said) if read.kind == "written" else read.values


def _constants(said: str) -> Iterator[Any]:
    tree = Parser(said, Names(("date",))).whole_tests()
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
    yield _Part(first - step, Text(f"小于 {first}", f"is less than {first}"), high=(first, False))
    yield _at(first)
    for value, following in pairwise(values):
        near = following - value <= step
        ends: dict[str, Any] = {"low": (value, False), "high": (following, False)}
        if isinstance(value, date):
            if not near:
                yield _Part(value + step, _between(value, following), **ends)
        else:
            whole = value == value.to_integral_value() and following == following.to_integral_value()
            yield _Part(
                (value + following) / 2, _between(value, following), sure=not (near and whole), **ends
            )
        yield _at(following)
    yield _Part(last + step, Text(f"大于 {last}", f"is more than {last}"), low=(last, False))


def _at(value: Any) -> _Part:
    return _Part(value, Text(f"等于 {value}", f"is {value}"), low=(value, True), high=(value, True))


def _between(low: Any, high: Any) -> Text:
    return Text(f"在 {low} 与 {high} 之间", f"is between {low} and {high}")
