"""What SpiffWorkflow is given to read: a diagram written anew, with nothing in it that we did not put there. Pure.

Files come from many tools, which say the same in different ways and leave out what the standard lets them.
Here every accepted diagram becomes one plain form: each shape has an id, each process one way in and a way out,
each task at most one flow out. Nothing else is copied: no foreign extension, no data association, no
coordinates (moving a box never changes a way), no text that SpiffWorkflow would hand to an evaluator of its own.
What is added carries a `~` in its id, which people's shapes never do.
"""

from collections import Counter, defaultdict
from copy import deepcopy
from itertools import chain
from typing import Any

from lxml import etree

from app.bpmn.reading import BPMN, NAMESPACES, SPIFF, Element, local, namespace, xpath
from app.bpmn.shapes import (
    ACTIVITIES,
    BLACK_BOX,
    EXTENSIONS,
    GATEWAYS,
    UNSAID,
    condition_of,
    events_of,
    expression_in,
    is_event_part,
    is_handler,
    item_name,
    links_of,
    plain_name,
    processes_of,
    referred,
    said_in,
    says_yes,
    shapes_in,
)

RESERVED = {"Start", "End", "Root", "StartEventSplit", "StartEventJoin"}
"""Names that SpiffWorkflow gives to shapes of its own."""

DEFINED = {"messageRef": "message", "signalRef": "signal", "errorRef": "error", "escalationRef": "escalation"}


def canonical(root: Element) -> Element:
    """The definitions, written anew. The diagram must have passed the lint."""
    made = etree.Element(f"{{{BPMN}}}definitions", nsmap={"bpmn": BPMN, "spiffworkflow": SPIFF})
    writer = _Writer(root, made)
    for process in processes_of(root):
        key = process_key(process)
        writer.scope(
            process, _add(made, "process", id=key, name=process.get("name") or key, isExecutable="true")
        )
    return made


def process_key(process: Element) -> str:
    """The id of a process; one that has none is called by its place in the file."""
    return str(process.get("id") or f"process~{process.getparent().index(process)}")


def spelled(ident: str) -> str:
    """An id as SpiffWorkflow may have it."""
    return f"{ident}~" if ident in RESERVED else ident


def as_drawn(ident: str) -> str:
    """The other way round."""
    return ident[:-1] if ident.endswith("~") and ident[:-1] in RESERVED else ident


def _add(parent: Element, tag: str, **attributes: str) -> Element:
    return etree.SubElement(parent, f"{{{BPMN}}}{tag}", attributes)


class _Writer:
    def __init__(self, root: Element, made: Element) -> None:
        self.root = root
        self.made = made
        self.known = {
            kind: {str(e.get("id")): e for e in xpath(root, f"/bpmn:definitions/bpmn:{kind}[@id]")}
            for kind in DEFINED.values()
        }
        self.hosts = {str(e.get("id")) for e in xpath(root, "//bpmn:process//bpmn:*[@id]")}
        self.defined: dict[tuple[str, str], str] = {}
        self.within: dict[str, str] = {}
        self.outgoing: dict[str, list[Element]] = defaultdict(list)
        self.incoming: Counter[str] = Counter()
        for flow in xpath(root, "//bpmn:process//bpmn:sequenceFlow"):
            self.outgoing[str(flow.get("sourceRef"))].append(flow)
            self.incoming[str(flow.get("targetRef"))] += 1
        for throw, catches in links_of(root):
            for caught in catches:
                ends = {"sourceRef": str(throw.get("id")), "targetRef": str(caught.get("id"))}
                self.outgoing[ends["sourceRef"]].append(etree.Element(f"{{{BPMN}}}sequenceFlow", ends))
                self.incoming[ends["targetRef"]] += 1

    # one process or sub-process

    def scope(self, source: Element, into: Element) -> None:
        nodes = [n for n in shapes_in(source) if n.get("id") and local(n) not in BLACK_BOX]
        handlers = [n for n in nodes if is_handler(n)]
        inner = local(source) != "process"
        if handlers:
            self.guarded([n for n in nodes if n not in handlers], handlers, into, inner=inner)
        else:
            self.fill(nodes, into, inner=inner)

    def guarded(self, nodes: list[Element], handlers: list[Element], into: Element, *, inner: bool) -> None:
        """A scope with event sub-processes: what they may interrupt goes into a sub-process of its own, and each of
        them follows an event on its border (BPMN 2.0.2, clause 13.5.4)."""
        name = str(into.get("id"))
        drawn = None if inner else next((n for n in nodes if local(n) == "startEvent"), None)
        start = f"{name}~start" if drawn is None else spelled(str(drawn.get("id")))
        if drawn is None:
            _add(into, "startEvent", id=start)
        else:
            self.outside(drawn, _add(into, "startEvent", id=start))
        body = _add(into, "subProcess", id=f"{name}~body")
        self.fill(nodes, body, inner=True)
        _add(into, "endEvent", id=f"{name}~end")
        self.flow(into, start, f"{name}~body")
        self.flow(into, f"{name}~body", f"{name}~end")
        for handler in handlers:
            begun = next(n for n in shapes_in(handler) if local(n) == "startEvent")
            stops = _plainly(begun.get("isInterrupting") or "true")
            ident, border = spelled(str(handler.get("id"))), spelled(str(begun.get("id")))
            event = _add(into, "boundaryEvent", id=border, attachedToRef=f"{name}~body", cancelActivity=stops)
            self.outside(begun, event)
            made = _add(into, "subProcess", id=ident, name=handler.get("name") or ident)
            self.extensions(handler, made)
            self.scope(handler, made)
            self.flow(into, border, ident)
            self.flow(into, ident, f"{name}~end")

    def outside(self, start: Element, made: Element) -> None:
        """The event of a start, where it stands before the sub-process it begins; inside a plain one is left."""
        for event in events_of(start, self.root):
            self.event(start, event, made)
        self.within[str(start.get("id"))] = f"{spelled(str(start.get('id')))}~in"

    def called(self, node: Element) -> str:
        """The id of a shape in what is written."""
        ident = str(node.get("id"))
        return self.within.get(ident) or spelled(ident)

    def fill(self, nodes: list[Element], into: Element, *, inner: bool) -> None:
        starts = [n for n in nodes if local(n) == "startEvent"]
        merged = starts if inner and len(starts) > 1 else []
        for node in nodes:
            self.node(node, into, plain_start=inner, throws=node in merged)
        name = str(into.get("id"))
        ways_in = merged if starts else [n for n in nodes if self.begins(n)]
        if ways_in or not starts:
            self.way_in(name, ways_in, into)
        self.flows(nodes, into, merged)
        self.way_out(name, nodes, into, bare=not ways_in and not starts)

    def begins(self, node: Element) -> bool:
        return local(node) != "boundaryEvent" and not self.incoming[str(node.get("id"))]

    def way_in(self, name: str, nodes: list[Element], into: Element) -> None:
        """The start that was not drawn: everything that no flow leads to begins at once."""
        _add(into, "startEvent", id=f"{name}~start")
        first = f"{name}~start"
        if len(nodes) > 1:
            first = f"{name}~fork"
            _add(into, "parallelGateway", id=first)
            self.flow(into, f"{name}~start", first)
        for node in nodes:
            self.flow(into, first, self.called(node))

    def way_out(self, name: str, nodes: list[Element], into: Element, *, bare: bool) -> None:
        """The end that was not drawn: whatever nothing follows is over."""
        loose = [
            self.called(n) for n in nodes if local(n) != "endEvent" and not self.outgoing[str(n.get("id"))]
        ]
        if loose or bare or not any(local(n) == "endEvent" for n in nodes):
            _add(into, "endEvent", id=f"{name}~end")
        for ident in loose:
            self.flow(into, ident, f"{name}~end")
        if bare:
            self.flow(into, f"{name}~start", f"{name}~end")

    # flows

    def flow(self, into: Element, source: str, target: str, ident: str = "", said: str | None = None) -> None:
        made = _add(
            into, "sequenceFlow", id=ident or f"{source}~{target}", sourceRef=source, targetRef=target
        )
        if said is not None:
            _add(made, "conditionExpression").text = said

    def flows(self, nodes: list[Element], into: Element, merged: list[Element]) -> None:
        for node in nodes:
            out = self.outgoing[str(node.get("id"))]
            source, default = self.called(node), node.get("default")
            kind = local(node)
            choosing = kind in ("exclusiveGateway", "inclusiveGateway")
            if kind not in GATEWAYS and any(condition_of(f) for f in out):
                source, choosing = self.parting(into, source, "inclusiveGateway", default), True
            elif kind not in GATEWAYS and (kind != "startEvent" or node in merged) and len(out) > 1:
                source = self.parting(into, source, "parallelGateway")
            seen: Counter[str] = Counter()
            for number, flow in enumerate(out):
                target = spelled(str(flow.get("targetRef")))
                ident = str(flow.get("id") or f"{source}~{number}")
                said = None
                if (
                    choosing
                    and not (default and flow.get("id") == default)
                    and (len(out) > 1 or condition_of(flow))
                ):
                    said = condition_of(flow) or (UNSAID if kind in GATEWAYS else "true")
                seen[target] += 1
                if seen[target] > 1:  # a second arrow between the same two shapes is a token of its own
                    _add(into, "intermediateThrowEvent", id=f"{ident}~via")
                    self.flow(into, f"{ident}~via", target)
                    target = f"{ident}~via"
                self.flow(into, source, target, ident, said)

    def parting(self, into: Element, source: str, kind: str, default: str | None = None) -> str:
        """Several arrows out of a task: the gateway that they stand for."""
        ident = f"{source}~split"
        made = _add(into, kind, id=ident)
        if default:
            made.set("default", default)
        self.flow(into, source, ident)
        return ident

    # shapes

    def node(self, node: Element, into: Element, *, plain_start: bool, throws: bool) -> None:
        kind = "subProcess" if local(node) == "transaction" else local(node)
        made = _add(into, "intermediateThrowEvent" if throws else kind, id=self.called(node))
        if node.get("name"):
            made.set("name", node.get("name"))
        if node.get("default"):
            made.set("default", node.get("default"))
        if node.get("cancelActivity"):
            made.set("cancelActivity", _plainly(node.get("cancelActivity")))
        self.extensions(node, made)
        if kind == "boundaryEvent":
            made.set("attachedToRef", spelled(referred(node.get("attachedToRef"), self.hosts)))
        elif kind == "callActivity":
            made.set("calledElement", called_by(node))
        elif kind in ("sendTask", "receiveTask"):
            self.message(node, made, node)
        if not (throws or (plain_start and kind == "startEvent")):
            for event in events_of(node, self.root):
                if local(event) != "linkEventDefinition":
                    self.event(node, event, made)
        if kind in ACTIVITIES:
            self.repeats(node, made)
        if kind == "subProcess":
            self.scope(node, made)

    def extensions(self, source: Element, into: Element) -> None:
        ours = [e for e in xpath(source, "./bpmn:extensionElements/spiff:*") if local(e) in EXTENSIONS]
        if ours:
            _add(into, "extensionElements").extend(deepcopy(e) for e in ours)

    def event(self, node: Element, event: Element, into: Element) -> None:
        kind = local(event)
        if kind == "cancelEventDefinition":  # an error of the transaction's own
            self.cancel(node, _add(into, "errorEventDefinition"))
            return
        made = _add(into, kind)
        self.extensions(event, made)
        if kind == "messageEventDefinition":
            self.message(node, made, event)
        elif kind == "timerEventDefinition":
            said = next((p for p in event if is_event_part(p) and said_in(p)), None)
            _add(made, local(said) if said is not None else "timeDuration").text = (
                expression_in(said) if said is not None else UNSAID
            )
        else:
            for attribute, what in DEFINED.items():
                if kind == f"{what}EventDefinition":
                    self.refer(made, attribute, what, event, node)

    def cancel(self, node: Element, made: Element) -> None:
        home = node.get("attachedToRef") or node.getparent().get("id")
        ident = f"{plain_name(home)}~cancel"
        if ("cancel", ident) not in self.defined:
            attributes = {"id": ident, "name": ident, "errorCode": ident}
            self.made.insert(0, etree.Element(f"{{{BPMN}}}error", attributes))
            self.defined["cancel", ident] = ident
        made.set("errorRef", ident)

    def message(self, node: Element, made: Element, said: Element) -> None:
        self.refer(made, "messageRef", "message", said, node)

    def refer(self, made: Element, attribute: str, what: str, said: Element, node: Element) -> None:
        """Point to the definition, written once; an event that names none has one of its own, so that two
        nameless events never hear each other. Only an error or an escalation may catch whatever comes."""
        reference = referred(said.get(attribute), self.known[what])
        meant = self.known[what].get(reference)
        catches = local(node) not in ("sendTask", "intermediateThrowEvent", "endEvent")
        if meant is None and not reference and what in ("error", "escalation"):
            return
        own = str(node.get("name") or node.get("id")) if catches else f"{node.get('id')}~"
        name = str(meant.get("name") or reference) if meant is not None else reference or own
        key = (what, reference or own)
        if key not in self.defined:
            ident = reference or f"{what}~{len(self.defined)}"
            code = str(meant.get(f"{what}Code") or reference) if meant is not None else reference
            definition = etree.Element(f"{{{BPMN}}}{what}", {"id": ident, "name": name})
            if what in ("error", "escalation"):
                definition.set(f"{what}Code", code)
            if meant is not None:
                self.extensions(meant, definition)
            self.made.insert(0, definition)
            self.defined[key] = ident
        made.set(attribute, self.defined[key])

    def repeats(self, node: Element, made: Element) -> None:
        for loop in xpath(node, "./bpmn:standardLoopCharacteristics"):
            condition = expression_in(next(iter(xpath(loop, "./bpmn:loopCondition")), None))
            again = _add(made, "standardLoopCharacteristics", testBefore=_plainly(loop.get("testBefore")))
            most = int(loop.get("loopMaximum") or 0)
            if most > 0 or not condition:
                again.set("loopMaximum", str(max(most, 1)))
            if condition:
                _add(again, "loopCondition").text = condition
        for many in xpath(node, "./bpmn:multiInstanceLoopCharacteristics"):
            self.many(many, made)

    def many(self, many: Element, made: Element) -> None:
        again = _add(
            made, "multiInstanceLoopCharacteristics", isSequential=_plainly(many.get("isSequential"))
        )
        parts = {local(e): e for e in chain(many) if namespace(e) == BPMN}
        collection = said_in(parts.get("loopDataInputRef"))
        if collection:
            _add(again, "loopDataInputRef").text = item_name(self.root, collection)
        else:
            _add(again, "loopCardinality").text = expression_in(parts.get("loopCardinality")) or UNSAID
        if "loopDataOutputRef" in parts:
            _add(again, "loopDataOutputRef").text = item_name(self.root, said_in(parts["loopDataOutputRef"]))
        for tag in ("inputDataItem", "outputDataItem"):
            if tag in parts:
                _add(again, tag, name=str(parts[tag].get("name") or parts[tag].get("id") or "item"))
        condition = expression_in(parts.get("completionCondition"))
        if condition:
            _add(again, "completionCondition").text = condition


def _plainly(said: Any) -> str:
    return "true" if says_yes(said) else "false"


def called_by(node: Element) -> str:
    """The process that a call activity calls; one that names none calls a stranger of its own name. Zeebe names it
    in an extension, which may be an expression: then it is a stranger too."""
    named = plain_name(node.get("calledElement"))
    if not named:
        zeebe = node.iterfind("bpmn:extensionElements/{*}calledElement[@processId]", NAMESPACES)
        named = next((str(e.get("processId")).strip() for e in zeebe), "")
    return named if named and not named.startswith("=") else f"{node.get('id')}~called"
