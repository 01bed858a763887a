"""A DMN file: its decisions, what each requires, and how to ask them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from app.bpmn import feel
from app.bpmn.decision.asking import KINDS, Asking
from app.bpmn.decision.boxed import Boxes
from app.bpmn.decision.elements import Element, attribute, children, local, read_model, where, within
from app.bpmn.decision.error import DecisionError, UnknownDecision
from app.bpmn.decision.nodes import (
    Home,
    Key,
    Node,
    all_below,
    check_language,
    compile_node,
    mark_chains,
    read_node,
)
from app.bpmn.decision.trace import MatchedRule, Trace, mistake
from app.bpmn.decision.types import Types
from app.text import Text


class Library(Protocol):
    """Where imported models are found."""

    def find(self, namespace: str, location: str) -> "tuple[bytes, Library] | None":
        """A file, by the model's namespace and by where the importing file says it is, and where that file's own
        imports are found; None when it is not at hand. Raises OSError."""
        ...


MAX_IMPORTS = 20
MAX_IMPORTS_INSIDE = 5  # models that import models

_ASKED = ("decision", "decisionService", "businessKnowledgeModel")
_NAMED = frozenset(
    [
        "inputData",
        "decision",
        "businessKnowledgeModel",
        "decisionService",
        "variable",
        "itemDefinition",
        "itemComponent",
        "output",
        "formalParameter",
        "parameter",
        "column",
        "import",
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


class Decisions:
    """One DMN file, read. `ids`: what `decide` accepts: ids and names of its decisions and services.

    `forgiving`: a decision that cannot be read is an error when it is asked, not before, and does not stand in
    the way of the others. `library`: where imported models are found; without one an import is left aside.
    """

    def __init__(
        self, xml: bytes, *, forgiving: bool = False, library: Library | None = None, depth: int = 0
    ) -> None:
        root = read_model(xml)
        self.name = attribute(root, "name")
        self.namespace = attribute(root, "namespace")
        check_language(root)
        self._imported = _imports(root, forgiving=forgiving, library=library, depth=depth)
        self.names: frozenset[str] = frozenset(_names(root)).union(
            *(model.names for model in self._imported.values())
        )
        self.types = Types(
            root,
            self.names,
            [(_shown(alias), model.types) for alias, model in self._imported.items()],
            forgiving=forgiving,
        )
        home = Home(
            self.namespace, {model.namespace: _shown(alias) for alias, model in self._imported.items()}
        )
        own = [read_node(found, home, self.types) for found in children(root, *KINDS)]
        self._own = {node.key: node for node in own if node.id}
        self.nodes: dict[Key, Node] = {}
        for model in self._imported.values():
            self.nodes.update(model.nodes)
        self.nodes.update(self._own)
        mark_chains(self.nodes)
        self._compile(forgiving)
        self.decisions = tuple(node.id for node in self._own.values() if node.kind == "decision")
        able = (node for node in self._own.values() if node.kind in ("decision", "decisionService"))
        self.ids = frozenset(word for node in able for word in (node.id, node.name))

    def decide(
        self,
        decision: str | None,
        context: Mapping[str, Any],
        *,
        strict: bool = True,
        now: datetime | None = None,
    ) -> DecisionResult:
        """Ask one decision (by id or name; None: the one that no other requires), with what it requires first.

        `strict`: what the standard calls null because a table does not answer (no rule applies, a value of a wrong
        type) is a DecisionError instead; a flow asks so. Raises always: UnknownDecision; UniqueViolation and
        AnyViolation, where the table itself is wrong.
        """
        node = self._asked(decision)
        trace = Trace(strict=strict, declared=self.types.declared)
        try:
            asking = Asking(self.nodes, context, trace, now, self._paths())
            value = asking.ask(node)
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
        wanted = all_below(self._asked(decision), self.nodes) if decision else set(self.nodes)
        return frozenset(self.nodes[key].name for key in wanted if self.nodes[key].kind == "inputData")

    # -- reading ----------------------------------------------------------------------------------------

    def _compile(self, forgiving: bool) -> None:
        boxes = Boxes(self.types, self.names)
        for node in self._own.values():
            try:
                if node.broken is not None:
                    raise node.broken
                compile_node(node, boxes)
            except DecisionError as error:
                if not forgiving:
                    raise
                node.broken = error

    def _paths(self) -> dict[str, list[tuple[str, ...]]]:
        """By namespace, the names under which this file sees each model it imports, however far around."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for alias, model in self._imported.items():
            first = (_shown(alias),) if _shown(alias) else ()
            found.setdefault(model.namespace, []).append(first)
            for namespace, paths in model._paths().items():
                found.setdefault(namespace, []).extend((*first, *path) for path in paths)
        return found

    def _asked(self, decision: str | None) -> Node:
        able = [node for kind in _ASKED for node in self._own.values() if node.kind == kind]
        if decision is None:
            required = {need for node in able if node.kind == "decision" for need in node.needs}
            tops = [node for node in able if node.kind == "decision" and node.key not in required]
            if len(tops) == 1:
                return tops[0]
        said = " ".join((decision or "").split())
        for node in able:
            if said in node.words:
                return node
        known = ", ".join(f"{node.id} ({node.name})" for node in able if node.kind != _ASKED[-1]) or "–"
        raise UnknownDecision(
            Text(f"没有名为“{said}”的决策；文件中有：{known}", f"no decision '{said}'; the file has: {known}")
        )


def _imports(root: Element, *, forgiving: bool, library: Library | None, depth: int) -> dict[str, Decisions]:
    """The models that a file imports and the library has, by the name the file gives them."""
    found: dict[str, Decisions] = {}
    wanted = [
        element for element in children(root, "import") if "dmn" in attribute(element, "importType").lower()
    ]
    if library is None or not wanted:
        return found
    if len(wanted) > MAX_IMPORTS or depth >= MAX_IMPORTS_INSIDE:
        raise mistake(where(root), "引用的模型过多或过深", "too many imported models, or too deep")
    for number, element in enumerate(wanted):
        at_hand = library.find(attribute(element, "namespace"), attribute(element, "locationURI"))
        if at_hand is None:
            continue
        xml, beyond = at_hand
        name = attribute(element, "name")
        try:
            model = Decisions(xml, forgiving=forgiving, library=beyond, depth=depth + 1)
        except DecisionError:
            if not forgiving:
                raise
            continue
        # several imports may have no name: what they hold is seen by its own name
        found[name if name and name not in found else f"{name}\n{number}"] = model
    return found


def _shown(alias: str) -> str:
    return alias.partition("\n")[0]


def _names(root: Element) -> set[str]:
    """Every name the file declares: those with spaces must be known before any text is read."""
    return {
        name
        for element in within(root)
        if local(element) in _NAMED
        for name in (attribute(element, "name"),)
        if name and not name.isidentifier()
    }


def _by_name(node: Node, value: Any) -> Any:
    """The value under the names of the table's outputs, also when there is but one output."""
    if len(node.outputs) == 1:
        return {node.outputs[0]: value}
    if node.outputs:
        return {} if value is None else value
    return cast(Any, value) if type(value) is dict else {node.name: value}
