"""Move an instance's state to another version of its program: the same tokens, at the shapes of the same ids.

    moved = move(old, new, state, {"old_id": "new_id"}, passed=…, host=host, now=now)
    moved.blockers, moved.notes, moved.run            # run is None where something blocks

Nothing runs. The stored rows name their shapes, so they are read back under the new program: a shape that is gone
and lies behind is replaced by the start (its data stays), a border event that is gone no longer waits, one that is
new on a shape where the instance stands is armed. What would leave a token without a meaning is a blocker, told in
words with the shape it is about. At the end the waits are compared: people keep the tasks they have.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateUsage=false

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from SpiffWorkflow.bpmn.specs.control import EventSplit
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.util.task import TaskState

from app.bpmn.differing import IDENTITY, changed_aspects, drawn, event_kind, renamed
from app.bpmn.expressions import Host
from app.bpmn.gateways import FirstEvent, Parallel
from app.bpmn.joins import behind
from app.bpmn.parse import Node, Program
from app.bpmn.specs import RepeatingTimer
from app.bpmn.step import Run, resume
from app.refusal import Refusal
from app.text import Text

FINISHED = int(TaskState.FINISHED_MASK)
PREDICTED = int(TaskState.PREDICTED_MASK | TaskState.FUTURE)
WAITING, COMPLETED = int(TaskState.WAITING), int(TaskState.COMPLETED)
ID, PARENT, NAME, STATE, TRIGGERED, DATA, INTERNAL, CHANGED = range(8)


@dataclass(frozen=True)
class Blocker:
    """Why an instance cannot be moved, and at which shape. `rule` is for machines."""

    rule: str
    process: str
    element: str
    text: Text

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "process": self.process,
            "element": self.element,
            "zh": self.text.zh,
            "en": self.text.en,
        }


@dataclass
class Moved:
    """What came of it. `notes`: what the operator should know although it does not block."""

    blockers: list[Blocker] = field(default_factory=lambda: [])
    notes: list[Text] = field(default_factory=lambda: [])
    run: Run | None = None


def move(
    old: Program,
    new: Program,
    state: bytes,
    mapping: Mapping[str, str],
    *,
    passed: Collection[tuple[str, str]] = (),
    host: Host,
    now: datetime,
) -> Moved:
    """`state` under the program `new`. `passed`: (process, shape) of all that the instance has come through."""
    before = resume(old, state, host=host, now=now)
    mover = _Mover(old, new, dict(mapping))
    said = orjson.loads(before.state())
    for process, ident in sorted(set(passed)):
        mover.check_passed(process, ident)
    said["w"] = [row for tree in said["w"] if (row := mover.tree(tree)) is not None]
    moved = Moved(mover.blockers, mover.notes)
    if moved.blockers:
        return moved
    try:
        run = resume(new, orjson.dumps(said), host=host, now=now)
        _start_clocks(run, mover.armed)
        mover.check_joins(before, run)
        mover.check_waits(before, run)
    except (Refusal, KeyError, ValueError, AttributeError, TypeError) as error:
        text = error.text if isinstance(error, Refusal) else Text(str(error), str(error))
        mover.block(
            "cannot_restore", new.main.key, "",
            f"在新版本下无法恢复这个实例：{text.zh}", f"it cannot be restored under the new version: {text.en}",
        )  # fmt: skip
        return moved
    if not moved.blockers:
        moved.run = run
    return moved


class _Mover:
    def __init__(self, old: Program, new: Program, names: dict[str, str]) -> None:
        self.old, self.new, self.names = old, new, names
        self.blockers: list[Blocker] = []
        self.notes: list[Text] = []
        self.armed: set[str] = set()
        self.dropped: set[str] = set()

    def block(self, rule: str, process: str, element: str, zh: str, en: str) -> None:
        made = Blocker(rule, process, element, Text(zh, en))
        if made not in self.blockers:
            self.blockers.append(made)

    # the shapes

    def check_passed(self, process: str, ident: str) -> None:
        """What lies behind may be gone, but its name may not mean something else now."""
        earlier, node = self._both(process, ident)
        if earlier is not None and node is not None and earlier.kind != node.kind:
            name = earlier.label
            self.block(
                "passed_changed", process, ident,
                f"已办过的「{name.zh}」（{ident}）在新版本中成了另一种图元（{earlier.kind} → {node.kind}）",
                f'"{name.en}" ({ident}), which it has passed, is another kind of shape in the new version '
                f"({earlier.kind} → {node.kind})",
            )  # fmt: skip

    def _both(self, process: str, ident: str) -> tuple[Node | None, Node | None]:
        one, other = self.old.diagrams.get(process), self.new.diagrams.get(process)
        return (
            one.nodes.get(ident) if one is not None else None,
            other.nodes.get(self.names.get(ident, ident)) if other is not None else None,
        )

    def check_stands(self, process: str, ident: str) -> None:
        """Where a token is, the shape must still be what it was."""
        earlier, node = self._both(process, ident)
        if earlier is None:
            return
        name = earlier.label
        if node is None:
            self.block(
                "stands_at_removed", process, ident,
                f"实例停在「{name.zh}」（{ident}），新版本没有这个图元；可用 {ident}=新标识 指明对应关系",
                f'it stands at "{name.en}" ({ident}), which the new version does not have; '
                f"{ident}=NEW_ID says what takes its place",
            )  # fmt: skip
            return
        aspects = changed_aspects(self.old, earlier, self.new, node, self.names)
        wrong = [a for a in IDENTITY if a in aspects and not self._harmless(a, earlier, node)]
        if wrong:
            self.block(
                "stands_at_changed", process, ident,
                f"实例停在「{name.zh}」（{ident}），它在新版本中成了另一种图元（{', '.join(wrong)}）",
                f'it stands at "{name.en}" ({ident}), which is something else in the new version ({", ".join(wrong)})',
            )  # fmt: skip

    def _harmless(self, aspect: str, earlier: Node, node: Node) -> bool:
        """The name of a message or the time of a timer may change under a token that waits for it; the message is
        then waited for by its new name, and a time that was reckoned stays."""
        return aspect == "event" and event_kind(self.old, earlier) == event_kind(self.new, node)

    # the rows

    def tree(self, row: list[Any]) -> list[Any] | None:
        """One process of the state under its new specs; None when it is gone with what held it."""
        process = self.old.diagram_of(row[1]).key
        if row[0] in self.dropped:
            return None
        name = self.names.get(row[1], row[1])
        if name not in self.new.called_specs:
            label = self.old.diagram_of(row[1]).label
            self.block(
                "process_gone", process, row[1],
                f"实例正在「{label.zh}」（{row[1]}）之中，新版本没有它",
                f'it is inside "{label.en}" ({row[1]}), which the new version does not have',
            )  # fmt: skip
            return row
        specs, earlier = self.new.called_specs[name].task_specs, self.old.called_specs[row[1]].task_specs
        rows: list[list[Any]] = []
        at: dict[int, int] = {}
        for number, task in enumerate(row[7]):
            if task[PARENT] >= 0 and task[PARENT] not in at:
                self.dropped.add(task[ID])
                continue
            kept = self._task(process, task, specs, earlier)
            if kept is None:
                self.dropped.add(task[ID])
                continue
            at[number] = len(rows)
            kept[PARENT] = at[task[PARENT]] if task[PARENT] >= 0 else -1
            rows.append(kept)
        if not self.blockers:
            rows = self._arm(specs, rows)
        last = at.get(row[4], -1)
        return [row[0], name, row[2], row[3], last if len(rows) == len(at) else -1, row[5], row[6], rows]

    def _task(
        self, process: str, task: list[Any], specs: Mapping[str, Any], earlier: Mapping[str, Any]
    ) -> list[Any] | None:
        name = renamed(task[NAME], self.names)
        made = [*task[:NAME], name, *task[STATE:]]
        if task[STATE] & FINISHED:
            if name not in specs:
                made[NAME] = "Start"  # it lies behind: what it knew is all that anyone asks of it
            return made
        if task[STATE] & PREDICTED and not task[TRIGGERED]:
            return None  # only foreseen; the next step foresees anew
        if name not in specs and isinstance(earlier[task[NAME]], BoundaryEvent):
            node = self._both(process, drawn(task[NAME]))[0]
            label = node.label if node is not None else Text(name, name)
            self.notes.append(
                Text(f"边界事件「{label.zh}」不再等待", f'the border event "{label.en}" waits no longer')
            )
            return None
        self.check_stands(process, drawn(task[NAME]))
        if name not in specs and not self.blockers:
            self.block(
                "stands_at_removed", process, drawn(name),
                f"实例停在「{drawn(name)}」，新版本没有这个图元", f"it stands at {drawn(name)}, which is gone",
            )  # fmt: skip
        return made

    def _arm(self, specs: Mapping[str, Any], rows: list[list[Any]]) -> list[list[Any]]:
        """Have border events that are new wait beside the shape that a token stands at."""
        for number, task in enumerate(list(rows)):
            split = f"{task[NAME]}.BoundaryEventSplit"
            if task[STATE] & (FINISHED | PREDICTED) or split not in specs:
                continue
            parent = rows[task[PARENT]]
            if parent[NAME] != split:
                above = [uuid4().hex, task[PARENT], split, COMPLETED, False, parent[DATA], {}, task[CHANGED]]
                rows.append(above)
                task[PARENT] = len(rows) - 1
                parent = above
            here = rows.index(parent)
            there = {t[NAME] for t in rows if t[PARENT] == here}
            for border in specs[split].outputs:
                if border.name not in there and isinstance(border, BoundaryEvent):
                    made = [
                        uuid4().hex,
                        here,
                        border.name,
                        WAITING,
                        False,
                        rows[number][DATA],
                        {},
                        task[CHANGED],
                    ]
                    rows.append(made)
                    self.armed.add(str(made[ID]))
        return _parents_first(rows)

    # what is waited for

    def check_joins(self, before: Run, run: Run) -> None:
        """A join that asks for a flow on which too little can come would be waited at for ever. One where that was
        so before is none of the migration's making: drawings may be odd."""
        stuck = {(renamed(j, self.names), renamed(i, self.names)) for _, j, i in _starved(before)}
        for process, join, missing in _starved(run):
            if (join, missing) not in stuck:
                node = run.program.diagram_of(process).nodes.get(drawn(join))
                label = node.label if node is not None else Text(join, join)
                self.block(
                    "join_starves", process, drawn(join),
                    f"汇合「{label.zh}」（{drawn(join)}）还要等来自「{drawn(missing)}」的一路，"
                    "而实例已越过它的起点，将永远等不到",
                    f'the join "{label.en}" ({drawn(join)}) also asks for the flow from "{drawn(missing)}", on which '
                    "too little can come as this instance stands: it would wait for ever",
                )  # fmt: skip

    def check_waits(self, before: Run, run: Run) -> None:
        """People keep their tasks; what was waited for is waited for still, but for what was drawn otherwise."""
        for kind in ("tasks", "messages", "timers"):
            had = {_hex(w.token) for w in getattr(before, kind)()} - self.dropped
            has = {_hex(w.token) for w in getattr(run, kind)()} - self.armed
            if had != has:
                self.block(
                    "waits_differ", run.program.main.key, kind,
                    "恢复后等待的事项与原来不同", f"restored, it would wait for other {kind} than before",
                )  # fmt: skip


def _hex(token: str) -> str:
    return token.replace("-", "")


def _parents_first(rows: list[list[Any]]) -> list[list[Any]]:
    """The rows in the order of a walk from the root, as they are stored."""
    children: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        children.setdefault(row[PARENT], []).append(number)
    ordered: list[list[Any]] = []
    waiting = [(number, -1) for number in reversed(children.get(-1, []))]
    while waiting:
        number, parent = waiting.pop()
        row = rows[number]
        row[PARENT] = parent
        ordered.append(row)
        waiting.extend((child, len(ordered) - 1) for child in reversed(children.get(number, [])))
    return ordered


def _start_clocks(run: Run, armed: Collection[str]) -> None:
    """When the timers that are new fall due, reckoned from now."""
    for tree in (run.workflow, *run.workflow.subprocesses.values()):
        for task in tree.tasks.values():
            event = getattr(task.task_spec, "event_definition", None)
            if task.id.hex not in armed or not isinstance(event, TimerEventDefinition):
                continue
            if isinstance(event, RepeatingTimer):
                event.cycle_complete(task)
            else:
                event.has_fired(task)


def _starved(run: Run) -> Iterator[tuple[str, str, str]]:
    """(process, join, flow) where a parallel join that tokens can reach asks for a flow on which fewer can come than
    on another: one of those would wait for ever. What waits for each other's end (a shape and its border events, the
    events behind one gateway) counts once."""
    for tree in (run.workflow, *run.workflow.subprocesses.values()):
        alive = [t for t in tree.tasks.values() if not t.state & (FINISHED | PREDICTED)]
        for spec in tree.spec.task_specs.values():
            if not isinstance(spec, Parallel) or len(spec._inputs) < 2:
                continue
            counts = {flow: len(_coming(alive, spec, flow)) for flow in spec._inputs}
            most = max(counts.values())
            yield from ((str(tree.spec.name), spec.name, flow) for flow, n in counts.items() if n < most)


def _coming(alive: Sequence[Any], join: Any, flow: str) -> set[Any]:
    """The tokens that wait at the join for this flow, or can still come by it."""
    ways = behind(join, {flow})
    found: set[Any] = set()
    for task in alive:
        above = task.parent
        if task.task_spec is join:
            if above.task_spec.name == flow:
                found.add(task.id)
        elif task.task_spec.name in ways:
            together = isinstance(above.task_spec, (EventSplit, FirstEvent))
            found.add(above.id if together else task.id)
    return found
