"""The nodes of a decision model: what each is called, what it needs, and its logic once compiled. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.bpmn.decision.boxed import Boxes
from app.bpmn.decision.elements import (
    Element,
    attribute,
    child,
    children,
    expression_in,
    local,
    output_name,
    type_ref,
    where,
    within,
)
from app.bpmn.decision.error import DecisionError
from app.bpmn.decision.trace import mistake
from app.bpmn.decision.types import Type, Types
from app.bpmn.feel.scope import Run

MAX_CHAIN = 30
"""Decisions that wait for each other."""

Key = tuple[str, str]
"""The namespace of the model and the id: two models may use one id."""


@dataclass(frozen=True, slots=True)
class Home:
    """The file a node stands in. `aliases`: by namespace, what it calls the models that it imports."""

    namespace: str
    aliases: Mapping[str, str]


@dataclass(slots=True)
class Node:
    """A decision, an input, business knowledge or a service.

    `outputs`: the names of its table's outputs, when it is a table. `broken`: why it cannot be asked, where the
    model was read forgivingly.
    """

    kind: str
    id: str
    name: str
    element: Element
    home: Home
    type: Type | None
    needs: tuple[Key, ...]
    outputs: tuple[str, ...] = ()
    run: Run | None = None
    broken: DecisionError | None = field(default=None)

    @property
    def key(self) -> Key:
        return self.home.namespace, self.id

    @property
    def words(self) -> tuple[str, str, str]:
        """What a person may call it by."""
        return self.id, self.name, attribute(self.element, "name")

    def points_to(self, name: str) -> list[Key]:
        """What its children of this name point to."""
        return [_key(found, self.home) for found in children(self.element, name)]


def read_node(element: Element, home: Home, types: Types) -> Node:
    kind, name = local(element), attribute(element, "name")
    variable = child(element, "variable")
    node = Node(
        kind=kind,
        id=attribute(element, "id") or name,
        name=attribute(variable, "name") or name,
        element=element,
        home=home,
        type=types.of(variable if type_ref(variable) else element),
        needs=(),
        outputs=_output_names(element, name),
    )
    needs = (_key(found, home) for found in _requirements(element))
    # business knowledge may call itself
    node.needs = tuple(need for need in needs if need != node.key or kind != "businessKnowledgeModel")
    return node


def compile_node(node: Node, boxes: Boxes) -> None:
    """Raises DecisionError for what is not FEEL, or no FEEL that can be read."""
    for element in within(node.element):
        check_language(element)
    if node.kind == "decision":
        found = expression_in(node.element)
        if found is not None:
            node.run = boxes.box(found, node.name)
    elif node.kind == "businessKnowledgeModel":
        logic = child(node.element, "encapsulatedLogic")
        if logic is not None:
            node.run = boxes.function(logic, node.name)


def check_language(element: Element) -> None:
    """Texts in any language but FEEL are refused, wherever they stand."""
    language = attribute(element, "expressionLanguage")
    if language and "feel" not in language.lower():
        raise mistake(
            where(element), f"只能使用 FEEL，不是“{language}”", f"only FEEL is run, not '{language}'"
        )


def below(node: Node, nodes: Mapping[Key, Node]) -> list[Key]:
    """What a node needs, of what there is."""
    return [need for need in node.needs if need in nodes]


def all_below(node: Node, nodes: Mapping[Key, Node]) -> set[Key]:
    """The node, and everything it leans on."""
    found: set[Key] = set()
    waiting = [node.key]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(below(nodes[current], nodes))
    return found


def mark_chains(nodes: Mapping[Key, Node]) -> None:
    """No decision may wait for itself, nor stand at the end of too long a chain: such are marked as broken."""
    levels: dict[Key, int] = {}
    for start in nodes:
        path: list[tuple[Key, list[Key]]] = [(start, below(nodes[start], nodes))]
        on_path = {start}
        while path:
            current, waiting = path[-1]
            if waiting:
                following = waiting.pop()
                if following in on_path:
                    _break_circle([key for key, _ in path], following, nodes)
                elif following not in levels:
                    path.append((following, below(nodes[following], nodes)))
                    on_path.add(following)
                continue
            path.pop()
            on_path.discard(current)
            levels[current] = 1 + max((levels.get(b, 0) for b in below(nodes[current], nodes)), default=0)
            if levels[current] > MAX_CHAIN:
                zh, en = f"决策依赖超过 {MAX_CHAIN} 层", f"a chain of more than {MAX_CHAIN} decisions"
                nodes[current].broken = mistake(where(nodes[current].element), zh, en)


def _break_circle(path: list[Key], again: Key, nodes: Mapping[Key, Node]) -> None:
    for key in path[path.index(again) :]:
        nodes[key].broken = mistake(where(nodes[key].element), "决策循环依赖", "decisions need each other")


def _key(element: Element, home: Home) -> Key:
    namespace, _, identity = attribute(element, "href").rpartition("#")
    return namespace or home.namespace, identity


def _requirements(element: Element) -> list[Element]:
    """What an information, knowledge or authority requirement points to; for a service, what it gives out."""
    found: list[Element] = []
    for requirement in children(element, "informationRequirement", "knowledgeRequirement"):
        found.extend(children(requirement, "requiredDecision", "requiredInput", "requiredKnowledge"))
    found.extend(children(element, "outputDecision"))
    return found


def _output_names(element: Element, name: str) -> tuple[str, ...]:
    table = expression_in(element) if local(element) == "decision" else None
    if table is None or local(table) != "decisionTable":
        return ()
    return tuple(output_name(output) or name for output in children(table, "output"))
