"""Straight back: what a return called off is put back as it was, with what has been corrected since.

The state from before the return is kept beside the instance. From it come the very tokens that were called off:
open tasks, votes that were given, branches that waited at a join. They get new names, for the old ones are
over, and their timers begin anew. Branches that the return left alone are where they have got to by now.
"""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateUsage=false

from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from SpiffWorkflow.bpmn.specs.control import EventSplit
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from app.bpmn import jump
from app.bpmn.joins import ALIVE
from app.bpmn.loops import Many, OneByOne
from app.bpmn.values import plain

if TYPE_CHECKING:
    from app.bpmn.step import Run

OF_A_TIMER = {"due", "left", "event_fired"}
"""What a waiting timer keeps for itself; without it, it begins anew."""


def straight(run: "Run", token: str) -> tuple[str, int] | None:
    """The token of the target that an open task belongs to, and the number it keeps, where a return said that it
    goes straight back."""
    task = run._task(token)
    for found in (task, jump.repeated(task) if task is not None else None):
        number = found.internal_data.get(jump.STRAIGHT) if found is not None else None
        if found is not None and number is not None:
            return str(found.id), int(number)
    return None


def come_back(run: "Run", entered: str, before: "Run", left: Collection[str], token: str) -> dict[str, str]:
    """Once the target `entered` is done: call off what would follow, and put back what the return called off
    (`left`, of the run `before` it, given at `token`). Gives the new token of each old one; empty while the target
    is not done yet (a 会签 that waits for others)."""
    target = run._task(entered)
    if target is not None and target.state == TaskState.READY and not target.task_spec.manual:
        run._run_one(target)
    if target is None or target.state != TaskState.COMPLETED:
        return {}
    olds = [task for task in (before._task(ident) for ident in left) if task is not None]
    if not olds:
        return {}
    home = run.workflow if olds[0].workflow.parent_task_id is None else None
    home = home or run.workflow.subprocesses[olds[0].workflow.parent_task_id]
    place = target
    while place.workflow is not home:
        place = run._task(str(place.workflow.parent_task_id))
        place = jump.repeated(place) or place
    known = jump.known_at(before, token, olds[0].workflow)
    new = {k: v for k, v in plain(target.data).items() if k not in known or known[k] != v}
    _leave(run, home, place)
    above = place if place.state == TaskState.COMPLETED else jump.hold(place)
    return _Copier(run, new).copy(olds, above)


def _leave(run: "Run", home: Any, place: Any) -> None:
    """Nothing goes on from the target, and nothing stands in for what comes back itself."""
    waiting = [place.parent if isinstance(place.parent.task_spec, EventSplit) else place]
    below: list[Any] = []
    for task in waiting:
        below.append(task)
        waiting.extend(task.children)
    marked = {str(task.id) for task in below}
    stands = [t for t in home.tasks.values() if t.internal_data.get(jump.STANDS_FOR) in marked]
    jump.call_off(run, [t for t in (*below, *stands) if t.has_state(ALIVE) and jump.repeated(t) is None])
    for task in below:
        for child in [c for c in task.children if not c.state & TaskState.FINISHED_MASK]:
            home._remove_task(child.id)


class _Copier:
    """Copies tokens from one run into another, each under a new name."""

    def __init__(self, run: "Run", new: dict[str, Any]) -> None:
        self.run, self.new = run, new
        self.names: dict[str, str] = {}

    def copy(self, olds: list[Any], above: Any) -> dict[str, str]:
        """`olds`, with what hangs on them and the forks between them, below `above`."""
        ways = [_way_to(task.parent) for task in olds]
        shared = [level[0] for level in zip(*ways, strict=False) if all(t is level[0] for t in level)]
        top = shared[-1]
        wanted = {id(t) for way in ways for t in way[len(shared) - 1 :]}
        base = jump.passed(above, above.workflow.task_tree.task_spec, {**plain(top.data), **self.new})
        waiting = [(top, base)]
        for old, parent in waiting:
            made = self._one(old, parent) if old is not top or old.parent is not None else base
            waiting += [(c, made) for c in old.children if id(c) in wanted]
            for child in old.children:
                if child in olds:
                    self._whole(child, made)
        return self.names

    def _whole(self, old: Any, parent: Any) -> None:
        waiting = [(old, parent)]
        for task, above in waiting:
            made = self._one(task, above)
            sub = task.workflow.top_workflow.subprocesses.get(task.id)
            if sub is not None and task.has_state(ALIVE):
                self._sub(sub, made)
            waiting += [(child, made) for child in task.children]

    def _sub(self, old: Any, host: Any) -> None:
        top = self.run.workflow
        made = BpmnSubWorkflow(old.spec, host.id, top, deserializing=True)
        top.subprocesses[host.id] = made  # at once: what is inside finds its way up by it
        made.tasks.clear()
        made.success, made.completed, made.correlations = old.success, old.completed, old.correlations
        made.data = plain(old.data)
        waiting = [(old.task_tree, None)]
        for task, above in waiting:
            copy = self._one(task, above, made)
            if above is None:
                made.task_tree = copy
            if old.last_task is task:
                made.last_task = copy
            inner = task.workflow.top_workflow.subprocesses.get(task.id)
            if inner is not None and task.has_state(ALIVE):
                self._sub(inner, copy)
            waiting += [(child, copy) for child in task.children]
        made.completed_event.connect(host.task_spec._on_subworkflow_completed, host)

    def _one(self, old: Any, parent: Any, tree: Any = None) -> Any:
        tree = tree or parent.workflow
        ident = uuid4()
        made: Any = Task(tree, tree.spec.task_specs[old.task_spec.name], state=old.state, id=ident)
        if parent is not None:
            made._parent = parent.id
            parent._children.append(ident)
        made.triggered, made.last_state_change = old.triggered, old.last_state_change
        made.data = {**plain(old.data), **self.new}
        made.internal_data = self._kept(old)
        self.names[str(old.id)] = str(ident)
        if old.state == TaskState.WAITING and isinstance(made.task_spec, CatchingEvent):
            tree.top_workflow.event_manager.add_task(made)
        return made

    def _kept(self, old: Any) -> dict[str, Any]:
        kept: dict[str, Any] = plain(old.internal_data)
        if old.state == TaskState.WAITING:
            kept = {k: v for k, v in kept.items() if k not in OF_A_TIMER}
        if jump.STANDS_FOR in kept:
            kept[jump.STANDS_FOR] = self.names.get(kept[jump.STANDS_FOR], kept[jump.STANDS_FOR])
        return kept


def _way_to(task: Any) -> list[Any]:
    way: list[Any] = []
    while task is not None:
        way.append(task)
        task = task.parent
    return way[::-1]


def is_open_vote(run: "Run", token: str) -> bool:
    """Whether a task that is done was one of several, and the others are still waited for."""
    task = run._task(token)
    host = jump.repeated(task) if task is not None else None
    return host is not None and host.state == TaskState.STARTED and isinstance(host.task_spec, Many)


def ask_again(run: "Run", token: str) -> str:
    """Give one vote back to whoever gave it, while the others are still waited for; the next in turn waits again.
    Gives the new token."""
    task = run._task(token)
    host = jump.repeated(task)
    index = task.internal_data["key_or_index"]
    if isinstance(host.task_spec, OneByOne):
        behind = [c for c in host.children if c.internal_data.get("key_or_index", -1) > index]
        jump.call_off(run, [c for c in behind if c.has_state(ALIVE)])
    else:
        behind = []
    for gone in (task, *behind):
        host._children.remove(gone.id)
        task.workflow.tasks.pop(UUID(str(gone.id)), None)
    host.task_spec._begin(host, index)
    return str(host.children[-1].id)
