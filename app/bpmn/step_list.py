"""A flow as the list of its steps, and the list changed in the diagram itself: a step put in, moved, taken out, told
otherwise. Flows are rewired and the drawing makes room. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from app.bpmn.reading import BPMN, BPMNDI, DC, DI, SPIFF, Element, local, properties, xpath
from app.text import Text

STEPS = (
    "userTask",
    "manualTask",
    "businessRuleTask",
    "serviceTask",
    "sendTask",
    "receiveTask",
    "callActivity",
    "subProcess",
)
PEOPLE = ("userTask", "manualTask")
WIDE, HIGH, GAP = 110.0, 80.0, 50.0


class NoRoom(ValueError):
    """The diagram cannot be changed that way; `text` says why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


@dataclass(frozen=True)
class Step:
    """`role`: the one the step says itself, or its lane's name. `settings`: its properties."""

    id: str
    kind: str
    name: Text
    lane: str
    settings: Mapping[str, str]

    @property
    def is_a_persons(self) -> bool:
        return self.kind in PEOPLE


def steps(root: Element) -> list[Step]:
    """The activities of the main process, in the order in which the flow comes to them."""
    lanes = _lanes(root)
    return [
        Step(
            str(e.get("id")),
            local(e),
            Text(
                str(e.get("name") or e.get("id")),
                properties(e).get("en") or str(e.get("name") or e.get("id")),
            ),
            lanes.get(str(e.get("id")), ""),
            properties(e),
        )
        for e in _in_order(root)
        if local(e) in STEPS
    ]


def insert_after(root: Element, after: str, name: Text, settings: Mapping[str, str]) -> str:
    """Put a person's step after this one; gives its id. Raises NoRoom unless one way leads on from there."""
    place = _element(root, after)
    (way,) = _one(_out(root, place), "后面有几条路", "several ways lead on from it")
    number = next(n for n in range(1, 10_000) if _find(root, f"step_{n}") is None)
    made = etree.Element(f"{{{BPMN}}}userTask", id=f"step_{number}", name=name.zh)
    place.addnext(made)
    tell(root, f"step_{number}", name, {**settings})
    for lane in xpath(root, "//bpmn:lane"):
        if after in [str(e.text or "").strip() for e in lane.iter(f"{{{BPMN}}}flowNodeRef")]:
            etree.SubElement(lane, f"{{{BPMN}}}flowNodeRef").text = f"step_{number}"
    _draw_after(root, place, made)
    _put_in(root, made, way)
    return f"step_{number}"


def remove(root: Element, ident: str) -> None:
    """Take a step out: what led to it leads on to what followed it."""
    gone = _element(root, ident)
    _take_out(root, gone)
    for border in xpath(root, "//bpmn:boundaryEvent"):
        if border.get("attachedToRef") == ident:
            for flow in _out(root, border):
                _forget(root, flow)
            _forget(root, border)
    _forget(root, gone)


def move(root: Element, ident: str, by: int) -> None:
    """One step earlier (-1) or later (1): past the step right before or after it."""
    step = _element(root, ident)
    (into,) = _one(_in(root, step), "有几条路通到它", "several ways lead to it")
    (onward,) = _one(_out(root, step), "后面有几条路", "several ways lead on from it")
    other = _element(root, str(into.get("sourceRef") if by < 0 else onward.get("targetRef")))
    if local(other) not in STEPS:
        raise NoRoom("它前后紧邻的不是步骤", "no step is right beside it")
    way = _one(
        _in(root, other) if by < 0 else _out(root, other),
        "相邻步骤有几条路",
        "the step beside it has several ways",
    )[0]
    _take_out(root, step)
    _put_in(root, step, way)
    here, there = _bounds(root, ident), _bounds(root, str(other.get("id")))
    if here is not None and there is not None:
        for axis in ("x", "y"):
            mine, theirs = str(here.get(axis)), str(there.get(axis))
            here.set(axis, theirs)
            there.set(axis, mine)
        for flow in {*_in(root, step), *_out(root, step), *_in(root, other), *_out(root, other)}:
            _straight(root, flow)


def tell(root: Element, ident: str, name: Text, settings: Mapping[str, str | None]) -> None:
    """Name a step and say its settings; None or empty takes one away, those not named stay."""
    step = _element(root, ident)
    step.set("name", name.zh)
    holder = step.find(f"{{{BPMN}}}extensionElements")
    if holder is None:
        holder = etree.Element(f"{{{BPMN}}}extensionElements")
        step.insert(1 if len(step) and local(step[0]) == "documentation" else 0, holder)
    said = holder.find(f"{{{SPIFF}}}properties")
    if said is None:
        said = etree.SubElement(holder, f"{{{SPIFF}}}properties")
    for key, value in {**settings, "en": name.en}.items():
        for old in [p for p in said if p.get("name") == key]:
            if value:
                old.set("value", value)
            else:
                said.remove(old)
        if value and key not in {p.get("name") for p in said}:
            etree.SubElement(said, f"{{{SPIFF}}}property", name=key, value=value)


def written(root: Element) -> str:
    etree.indent(root)
    return etree.tostring(root, encoding="unicode") + "\n"


# --- the flow ---


def _in_order(root: Element) -> Iterator[Element]:
    process = next(iter(xpath(root, "/bpmn:definitions/bpmn:process")), None)
    if process is None:
        return
    starts = [e for e in process if local(e) == "startEvent"]
    todo, seen = [str(e.get("id")) for e in starts], set[str]()
    while todo:
        ident = todo.pop(0)
        found = _find(root, ident) if ident not in seen else None
        seen.add(ident)
        if found is None:
            continue
        yield found
        ways = _out(root, found)
        default = found.get("default")
        todo += [str(w.get("targetRef")) for w in sorted(ways, key=lambda w: w.get("id") == default)]
    yield from (e for e in process if local(e) in STEPS and str(e.get("id")) not in seen)


def _lanes(root: Element) -> dict[str, str]:
    return {
        str(ref.text or "").strip(): str(lane.get("name") or "")
        for lane in xpath(root, "//bpmn:lane")
        for ref in lane.findall(f"{{{BPMN}}}flowNodeRef")
    }


def _find(root: Element, ident: str) -> Element | None:
    return next(iter(root.xpath("//*[@id=$ident]", ident=ident)), None)


def _element(root: Element, ident: str) -> Element:
    found = _find(root, ident)
    if found is None:
        raise NoRoom("这一步已不在流程里", "this step is no longer in the flow")
    return found


def _flows(root: Element, end: str, element: Element) -> list[Element]:
    return [f for f in root.iter(f"{{{BPMN}}}sequenceFlow") if f.get(end) == element.get("id")]


def _in(root: Element, element: Element) -> list[Element]:
    return _flows(root, "targetRef", element)


def _out(root: Element, element: Element) -> list[Element]:
    return _flows(root, "sourceRef", element)


def _one(ways: list[Element], zh: str, en: str) -> list[Element]:
    if len(ways) != 1:
        raise NoRoom(
            f"这一步不能这样改：{zh}" if ways else "这一步前后没有连线",
            f"this step cannot be changed so: {en}" if ways else "nothing leads there",
        )
    return ways


def _put_in(root: Element, step: Element, way: Element) -> None:
    """Onto a flow: it leads to the step, and a new one leads on."""
    target = _element(root, str(way.get("targetRef")))
    ident = str(step.get("id"))
    onward = etree.Element(
        f"{{{BPMN}}}sequenceFlow",
        id=_fresh(root, f"{ident}_on"),
        sourceRef=ident,
        targetRef=str(target.get("id")),
    )
    way.addnext(onward)
    way.set("targetRef", ident)
    _swap(target, "incoming", str(way.get("id")), str(onward.get("id")))
    for kind, flow in (("incoming", way), ("outgoing", onward)):
        _name_way(step, kind, str(flow.get("id")))
    plane = next(iter(xpath(root, "//bpmndi:BPMNPlane")), None)
    if plane is not None:
        etree.SubElement(
            plane,
            f"{{{BPMNDI}}}BPMNEdge",
            id=_fresh(root, f"{ident}_on_di"),
            bpmnElement=str(onward.get("id")),
        )
        _straight(root, way)
        _straight(root, onward)


def _take_out(root: Element, step: Element) -> None:
    (onward,) = _one(_out(root, step), "后面有几条路", "several ways lead on from it")
    target = _element(root, str(onward.get("targetRef")))
    into = _in(root, step)
    if not into or target is step:
        raise NoRoom("这一步不能取出：没有通到它的路", "the step cannot be taken out: nothing leads to it")
    for way in into:
        way.set("targetRef", str(target.get("id")))
    _forget(root, onward)
    for old in [e for e in step if local(e) in ("incoming", "outgoing")]:
        step.remove(old)
    for old in [e for e in target if local(e) == "incoming" and (e.text or "").strip() == onward.get("id")]:
        target.remove(old)
    for way in into:
        _name_way(target, "incoming", str(way.get("id")))
        _straight(root, way)


def _forget(root: Element, element: Element) -> None:
    """An element, its drawing, and every mention of it."""
    ident = str(element.get("id"))
    for drawn in root.xpath("//*[@bpmnElement=$ident]", ident=ident):
        drawn.getparent().remove(drawn)
    for mention in [
        e
        for e in root.iter(*(f"{{{BPMN}}}{name}" for name in ("flowNodeRef", "incoming", "outgoing")))
        if (e.text or "").strip() == ident
    ]:
        mention.getparent().remove(mention)
    element.getparent().remove(element)


def _name_way(element: Element, kind: str, ident: str) -> None:
    made = etree.Element(f"{{{BPMN}}}{kind}")
    made.text = ident
    before = [
        e
        for e in element
        if local(e)
        in ("documentation", "extensionElements", "incoming", *([kind] if kind == "outgoing" else []))
    ]
    element.insert(element.index(before[-1]) + 1 if before else 0, made)


def _swap(element: Element, kind: str, old: str, new: str) -> None:
    for said in element.findall(f"{{{BPMN}}}{kind}"):
        if (said.text or "").strip() == old:
            said.text = new


def _fresh(root: Element, wanted: str) -> str:
    return next(f"{wanted}{n or ''}" for n in range(10_000) if _find(root, f"{wanted}{n or ''}") is None)


# --- the drawing ---


def _bounds(root: Element, ident: str) -> Element | None:
    shape = next(iter(root.xpath("//*[local-name()='BPMNShape'][@bpmnElement=$ident]", ident=ident)), None)
    return None if shape is None else shape.find(f"{{{DC}}}Bounds")


def _box(root: Element, ident: str) -> tuple[float, float, float, float] | None:
    found = _bounds(root, ident)
    if found is None:
        return None
    return tuple(float(found.get(name, "0")) for name in ("x", "y", "width", "height"))  # type: ignore[return-value]


def _draw_after(root: Element, place: Element, made: Element) -> None:
    """Make room to the right of the place, and draw the new step there."""
    box = _box(root, str(place.get("id")))
    plane = next(iter(xpath(root, "//bpmndi:BPMNPlane")), None)
    if box is None or plane is None:
        return
    x, y, width, height = box
    edge = x + width + 1
    lanes = {str(e.get("id")) for e in root.iter(f"{{{BPMN}}}lane", f"{{{BPMN}}}participant")}
    for shape in plane.iter(f"{{{BPMNDI}}}BPMNShape"):
        for bounds in shape.iter(f"{{{DC}}}Bounds"):
            if shape.get("bpmnElement") in lanes:
                bounds.set("width", _text(float(bounds.get("width", "0")) + WIDE + GAP))
            elif float(bounds.get("x", "0")) >= edge:
                bounds.set("x", _text(float(bounds.get("x", "0")) + WIDE + GAP))
    for point in plane.iter(f"{{{DI}}}waypoint"):
        if float(point.get("x", "0")) >= edge:
            point.set("x", _text(float(point.get("x", "0")) + WIDE + GAP))
    ident = str(made.get("id"))
    shape = etree.SubElement(
        plane, f"{{{BPMNDI}}}BPMNShape", id=_fresh(root, f"{ident}_di"), bpmnElement=ident
    )
    etree.SubElement(
        shape,
        f"{{{DC}}}Bounds",
        x=_text(x + width + GAP),
        y=_text(y + height / 2 - HIGH / 2),
        width=_text(WIDE),
        height=_text(HIGH),
    )


def _straight(root: Element, flow: Element) -> None:
    """Draw a flow anew between where its ends are now."""
    drawn = next(
        iter(root.xpath("//*[local-name()='BPMNEdge'][@bpmnElement=$ident]", ident=str(flow.get("id")))), None
    )
    ends = [_box(root, str(flow.get(name))) for name in ("sourceRef", "targetRef")]
    if drawn is None or ends[0] is None or ends[1] is None:
        return
    for old in [*drawn.findall(f"{{{DI}}}waypoint"), *drawn.findall(f"{{{BPMNDI}}}BPMNLabel")]:
        drawn.remove(old)
    for x, y in _path(ends[0], ends[1]):
        etree.SubElement(drawn, f"{{{DI}}}waypoint", x=_text(x), y=_text(y))


def _path(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> list[tuple[float, float]]:
    begin, end = (one[0] + one[2], one[1] + one[3] / 2), (other[0], other[1] + other[3] / 2)
    if end[0] < begin[0]:  # backwards: below both
        low = max(one[1] + one[3], other[1] + other[3]) + 20
        middle, target = one[0] + one[2] / 2, other[0] + other[2] / 2
        return [(middle, one[1] + one[3]), (middle, low), (target, low), (target, other[1] + other[3])]
    if abs(begin[1] - end[1]) < 1:
        return [begin, end]
    turn = (begin[0] + end[0]) / 2
    return [begin, (turn, begin[1]), (turn, end[1]), end]


def _text(value: Any) -> str:
    return f"{float(value):g}"
