"""An instance's state as bytes and back: compact rows in orjson, any user key welcome, order irrelevant to truth.

Only the task trees are stored; the specs come from the parse cache. Layout, version 2:

    {"v": 2, "d": [data, …], "w": [workflow, …]}          the first workflow is the top one
    workflow = [parent task id | null, spec name, data, correlations, last task row | -1, success, completed, rows]
    row      = [id, parent row | -1, spec name, state, triggered, index into d, internal data, changed at]

Rows stand in the order of a walk from the root, parents before children, children in their order: so the
tree is rebuilt without a second list. Task data is stored once for all tasks that share it, and whole, never as
a difference to a parent. Version 1 had the same rows, but marked tokens at a join as cancelled. `golden` files in `tests/bpmn/states/` hold this layout fast for later releases.
"""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateUsage=false

from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

import orjson
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from app.bpmn.expressions import Expressions
from app.bpmn.joins import Join, TheEnd
from app.bpmn.parse import Program
from app.bpmn.thinning import thin
from app.refusal import Conflict

CODEC = 2
"""The version written today. Every version ever written stays readable."""

FINISHED = int(TaskState.FINISHED_MASK)
LOOP_KEYS = {"key_or_index", "item", "merged", "iteration", "voter", "by"}
"""Internal data that a finished task's neighbours still read (multi-instance); all else of it is dropped."""


class StrangeState(Conflict, ValueError):
    """The instance was stored by a release that is later than this one."""

    def __init__(self, version: object) -> None:
        super().__init__(
            "flow.strange_state",
            zh=f"该流程由更新的版本保存（格式 {version!r}），当前程序最高只认识格式 {CODEC}。请升级程序后再办理。",
            en=f"This flow is stored in a format of unknown version {version!r}: by a later release, as this one knows "
            f"up to {CODEC}. Upgrade the program, then go on.",
            version=str(version),
        )


def encode(workflow: Any) -> bytes:
    """The state, compacted first."""
    compact(workflow)
    shared: dict[bytes, int] = {}
    trees = [workflow, *_by_depth(workflow)]
    rows = [_workflow_row(tree, shared) for tree in trees]
    # each distinct data stands once; orjson.Fragment puts its bytes in as they are
    return orjson.dumps({"v": CODEC, "d": [orjson.Fragment(b) for b in shared], "w": rows})


def decode(program: Program, state: bytes, expressions: Expressions) -> Any:
    """A running workflow again. Raises StrangeState for a version that this release does not know."""
    said = orjson.loads(state)
    if said.get("v") not in (1, CODEC):
        raise StrangeState(said.get("v"))
    datas: list[dict[str, Any]] = said["d"]
    used: set[int] = set()
    specs = program.called_specs
    top: Any = None
    for row in said["w"]:
        if row[0] is None:
            spec = program.main.specs[row[1]]
            top = BpmnWorkflow(spec, specs, script_engine=cast(Any, expressions), deserializing=True)
            _fill(top, row, datas, used)
        else:
            _sub(top, row, datas, used, specs)
    if said["v"] == 1:
        _wake_joins(top)
    return top


def _wake_joins(workflow: Any) -> None:
    """Version 1 marked a token that waited at a join as cancelled as soon as another had come; now each waits."""
    for tree in (workflow, *workflow.subprocesses.values()):
        joins = [t for t in tree.tasks.values() if isinstance(t.task_spec, (Join, TheEnd))]
        for task in joins:
            passed = [t for t in joins if t.task_spec is task.task_spec and t.state == TaskState.COMPLETED]
            arrived = task._parent is not None and tree.tasks[task._parent].state == TaskState.COMPLETED
            if (
                task.state == TaskState.CANCELLED
                and arrived
                and not any(t.last_state_change >= task.last_state_change for t in passed)
            ):
                task._state = TaskState.WAITING


def _by_depth(workflow: Any) -> list[Any]:
    """Sub-processes, outer before inner: each finds its parent's task when it is read back."""
    return sorted(workflow.subprocesses.values(), key=lambda sub: sub.depth)


def _workflow_row(tree: Any, shared: dict[bytes, int]) -> list[Any]:
    rows: list[list[Any]] = []
    index: dict[UUID, int] = {}
    for task in walk(tree):
        index[task.id] = len(rows)
        rows.append(_task_row(task, index.get(task._parent, -1), shared))
    last = index.get(tree.last_task.id, -1) if tree.last_task is not None else -1
    parent = tree.parent_task_id
    return [
        str(parent) if parent is not None else None,
        tree.spec.name,
        _json(tree.data, shared),
        tree.correlations,
        last,
        tree.success,
        tree.completed,
        rows,
    ]


def _task_row(task: Any, parent: int, shared: dict[bytes, int]) -> list[Any]:
    internal = task.internal_data
    if task.state & FINISHED:
        internal = {k: v for k, v in internal.items() if k in LOOP_KEYS}
    return [
        task.id.hex,
        parent,
        task.task_spec.name,
        int(task.state),
        task.triggered,
        _json(task.data, shared),
        internal,
        round(task.last_state_change, 3),
    ]


def _json(data: dict[str, Any], shared: dict[bytes, int]) -> int:
    said = orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS)
    return shared.setdefault(said, len(shared))


def walk(tree: Any) -> Iterator[Any]:
    """Every task of one workflow, parents first, without recursion and without SpiffWorkflow's depth limit."""
    waiting = [tree.task_tree]
    tasks = tree.tasks
    while waiting:
        task = waiting.pop()
        yield task
        waiting.extend(tasks[child] for child in reversed(task._children))


def _fill(workflow: Any, row: list[Any], datas: list[dict[str, Any]], used: set[int]) -> None:
    _, _, data, correlations, last, success, completed, rows = row
    made: list[Any] = []
    for ident, parent, name, state, triggered, data_at, internal, changed in rows:
        task: Any = Task(workflow, workflow.spec.task_specs[name], state=state, id=UUID(ident))
        if parent >= 0:
            task._parent = made[parent].id
            made[parent]._children.append(task.id)
        task.triggered, task.internal_data, task.last_state_change = triggered, internal, changed
        task.data = _own(datas, data_at, used)
        made.append(task)
        if state == TaskState.WAITING and isinstance(task.task_spec, CatchingEvent):
            workflow.top_workflow.event_manager.add_task(task)
    workflow.task_tree = made[0]
    workflow.last_task = made[last] if last >= 0 else None
    workflow.success, workflow.completed, workflow.correlations = success, completed, correlations
    workflow.data = _own(datas, data, used)


def _own(datas: list[dict[str, Any]], at: int, used: set[int]) -> dict[str, Any]:
    """The data at an index: as it was read the first time, a copy of its own each further time."""
    if at not in used:
        used.add(at)
        return datas[at]
    return cast("dict[str, Any]", orjson.loads(orjson.dumps(datas[at])))


def _sub(
    top: Any, row: list[Any], datas: list[dict[str, Any]], used: set[int], specs: dict[str, Any]
) -> None:
    parent = top.get_task_from_id(UUID(row[0]))
    sub = BpmnSubWorkflow(specs[row[1]], parent.id, top, deserializing=True)
    _fill(sub, row, datas, used)
    top.subprocesses[parent.id] = sub
    sub.completed_event.connect(parent.task_spec._on_subworkflow_completed, parent)


def compact(workflow: Any) -> None:
    """Cut what is over: finished sub-processes, and in each tree all that lies above the last completed task
    through which every living task came. People's history stands in tables of its own; what remains here is what
    the token engine still needs. Without this a return loop grows until SpiffWorkflow no longer sees its end.
    """
    for parent_id, sub in list(workflow.subprocesses.items()):
        host = workflow.tasks.get(parent_id) or next(
            (s.tasks[parent_id] for s in workflow.subprocesses.values() if parent_id in s.tasks), None
        )
        if host is None or host.state & FINISHED:
            del workflow.subprocesses[parent_id]
            del sub
    for tree in (workflow, *workflow.subprocesses.values()):
        _cut(tree)
        thin(tree)
    alive = {task_id for tree in (workflow, *workflow.subprocesses.values()) for task_id in tree.tasks}
    for parent_id in [p for p in workflow.subprocesses if p not in alive]:
        del workflow.subprocesses[parent_id]


def _cut(tree: Any) -> None:
    root, anchor = tree.task_tree, _anchor(tree)
    if anchor is None or anchor is root or (anchor._parent == root.id and len(root._children) == 1):
        return
    kept: set[UUID] = {root.id}
    waiting = [anchor]
    while waiting:
        task = waiting.pop()
        kept.add(task.id)
        waiting.extend(tree.tasks[child] for child in task._children)
    tree.tasks = {ident: task for ident, task in tree.tasks.items() if ident in kept}
    root._children, anchor._parent = [anchor.id], root.id
    root.data = {}
    if tree.last_task is not None and tree.last_task.id not in kept:
        tree.last_task = anchor


def _anchor(tree: Any) -> Any:
    """The deepest completed task above every unfinished one; None where nothing lives (the tree stays as it is)."""
    tasks = tree.tasks
    common: list[Any] | None = None
    for task in tasks.values():
        if task.state & FINISHED or (task._parent is not None and not tasks[task._parent].state & FINISHED):
            continue  # only the topmost unfinished task of each branch decides
        path: list[Any] = []
        above = task
        while above is not None:
            path.append(above)
            above = tasks.get(above._parent)
        path.reverse()
        common = path if common is None else _shared_start(common, path)
    if common is None:
        return None
    return next((t for t in reversed(common) if t.state == TaskState.COMPLETED), None)


def _shared_start(one: list[Any], other: list[Any]) -> list[Any]:
    length = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a is not b), None)
    return one[: min(len(one), len(other)) if length is None else length]
