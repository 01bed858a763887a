"""Sending an instance back: a token is put at a shape that was passed before, and what lies after it is undone.

What lies after the target is called off. What does not come from the target stays: branches that still run go on
running, and branches that are done stay done; where a join would wait for such a branch, a token stands in for
it. The new token hangs below the last completed task before the one that was left, so that joins further
on still know what the branches have in common, and compaction cuts away what is over.
"""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateUsage=false

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from SpiffWorkflow.bpmn.specs.control import EventSplit
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.util.task import TaskState

from app.bpmn.gateways import Inclusive, Parallel
from app.bpmn.joins import ALIVE, Join, TheEnd
from app.bpmn.parse import Program
from app.bpmn.tidy import forget_orphans
from app.bpmn.values import plain
from app.bpmn.ways import PEOPLE, entry_of, inner_of, inside, spec_of, ways_of
from app.refusal import Conflict

STANDS_FOR = "stands_for"
STRAIGHT = "straight"
MAX_DEPTH = 20

Path = tuple[str, ...]
"""Ids of shapes: the activities that a shape lies in, outermost first, and the shape itself."""


class Run(Protocol):
    """What is needed of `app.bpmn.step.Run`, which stands on this module."""

    program: Program
    workflow: Any

    def _task(self, token: str) -> Any: ...

    def _run_one(self, task: Any, *, tell: bool = True) -> None: ...


@dataclass(frozen=True)
class Target:
    """A task of a person that lies before where somebody stands. `process`: the diagram it is drawn in."""

    path: Path
    process: str
    node: str


@dataclass
class Plan:
    """What a jump would do. `undone`: every (process, shape) that it makes undone, the target among them."""

    path: Path
    trees: list[Any]
    """The processes that the target lies in and that run, the innermost last."""
    after: list[frozenset[str]]
    """For each level of the path, what lies after the activity (or target) on it."""
    left: list[Any] = field(default_factory=list[Any])
    """The tokens that are called off."""
    undone: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Level:
    """Where a token is in one of the processes around it: `task` is what it stands at there, of a repeated activity
    the whole, and `single` the one instance."""

    tree: Any
    task: Any
    single: Any


@dataclass(frozen=True)
class Jumped:
    """`entered`: the token of the target (of all its instances, where it is a 会签). `left`: the tokens that were
    called off in the process of the jump, not those inside them."""

    entered: str
    left: tuple[str, ...]


def targets(run: Run, token: str) -> list[Target]:
    """Every task of a person that lies before the one at `token`, whether it was done or not."""
    found: list[Target] = []
    levels = _levels(run, token)
    hosts = tuple(str(level.task.task_spec.bpmn_id) for level in levels[:-1])
    for depth, level in enumerate(levels):
        found += _before(run, level, hosts[:depth])
    return found


def _before(run: Run, level: Level, prefix: Path) -> list[Target]:
    found: list[Target] = []
    spec, place = level.tree.spec, level.task.task_spec.name
    for made in list(spec.task_specs.values()):
        if made.bpmn_id is None or made.name == place or spec_of(spec, made.bpmn_id) is not made:
            continue
        if _undone_from(level.tree, entry_of(spec, made).name, [place]) is not None:
            found += _people_in(run, spec, made, prefix)
    return found


def _undone_from(tree: Any, entry: str, places: list[str]) -> frozenset[str] | None:
    """What a return to `entry` undoes, for whoever stands at one of `places`: all that lies after it. Where they can
    be reached only by an arrow that leads back, their loop as well; unless a join on the way there would have to
    do without branches, as nobody can tell whether they were done when the target was. None: no way."""
    ways = ways_of(tree.spec)
    if ways.from_(entry) & set(places):
        return ways.from_(entry)
    found = ways.round_to(entry, places)
    if found is None:
        return None
    others = [t for t in alive_in(tree) if _place(t) not in found]
    return None if _lacking(tree, entry, others, (Parallel, Inclusive)) else found


def _people_in(run: Run, spec: Any, made: Any, prefix: Path) -> list[Target]:
    """The shape, where it is a task of a person, or those inside it. A repeated activity is no single place: one
    cannot go back into the middle of it from outside."""
    path = (*prefix, str(made.bpmn_id))
    inner = inner_of(made)
    if inner is not None:
        within = run.program.called_specs.get(inner)
        if within is None or len(path) > MAX_DEPTH:
            return []
        own = [s for s in within.task_specs.values() if s.bpmn_id is not None]
        return [t for s in own if spec_of(within, s.bpmn_id) is s for t in _people_in(run, within, s, path)]
    diagram = run.program.diagram_of(str(spec.name))
    node = diagram.nodes.get(str(made.bpmn_id))
    return [Target(path, diagram.key, node.id)] if node is not None and node.kind in PEOPLE else []


def plan(run: Run, path: Path, *, token: str | None = None, everything: bool = False) -> Plan:
    """What going back to `path` would do, for whoever stands at `token`; None: for the instance as a whole.
    `everything`: to the start, whatever lies where. Refuses `Conflict` when no way leads from there to here."""
    around = dict(enumerate(_levels(run, token))) if token is not None else {}
    trees, after = [run.workflow], list[frozenset[str]]()
    spec = run.workflow.spec
    undone: set[tuple[str, str]] = set()
    for depth, ident in enumerate(path):
        made = spec_of(spec, ident)
        last = depth == len(path) - 1
        tree = trees[-1] if len(trees) == depth + 1 else None
        here = around[depth] if depth in around and around[depth].tree is tree else None
        if made is None or (not last and inner_of(made) is None and here is None):
            raise no_way()
        host = None if last or tree is None or everything else _host(run, tree, ident, here)
        if host is not None:
            after.append(frozenset())
            trees.append(run.workflow.subprocesses[host.id])
            spec = trees[-1].spec
            continue
        reached = _reached(spec, made, tree, here, everything and depth == 0)
        after.append(reached)
        for name in reached:
            if last or name != made.name:
                undone.update(inside(run.program, spec, name))
        if not last:
            spec = run.program.called_specs[str(inner_of(made))]
    lost = _at_or_after(trees[-1], after[len(trees) - 1])
    return Plan(path, trees, after, lost, frozenset(undone))


def _host(run: Run, tree: Any, ident: str, here: Any) -> Any:
    """The activity of that id that runs now: the one somebody stands in, else the only one."""
    if here is not None:
        return here.single if here.task.task_spec.bpmn_id == ident else None
    subs = run.workflow.subprocesses
    alive = [t for t in tree.tasks.values() if t.task_spec.bpmn_id == ident and t.id in subs]
    return alive[0] if len(alive) == 1 and alive[0].has_state(ALIVE) else None


def _reached(spec: Any, made: Any, tree: Any, here: Level | None, everything: bool) -> frozenset[str]:
    entry = entry_of(spec, made).name
    if everything:
        return frozenset(spec.task_specs)
    if tree is None:
        return ways_of(spec).from_(entry)  # a process that is begun anew: nobody stands in it
    places = [here.task.task_spec.name] if here is not None else [_place(t) for t in alive_in(tree)]
    reached = _undone_from(tree, entry, places)
    if reached is None:
        raise no_way()
    return reached


def jump(
    run: Run,
    path: Path,
    *,
    token: str | None = None,
    everything: bool = False,
    straight: int | None = None,
) -> Jumped:
    """Go back to `path`: see `plan`. `straight`: a number that the target's token keeps, for whoever sends it
    straight back later."""
    made = plan(run, path, token=token, everything=everything)
    tree, depth = made.trees[-1], len(made.trees) - 1
    here = (
        next((at.task for at in _levels(run, token) if at.tree is tree), None) if token is not None else None
    )
    origin = here or (made.left[0] if made.left else tree.task_tree)
    known = plain(known_at(run, token, tree) if token is not None else origin.data)
    left = tuple(str(t.id) for t in made.left)
    above = hold(origin)
    call_off(run, made.left)
    entered = _enter(run, tree, above, path[depth:], known)
    if straight is not None:
        entered.internal_data[STRAIGHT] = straight
    return Jumped(str(entered.id), left)


def call_off(run: Run, tasks: Iterable[Any]) -> None:
    """Cancel tokens with all that hangs on them: sub-processes, instances, awaited events."""
    for task in tasks:
        task.cancel()
    top = run.workflow
    while True:
        alive = {t.id for tree in (top, *top.subprocesses.values()) for t in tree.tasks.values()
                 if not t.state & TaskState.FINISHED_MASK}  # fmt: skip
        lost = [ident for ident in top.subprocesses if ident not in alive]
        for ident in lost:
            for task in top.subprocesses.pop(ident).tasks.values():
                if not task.state & TaskState.FINISHED_MASK:
                    task._set_state(TaskState.CANCELLED)
        if not lost:
            break
    forget_orphans(top)
    events = top.event_manager.tasks
    for ident in [i for i, t in events.items() if t.state != TaskState.WAITING]:
        del events[ident]


def _enter(run: Run, tree: Any, above: Any, path: Path, data: dict[str, Any]) -> Any:
    """Put a token at the first shape of `path`, and inside it at the rest."""
    base = passed(above, tree.task_tree.task_spec, data)
    made = spec_of(tree.spec, path[0])
    entry = entry_of(tree.spec, made)
    stand_ins = _stand_in(tree, base, entry.name, data)
    task = _begin(run, base, entry, made)
    for stand_in in stand_ins:
        stand_in.internal_data[STANDS_FOR] = str(task.id)
    if len(path) == 1:
        return task
    sub = run.workflow.subprocesses[task.id]
    call_off(run, alive_in(sub))
    return _enter(run, sub, sub.task_tree, path[1:], data)


def _begin(run: Run, base: Any, entry: Any, made: Any) -> Any:
    task = base._add_child(entry, TaskState.WAITING)
    task.triggered = True
    task.task_spec._update(task)
    if entry is made:
        return task
    run._run_one(task)
    return next(child for child in task.children if child.task_spec is made)


def passed(above: Any, spec: Any, data: dict[str, Any]) -> Any:
    """A task as if it had been completed there."""
    task = above._add_child(spec, TaskState.COMPLETED)
    task.triggered = True
    task.data = dict(data)
    return task


def _stand_in(tree: Any, base: Any, entry: str, data: dict[str, Any]) -> list[Any]:
    """A waiting token for each branch that a join further on will ask for, and that is over and stays so."""
    made: list[Any] = []
    for join, flow in _lacking(tree, entry, alive_in(tree)):
        token = passed(base, tree.spec.task_specs[flow], data)._add_child(join, TaskState.WAITING)
        token.data = dict(data)
        made.append(token)
    return made


def _lacking(
    tree: Any, entry: str, others: list[Any], kinds: tuple[type, ...] = (Parallel,)
) -> list[tuple[Any, str]]:
    """The joins after `entry`, each with a flow on which no token will come from there, nor from the others."""
    ways = ways_of(tree.spec)
    coming = ways.from_(entry).union(*(ways.from_(_place(task)) for task in others))
    joins = [s for s in tree.spec.task_specs.values() if isinstance(s, kinds) and len(s._inputs) > 1]
    return [
        (join, flow)
        for join in joins
        if join.name in ways.from_(entry)
        for flow in join._inputs
        if flow not in coming
    ]


# where tokens are


def _levels(run: Run, token: str) -> list[Level]:
    """The processes around a token, outermost first."""
    task = run._task(token)
    if task is None:
        raise no_way()
    found: list[Level] = []
    while task is not None:
        found.append(Level(task.workflow, repeated(task) or task, task))
        above = task.workflow.parent_task_id
        task = run._task(str(above)) if above is not None else None
    return found[::-1]


def repeated(task: Any) -> Any:
    """The repeated activity that a task is one instance of; None where it is none."""
    host = task.parent
    if host is None or not isinstance(host.task_spec, LoopTask):
        return None
    return host if cast(Any, host.task_spec).task_spec == task.task_spec.name else None


def _place(task: Any) -> str:
    """The shape that a token is at; where it waits for others to come together, the one that it came from."""
    spec = task.task_spec
    meets = isinstance(spec, (Join, TheEnd)) and task.state == TaskState.WAITING
    at = task.parent.task_spec if meets and task.parent is not None else task.task_spec
    return str(at.name)


def alive_in(tree: Any) -> list[Any]:
    """The tokens of one process, of repeated activities the whole."""
    return [t for t in tree.tasks.values() if t.has_state(ALIVE) and repeated(t) is None]


def _at_or_after(tree: Any, after: frozenset[str]) -> list[Any]:
    return [task for task in alive_in(tree) if _place(task) in after]


def hold(task: Any) -> Any:
    """The nearest completed task above, to hang a new token below."""
    above = task.parent if task.parent is not None else task
    while above.parent is not None and (
        above.state != TaskState.COMPLETED or isinstance(above.task_spec, EventSplit)
    ):
        above = above.parent
    return above


def known_at(run: Run, token: str, tree: Any) -> dict[str, Any]:
    """What is known at a token, as far as it concerns the process `tree`: what one of many knows stays its own."""
    task = run._task(token)
    known = task.data
    while True:
        host = repeated(task)
        if host is not None:
            task, known = host, host.data
        if task.workflow is tree:
            return known
        task = run._task(str(task.workflow.parent_task_id))


def no_way() -> Conflict:
    return Conflict(
        "flow.no_way_back",
        zh="流程现在的位置不能退回到这一步，请刷新后再选。",
        en="No way leads back from here to this step; reload the page and choose again.",
    )


def belongs(run: Run, token: str, jumped: Jumped) -> bool:
    """Whether an open task is the target of a jump, or one of its instances."""
    task = run._task(token)
    host = repeated(task) if task is not None else None
    return token == jumped.entered or (host is not None and str(host.id) == jumped.entered)


def came_from(run: Run, token: str, before: str) -> bool:
    """Whether a token hangs below a task that was done, as far as compaction has kept what lies between."""
    task = run._task(token)
    while task is not None and str(task.id) != before:
        task = task.parent
    return task is not None


def in_many(run: Run, token: str) -> bool:
    """Whether a token is inside a repeated activity, so that another one like it may be elsewhere."""
    return any(level.task is not level.single for level in _levels(run, token))
