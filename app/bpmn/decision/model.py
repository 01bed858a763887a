"""A DMN file: its decisions, what each requires, and how to ask them. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from app.bpmn import feel
from app.bpmn.decision.boxed import Boxes, Knowledge
from app.bpmn.decision.elements import (
    Element,
    attribute,
    child,
    children,
    expression_in,
    local,
    read_model,
    type_ref,
    where,
    within,
)
from app.bpmn.decision.error import DecisionError, InvalidInput, UnknownDecision
from app.bpmn.decision.trace import MatchedRule, Trace, mistake, unless_strict
from app.bpmn.decision.types import Mismatch, Type, Types
from app.bpmn.feel.scope import Run, Scope
from app.text import Text

MAX_CHAIN = 30
"""Decisions that wait for each other."""

_NAMED = frozenset(
    [
        "inputData",
        "decision",
        "businessKnowledgeModel",
        "decisionService",
        "variable",
        "itemComponent",
        "output",
        "formalParameter",
        "parameter",
        "column",
    ]
)


@dataclass(frozen=True, kw_only=True)
class DecisionResult:
    """`value`: FEEL's own, as the standard shapes it. `outputs`: JSON values by output name (a list of such where
    a table of several outputs gives several rules). `matched`: every rule that applied, in the order it did."""

    decision: str
    value: Any
    outputs: Any
    matched: tuple[MatchedRule, ...]


@dataclass(slots=True)
class _Node:
    """A decision, an input, business knowledge or a service of the file."""

    kind: str
    id: str
    name: str
    element: Element
    type: Type | None
    needs: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    """The names of its table's outputs, when it is a table."""
    run: Run | None = None


class Decisions:
    """One DMN file, read. `ids`: what `decide` accepts: ids and names of its decisions and services."""

    def __init__(self, xml: bytes) -> None:
        root = read_model(xml)
        self.name = attribute(root, "name")
        _check_languages(root)
        self._names = frozenset(_names(root))
        self._types = Types(root, self._names)
        self._nodes = {node.id: node for node in map(self._node, children(root, *_HOW_TO_ANSWER)) if node.id}
        self._check_chains()
        boxes = Boxes(self._types, self._names)
        for node in self._nodes.values():
            self._compile(node, boxes)
        self.decisions = tuple(node.id for node in self._nodes.values() if node.kind == "decision")
        self.ids = frozenset(
            word
            for node in self._nodes.values()
            if node.kind in ("decision", "decisionService")
            for word in (node.id, node.name)
        )

    def decide(
        self,
        decision: str | None,
        context: Mapping[str, Any],
        *,
        strict: bool = True,
        now: datetime | None = None,
    ) -> DecisionResult:
        """Ask one decision (by id or name; None: the one that no other requires), with what it requires first.

        `strict`: what the standard calls null because a table does not answer (no rule applies, several do, a
        value of a wrong type) is a DecisionError instead; a flow asks so. Raises UnknownDecision always.
        """
        node = self._asked(decision)
        trace = Trace(strict=strict)
        try:
            asking = _Asking(self._nodes, context, trace, now)
            value = asking.answer(node)
            return DecisionResult(
                decision=node.id,
                value=value,
                outputs=feel.to_json(_by_name(node, value)),
                matched=tuple(trace.matched),
            )
        except feel.FeelError as error:
            raise DecisionError(error.text, where=f"{node.kind} “{node.name}”") from error
        except RecursionError:
            raise mistake(f"{node.kind} “{node.name}”", "嵌套过深", "nested too deeply") from None

    def inputs(self, decision: str | None = None) -> frozenset[str]:
        """The names of the input data of the file, or those that one decision leans on."""
        wanted = self._all_below(self._asked(decision)) if decision else set(self._nodes)
        return frozenset(self._nodes[i].name for i in wanted if self._nodes[i].kind == "inputData")

    # -- reading ----------------------------------------------------------------------------------------

    def _node(self, element: Element) -> _Node:
        kind, name = local(element), attribute(element, "name")
        variable = child(element, "variable")
        needs = (attribute(found, "href").rpartition("#")[2] for found in _requirements(element))
        return _Node(
            kind=kind,
            id=attribute(element, "id") or name,
            name=attribute(variable, "name") or name,
            element=element,
            type=self._types.of(variable if type_ref(variable) else element),
            needs=tuple(needs),
            outputs=_output_names(element, name),
        )

    def _compile(self, node: _Node, boxes: Boxes) -> None:
        if node.kind == "decision":
            found = expression_in(node.element)
            if found is not None:
                node.run = boxes.box(found, node.name)
        elif node.kind == "businessKnowledgeModel":
            logic = child(node.element, "encapsulatedLogic")
            if logic is not None:
                node.run = boxes.function(logic, node.name)

    def _check_chains(self) -> None:
        """No decision may wait for itself, nor stand at the end of too long a chain."""
        levels: dict[str, int] = {}
        for start in self._nodes:
            path: list[tuple[str, list[str]]] = [(start, self._below(start))]
            on_path = {start}
            while path:
                current, waiting = path[-1]
                if waiting:
                    following = waiting.pop()
                    if following in on_path:
                        raise mistake(
                            where(self._nodes[start].element), "决策循环依赖", "decisions need each other"
                        )
                    if following not in levels:
                        path.append((following, self._below(following)))
                        on_path.add(following)
                    continue
                path.pop()
                on_path.discard(current)
                levels[current] = 1 + max((levels[b] for b in self._below(current)), default=0)
                if levels[current] > MAX_CHAIN:
                    raise mistake(
                        where(self._nodes[current].element),
                        f"决策依赖超过 {MAX_CHAIN} 层",
                        f"a chain of more than {MAX_CHAIN} decisions",
                    )

    def _below(self, identity: str) -> list[str]:
        return [need for need in self._nodes[identity].needs if need in self._nodes]

    def _all_below(self, node: _Node) -> set[str]:
        found: set[str] = set()
        waiting = [node.id]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting.extend(self._below(current))
        return found

    def _asked(self, decision: str | None) -> _Node:
        able = [node for node in self._nodes.values() if node.kind in ("decision", "decisionService")]
        if decision is None:
            required = {need for node in able if node.kind == "decision" for need in node.needs}
            tops = [node for node in able if node.kind == "decision" and node.id not in required]
            if len(tops) == 1:
                return tops[0]
        said = " ".join((decision or "").split())
        for node in able:
            if said in (node.id, node.name, attribute(node.element, "name")):
                return node
        known = ", ".join(f"{node.id} ({node.name})" for node in able) or "–"
        raise UnknownDecision(
            Text(f"没有名为“{said}”的决策；文件中有：{known}", f"no decision '{said}'; the file has: {known}")
        )


class _Asking:
    """One question: every required decision is answered once."""

    def __init__(
        self, nodes: dict[str, _Node], context: Mapping[str, Any], trace: Trace, now: datetime | None
    ) -> None:
        self.nodes = nodes
        self.context = context
        self.trace = trace
        self.now = now
        self.answers: dict[str, Any] = {}

    def answer(self, node: _Node) -> Any:
        if node.id not in self.answers:
            self.answers[node.id] = _HOW_TO_ANSWER[node.kind](self, node)
        return self.answers[node.id]

    def input(self, node: _Node) -> Any:
        value = feel.from_python(self.context.get(node.name))
        return self._fit(node, value)

    def decision(self, node: _Node) -> Any:
        if node.run is None:  # a decision drawn without logic may be given like an input
            return self.input(node)
        return self._fit(node, node.run(self._scope(node)))

    def knowledge(self, node: _Node) -> Any:
        return node.run(self._scope(node)) if node.run is not None else None

    def service_function(self, node: _Node) -> Any:
        params = [
            self.nodes[i]
            for i in (*_hrefs(node, "inputDecision"), *_hrefs(node, "inputData"))
            if i in self.nodes
        ]
        # the standard's order: input data first
        params.sort(key=lambda param: param.kind != "inputData")

        def body(scope: Scope) -> Any:
            given = {param.name: scope.names.get(param.name) for param in params}
            inner = _Asking(self.nodes, given, self.trace, self.now)
            inner.answers.update({param.id: given[param.name] for param in params})
            return inner.service(node)

        return Knowledge(node.name, [(p.name, p.type) for p in params], body, self._empty_scope(), node.type)

    def service(self, node: _Node) -> Any:
        """A service asked by name: what its output decisions say."""
        outputs = [self.nodes[i] for i in _hrefs(node, "outputDecision") if i in self.nodes]
        if len(outputs) == 1:
            return self.answer(outputs[0])
        return {output.name: self.answer(output) for output in outputs}

    def _scope(self, node: _Node) -> Scope:
        """The names that a node sees: what it requires, then the data it was given."""
        names: dict[str, Any] = {}
        for need in node.needs:
            below = self.nodes.get(need)
            if below is None or (below.kind == "inputData" and below.name not in self.context):
                continue
            if below.kind == "decisionService":
                names[below.name] = self.service_function(below)
            else:
                names[below.name] = self.answer(below)
        return Scope(names, None, self.trace, self.now, self.context)

    def _empty_scope(self) -> Scope:
        return Scope({}, None, self.trace, self.now, None)

    def _fit(self, node: _Node, value: Any) -> Any:
        if node.type is None or value is None:
            return value
        try:
            return node.type.fit(value)
        except Mismatch as mismatch:
            said = feel.to_json(value)
            unless_strict(
                self._empty_scope(),
                InvalidInput(
                    Text(f"值 {said!r} 不符合 {mismatch}", f"the value {said!r} is not {mismatch}"),
                    where=f"{node.kind} “{node.name}”",
                ),
            )
            return None


_HOW_TO_ANSWER: dict[str, Callable[[_Asking, _Node], Any]] = {
    "decision": _Asking.decision,
    "inputData": _Asking.input,
    "businessKnowledgeModel": _Asking.knowledge,
    "decisionService": _Asking.service,
}


def _check_languages(root: Element) -> None:
    """Texts in any language but FEEL are refused, wherever they stand."""
    for element in within(root):
        language = attribute(element, "expressionLanguage")
        if language and "feel" not in language.lower():
            raise mistake(
                where(element), f"只能使用 FEEL，不是“{language}”", f"only FEEL is run, not '{language}'"
            )


def _requirements(element: Element) -> list[Element]:
    """What an information, knowledge or authority requirement points to; for a service, what it gives out."""
    found: list[Element] = []
    for requirement in children(element, "informationRequirement", "knowledgeRequirement"):
        found.extend(children(requirement, "requiredDecision", "requiredInput", "requiredKnowledge"))
    found.extend(children(element, "outputDecision"))
    return found


def _hrefs(node: _Node, name: str) -> list[str]:
    return [attribute(found, "href").rpartition("#")[2] for found in children(node.element, name)]


def _names(root: Element) -> set[str]:
    """Every name the file declares: those with spaces must be known before any text is read."""
    return {
        name
        for element in within(root)
        if local(element) in _NAMED
        for name in (attribute(element, "name"),)
        if name and not name.isidentifier()
    }


def _output_names(element: Element, name: str) -> tuple[str, ...]:
    table = expression_in(element) if local(element) == "decision" else None
    if table is None or local(table) != "decisionTable":
        return ()
    return tuple(attribute(output, "name") or name for output in children(table, "output"))


def _by_name(node: _Node, value: Any) -> Any:
    """The value under the names of the table's outputs, also when there is but one output."""
    if len(node.outputs) == 1:
        return {node.outputs[0]: value}
    if node.outputs:
        return {} if value is None else value
    return cast(Any, value) if type(value) is dict else {node.name: value}
