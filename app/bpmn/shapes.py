"""The shapes of BPMN that a diagram may hold, and how their parts are read. Pure."""

from collections.abc import Container, Iterator
from typing import Any

from app.bpmn.reading import BPMN, Element, local, namespace, xpath

RUNNABLE = {
    "startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent",
    "task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "businessRuleTask",
    "callActivity", "subProcess", "transaction", "exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway",
}  # fmt: skip
UNRUNNABLE = {
    "scriptTask", "complexGateway", "adHocSubProcess", "choreographyTask",
    "subChoreography", "callChoreography", "subConversation",
}  # fmt: skip
GATEWAYS = {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"}
ACTIVITIES = {
    "task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "businessRuleTask",
    "callActivity", "subProcess", "transaction",
}  # fmt: skip
EVENTS: dict[str, frozenset[str]] = {
    "startEvent": frozenset({"message", "timer", "signal"}),
    "intermediateCatchEvent": frozenset({"message", "timer", "signal", "link"}),
    "intermediateThrowEvent": frozenset({"message", "signal", "escalation", "link"}),
    "boundaryEvent": frozenset({"message", "timer", "signal", "error", "escalation", "cancel"}),
    "endEvent": frozenset({"message", "signal", "error", "escalation", "cancel", "terminate"}),
}
"""What each event may wait for or tell; nothing at all is allowed everywhere but on a border."""

DRAWN = RUNNABLE | UNRUNNABLE | {"sequenceFlow", "lane", "participant", "process", "definitions"}
BLACK_BOX = UNRUNNABLE
EXTENSIONS = frozenset({"properties", "serviceTaskOperator", "calledDecisionId", "messageVariable"})
"""The extensions of SpiffWorkflow that mean something here."""

UNSAID = "null"
"""Stands for a condition, a number or a time that the drawing leaves open. Reaching it is a fault; a rehearsal
makes something up."""


def is_bpmn(element: Element) -> bool:
    return isinstance(element.tag, str) and namespace(element) == BPMN


def processes_of(root: Element) -> list[Element]:
    return xpath(root, "/bpmn:definitions/bpmn:process")


def shapes_in(scope: Element) -> Iterator[Element]:
    """The flow nodes that stand directly in a process or sub-process."""
    return (e for e in scope if is_bpmn(e) and local(e) in RUNNABLE)


def says_yes(said: Any) -> bool:
    """An `xsd:boolean`, which has two spellings of each of its values."""
    return str(said or "").strip() in ("true", "1")


def plain_name(reference: Any) -> str:
    """A reference without the namespace prefix that some tools write before it."""
    return str(reference or "").strip().rpartition(":")[2]


def referred(reference: Any, known: Container[str]) -> str:
    """What a reference points to: as it stands where that is known, else without its prefix."""
    whole = str(reference or "").strip()
    return whole if whole in known else plain_name(whole)


def said_in(element: Element | None) -> str:
    """All the text of an element, without blanks around it; nothing when there is no element."""
    return "".join(element.itertext()).strip() if element is not None else ""


def expression_in(element: Element | None) -> str:
    """The text of an expression; some tools write FEEL with an equals sign before it."""
    return said_in(element).removeprefix("=").strip()


def condition_of(flow: Element) -> str:
    return next((expression_in(e) for e in flow if is_bpmn(e) and local(e) == "conditionExpression"), "")


def events_of(node: Element, root: Element) -> list[Element]:
    """The event definitions of a node, those that it only refers to included."""
    found: list[Element] = []
    for child in node:
        if not is_bpmn(child):
            continue
        if local(child).endswith("EventDefinition"):
            found.append(child)
        elif local(child) == "eventDefinitionRef":
            wanted = plain_name(child.text)
            found += [
                e
                for e in root
                if is_bpmn(e) and local(e).endswith("EventDefinition") and e.get("id") == wanted
            ]
    return found


def links_of(root: Element) -> list[tuple[Element, list[Element]]]:
    """Each event that throws a link, with those of its process or sub-process that catch it: an arrow that was not
    drawn (BPMN 2.0.2, clause 10.5.5). By the link's name, else by the event's."""
    throws, catches = (
        [
            (e, name)
            for e in xpath(root, f"//bpmn:process//bpmn:intermediate{way}Event")
            if (name := _link(e, root))
        ]
        for way in ("Throw", "Catch")
    )
    return [
        (throw, [e for e, said in catches if said == name and e.getparent() is throw.getparent()])
        for throw, name in throws
    ]


def _link(event: Element, root: Element) -> str:
    links = [d for d in events_of(event, root) if local(d) == "linkEventDefinition"]
    return str(links[0].get("name") or event.get("name") or "").strip() if links else ""


def is_handler(element: Element) -> bool:
    """An event sub-process."""
    return is_bpmn(element) and local(element) == "subProcess" and says_yes(element.get("triggeredByEvent"))


def is_event_part(element: Element) -> bool:
    return is_bpmn(element) and local(element) in ("timeDate", "timeDuration", "timeCycle")


def item_name(root: Element, reference: str) -> str:
    """The name of the data that a multi-instance activity refers to: that of the object, else the reference."""
    wanted = plain_name(reference)
    for element in root.iter(*(f"{{{BPMN}}}{t}" for t in ITEMS)):
        if element.get("id") == wanted:
            return str(element.get("name") or wanted).strip()
    return wanted


def data_names(root: Element) -> frozenset[str]:
    """What the data of a diagram are called, where that is more than one word."""
    named = (str(e.get("name") or "").strip() for e in root.iter(*(f"{{{BPMN}}}{t}" for t in ITEMS)))
    return frozenset(" ".join(name.split()) for name in named if name and not name.isidentifier())


ITEMS = ("dataInput", "dataOutput", "dataObject", "dataObjectReference", "property", "dataStoreReference")
