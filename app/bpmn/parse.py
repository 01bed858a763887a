"""A diagram's bytes become something that can be run: linted first, parsed once per content, then shared.

SpiffWorkflow never sees a file that `lint` rejects. What it makes of an accepted one is kept in an LRU by the
SHA-256 of everything that went in, because parsing costs more than running.
"""

# pyright: reportUntypedBaseClass=false, reportUnknownMemberType=false, reportMissingTypeStubs=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportPrivateUsage=false

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from SpiffWorkflow.exceptions import SpiffWorkflowException

from app.bpmn import decision
from app.bpmn.canonical import called_by, canonical, process_key
from app.bpmn.lint import Problem, Surroundings, lint
from app.bpmn.picture import Picture, label_of, picture_of
from app.bpmn.reading import Element, local, properties, read, xpath
from app.bpmn.shapes import processes_of, says_yes, shapes_in
from app.bpmn.spiff_reader import Reader, specs_of
from app.refusal import Invalid
from app.text import Text


@dataclass(frozen=True)
class Node:
    """One shape that can be reached: `kind` is its BPMN tag, `lane` the Chinese name of its lane."""

    id: str
    kind: str
    label: Text
    lane: str | None
    properties: Mapping[str, str]


@dataclass(frozen=True)
class Diagram:
    """One parsed file. `key` is its process id; `calls` the processes it calls; `specs` what SpiffWorkflow made."""

    key: str
    sha256: str
    label: Text
    properties: Mapping[str, str]
    nodes: Mapping[str, Node]
    calls: frozenset[str]
    operators: Mapping[str, frozenset[str]]
    """Actions the diagram asks for, each with the names of the parameters it gives."""

    picture: Picture
    warnings: tuple[Problem, ...]
    specs: Mapping[str, Any] = field(repr=False, compare=False)
    processes: tuple[str, ...] = ()
    """Every process of the file, the main one among them: pools, and what call activities of the file call."""


@dataclass(frozen=True)
class Program:
    """A diagram together with every diagram it calls, in the versions that were pinned."""

    main: Diagram
    diagrams: Mapping[str, Diagram]

    def diagram_of(self, spec_name: str) -> Diagram:
        """The diagram that holds the process or embedded sub-process of that name."""
        return next(d for d in self.diagrams.values() if spec_name in d.specs)

    @property
    def called_specs(self) -> dict[str, Any]:
        """Everything that may run inside; the main process too, as it may call itself."""
        return {n: s for d in self.diagrams.values() for n, s in d.specs.items()}


def digest(bpmn: bytes, tables: Mapping[str, bytes]) -> str:
    """What identifies a diagram together with its rule tables: SHA-256 over names, lengths and contents."""
    running = hashlib.sha256()
    for name, content in (("", bpmn), *sorted(tables.items())):
        running.update(f"{name}\0{len(content)}\0".encode() + content)
    return running.hexdigest()


_parsed: "OrderedDict[str, Diagram]" = OrderedDict()
_lock = threading.Lock()
KEPT = 256


def parse(bpmn: bytes, tables: Mapping[str, bytes] | None = None) -> Diagram:
    """The diagram, from the cache when its content was seen before. Refuses `Invalid` with `problems`."""
    tables = tables or {}
    sha256 = digest(bpmn, tables)
    with _lock:
        known = _parsed.get(sha256)
        if known is not None:
            _parsed.move_to_end(sha256)
            return known
    made = _parse(sha256, bpmn, tables)
    with _lock:
        _parsed[sha256] = made
        while len(_parsed) > KEPT:
            _parsed.popitem(last=False)
    return made


def _parse(sha256: str, bpmn: bytes, tables: Mapping[str, bytes]) -> Diagram:
    root = read(bpmn)
    problems = lint(root, Surroundings.unknown())
    refuse_if_wrong(problems)
    process = _main(root)
    key = process_key(process)
    parser = Reader(tuple(_table(name, content) for name, content in tables.items()))
    try:
        parser.add_bpmn_xml(canonical(root))
        specs = {
            name: spec for p in processes_of(root) for name, spec in specs_of(parser, process_key(p)).items()
        }
    except SpiffWorkflowException as error:
        raise _unparsable(error, getattr(error, "id", None) or key) from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, NotImplementedError) as error:
        # SpiffWorkflow's parser meets what it did not expect with whatever Python raises
        raise _unparsable(error, key) from error
    here = {process_key(p) for p in processes_of(root)}
    return Diagram(
        key=key,
        sha256=sha256,
        label=label_of(process),
        properties=properties(process),
        nodes={node.id: node for node in _nodes(root)},
        calls=frozenset(called_by(e) for e in xpath(root, "//bpmn:process//bpmn:callActivity")) - here,
        operators=_operators(root),
        picture=picture_of(root),
        warnings=tuple(p for p in problems if not p.fatal),
        specs=specs,
        processes=tuple(process_key(p) for p in processes_of(root)),
    )


def _main(root: Element) -> Element:
    """The process that the file is about: the first that may be run and has something in it, else the first."""
    processes = processes_of(root)
    wanted = [p for p in processes if says_yes(p.get("isExecutable")) and any(True for _ in shapes_in(p))]
    filled = [p for p in processes if any(True for _ in shapes_in(p))]
    return (wanted or filled or processes)[0]


def _table(name: str, content: bytes) -> decision.Decisions:
    try:
        return decision.parse(content)
    except decision.DecisionError as error:
        raise Invalid(
            "diagram.table",
            zh=f"规则表 {name} 有误：{error.text.zh}",
            en=f"the rule table {name} is wrong: {error.text.en}",
            table=name,
        ) from error


def _nodes(root: Element) -> Iterable[Node]:
    lanes = {str(ref.text).strip(): ref.getparent().get("name") for ref in xpath(root, "//bpmn:flowNodeRef")}
    for element in xpath(root, "//bpmn:process//*[@id]"):
        kind = local(element)
        if kind.endswith(("Task", "task", "Event", "Gateway", "Activity", "subProcess", "transaction")):
            ident = str(element.get("id"))
            lane = lanes.get(ident)
            yield Node(ident, kind, label_of(element), str(lane) if lane else None, properties(element))


def _operators(process: Element) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for operator in xpath(process, ".//bpmn:serviceTask//spiff:serviceTaskOperator"):
        names = frozenset(str(p.get("id")) for p in xpath(operator, ".//spiff:parameter"))
        found[str(operator.get("id"))] = found.get(str(operator.get("id")), frozenset()) | names
    return found


def _unparsable(error: Exception, element: object) -> Invalid:
    return Invalid(
        "diagram.unsupported",
        zh=f"流程图无法执行：{error}（图元 {element}）",
        en=f"The diagram cannot be run: {error} (element {element})",
        element=str(element or ""),
    )


def refuse_if_wrong(problems: Iterable[Problem]) -> None:
    """Raise `Invalid` that tells of every fatal problem, the first one in its sentence."""
    fatal = [p for p in problems if p.fatal]
    if not fatal:
        return
    more = (
        Text(f"（共 {len(fatal)} 处问题）", f" ({len(fatal)} problems in all)") if fatal[1:] else Text("", "")
    )
    raise Invalid(
        "diagram.rejected",
        zh=fatal[0].text.zh + more.zh,
        en=fatal[0].text.en + more.en,
        problems=[p.as_json() for p in fatal],
    )


def program(main: Diagram, called: Mapping[str, Diagram]) -> Program:
    """Join a diagram with those it calls, however deep. Refuses `Invalid` when one is missing or calls in a circle."""
    diagrams: dict[str, Diagram] = {}

    def join(diagram: Diagram, path: tuple[str, ...]) -> None:
        if diagram.key in path:
            raise Invalid(
                "diagram.circle",
                zh=f"流程互相调用成环：{' → '.join((*path, diagram.key))}",
                en=f"the diagrams call each other in a circle: {' → '.join((*path, diagram.key))}",
            )
        if diagram.key in diagrams:
            return
        diagrams[diagram.key] = diagram
        for key in sorted(diagram.calls):
            if key not in called:
                raise Invalid(
                    "diagram.missing",
                    zh=f"「{diagram.key}」调用的流程「{key}」不存在，请先发布它",
                    en=f'"{diagram.key}" calls "{key}", which does not exist; publish that first',
                )
            join(called[key], (*path, diagram.key))

    join(main, ())
    return Program(main, diagrams)
