"""A diagram as SVG, drawn on the server from its own coordinates: what is over, where it stands. Pure.

Colours come from the page's style sheet by class (`done`, `current`, `ahead`), so that it follows light and dark.
"""

import unicodedata
from collections.abc import Iterator, Mapping

from markupsafe import Markup

from app.bpmn.picture import Edge, Picture, Shape
from app.glossary import ROLES, role_of_lane
from app.text import Text

MARGIN = 12
LINE_HEIGHT = 19
EVENTS = {"startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent"}
GATEWAY_SIGN = {"exclusiveGateway": "×", "parallelGateway": "+", "inclusiveGateway": "○"}
TASK_SIGN = {
    "userTask": "✎",
    "manualTask": "✎",
    "serviceTask": "⚙",
    "businessRuleTask": "▦",
    "receiveTask": "✉",
    "callActivity": "⊞",
}
EVENT_SIGN = {"timer": "◷", "message": "✉", "signal": "△", "error": "ϟ", "terminate": "●"}


def svg(
    picture: Picture,
    *,
    done: frozenset[str] = frozenset(),
    current: frozenset[str] = frozenset(),
    language: str,
    title: str,
    marks: Mapping[str, tuple[str, str]] | None = None,
) -> Markup:
    """The whole diagram. `done`, `current`: ids of shapes that were passed, and of those it stands at. `marks`: what
    else is shown of a shape, by its id: a class for the style sheet, and words that follow its title."""
    if not picture.shapes:
        return Markup("")
    box = (picture.x - MARGIN, picture.y - MARGIN, picture.width + 2 * MARGIN, picture.height + 2 * MARGIN)
    body = Markup("").join(_parts(picture, done, current, language, marks or {}))
    return Markup(
        '<svg class="bpmn" role="img" aria-label="{title}" viewBox="{x:g} {y:g} {w:g} {h:g}">'
        '<defs><marker id="bpmn-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>{body}</svg>'
    ).format(title=title, x=box[0], y=box[1], w=box[2], h=box[3], body=body)


def _parts(
    picture: Picture,
    done: frozenset[str],
    current: frozenset[str],
    language: str,
    marks: Mapping[str, tuple[str, str]],
) -> Iterator[Markup]:
    """Lanes lie below, then the flows, then the shapes, then what sits on shapes."""
    order = {"lane": 0, "participant": 0, "subProcess": 1, "boundaryEvent": 3}
    shapes = sorted(picture.shapes, key=lambda s: order.get(s.kind, 2))
    yield from (_lane(s, language) for s in shapes if order.get(s.kind) == 0)
    yield from (_edge(e, _passed(e, done, current), language) for e in picture.edges)
    for shape in shapes:
        if order.get(shape.kind) != 0:
            state = "current" if shape.id in current else "done" if shape.id in done else "ahead"
            more, words = marks.get(shape.id, ("", ""))
            yield _shape(shape, f"{state} {more}".rstrip(), language, words)


def _passed(edge: Edge, done: frozenset[str], current: frozenset[str]) -> bool:
    return edge.source in done and edge.target in done | current


def _lane(lane: Shape, language: str) -> Markup:
    x, y = lane.x + 15, lane.y + lane.height / 2
    return Markup(
        '<g class="lane"><rect x="{}" y="{}" width="{}" height="{}"/>'
        '<line x1="{}" y1="{}" x2="{}" y2="{}"/>'
        '<text transform="rotate(-90 {} {})" x="{}" y="{}" text-anchor="middle">{}</text></g>'
    ).format(
        *(lane.x, lane.y, lane.width, lane.height),
        *(lane.x + 30, lane.y, lane.x + 30, lane.y + lane.height),
        *(x, y, x, y + 5, _lane_name(lane).in_(language)),
    )


def _lane_name(lane: Shape) -> Text:
    """A lane is a role: its name in both languages is the glossary's."""
    role = role_of_lane(lane.label.zh)
    return ROLES[role] if role else lane.label


def _edge(edge: Edge, passed: bool, language: str) -> Markup:
    points = " ".join(f"{x:g},{y:g}" for x, y in edge.points)
    line = Markup('<polyline class="flow{}" points="{}" marker-end="url(#bpmn-tip)"/>').format(
        " done" if passed else "", points
    )
    if not edge.label.zh:
        return line
    (x1, y1), (x2, y2) = edge.points[0], edge.points[1]
    x, y = (
        (x1 + min(34, (x2 - x1) / 2), y1 - 5) if abs(y2 - y1) < 1 else (x1 + 6, y1 + (36 if y2 > y1 else -12))
    )
    anchor = "middle" if abs(y2 - y1) < 1 else "start"
    return line + Markup('<text class="flow-label" x="{:g}" y="{:g}" text-anchor="{}">{}</text>').format(
        x, y, anchor, edge.label.in_(language)
    )


def _shape(shape: Shape, state: str, language: str, words: str) -> Markup:
    if shape.kind in EVENTS:
        inner = _event(shape)
    elif shape.kind in GATEWAY_SIGN:
        inner = _gateway(shape)
    else:
        inner = _task(shape, language)
    below = shape.kind in EVENTS or shape.kind in GATEWAY_SIGN
    label = _label_below(shape, language) if below else Markup("")
    return Markup('<g class="shape {kind} {state}"><title>{title}</title>{inner}{label}</g>').format(
        kind=shape.kind,
        state=state,
        title=f"{shape.label.in_(language)} {words}".strip(),
        inner=inner,
        label=label,
    )


def _event(shape: Shape) -> Markup:
    x, y, r = shape.x + shape.width / 2, shape.y + shape.height / 2, shape.width / 2
    sign = next((EVENT_SIGN[m] for m in sorted(shape.marks) if m in EVENT_SIGN), "")
    circle = Markup('<circle cx="{:g}" cy="{:g}" r="{:g}"/>').format(x, y, r)
    if shape.kind in ("boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent"):
        circle += Markup('<circle class="inner" cx="{:g}" cy="{:g}" r="{:g}"/>').format(x, y, r - 4)
    return circle + Markup('<text class="sign" x="{:g}" y="{:g}" text-anchor="middle">{}</text>').format(
        x, y + 5, sign
    )


def _gateway(shape: Shape) -> Markup:
    x, y, w, h = shape.x, shape.y, shape.width, shape.height
    return Markup(
        '<polygon points="{:g},{:g} {:g},{:g} {:g},{:g} {:g},{:g}"/>'
        '<text class="sign big" x="{:g}" y="{:g}" text-anchor="middle">{}</text>'
    ).format(
        *(x + w / 2, y, x + w, y + h / 2, x + w / 2, y + h, x, y + h / 2),
        *(x + w / 2, y + h / 2 + 8, GATEWAY_SIGN[shape.kind]),
    )


def _task(shape: Shape, language: str) -> Markup:
    lines = wrapped(shape.label.in_(language), shape.width - 10)
    start = shape.y + shape.height / 2 - (len(lines) - 1) * LINE_HEIGHT / 2 + 6
    words = Markup("").join(
        Markup('<tspan x="{:g}" y="{:g}">{}</tspan>').format(
            shape.x + shape.width / 2, start + i * LINE_HEIGHT, line
        )
        for i, line in enumerate(lines)
    )
    return Markup(
        '<rect x="{:g}" y="{:g}" width="{:g}" height="{:g}" rx="10"/>'
        '<text class="sign" x="{:g}" y="{:g}">{}</text><text text-anchor="middle">{}</text>'
    ).format(
        *(shape.x, shape.y, shape.width, shape.height),
        *(shape.x + 7, shape.y + 17, TASK_SIGN.get(shape.kind, ""), words),
    )


def _label_below(shape: Shape, language: str) -> Markup:
    return Markup('<text class="below" x="{:g}" y="{:g}" text-anchor="middle">{}</text>').format(
        shape.x + shape.width / 2, shape.y + shape.height + 16, shape.label.in_(language)
    )


def wrapped(text: str, width: float) -> list[str]:
    """The words in lines of at most `width` units: a Chinese character takes 16, a Latin letter 8."""
    lines: list[str] = []
    line, used = "", 0.0
    for piece in _pieces(text):
        length = sum(_wide(c) for c in piece)
        if line and used + length > width:
            lines.append(line.strip())
            line, used = "", 0.0
        line, used = line + piece, used + length
    return [*lines, line.strip()][:4]


def _wide(character: str) -> float:
    return 16.0 if unicodedata.east_asian_width(character) in "WF" else 8.2


def _pieces(text: str) -> Iterator[str]:
    """Where a line may break: after every Chinese character, and between Latin words."""
    word = ""
    for character in text:
        if _wide(character) > 10 or character == " ":
            if word:
                yield word
            word = ""
            yield character
        else:
            word += character
    if word:
        yield word
