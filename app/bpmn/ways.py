"""Which shapes lie after which in one process: what a return undoes, and what it leaves alone.

Reckoned on the drawing without the arrows that lead back, so that in a loop "after" still means something: in a
drawing without knots an arrow leads back when its end is passed on every way to its beginning. Nothing here is
read from the tokens, so compaction takes nothing away from it.
"""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateUsage=false

from collections.abc import Iterable
from typing import Any

from SpiffWorkflow.bpmn.specs.control import EventSplit
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import SubWorkflowTask

from app.bpmn.parse import Node, Program

PEOPLE = ("userTask", "manualTask")
KEPT = "_ways"


class Ways:
    """The arrows of one process, by the names that the token engine gives its shapes."""

    def __init__(self, spec: Any) -> None:
        arrows: dict[str, list[str]] = {n: list(s._outputs) for n, s in spec.task_specs.items()}
        self.back = _leading_back(arrows, spec.start.name)
        self.forward = {n: [t for t in ends if (n, t) not in self.back] for n, ends in arrows.items()}
        self._reach: dict[str, frozenset[str]] = {}

    def from_(self, name: str) -> frozenset[str]:
        """The shape itself, and all that lies after it."""
        if name not in self._reach:
            found, waiting = {name}, [name]
            while waiting:
                for step in self.forward.get(waiting.pop(), ()):
                    if step not in found:
                        found.add(step)
                        waiting.append(step)
            self._reach[name] = frozenset(found)
        return self._reach[name]

    def round_to(self, entry: str, places: Iterable[str]) -> frozenset[str] | None:
        """All that lies after `entry` and in the innermost loop through it and one of `places`, for what can be
        reached from it only by an arrow that leads back. None: no way leads there at all."""
        wanted, plain = set(places), self.from_(entry)
        loops = [self.from_(head) for tail, head in self.back if tail in plain]
        through = [loop for loop in loops if wanted & loop]
        return plain | min(through, key=len) if through else None


def ways_of(spec: Any) -> Ways:
    """Reckoned once for each parsed process."""
    known = spec.__dict__.get(KEPT)
    if known is None:
        known = spec.__dict__[KEPT] = Ways(spec)
    return known


def _leading_back(arrows: dict[str, list[str]], start: str) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    seen: set[str] = set()
    for root in (start, *arrows):
        if root in seen:
            continue
        seen.add(root)
        path, here = [(root, iter(arrows[root]))], {root}
        while path:
            name, following = path[-1]
            step = next(following, None)
            if step is None:
                here.discard(name)
                path.pop()
            elif step in here:
                found.add((name, step))
            elif step not in seen:
                seen.add(step)
                here.add(step)
                path.append((step, iter(arrows.get(step, ()))))
    return found


def spec_of(spec: Any, node: str) -> Any:
    """What runs the shape of that id in a process: of a repeated activity the whole, not the single instance."""
    made = [s for s in spec.task_specs.values() if s.bpmn_id == node]
    return next(
        (s for s in made if isinstance(getattr(s, "task_spec", None), str)), made[0] if made else None
    )


def entry_of(spec: Any, made: Any) -> Any:
    """Where a token must be put so that the shape begins: with its border events, where it has any."""
    before = [spec.task_specs[name] for name in made._inputs]
    return next((b for b in before if isinstance(b, EventSplit)), made)


def inner_of(made: Any) -> str | None:
    """The process inside an activity that is done once; None for all else, repeated activities too."""
    return str(made.spec) if isinstance(made, SubWorkflowTask) else None


def in_repeated(program: Program) -> dict[tuple[str, str], Node]:
    """(process, shape) of everything in a sub-process or called flow that is done several times, with the activity that
    repeats it: no single place, so that nobody goes back into the middle of it from outside."""
    found: dict[tuple[str, str], Node] = {}
    for name, spec in program.called_specs.items():
        for made in list(spec.task_specs.values()):
            single = getattr(made, "task_spec", None)
            if isinstance(single, str) and inner_of(spec.task_specs[single]) is not None:
                node = program.diagram_of(name).nodes[str(made.bpmn_id)]
                for shape in inside(program, spec, made.name)[1:]:
                    found.setdefault(shape, node)
    return found


def inside(program: Program, spec: Any, name: str) -> list[tuple[str, str]]:
    """(process, shape) of everything in an activity, however deep, itself first; repeated activities too."""
    made = spec.task_specs[name]
    found: list[tuple[str, str]] = []
    if made.bpmn_id is not None:
        found.append((program.diagram_of(str(spec.name)).key, str(made.bpmn_id)))
    single = getattr(made, "task_spec", None)
    inner = inner_of(spec.task_specs[single] if isinstance(single, str) else made)
    waiting, seen = [inner] if inner else list[str](), set[str]()
    while waiting:
        key = waiting.pop()
        if key in seen or key not in program.called_specs:
            continue
        seen.add(key)
        within = program.called_specs[key]
        owner = program.diagram_of(key).key
        for each in within.task_specs.values():
            if each.bpmn_id is not None:
                found.append((owner, str(each.bpmn_id)))
            deeper = inner_of(each)
            if deeper is not None:
                waiting.append(deeper)
    return found
