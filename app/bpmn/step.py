"""One step of an instance: load, do one thing, let the automatic steps run until people or the world are waited for.

    run = begin(program, data, host=host, now=now)      # or resume(program, state, …)
    run.complete(token, {"decision": "approve"})         # or run.deliver(token, payload); or nothing: timers only
    run.settle()
    run.tasks(), run.messages(), run.timers(), run.trail, run.finished, run.state()

No table, no clock of its own, no network: the same state, act and moment give the same result.
"""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateUsage=false

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.bpmn.specs.mixins.events.start_event import StartEvent
from SpiffWorkflow.bpmn.util import BpmnEvent
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.spiff.specs.event_definitions import (
    ErrorEventDefinition,
    EscalationEventDefinition,
    MessageEventDefinition,
    SignalEventDefinition,
)
from SpiffWorkflow.task import Task as SpiffTask
from SpiffWorkflow.util.task import TaskState

from app.bpmn import jump as jumping
from app.bpmn import state as codec
from app.bpmn.ballot import Ballot, seats
from app.bpmn.expressions import Expressions, Host, fault_at
from app.bpmn.fault import Fault
from app.bpmn.loops import Many
from app.bpmn.parse import Diagram, Node, Program
from app.bpmn.values import plain
from app.bpmn.waits import OpenEvent, OpenMessage, OpenTask, OpenTimer, Passed
from app.refusal import Conflict, Refusal

__all__ = ["OpenEvent", "OpenMessage", "OpenTask", "OpenTimer", "Passed", "Run", "begin", "resume"]

MAX_AUTOMATIC_STEPS = 5_000
"""More automatic steps than this between two waits is a loop that would never rest."""

MAX_TOKENS = 5_000
"""Tasks that one process may hold at once; what forks without end is stopped here."""

MAX_CALLS = 20
"""Processes inside each other while they run; a flow that calls itself is stopped here."""

COMPACT_EVERY = 50


def _no_words(self: Any, dct: dict[Any, Any] | None = None) -> dict[Any, Any]:
    """SpiffWorkflow gathers words for a log line at each change of state, though nobody listens."""
    return {}


SpiffTask.collect_log_extras = _no_words

LISTENED = {
    "signal": SignalEventDefinition,
    "error": ErrorEventDefinition,
    "escalation": EscalationEventDefinition,
}


class Run:
    """An instance in memory during one step."""

    def __init__(self, program: Program, workflow: Any, expressions: Expressions) -> None:
        self.program = program
        self.workflow = workflow
        self.expressions = expressions
        self.trail: list[Passed] = []
        self._at: Any = None

    def speak_with(self, expressions: Expressions) -> None:
        """Have the expressions answered by another, before anything has run."""
        self.workflow.script_engine = self.expressions = expressions

    def where(self) -> Passed | None:
        """The shape that was begun last: where it stands when a step fails."""
        if self._at is None:
            return None
        diagram, node = self._node(self._at)
        return None if node is None else Passed(diagram.key, node, str(self._at.id))

    # what may happen to it

    def complete(
        self,
        token: str,
        form: Mapping[str, Any],
        *,
        by: tuple[int | None, str] | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        """A person did the task. The form is copied into the data under the task's id; where the diagram says
        `merge`, the fields that were filled in replace those of the data (a correction of what was applied for).
        `by`: id and name of who did it, which a vote keeps. `told`: what the trail says of it."""
        task = self._task(token)
        if task is None or task.state != TaskState.READY or not task.task_spec.manual:
            raise _not_waiting()
        if by is not None and "voter" in task.internal_data:
            task.internal_data["by"] = {"id": by[0], "name": by[1]}
        if told is not None:
            task.internal_data["did"] = dict(told)
        node = self._passed(task)
        if node is not None and node.properties.get("merge") == "true":
            task.data.update({k: v for k, v in plain(form).items() if v is not None})
        else:
            task.data[str(task.task_spec.bpmn_id)] = plain(form)
        self._run_one(task, tell=False)

    def deliver(self, token: str, payload: Mapping[str, Any]) -> None:
        """The message (or signal, or error) that the task waits for has come; nobody else hears it."""
        task = self._task(token)
        if task is None or task.state != TaskState.WAITING or not isinstance(task.task_spec, CatchingEvent):
            raise _not_waiting()
        spec: Any = task.task_spec
        spec.catch(task, BpmnEvent(spec.event_definition, payload=plain(payload)))
        spec._update(task)

    def drop(self, token: str) -> None:
        """Call off one instance of a multi-instance activity (减签). The others go on, and are fewer."""
        task = self._task(token)
        while task is not None and not _is_one_of_many(task):
            parent = task.workflow.parent_task_id
            task = self._task(str(parent)) if parent is not None else None
        if task is None or task.state & TaskState.FINISHED_MASK:
            raise _not_waiting()
        if "voter" in task.internal_data:
            task.parent.task_spec.take_off(task.parent, task.internal_data["voter"])
            return
        task.cancel()
        task.parent.task_spec.recount(task.parent, task)

    def add_voter(self, token: str, voter: int, *, weight: str = "1", by: int | None = None) -> None:
        """A further voter beside the open seat `token` (加签). `by`: who adds them."""
        seat = self._seat(token)
        seat.parent.task_spec.add(seat, voter, weight, by)

    def take_off(self, token: str, voter: int) -> None:
        """A voter of the same vote as the open seat `token`, taken off (减签); the others are counted anew."""
        many = self._seat(token).parent
        many.task_spec.take_off(many, voter)

    def voters(self, token: str) -> list[dict[str, Any]]:
        """Everybody of the vote that the open seat `token` belongs to, as asked."""
        return seats(self._seat(token).parent)

    def _seat(self, token: str) -> Any:
        task = self._task(token)
        if task is None or "voter" not in task.internal_data or task.state & TaskState.FINISHED_MASK:
            raise _not_waiting()
        return task

    def jump(
        self, path: tuple[str, ...], *, token: str | None = None, everything: bool = False,
        straight: int | None = None,
    ) -> "jumping.Jumped":  # fmt: skip
        """Go back to a task that lies before: see `app.bpmn.jump`."""
        return jumping.jump(self, path, token=token, everything=everything, straight=straight)

    def settle(self, *, at_most: int = MAX_AUTOMATIC_STEPS) -> None:
        """Run every automatic step and every timer that is due, until only people and the world are waited for.

        Scans the tasks as they lie instead of walking the tree, and cuts away what is over on the way, so that
        the last step costs what the first did. Raises Fault when it would never rest.
        """
        steps = since = 0
        while True:
            ready = self._ready()
            if not ready:
                self.workflow.refresh_timers()
                self._tell_of_rounds()
                self._close_subprocesses()
                ready = self._ready()
                if not ready:
                    return
            for task in ready:
                if task.state != TaskState.READY or task.id not in task.workflow.tasks:
                    continue  # an earlier one in this round cancelled it, or what it hung on
                steps += 1
                if (
                    steps > at_most
                    or len(task.workflow.tasks) > MAX_TOKENS
                    or task.workflow.depth > MAX_CALLS
                ):
                    raise _endless(task, at_most)
                self._run_one(task)
            self._close_subprocesses()
            if steps - since > COMPACT_EVERY:
                since = steps
                codec.compact(self.workflow)

    def _tell_of_rounds(self) -> None:
        for task in self.expressions.fired:
            self._passed(task)
        self.expressions.fired.clear()

    def _ready(self) -> list[Any]:
        """Automatic tasks that can run now: first what came to a border, for it may call off the rest; then those of
        the innermost process."""
        trees = [*sorted(self.workflow.get_active_subprocesses(), key=lambda s: -s.depth), self.workflow]
        found = [
            task
            for tree in trees
            for task in tree.tasks.values()
            if task.state == TaskState.READY and not task.task_spec.manual
        ]
        return sorted(found, key=lambda task: not isinstance(task.task_spec, BoundaryEvent))

    def _close_subprocesses(self) -> None:
        """SpiffWorkflow marks a finished sub-process' task only when it is asked to look again."""
        for sub in sorted(self.workflow.subprocesses.values(), key=lambda s: -s.depth):
            if not sub.completed and not any(
                t.state & TaskState.NOT_FINISHED_MASK for t in sub.tasks.values()
            ):
                sub.completed = True
            host = self._task(str(sub.parent_task_id))
            if host is not None and host.state == TaskState.STARTED:
                host.task_spec._update(host)

    def _run_one(self, task: Any, *, tell: bool = True) -> None:
        self._at = task
        try:
            if all(task.workflow.tasks[child].triggered for child in task._children):
                task.task_spec._predict_hook(task)
            task.run()
        except Refusal:
            raise
        except (
            SpiffWorkflowException,
            RecursionError,
            TypeError,
            ValueError,
            KeyError,
            AttributeError,
        ) as error:
            # whatever the token engine makes of a diagram it cannot follow: an incident at this shape
            raise fault_at(
                task, "engine", zh=f"{error}", en=f"{error}", error=type(error).__name__
            ) from error
        if tell:
            self._passed(task)

    def _passed(self, task: Any) -> Node | None:
        spec = task.task_spec
        counted = isinstance(spec, Ballot)
        if spec.bpmn_id is None or (isinstance(getattr(spec, "task_spec", None), str) and not counted):
            return None
        diagram, node = self._node(task)
        if node is not None:
            self.trail.append(Passed(diagram.key, node, str(task.id), task.internal_data.pop("did", {})))
        return node

    # what it is waiting for

    def tasks(self) -> list[OpenTask]:
        found: list[OpenTask] = []
        for task in self._tasks(TaskState.READY):
            diagram, node = self._node(task)
            if task.task_spec.manual and node is not None:
                kept = task.internal_data
                item = kept.get("key_or_index", kept.get("item"))
                found.append(
                    OpenTask(str(task.id), diagram.key, node, task.data, item, voter=kept.get("voter"))
                )
        return found

    def messages(self) -> list[OpenMessage]:
        found: list[OpenMessage] = []
        for task in self._tasks(TaskState.WAITING):
            spec = task.task_spec
            diagram, node = self._node(task)
            if (
                isinstance(spec, CatchingEvent)
                and node is not None
                and isinstance(cast(Any, spec).event_definition, MessageEventDefinition)
            ):
                text = node.properties.get("correlation")
                value = plain(self.expressions.value(task, text)) if text else ""
                name = str(cast(Any, spec).event_definition.name)
                found.append(OpenMessage(str(task.id), diagram.key, node, name, _key(value)))
        return found

    def events(self) -> list[OpenEvent]:
        """Signals, errors and escalations that are listened for."""
        found: list[OpenEvent] = []
        for task in self._tasks(TaskState.WAITING):
            definition = getattr(task.task_spec, "event_definition", None)
            diagram, node = self._node(task)
            if node is None or not isinstance(task.task_spec, CatchingEvent):
                continue
            kind = next((k for k, made in LISTENED.items() if isinstance(definition, made)), None)
            if kind is not None:
                found.append(
                    OpenEvent(str(task.id), diagram.key, node, kind, str(cast(Any, definition).name))
                )
        return found

    def stands_at(self) -> list[str]:
        """The ids of the shapes that hold a token which waits for something."""
        mask = TaskState.READY | TaskState.WAITING
        nodes = [self._node(task)[1] for task in self._tasks(mask)]
        return sorted({node.id for node in nodes if node is not None})

    def timers(self) -> list[OpenTimer]:
        found: list[OpenTimer] = []
        for task in self._tasks(TaskState.WAITING):
            spec = task.task_spec
            diagram, node = self._node(task)
            due = task.internal_data.get("due")
            if due is None or node is None or task.internal_data.get("left") == 0:
                continue
            if isinstance(spec, CatchingEvent) and isinstance(
                cast(Any, spec).event_definition, TimerEventDefinition
            ):
                found.append(OpenTimer(str(task.id), diagram.key, node, datetime.fromisoformat(due)))
        return found

    @property
    def finished(self) -> bool:
        """Whether no token is left anywhere."""
        return not any(t.state & TaskState.NOT_FINISHED_MASK for t in self.workflow.tasks.values())

    @property
    def data(self) -> dict[str, Any]:
        """What the instance knows where it waits; when it is over, what it knew at its end."""
        waits = [
            t for t in self._tasks(TaskState.READY | TaskState.WAITING) if t.task_spec.bpmn_id is not None
        ]
        last = waits[0] if waits else self.workflow.last_task
        return cast("dict[str, Any]", last.data if last is not None else {})

    def state(self) -> bytes:
        return codec.encode(self.workflow)

    def _tasks(self, mask: int) -> list[Any]:
        trees = [self.workflow, *self.workflow.subprocesses.values()]
        return [task for tree in trees for task in tree.tasks.values() if task.state & mask]

    def _task(self, token: str) -> Any:
        try:
            ident = UUID(token)
        except ValueError:
            return None
        trees = [self.workflow, *self.workflow.subprocesses.values()]
        return next((tree.tasks[ident] for tree in trees if ident in tree.tasks), None)

    def _node(self, task: Any) -> tuple[Diagram, Node | None]:
        diagram = self.program.diagram_of(str(task.workflow.spec.name))
        return diagram, diagram.nodes.get(str(task.task_spec.bpmn_id))


def begin(
    program: Program,
    data: Mapping[str, Any],
    *,
    host: Host,
    now: datetime,
    start: str | None = None,
    expressions: Expressions | None = None,
    at_most: int = MAX_AUTOMATIC_STEPS,
) -> Run:
    """A new instance, settled: the start event has been passed with `data`.

    `start`: which of several start events; else the one that waits for nothing; else all of them wait.
    """
    expressions = expressions or Expressions(host, now)
    workflow: Any = BpmnWorkflow(
        program.main.specs[program.main.key], program.called_specs, script_engine=cast(Any, expressions)
    )
    workflow.task_tree.data = plain(data)
    run = Run(program, workflow, expressions)
    if "StartEventSplit" in workflow.spec.task_specs:
        _choose_start(run, start)
    run.settle(at_most=at_most)
    return run


def _choose_start(run: Run, wanted: str | None) -> None:
    for _stage in ("Start", "StartEventSplit"):
        run._run_one(next(t for t in run.workflow.tasks.values() if t.state == TaskState.READY), tell=False)
    starts = [
        t for t in run._tasks(TaskState.READY | TaskState.WAITING) if isinstance(t.task_spec, StartEvent)
    ]
    chosen = next((t for t in starts if t.task_spec.bpmn_id == wanted), None) or next(
        (t for t in starts if t.state == TaskState.READY), None
    )
    for task in starts:
        if chosen is not None and task is not chosen:
            task.cancel()


def resume(
    program: Program, state: bytes, *, host: Host, now: datetime, expressions: Expressions | None = None
) -> Run:
    """The instance as it was stored. Nothing has run yet."""
    expressions = expressions or Expressions(host, now)
    return Run(program, codec.decode(program, state, expressions), expressions)


def _is_one_of_many(task: Any) -> bool:
    host = task.parent.task_spec if task.parent is not None else None
    return isinstance(host, Many) and cast(Any, host).task_spec == task.task_spec.name


def _endless(task: Any, steps: int) -> Fault:
    return fault_at(
        task,
        "endless",
        zh=f"连续 {steps} 个自动步骤仍未停下，或令牌不断增多，疑似死循环",
        en=f"{steps} automatic steps in a row without rest, or ever more tokens: an endless loop",
    )


def _key(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _not_waiting() -> Conflict:
    return Conflict(
        "flow.not_waiting",
        zh="流程已不在等待这一步，请刷新后再看",
        en="The flow no longer waits for this step; reload the page",
    )
