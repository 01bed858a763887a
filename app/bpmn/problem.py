"""A mistake in a diagram, and what the diagram is held against. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from app.bpmn.reading import Element, local
from app.bpmn.shapes import DRAWN, is_bpmn
from app.text import Text


@dataclass(frozen=True)
class Problem:
    """One mistake. `fatal` ones keep the diagram out; the others are advice."""

    rule: str
    element: str
    line: int
    text: Text
    fatal: bool = True

    def as_json(self) -> dict[str, object]:
        return {
            "rule": self.rule,
            "element": self.element,
            "line": self.line,
            "message": self.text.en,
            "message_zh": self.text.zh,
            "fatal": self.fatal,
        }


@dataclass(frozen=True)
class Surroundings:
    """What a diagram may refer to. None means unknown: not checked."""

    actions: Mapping[str, tuple[frozenset[str], frozenset[str]]] | None = None
    """Registered actions: the parameters each must be given, and those it may be given."""

    forms: frozenset[str] | None = None
    decisions: frozenset[str] | None = None
    flows: frozenset[str] | None = None
    role_of_lane: Callable[[str], str | None] | None = None
    roles: frozenset[str] = frozenset()
    strict: bool = False
    """Held to the rules of what is published: one process a file, nothing left open. Otherwise what a drawing
    leaves open (a condition, a time, a start) is advice: it can be rehearsed, though nobody could work by it."""

    @staticmethod
    def unknown() -> "Surroundings":
        return Surroundings()


def problem(element: Element, rule: str, zh: str, en: str, *, fatal: bool = True) -> Problem:
    return Problem(rule, _called(shape_of(element)), int(element.sourceline or 0), Text(zh, en), fatal)


def _called(element: Element) -> str:
    """What a person finds an element by: its id, else its name, else between what it runs."""
    if element.get("sourceRef"):
        return str(element.get("id") or f"{element.get('sourceRef')} → {element.get('targetRef')}")
    return str(element.get("id") or element.get("name") or local(element))


def shape_of(element: Element) -> Element:
    """The element itself, or what it belongs to on the drawing: people know boxes and arrows, not their innards."""
    return next((e for e in _up(element) if is_bpmn(e) and local(e) in DRAWN), element)


def _up(element: Element) -> Iterator[Element]:
    yield element
    yield from element.iterancestors()


def name_of(element: Element) -> str:
    return str(element.get("name") or element.get("id") or local(element))


def owner(element: Element) -> str:
    """The name of the box or arrow that an element belongs to."""
    return name_of(shape_of(element))


def missing(task: Element, rule: str, zh: str, en: str, name: str, *, fatal: bool = True) -> Problem:
    return problem(
        task,
        rule,
        f"「{name_of(task)}」引用的{zh}「{name}」不存在",
        f'"{name_of(task)}" refers to the {en} "{name}", which does not exist',
        fatal=fatal,
    )
