"""Decision tables: from XML to a closure, with every hit policy. Pure. Source: DMN 1.5, clause 8."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Any, cast

from app.bpmn import feel
from app.bpmn.decision.elements import Element, attribute, child, children, output_name, text_of, where
from app.bpmn.decision.error import AnyViolation, InvalidInput, NoMatch, UniqueViolation
from app.bpmn.decision.trace import MatchedRule, Trace, mistake, unless_strict
from app.bpmn.decision.types import Mismatch, Type, Types, tests_in
from app.bpmn.feel.arithmetic import compute
from app.bpmn.feel.scope import Run, RunTest, Scope
from app.bpmn.feel.value import compare, same
from app.text import Text

POLICIES = frozenset({"UNIQUE", "ANY", "PRIORITY", "FIRST", "RULE ORDER", "OUTPUT ORDER", "COLLECT"})
_LETTERS = {policy[0]: policy for policy in POLICIES}
_SIGNS = {"+": "SUM", "#": "COUNT", "<": "MIN", ">": "MAX"}
"""A table's corner says `U`, `F` or `C+` (DMN 1.5, clause 8.2.8); some tools write that into the file too."""
AGGREGATIONS = frozenset({"", "SUM", "COUNT", "MIN", "MAX"})
MAX_RULES = 5_000

Compile = Callable[[str, str], Run]
"""FEEL text and where it stands → closure. Raises DecisionError."""


@dataclass(frozen=True, slots=True)
class _Input:
    label: str
    run: Run
    type: Type | None
    allowed: feel.UnaryTests | None


@dataclass(frozen=True, slots=True)
class _Output:
    name: str
    type: Type | None
    ranks: Run | None
    default: Run | None


@dataclass(frozen=True, slots=True)
class _Rule:
    tests: tuple[tuple[int, RunTest], ...]
    outputs: tuple[Run, ...]
    index: int
    id: str
    description: str
    annotations: tuple[str, ...]


class Table:
    """A table, read. `run(scope)` answers as the standard says: a value, a context, or a list of them."""

    def __init__(self, element: Element, name: str, compile_: Compile, types: Types, names: frozenset[str]):
        self.where = f"decisionTable “{name}”"
        self.name = name
        self._compile, self._types, self._names = compile_, types, names
        self.policy, self.aggregation = _policy(element)
        self.inputs = [self._input(found) for found in children(element, "input")]
        self.outputs = [self._output(found) for found in children(element, "output")]
        self.rules = [self._rule(found, index) for index, found in enumerate(children(element, "rule"), 1)]
        self._check()
        self._answer = getattr(self, "_" + self.policy.lower().replace(" ", "_"))

    # -- reading ----------------------------------------------------------------------------------------

    def _check(self) -> None:
        if self.policy not in POLICIES:
            raise mistake(self.where, f"没有名为“{self.policy}”的命中策略", f"no hit policy '{self.policy}'")
        if self.aggregation not in AGGREGATIONS or (self.aggregation and self.policy != "COLLECT"):
            raise mistake(
                self.where,
                f"聚合“{self.aggregation}”只能是 COLLECT 的 SUM、COUNT、MIN、MAX",
                f"the aggregation '{self.aggregation}' must be SUM, COUNT, MIN or MAX of a COLLECT table",
            )
        if not self.outputs:
            raise mistake(self.where, "规则表没有输出列", "the table has no output")
        if len(self.rules) > MAX_RULES:
            raise mistake(self.where, f"规则超过 {MAX_RULES} 条", f"more than {MAX_RULES} rules")
        if len(self.outputs) > 1 and self.aggregation:
            raise mistake(self.where, "聚合只能有一个输出列", "an aggregation has one output only")
        if self.policy in ("PRIORITY", "OUTPUT ORDER") and not any(output.ranks for output in self.outputs):
            raise mistake(
                self.where,
                f"{self.policy} 策略需要在输出列中列出取值的先后次序",
                f"{self.policy} needs the output's values listed in their order",
            )

    def _input(self, element: Element) -> _Input:
        expression = child(element, "inputExpression")
        label = attribute(element, "label") or text_of(expression) or attribute(element, "id")
        if expression is None or not text_of(expression):
            raise mistake(self.where, f"输入列“{label}”没有表达式", f"the input '{label}' has no expression")
        values = child(element, "inputValues")
        return _Input(
            label,
            self._compile(text_of(expression), f"{self.where} {label}"),
            self._types.of(expression),
            tests_in(values, self._names) if values is not None else None,
        )

    def _output(self, element: Element) -> _Output:
        values, default = child(element, "outputValues"), child(element, "defaultOutputEntry")
        kind = self._types.of(element)
        said = text_of(values) or (kind.listed if kind is not None else "")
        # the values in their order are the items of a list
        ranks = self._compile(f"[{said}]", f"{self.where} outputValues") if said and said != "-" else None
        return _Output(
            output_name(element),
            kind,
            ranks,
            self._compile(text_of(default), f"{self.where} default") if text_of(default) else None,
        )

    def _rule(self, element: Element, index: int) -> _Rule:
        entries = list(children(element, "inputEntry"))
        results = list(children(element, "outputEntry"))
        at = f"{self.where} #{index}"
        if len(entries) != len(self.inputs) or len(results) != len(self.outputs):
            raise mistake(
                at, "规则的格数与列数不符", "the rule has more or fewer cells than the table has columns"
            )
        tests: list[tuple[int, RunTest]] = []
        for column, entry in enumerate(entries):
            said = text_of(entry)
            if said in ("", "-"):
                continue
            found = tests_in(entry, self._names)
            if found is not None:
                tests.append((column, found.run))
        return _Rule(
            tuple(tests),
            tuple(self._compile(text_of(entry) or "null", f"{at} {where(entry)}") for entry in results),
            index,
            attribute(element, "id"),
            text_of(child(element, "description")),
            tuple(text_of(entry) for entry in children(element, "annotationEntry")),
        )

    # -- answering --------------------------------------------------------------------------------------

    def run(self, scope: Scope) -> Any:
        values = [self._value(column, scope) for column in self.inputs]
        first_only = self.policy == "FIRST"
        matched: list[_Rule] = []
        for rule in self.rules:
            for column, test in rule.tests:
                if test(values[column], scope) is not True:
                    break
            else:
                matched.append(rule)
                if first_only:
                    break
        scope.meter.spend(len(self.rules) // 10 + 1)
        return self._answer(matched, scope) if matched else self._nothing(values, scope)

    def _value(self, column: _Input, scope: Scope) -> Any:
        value = column.run(scope)
        if value is None:
            return None
        try:
            if column.type is not None:
                value = column.type.fit(value)
            if column.allowed is not None and not _allowed(column.allowed, value, scope):
                raise Mismatch(column.allowed.text)
        except Mismatch as mismatch:
            said = feel.to_json(value)
            zh = f"输入“{column.label}”的值 {said!r} 不符合 {mismatch}"
            en = f"the input '{column.label}' is {said!r}, which is not {mismatch}"
            unless_strict(scope, InvalidInput(Text(zh, en), where=self.where))
            return None
        return value

    def _nothing(self, values: list[Any], scope: Scope) -> Any:
        if any(output.default is not None for output in self.outputs):
            said = [output.default(scope) if output.default is not None else None for output in self.outputs]
            answer = self._shaped(said)
            return [answer] if self._many() else answer
        if self.aggregation == "COUNT":
            return Decimal(0)
        if self._many():
            return []
        given = ", ".join(f"{i.label} = {feel.dumps(v)}" for i, v in zip(self.inputs, values, strict=True))
        unless_strict(
            scope,
            NoMatch(
                Text(
                    f"没有适用的规则，也没有默认值（{given}）",
                    f"no rule applies and there is no default ({given})",
                ),
                where=self.where,
            ),
        )
        return None

    def _many(self) -> bool:
        return self.policy in ("RULE ORDER", "OUTPUT ORDER") or (
            self.policy == "COLLECT" and not self.aggregation
        )

    def _said(self, rule: _Rule, scope: Scope) -> list[Any]:
        """What a rule's outputs say, each of its column's type; and the note that it applied."""
        said: list[Any] = []
        for run, output in zip(rule.outputs, self.outputs, strict=True):
            value = run(scope)
            try:
                said.append(output.type.fit(value) if output.type is not None else value)
            except Mismatch as mismatch:
                unless_strict(
                    scope,
                    InvalidInput(
                        Text(f"输出 {value!r} 不符合 {mismatch}", f"the output {value!r} is not {mismatch}"),
                        where=f"{self.where} #{rule.index}",
                    ),
                )
                said.append(None)
        return said

    def _note(self, rule: _Rule, said: list[Any], scope: Scope) -> None:
        if isinstance(scope.meter, Trace):
            scope.meter.note(
                MatchedRule(
                    decision=self.name,
                    index=rule.index,
                    id=rule.id,
                    description=rule.description,
                    annotations=rule.annotations,
                    outputs={self.output_name(i): feel.to_json(value) for i, value in enumerate(said)},
                )
            )

    def output_name(self, index: int) -> str:
        return self.outputs[index].name or self.name

    def _shaped(self, said: list[Any]) -> Any:
        """One output is its value; several are a context."""
        if len(said) == 1:
            return said[0]
        return {self.output_name(index): value for index, value in enumerate(said)}

    def _one(self, rule: _Rule, scope: Scope) -> Any:
        said = self._said(rule, scope)
        self._note(rule, said, scope)
        return self._shaped(said)

    # -- hit policies -----------------------------------------------------------------------------------

    def _unique(self, matched: list[_Rule], scope: Scope) -> Any:
        if len(matched) > 1:
            rows = ", ".join(str(rule.index) for rule in matched)
            raise UniqueViolation(
                Text(
                    f"唯一命中的规则表中，第 {rows} 条同时适用，请修改规则使其互斥",
                    f"rules {rows} of a UNIQUE table apply together; make them exclude each other",
                ),
                where=self.where,
            )
        return self._one(matched[0], scope)

    def _first(self, matched: list[_Rule], scope: Scope) -> Any:
        return self._one(matched[0], scope)

    def _any(self, matched: list[_Rule], scope: Scope) -> Any:
        answers = [self._one(rule, scope) for rule in matched]
        if any(same(answers[0], other, scope.meter) is not True for other in answers[1:]):
            rows = ", ".join(str(rule.index) for rule in matched)
            raise AnyViolation(
                Text(f"第 {rows} 条规则同时适用而结果不同", f"rules {rows} apply together and disagree"),
                where=self.where,
            )
        return answers[0]

    def _rule_order(self, matched: list[_Rule], scope: Scope) -> Any:
        return [self._one(rule, scope) for rule in matched]

    def _priority(self, matched: list[_Rule], scope: Scope) -> Any:
        rule, said = self._ranked(matched, scope)[0]
        self._note(rule, said, scope)
        return self._shaped(said)

    def _output_order(self, matched: list[_Rule], scope: Scope) -> Any:
        ranked = self._ranked(matched, scope)
        for rule, said in ranked:
            self._note(rule, said, scope)
        return [self._shaped(said) for _rule, said in ranked]

    def _ranked(self, matched: list[_Rule], scope: Scope) -> list[tuple[_Rule, list[Any]]]:
        """By the place of each output among its listed values, the first column first; then by row."""
        orders = [
            cast("list[Any]", output.ranks(scope)) if output.ranks is not None else []
            for output in self.outputs
        ]

        def rank(found: tuple[_Rule, list[Any]]) -> tuple[int, ...]:
            return tuple(_place(value, order, scope) for value, order in zip(found[1], orders, strict=True))

        return sorted(((rule, self._said(rule, scope)) for rule in matched), key=rank)

    def _collect(self, matched: list[_Rule], scope: Scope) -> Any:
        answers = [self._one(rule, scope) for rule in matched]
        if self.aggregation == "COUNT":
            return Decimal(len(answers))
        if self.aggregation == "SUM":
            return reduce(lambda a, b: compute("+", a, b, scope.meter), answers)
        if self.aggregation:
            return reduce(_keeper(-1 if self.aggregation == "MIN" else 1), answers)
        return answers


def _policy(element: Element) -> tuple[str, str]:
    """The hit policy and the aggregation, in full."""
    said = attribute(element, "hitPolicy").upper() or "UNIQUE"
    policy = _LETTERS.get(said[:1], said) if len(said) <= 2 else said
    sign = said[1:] if len(said) == 2 else ""
    return policy if not sign or sign in _SIGNS else said, _SIGNS.get(sign) or attribute(
        element, "aggregation"
    ).upper()


def _place(value: Any, order: list[Any], scope: Scope) -> int:
    return next((i for i, listed in enumerate(order) if same(value, listed, scope.meter) is True), len(order))


def _keeper(sign: int) -> Callable[[Any, Any], Any]:
    def keep(left: Any, right: Any) -> Any:
        order = compare(right, left)
        return None if order is None else right if order == sign else left

    return keep


def _allowed(tests: feel.UnaryTests, value: Any, scope: Scope) -> bool:
    """A list is allowed when each of its items is."""
    if type(value) is list:
        return all(tests.run(item, scope) is True for item in cast("list[Any]", value))
    return tests.run(value, scope) is True
