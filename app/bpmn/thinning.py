"""What may go from a living branch: the rounds of a loop that lie behind, or it would grow as long as another waits.

A token needs the task before it (its data, its flow into a join), the forks above it, and the border events of
an activity that still runs. Everything else that is over is left out.
"""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateUsage=false

from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin, EventSplit
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.util.task import TaskState

FINISHED = int(TaskState.FINISHED_MASK)


def thin(tree: Any) -> None:
    """Drop dead branches, and join a completed task to the one above the task between them."""
    tasks: dict[UUID, Any] = tree.tasks
    alive = _alive(tasks)
    if not alive:
        return
    borders = any(
        isinstance(t.task_spec, BoundaryEventJoin) and not t.state & FINISHED for t in tasks.values()
    )
    for ident in list(alive):
        task = tasks[ident]
        if task.state == TaskState.COMPLETED and not _guards(tree, task, borders):
            for child in [c for c in task._children if c not in alive]:
                task._children.remove(child)
                _forget(tree, child, task)
    for ident in list(alive):
        task, above = tasks[ident], tasks.get(tasks[ident]._parent)
        if above is None or above.state != TaskState.COMPLETED or task.state != TaskState.COMPLETED:
            continue
        below = tasks[task._children[0]] if len(task._children) == 1 else None
        if below is None or below.state != TaskState.COMPLETED or tree.last_task is task:
            continue
        if not (_guards(tree, task, borders) or _guards(tree, above, borders)):
            above._children[above._children.index(task.id)] = below.id
            below._parent = above.id
            del tasks[ident]


def _alive(tasks: dict[UUID, Any]) -> set[UUID]:
    """Every task that is not over, and all above it."""
    found: set[UUID] = set()
    for task in tasks.values():
        above = None if task.state & FINISHED else task
        while above is not None and above.id not in found:
            found.add(above.id)
            above = tasks.get(above._parent)
    return found


def _guards(tree: Any, task: Any, borders: bool) -> bool:
    """Whether this is where an activity and its border events part, and somebody may still ask for it."""
    if not isinstance(task.task_spec, EventSplit):
        return False
    children = [tree.tasks[child] for child in task._children]
    return borders or any(
        not c.state & FINISHED for c in children if not isinstance(c.task_spec, BoundaryEvent)
    )


def _forget(tree: Any, ident: UUID, instead: Any) -> None:
    waiting = [ident]
    while waiting:
        gone = tree.tasks.pop(waiting.pop())
        waiting.extend(gone._children)
        if tree.last_task is gone:
            tree.last_task = instead
