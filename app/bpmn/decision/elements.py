"""Small questions to DMN elements, whatever version's namespace they are in. Pure."""

import re
from collections.abc import Iterator
from typing import Any

from app.bpmn.decision.error import DecisionError
from app.bpmn.reading import Element, local, namespace, read
from app.refusal import Invalid
from app.text import Text

_NAMESPACE = re.compile(
    r"https?://www\.omg\.org/spec/DMN/20(?:1[5-9]|[2-9]\d)\d{4}(?:/MODEL/?|/dmn(?:11)?\.xsd)?"
)
"""DMN 1.1 (20151101) to 1.5 (20230324), in the spellings that tools have given them; a later one is read as if it
were 1.5, and what it brings that we do not know is refused where it stands."""
EXPRESSIONS = frozenset(
    [
        "literalExpression",
        "decisionTable",
        "context",
        "invocation",
        "list",
        "relation",
        "functionDefinition",
        "conditional",
        "for",
        "every",
        "some",
        "filter",
    ]
)


def read_model(xml: bytes) -> Element:
    """The `definitions` element. Raises DecisionError: not XML, a DOCTYPE, too large, not DMN 1.1 to 1.5."""
    try:
        root = read(xml)
    except Invalid as refusal:
        raise DecisionError(refusal.text) from refusal
    # some files stand in a namespace of their maker's and only declare the standard's
    declared: set[Any] = {namespace(root), *root.nsmap.values()}
    if local(root) != "definitions" or not any(_NAMESPACE.fullmatch(str(said)) for said in declared):
        raise DecisionError(
            Text(
                "这不是 DMN 1.1 至 1.5 的决策文件，请用 DMN 编辑器重新导出",
                "This is not a DMN 1.1 to 1.5 file; export it again from a DMN editor",
            )
        )
    return root


def children(element: Element, *names: str) -> Iterator[Element]:
    """The children of these names in the model's own namespace."""
    own = namespace(element)
    for child in element:
        if isinstance(child.tag, str) and namespace(child) == own and (not names or local(child) in names):
            yield child


def child(element: Element, name: str) -> Element | None:
    return next(children(element, name), None)


def within(element: Element) -> Iterator[Element]:
    """Every element of the model below this one."""
    own = namespace(element)
    for found in element.iter():
        if isinstance(found.tag, str) and namespace(found) == own:
            yield found


def text_of(element: Element | None) -> str:
    """What stands in the element's `text`, or in itself when it has none."""
    if element is None:
        return ""
    inner = child(element, "text")
    return "".join((element if inner is None else inner).itertext()).strip()


def expression_in(element: Element) -> Element | None:
    """The boxed expression that an element holds."""
    return next(children(element, *EXPRESSIONS), None)


def attribute(element: Element | None, name: str) -> str:
    """One line: line breaks and doubled spaces in names mean nothing."""
    return "" if element is None else " ".join(str(element.get(name, "")).split())


def type_ref(element: Element | None) -> str:
    """The type an element names: an attribute since 1.2, in 1.1 also a QName; a child in itemDefinition."""
    if element is None:
        return ""
    return attribute(element, "typeRef") or text_of(child(element, "typeRef"))


def output_name(output: Element) -> str:
    """What an output of a table is called. One alone needs no name; of several, one without goes by its label."""
    several = len(list(children(output.getparent(), "output"))) > 1
    return attribute(output, "name") or (attribute(output, "label") if several else "")


def where(element: Element) -> str:
    """How to name an element to a person."""
    found: Any = element
    while found is not None:
        name = attribute(found, "name") or attribute(found, "label") or attribute(found, "id")
        if name:
            return f"{local(found)} “{name}”"
        found = found.getparent()
    return ""
