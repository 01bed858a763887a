"""Read a diagram's bytes as XML without trusting them: no DTD, no entities, no network, bounded size. Pure."""

import codecs
import re
from typing import Any, cast

from lxml import etree

from app.refusal import Invalid

MAX_BYTES = 8 * 1024 * 1024
MAX_ELEMENTS = 100_000
MAX_DEPTH = 100
MAX_SHAPES = 5_000
"""Boxes, circles, diamonds and arrows in one file: more than any person could read."""

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
    text = _text(data)
    if _PROLOG.match(text):
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
        root = cast(Element, etree.fromstring(text.encode("utf-8"), parser))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _unreadable("not_xml", f"不是合法的 XML：{error}", f"not well-formed XML: {error}") from error
    _bound(root)
    return root


_PROLOG = re.compile(r"(?:\s+|<\?(?:[^?]|\?(?!>))*\?>|<!--(?:[^-]|-(?!->))*-->)*+<!DOCTYPE", re.IGNORECASE)
"""A document type before the root element; the same words in a comment or in a text are nobody's harm."""

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,400}\?>")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)


def _text(data: bytes) -> str:
    """The characters, whatever encoding they came in: by the byte order mark, else as declared, else UTF-8.
    The declaration is taken off, so that nobody reads it a second time."""
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", ""))
    if not encoding:
        declared = _DECLARED.match(data)
        encoding = declared[1].decode("ascii") if declared else "utf-8"
        if encoding.lower().startswith(("utf-16", "utf16", "utf-32", "ucs")):
            encoding = (
                "utf-8"  # says so, but its bytes are not: a text that was stored anew by another program
            )
    start = len(mark) if mark and not mark.startswith((b"<", b"\0<")) else 0
    if not _KNOWN.fullmatch(encoding.lower()):
        raise _unreadable(
            "not_xml", f"不认识的字符编码 {encoding}", f"its encoding {encoding} is not one of texts"
        )
    try:
        text = data[start:].decode(_CHINESE.get(encoding.lower(), encoding))
    except (UnicodeDecodeError, LookupError) as error:
        raise _unreadable("not_xml", f"字符编码有误：{error}", f"its encoding is wrong: {error}") from error
    return _DECLARATION.sub(lambda found: "\n" * found[0].count("\n"), text.lstrip("\ufeff"), count=1)


_KNOWN = re.compile(
    r"utf-?8|utf-(?:16|32)-[lb]e|(?:us-)?ascii|iso[-_]?8859[-_]\d{1,2}|latin-?1|(?:windows-|cp)125\d|cp\d{3}"
    r"|gb2312|gbk|gb18030|big5(?:-hkscs)?|shift[-_]jis|euc-(?:jp|kr)|koi8-[ru]"
)
_CHINESE = {"gb2312": "gb18030", "gbk": "gb18030"}
"""Files that say GB 2312 use the characters of its successors."""


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
