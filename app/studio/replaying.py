"""The example stories, played by the version in force and by the draft: which way each goes, and where they differ.

A story was written for the old drawing. Where the new one asks somebody whom the story does not know, they are taken
to agree; a line about a step that is no longer asked for is passed over. Both are marked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any, Literal

from app.bpmn.parse import Node, Program
from app.bpmn.simulate import Played, play
from app.flows.forms import Form, agreement
from app.glossary import ROLES, role_of_lane
from app.studio import stories
from app.text import Text

MOST_MADE_UP = 40
PEOPLE = ("userTask", "manualTask")
UNTOLD = ("exclusiveGateway", "inclusiveGateway", "parallelGateway", "eventBasedGateway", "startEvent")
"""Nobody reads these in a route: what they decide shows in what follows."""


Mark = Literal["same", "gone", "new", "other"]


@dataclass(frozen=True)
class Stop:
    """One step of a route. `mark`: it is only in this one of the two, or another rule applies there. `made_up`: the story does not tell of it."""

    node: str
    label: Text
    role: Text | None
    rules: tuple[str, ...]
    mark: Mark = "same"
    made_up: bool = False


@dataclass(frozen=True)
class Route:
    """`end`: how it ends, in words. `skipped`: labels of the story's steps that were not asked for."""

    stops: tuple[Stop, ...]
    end: Text
    skipped: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Replay:
    """One story, both ways. `old` is None for a flow that is not published yet."""

    name: str
    title: Text
    old: Route | None
    new: Route

    @property
    def differs(self) -> bool:
        return self.old is None or any(s.mark != "same" for s in (*self.old.stops, *self.new.stops)) or (
            self.old.end != self.new.end
        )  # fmt: skip


def replays(
    told: Mapping[str, Any], old: Program | None, new: Program, forms: Mapping[str, Form], *, now: datetime
) -> list[Replay]:
    """Of every story that can be read; those that go another way first."""
    found = [_replay(name, story, old, new, forms, now) for name, story in stories.read_all(told).items()]
    return sorted(found, key=lambda replay: (not replay.differs, replay.name))


def _replay(
    name: str,
    story: dict[str, Any],
    old: Program | None,
    new: Program,
    forms: Mapping[str, Form],
    now: datetime,
) -> Replay:
    one = _route(old, story, forms, now) if old is not None else None
    other = _route(new, story, forms, now)
    if one is not None:
        one, other = _marked(one, other)
    return Replay(name, stories.title_of(name, story), one, other)


@dataclass
class _Retold:
    """A story as it is played: its lines, and which of them were made up or left out."""

    lines: list[dict[str, Any]]
    made_up: set[str] = field(default_factory=set[str])
    skipped: list[str] = field(default_factory=list[str])


def _route(program: Program, story: Mapping[str, Any], forms: Mapping[str, Form], now: datetime) -> Route:
    nodes = {ident: node for d in program.diagrams.values() for ident, node in d.nodes.items()}
    retold = _Retold(list(story.get("story") or []))
    told = {str(line.get("task")) for line in retold.lines}
    while True:
        tale: dict[str, Any] = {**story, "story": retold.lines, "then": {}}
        played = play(program, tale, now=now)
        full = len(retold.made_up) + len(retold.skipped) >= MOST_MADE_UP
        if full or not _gone_on(played, retold, nodes, forms, told):
            break
    stops = tuple(
        _stop(nodes[ident], rules, ident in retold.made_up)
        for ident, rules in played.route
        if ident in nodes and nodes[ident].kind not in UNTOLD
    )
    skipped = tuple(nodes[i].label if i in nodes else Text(i, i) for i in retold.skipped)
    return Route(stops, _end(played, nodes), skipped)


def _gone_on(
    played: Played, retold: _Retold, nodes: Mapping[str, Node], forms: Mapping[str, Form], told: set[str]
) -> bool:
    """Change the story so that it gets past where it stands; False where it is told to its end."""
    waits = [i for i in played.stands_at if i in nodes and nodes[i].kind in PEOPLE]
    at = played.stuck
    if played.fault is not None or (at is None and not any(i not in told for i in waits)):
        return False
    if at is None:
        retold.lines.append(_agreed(nodes[next(i for i in waits if i not in told)], forms))
        retold.made_up.add(str(retold.lines[-1]["task"]))
        return True
    later = next((n for n in range(at + 1, len(retold.lines)) if retold.lines[n].get("task") in waits), None)
    if "task" in retold.lines[at] and later is not None:
        retold.lines.insert(at, retold.lines.pop(later))
    elif "task" in retold.lines[at] and waits:
        retold.lines.insert(at, _agreed(nodes[waits[0]], forms))
        retold.made_up.add(waits[0])
    else:
        retold.skipped.append(str(retold.lines.pop(at).get("task") or "…"))
    return True


def _agreed(node: Node, forms: Mapping[str, Form]) -> dict[str, Any]:
    form = forms.get(node.properties.get("form") or node.id)
    yes = node.properties.get("yes") or agreement(form)
    return {"task": node.id, "form": {"decision": yes} if yes else {}}


def _stop(node: Node, rules: Sequence[str], made_up: bool) -> Stop:
    role = node.properties.get("role") or role_of_lane(node.lane or "")
    numbers = tuple(rule.rpartition(" ")[2] for rule in rules)
    person = ROLES.get(role or "") if node.kind in PEOPLE else None
    return Stop(node.id, node.label, person, numbers, made_up=made_up)


def _end(played: Played, nodes: Mapping[str, Node]) -> Text:
    if played.fault is not None:
        return played.fault
    if played.finished:
        return Text("走到结束", "It comes to its end")
    waits = [nodes[i].label for i in played.stands_at if i in nodes]
    return Text(
        f"停在{'、'.join(f'「{w.zh}」' for w in waits) or '途中'}",
        f"It waits at {', '.join(f'“{w.en}”' for w in waits) or 'no step'}",
    )


def _marked(old: Route, new: Route) -> tuple[Route, Route]:
    """Both with what only one of them has, and where another rule applies."""
    one: list[Mark] = ["gone"] * len(old.stops)
    other: list[Mark] = ["new"] * len(new.stops)
    steps = [s.node for s in old.stops], [s.node for s in new.stops]
    for block in SequenceMatcher(a=steps[0], b=steps[1], autojunk=False).get_matching_blocks():
        for n in range(block.size):
            same = old.stops[block.a + n].rules == new.stops[block.b + n].rules
            one[block.a + n] = other[block.b + n] = "same" if same else "other"
    return _with(old, one), _with(new, other)


def _with(route: Route, marks: Sequence[Mark]) -> Route:
    stops = tuple(replace(stop, mark=mark) for stop, mark in zip(route.stops, marks, strict=True))
    return replace(route, stops=stops)
