"""One question to a model: what is required is answered first, and once. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from app.bpmn import feel
from app.bpmn.decision.boxed import Knowledge
from app.bpmn.decision.error import InvalidInput
from app.bpmn.decision.nodes import Key, Node
from app.bpmn.decision.trace import Trace, unless_strict
from app.bpmn.decision.types import Mismatch
from app.bpmn.feel.scope import Scope
from app.bpmn.feel.value import Function
from app.text import Text

Paths = Mapping[str, Sequence[tuple[str, ...]]]
"""By namespace, the names under which the asked model sees an imported one: `(("Model B", "Model A"),)`."""

_ABSENT = object()


class Asking:
    """One question: every required decision is answered once."""

    def __init__(
        self,
        nodes: Mapping[Key, Node],
        context: Mapping[str, Any],
        trace: Trace,
        now: datetime | None,
        paths: Paths,
    ) -> None:
        self.nodes = nodes
        self.context = context
        self.trace = trace
        self.now = now
        self.paths = paths
        self.answers: dict[Key, Any] = {}
        typed = {n.name: n for n in nodes.values() if n.kind == "inputData" and n.type is not None}
        self.seen = _Seen(self, typed) if typed else context

    def ask(self, node: Node) -> Any:
        """What was asked by name: a service's input decisions and a function's arguments come from the data."""
        if node.kind == "decisionService":
            for key in node.points_to("inputDecision"):
                given = self._given(self.nodes[key]) if key in self.nodes else _ABSENT
                if given is not _ABSENT:
                    self.answers[key] = self._fit(self.nodes[key], feel.from_python(given), whole=False)
        answer = self.answer(node)
        if node.kind == "businessKnowledgeModel" and isinstance(answer, Knowledge):
            args = [feel.from_python(self.context.get(name)) for name, _ in answer.params]
            return answer.call(self.trace, args)
        return answer

    def answer(self, node: Node) -> Any:
        if node.broken is not None:
            raise node.broken
        if node.key not in self.answers:
            self.answers[node.key] = _HOW_TO_ANSWER[node.kind](self, node)
        return self.answers[node.key]

    def input(self, node: Node) -> Any:
        given = self._given(node)
        # what comes from outside may lack a part: it is null
        return None if given is _ABSENT else self._fit(node, feel.from_python(given), whole=False)

    def decision(self, node: Node) -> Any:
        if node.run is None:  # a decision drawn without logic may be given like an input
            return self.input(node)
        return self._fit(node, node.run(self._scope(node)))

    def knowledge(self, node: Node) -> Any:
        if node.run is None:
            return None
        scope = self._scope(node)
        function = scope.names[node.name] = node.run(scope)  # it may call itself
        if node.type is not None:
            function.shown = node.type.result
        return function

    def service_function(self, node: Node) -> Function:
        wanted = (*node.points_to("inputDecision"), *node.points_to("inputData"))
        params = [self.nodes[key] for key in wanted if key in self.nodes]
        # the standard's order: input data first
        params.sort(key=lambda param: param.kind != "inputData")

        def body(scope: Scope) -> Any:
            given = {param.key: scope.names.get(seen_as(param, node)) for param in params}
            named = {param.name: given[param.key] for param in params}
            inner = Asking(self.nodes, named, self.trace, self.now, self.paths)
            inner.answers.update(given)
            return inner.service(node)

        typed = [(seen_as(param, node), param.type) for param in params]
        return Knowledge(node.name, typed, body, self._empty_scope())

    def service(self, node: Node) -> Any:
        """What its output decisions say: the value of one, a context of several."""
        outputs = [self.nodes[key] for key in node.points_to("outputDecision") if key in self.nodes]
        if len(outputs) == 1:
            said = self.answer(outputs[0])
        else:
            said = {output.name: self.answer(output) for output in outputs}
        return self._fit(node, said)

    def _given(self, node: Node) -> Any:
        """The caller's value of an input; that of an imported model under the import's name: as a context, joined
        with a point, or by its own name alone."""
        for path in self.paths.get(node.home.namespace, ()):
            joined = ".".join((*path, node.name))
            if joined in self.context:
                return self.context[joined]
            inside: Any = self.context
            for name in path:
                inside = cast("Mapping[str, Any]", inside).get(name) if isinstance(inside, Mapping) else None
            if isinstance(inside, Mapping) and node.name in inside:
                return cast("Mapping[str, Any]", inside)[node.name]
        return self.context.get(node.name, _ABSENT)

    def _scope(self, node: Node) -> Scope:
        """The names that a node sees: what it requires, then the data it was given."""
        names: dict[str, Any] = {}
        for need in node.needs:
            below = self.nodes.get(need)
            if below is None or (below.kind == "inputData" and self._given(below) is _ABSENT):
                continue
            alias = node.home.aliases.get(below.home.namespace, "")
            seen = names.setdefault(alias, {}) if alias else names
            seen[below.name] = (
                self.service_function(below) if below.kind == "decisionService" else self.answer(below)
            )
        return Scope(names, None, self.trace, self.now, self.seen)

    def _empty_scope(self) -> Scope:
        return Scope({}, None, self.trace, self.now, None)

    def _fit(self, node: Node, value: Any, *, whole: bool = True) -> Any:
        if node.type is None or value is None or isinstance(value, Function):
            return value
        try:
            wanted = node.type.result if node.kind == "decisionService" else node.type
            return wanted.fit(value, whole=whole)
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


def seen_as(node: Node, by: Node) -> str:
    """The name of a node in the file of another: that of an imported model after the import's name."""
    alias = by.home.aliases.get(node.home.namespace, "")
    return f"{alias}.{node.name}" if alias else node.name


class _Seen(Mapping[str, Any]):
    """The caller's data as logic sees it that did not say what it requires: inputs in their declared types."""

    def __init__(self, asking: Asking, typed: Mapping[str, Node]) -> None:
        self._asking = asking
        self._typed = typed

    def __getitem__(self, name: str) -> Any:
        given = self._asking.context[name]
        return self._asking.answer(self._typed[name]) if name in self._typed else given

    def __iter__(self) -> Iterator[str]:
        return iter(self._asking.context)

    def __len__(self) -> int:
        return len(self._asking.context)


_HOW_TO_ANSWER: dict[str, Callable[[Asking, Node], Any]] = {
    "decision": Asking.decision,
    "inputData": Asking.input,
    "businessKnowledgeModel": Asking.knowledge,
    "decisionService": Asking.service,
}
KINDS = tuple(_HOW_TO_ANSWER)
