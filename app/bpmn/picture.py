"""Where the shapes of a diagram stand: its DI coordinates, as plain values to be drawn anywhere. Pure."""

from dataclasses import dataclass

from app.bpmn.reading import Element, local, properties, xpath
from app.text import Text


@dataclass(frozen=True)
class Shape:
    """A box, circle, diamond or lane: `kind` is its BPMN tag, lengths are the diagram's own units."""

    id: str
    kind: str
    label: Text
    x: float
    y: float
    width: float
    height: float
    marks: frozenset[str] = frozenset()
    """`timer`, `message`, … for events; `non_interrupting` for boundary events that let the work go on."""


@dataclass(frozen=True)
class Edge:
    id: str
    kind: str
    label: Text
    points: tuple[tuple[float, float], ...]
    source: str
    target: str


@dataclass(frozen=True)
class Picture:
    x: float
    y: float
    width: float
    height: float
    shapes: tuple[Shape, ...]
    edges: tuple[Edge, ...]


def label_of(element: Element) -> Text:
    """A box's name in Chinese as drawn, and in English from its property `en`, else from its id."""
    zh = str(element.get("name") or "").strip()
    en = properties(element).get("en") or zh or ""
    return Text(zh, en if zh else "")


def picture_of(root: Element) -> Picture:
    """Every shape and edge that has coordinates. A file without DI gives an empty picture."""
    elements = {str(e.get("id")): e for e in root.iter() if isinstance(e.tag, str) and e.get("id")}
    shapes = tuple(s for drawn in xpath(root, "//bpmndi:BPMNShape") if (s := _shape(drawn, elements)))
    edges = tuple(e for drawn in xpath(root, "//bpmndi:BPMNEdge") if (e := _edge(drawn, elements)))
    if not shapes:
        return Picture(0, 0, 0, 0, (), ())
    xs = [s.x for s in shapes] + [s.x + s.width for s in shapes] + [x for e in edges for x, _ in e.points]
    ys = [s.y for s in shapes] + [s.y + s.height for s in shapes] + [y for e in edges for _, y in e.points]
    return Picture(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys), shapes, edges)


def _shape(drawn: Element, elements: dict[str, Element]) -> Shape | None:
    element, bounds = elements.get(str(drawn.get("bpmnElement"))), xpath(drawn, "./dc:Bounds")
    if element is None or not bounds:
        return None
    x, y, width, height = (_number(bounds[0].get(name)) for name in ("x", "y", "width", "height"))
    return Shape(
        str(element.get("id")), local(element), label_of(element), x, y, width, height, _marks(element)
    )


def _marks(element: Element) -> frozenset[str]:
    found = {
        local(child).removesuffix("EventDefinition")
        for child in element
        if isinstance(child.tag, str) and local(child).endswith("EventDefinition")
    }
    if element.get("cancelActivity") == "false":
        found.add("non_interrupting")
    return frozenset(found)


def _edge(drawn: Element, elements: dict[str, Element]) -> Edge | None:
    element, points = elements.get(str(drawn.get("bpmnElement"))), xpath(drawn, "./di:waypoint")
    if element is None or len(points) < 2:
        return None
    return Edge(
        str(element.get("id")),
        local(element),
        label_of(element),
        tuple((_number(p.get("x")), _number(p.get("y"))) for p in points),
        str(element.get("sourceRef") or ""),
        str(element.get("targetRef") or ""),
    )


def _number(text: object) -> float:
    try:
        value = float(str(text))
    except ValueError:
        return 0.0
    return value if abs(value) < 1e6 else 0.0
