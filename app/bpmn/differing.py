"""What differs between two versions of a program: shapes added, removed, changed, by their BPMN ids."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import SubWorkflowTask

from app.bpmn.canonical import spelled
from app.bpmn.parse import Node, Program
from app.text import Text

ASPECTS: dict[str, Text] = {
    "kind": Text("类型", "its kind"),
    "event": Text("等待或发出的事件", "the event it waits for or tells"),
    "loop": Text("多次办理的方式", "how often it is done"),
    "called": Text("调用的流程", "the flow it calls"),
    "label": Text("名称", "its name"),
    "lane": Text("所在泳道", "its lane"),
    "properties": Text("属性", "its properties"),
    "operator": Text("操作及参数", "its action and parameters"),
    "decision": Text("规则表", "its rule table"),
    "ways": Text("出线及条件", "the flows that leave it"),
    "table": Text("规则", "its rules"),
    "form": Text("表单项", "its fields"),
}
IDENTITY = ("kind", "event", "loop", "called")
"""What makes a shape another one: a token that stands at it would not know what to do there."""


@dataclass(frozen=True)
class Change:
    """One shape that differs. `aspects`: which of ASPECTS, for one that is in both."""

    kind: Literal["added", "removed", "changed"]
    process: str
    element: str
    label: Text
    aspects: tuple[str, ...] = ()

    @property
    def text(self) -> Text:
        name = Text(f"「{self.label.zh}」（{self.element}）", f'"{self.label.en}" ({self.element})')
        if self.kind == "added":
            return Text(f"新增{name.zh}", f"{name.en} is new")
        if self.kind == "removed":
            return Text(f"去掉{name.zh}", f"{name.en} is gone")
        said = [ASPECTS[a] for a in self.aspects]
        return Text(
            f"{name.zh}改变：{'、'.join(s.zh for s in said)}",
            f"{name.en} differs: {', '.join(s.en for s in said)}",
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "change": self.kind,
            "process": self.process,
            "element": self.element,
            "aspects": list(self.aspects),
            "zh": self.text.zh,
            "en": self.text.en,
        }


def differences(old: Program, new: Program, mapping: Mapping[str, str] | None = None) -> list[Change]:
    """Every shape that differs, in the order of the newer drawing, then what is gone. `mapping`: old id → new id."""
    names = mapping or {}
    before = {(process, names.get(node.id, node.id)): node for process, node in _nodes(old)}
    found: list[Change] = []
    for process, node in _nodes(new):
        earlier = before.pop((process, node.id), None)
        if earlier is None:
            found.append(Change("added", process, node.id, node.label))
            continue
        aspects = changed_aspects(old, earlier, new, node, names)
        if aspects:
            found.append(Change("changed", process, node.id, node.label, aspects))
    found += [Change("removed", process, node.id, node.label) for (process, _), node in before.items()]
    return found


def changed_aspects(
    old: Program, earlier: Node, new: Program, node: Node, names: Mapping[str, str]
) -> tuple[str, ...]:
    one, other = _said(old, earlier, names), _said(new, node, {})
    return tuple(aspect for aspect in ASPECTS if one.get(aspect) != other.get(aspect))


def _nodes(program: Program) -> Iterator[tuple[str, Node]]:
    for key, diagram in program.diagrams.items():
        for node in diagram.nodes.values():
            yield key, node


def _said(program: Program, node: Node, names: Mapping[str, str]) -> dict[str, Any]:
    """All that a shape says, as values that can be compared."""
    spec = spec_of(program, node.id)
    inner = spec.task_specs_of.get(f"{spelled(node.id)} [child]") if spec is not None else None
    made: Any = spec.made if spec is not None else None
    what: Any = inner if inner is not None else made
    event = getattr(what, "event_definition", None)
    return {
        "kind": node.kind,
        "event": None
        if event is None
        else (type(event).__name__, getattr(event, "name", None), getattr(event, "expression", None),
              getattr(what, "cancel_activity", None)),
        "loop": _loop(made),
        "called": names.get(what.spec, what.spec) if isinstance(what, SubWorkflowTask) else None,
        "label": node.label,
        "lane": node.lane,
        "properties": dict(node.properties),
        "operator": (getattr(what, "operator", None), getattr(what, "parameters", None),
                     getattr(what, "result", None)),
        "decision": getattr(what, "decision", None),
        "ways": _ways(made, names),
    }  # fmt: skip


def _loop(made: Any) -> Any:
    if not isinstance(made, LoopTask):
        return None
    said: Any = made
    source = getattr(said, "data_input", None)
    return (
        type(made).__name__,
        source.bpmn_id if source is not None else None,
        getattr(said, "cardinality", None),
        getattr(said, "condition", None),
        getattr(said, "maximum", None),
    )


def _ways(made: Any, names: Mapping[str, str]) -> Any:
    """Where it leads: on which conditions, in their order."""
    if made is None:
        return None
    said = getattr(made, "cond_task_specs", None)
    if said:
        return [(None if c is None else str(c.args[0]), drawn(renamed(name, names))) for c, name in said]
    ways = (o.name for o in made.outputs if not o.name.endswith(".BoundaryEventJoin"))
    return sorted(drawn(renamed(name, names)) for name in ways)


def event_kind(program: Program, node: Node) -> str:
    """Which sort of event a shape waits for: a message, a timer, …; nothing for all others."""
    found = spec_of(program, node.id)
    event = getattr(found.made, "event_definition", None) if found is not None else None
    return "" if event is None else type(event).__name__


@dataclass(frozen=True)
class _Found:
    made: Any
    task_specs_of: Mapping[str, Any]


def spec_of(program: Program, ident: str) -> _Found | None:
    """What SpiffWorkflow made of a shape, with its neighbours."""
    for spec in program.called_specs.values():
        made = spec.task_specs.get(spelled(ident))
        if made is not None and made.bpmn_id is not None:
            return _Found(made, spec.task_specs)
    return None


SUFFIXES = (" [child]", ".BoundaryEventSplit", ".BoundaryEventJoin", ".EndJoin")


def drawn(name: str) -> str:
    """The id of the shape, or the process, that a spec was made for: `review [child]` → `review`."""
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name.partition("~")[0]


def renamed(name: str, names: Mapping[str, str]) -> str:
    """The spec's name where its shape is called as `names` (old id → new id) say."""
    ident = drawn(name)
    return names[ident] + name[len(ident) :] if ident in names else name
