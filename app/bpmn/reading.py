"""Read a diagram's bytes as XML without trusting them: no DTD, no entities, no network, bounded size. Pure."""

from typing import Any, cast

from lxml import etree

from app.refusal import Invalid

MAX_BYTES = 4 * 1024 * 1024
MAX_ELEMENTS = 20_000
MAX_DEPTH = 100

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
NAMESPACES = {"bpmn": BPMN, "bpmndi": BPMNDI, "dc": DC, "di": DI, "spiff": SPIFF}

Element = Any
"""An lxml element. lxml's stubs say too little for strict checking; this is the one door."""


def read(data: bytes) -> Element:
    """The root element. Refuses `Invalid`: too large, not XML, a DOCTYPE, too many or too deeply nested elements."""
    if len(data) > MAX_BYTES:
        raise _unreadable(
            "too_large", f"文件超过 {MAX_BYTES // 2**20} MB", f"larger than {MAX_BYTES // 2**20} MB"
        )
    if (
        b"<!DOCTYPE" in data
        or "<!DOCTYPE".encode("utf-16-le") in data
        or "<!DOCTYPE".encode("utf-16-be") in data
    ):
        raise _unreadable(
            "doctype", "文件含有 DOCTYPE 声明，不予读取", "it carries a DOCTYPE, which is never read"
        )
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = cast(Element, etree.fromstring(data, parser))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _unreadable("not_xml", f"不是合法的 XML：{error}", f"not well-formed XML: {error}") from error
    if root.getroottree().docinfo.doctype:
        raise _unreadable(
            "doctype", "文件含有 DOCTYPE 声明，不予读取", "it carries a DOCTYPE, which is never read"
        )
    _bound(root)
    return root


def _bound(root: Element) -> None:
    """Count before anything walks the tree: what is bounded here needs no care later."""
    count, level = 0, [root]
    for _depth in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_ELEMENTS:
            raise _unreadable("too_many", f"元素超过 {MAX_ELEMENTS} 个", f"more than {MAX_ELEMENTS} elements")
        level = [child for element in level for child in element]
        if not level:
            return
    raise _unreadable("too_deep", f"嵌套超过 {MAX_DEPTH} 层", f"nested deeper than {MAX_DEPTH}")


def _unreadable(rule: str, zh: str, en: str) -> Invalid:
    return Invalid(
        f"diagram.{rule}", zh=f"无法读取文件：{zh}", en=f"The file cannot be read: {en}", rule=rule
    )


def xpath(element: Element, path: str) -> list[Element]:
    return cast("list[Element]", element.xpath(path, namespaces=NAMESPACES))


def local(element: Element) -> str:
    """The tag without its namespace."""
    return str(etree.QName(element).localname)


def namespace(element: Element) -> str | None:
    return cast("str | None", etree.QName(element).namespace)


def properties(element: Element) -> dict[str, str]:
    """The `spiffworkflow:property` pairs of an element, by name."""
    found = xpath(element, "./bpmn:extensionElements/spiff:properties/spiff:property")
    return {str(p.get("name")): str(p.get("value", "")) for p in found if p.get("name")}
