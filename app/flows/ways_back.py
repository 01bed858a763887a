"""Where an instance may go back to: what was really done and lies before, and what forbids going over it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import defer

from app.actor import Actor
from app.bpmn import jump
from app.bpmn.jump import Path
from app.bpmn.parse import Node
from app.bpmn.step import Run, resume
from app.bpmn.ways import in_repeated
from app.clock import now
from app.db import db
from app.flows import engine, queries, rules
from app.flows.holding import Standing
from app.flows.models import FlowEvent, FlowInstance, FlowReturn, FlowTask
from app.refusal import Conflict
from app.text import Text

START = "start"
Shape = tuple[str, str]
"""A process and the id of a shape in it."""


@dataclass(frozen=True)
class Way:
    """One place to go back to. `value` names it in a form; `who` did it last, and `at`."""

    value: str
    label: Text
    who: str
    at: datetime
    path: Path = field(repr=False)
    node: str
    mode: str | None
    """How it goes on after the correction, where the diagram fixes that."""


def run_of(instance: Standing, by: Actor, state: bytes | None = None) -> Run:
    """The instance in memory, as it stands or as it was."""
    definition = engine.definition_of(instance.definition_id)
    host = engine.ActionHost(by)
    kept = instance.state if state is None else state
    return resume(engine.program_of(definition), kept, host=host, now=engine.local_now(now()))


def ways_of_task(task_id: int, actor: Actor) -> list[Way]:
    """What the holder of an open task may send the flow back to, the latest done first; empty for all others."""
    task = db.session.get(FlowTask, task_id)
    if task is None or task.status != "open" or not queries.may_act(task, actor):
        return []
    instance = db.session.get_one(FlowInstance, task.instance_id)
    if instance.status != "running":
        return []
    return ways(instance, task, run_of(instance, actor))


@dataclass(frozen=True)
class Closed:
    """A step that was done and that nobody goes back to alone, as it lies in what is `repeated`."""

    node: str
    label: Text
    repeated: Text


def closed_of_task(task_id: int) -> list[Closed]:
    """The steps that the holder of a task may miss among `ways_of_task`."""
    task = db.session.get_one(FlowTask, task_id)
    instance = db.session.get_one(FlowInstance, task.instance_id)
    return closed(instance, task) if instance.status == "running" else []


def closed(instance: FlowInstance, task: FlowTask) -> list[Closed]:
    """Of what was done: the steps in a sub-process that is done several times, unless the task lies in it too."""
    repeated = in_repeated(engine.program_of(engine.definition_of(instance.definition_id)))
    if not repeated:
        return []
    here = repeated.get((engine.definition_of(task.definition_id).key, task.node))
    return [
        Closed(event.node, Text(event.label_zh, event.label_en), repeated[shape].label)
        for shape, event in standing(instance.id).items()
        if shape in repeated and repeated[shape] is not here
    ]


def check_not_repeated(found: Collection[Closed], to: str) -> None:
    """Refuses `Conflict`, naming the step and what repeats it."""
    for one in found:
        if one.node == to.rpartition("/")[2]:
            raise Conflict(
                "flow.in_repeated",
                zh=f"「{one.label.zh}」在要做多次的「{one.repeated.zh}」之中，不能单独退回到它；"
                f"请退回到「{one.repeated.zh}」之前的步骤，之后它会整个重做。",
                en=f'"{one.label.en}" lies in "{one.repeated.en}", which is done several times; one cannot go back to '
                f'it alone. Go back to a step before "{one.repeated.en}": all of it is then done again.',
                node=one.node,
            )


def ways(instance: FlowInstance, task: FlowTask, run: Run) -> list[Way]:
    done = standing(instance.id)
    passed = passed_marks(instance.id, run)
    found: list[Way] = []
    for target in jump.targets(run, task.token):
        event = done.get((target.process, target.node))
        if event is None:
            continue
        undone = jump.plan(run, target.path, token=task.token).undone
        if not over(passed, undone, event.id):
            found.append(_way("/".join(target.path), target.path, event, run, target.process))
    found.sort(key=lambda way: way.at, reverse=True)
    start = start_of(instance, run)
    if start is not None and start.node != task.node and not over(passed, None, 0):
        found = [way for way in found if way.path != start.path]
        found.append(start)
    return found


def _way(value: str, path: Path, event: FlowEvent, run: Run, process: str) -> Way:
    label = Text(event.label_zh, event.label_en)
    node = run.program.diagrams[process].nodes[path[-1]]
    return Way(value, label, event.actor_name, event.at, path, node.id, _mode(run, node))


def _mode(run: Run, node: Node) -> str | None:
    return node.properties.get("resubmit") or run.program.main.properties.get("resubmit")


def start_of(instance: FlowInstance, run: Run) -> Way | None:
    """The applicant's form, where the diagram names the task that shows it."""
    node = run.program.main.nodes.get(run.program.main.properties.get("start_task", ""))
    if node is None:
        return None
    label = Text(f"申请人：{node.label.zh}", f"The applicant: {node.label.en}")
    who, at = instance.initiator_name, instance.started_at
    return Way(START, label, who, at, (node.id,), node.id, _mode(run, node))


def standing(instance_id: int) -> dict[Shape, FlowEvent]:
    """The tasks of people that are done and that no return has undone since: the latest doing of each."""
    undone = [
        (row.event_id, {(str(p), str(n)) for p, n in row.moved.get("undone", [])})
        for row in db.session.scalars(
            sa.select(FlowReturn)
            .where(FlowReturn.instance_id == instance_id, FlowReturn.came_back_at.is_(None))
            .options(defer(FlowReturn.kept))
        )
    ]
    found: dict[Shape, FlowEvent] = {}
    for event in _events(instance_id, ("done",)):
        shape = (event.process, event.node)
        found.pop(shape, None)
        if not any(at > event.id and shape in shapes for at, shapes in undone):
            found[shape] = event
    return found


def _events(instance_id: int, kinds: Collection[str], after: int = 0) -> list[FlowEvent]:
    return list(
        db.session.scalars(
            sa.select(FlowEvent)
            .where(FlowEvent.instance_id == instance_id, FlowEvent.kind.in_(kinds), FlowEvent.id > after)
            .order_by(FlowEvent.id)
        )
    )


def passed_marks(instance_id: int, run: Run) -> list[FlowEvent]:
    """What was passed and that the diagram says nobody goes back over."""
    return [e for e in _events(instance_id, ("passed", "done")) if _never(run, e)]


def _never(run: Run, event: FlowEvent) -> bool:
    diagram = run.program.diagrams.get(event.process)
    node = diagram.nodes.get(event.node) if diagram is not None else None
    said: Mapping[str, str] = node.properties if node is not None else {}
    return said.get("return") == "never" or said.get("irreversible") == "true"


def over(passed: Collection[FlowEvent], undone: Collection[Shape] | None, since: int) -> FlowEvent | None:
    """The first of what was `passed` since the target was done (`since`, itself included) that would be undone; None
    as `undone` means: all of it."""
    return next(
        (e for e in passed if e.id >= since and (undone is None or (e.process, e.node) in undone)), None
    )


def check_nothing_irreversible(event: FlowEvent | None) -> None:
    """Refuses `Conflict`, naming the step that cannot be undone."""
    if event is not None:
        raise Conflict(
            "flow.irreversible",
            zh=f"「{event.label_zh}」已经完成且不可撤销，流程不能退到它之前。",
            en=f'"{event.label_en}" has been done and cannot be undone; the flow cannot go back over it.',
            node=event.node,
        )


def decided_since(
    instance_id: int, after: int, undone: Collection[Shape] | None, by: Actor
) -> list[FlowEvent]:
    """What others have decided after that event of the history, or the world has answered."""
    return [
        e
        for e in _events(instance_id, ("done", "returned", "passed"), after)
        if (undone is None or e.kind == "returned" or (e.process, e.node) in undone)
        and (e.actor_id != by.id if e.kind != "passed" else e.shape == "receiveTask")
    ]


def check_undecided(decided: Collection[FlowEvent]) -> None:
    """Refuses `Conflict`, naming who has decided already."""
    if not decided:
        return
    zh = "、".join(
        dict.fromkeys(f"{e.actor_name}（{e.label_zh}）" if e.label_zh else e.actor_name for e in decided)
    )
    en = ", ".join(
        dict.fromkeys(f"{e.actor_name} ({e.label_en})" if e.label_en else e.actor_name for e in decided)
    )
    raise Conflict(
        "flow.decided",
        zh=f"{zh}已经办理，不能再收回；如需修改，请联系对方退回。",
        en=f"{en} has decided already, so it cannot be taken back; ask them to send it back.",
        decided_by=[e.actor_name for e in decided],
    )


def chosen(offered: list[Way], to: str) -> Way | None:
    return next((way for way in offered if way.value == to), None)


def could_take_back(task_id: int, actor: Actor) -> bool:
    """Whether the page offers it: one's own doing, in a flow that still runs. The command says the rest."""
    task = db.session.get(FlowTask, task_id)
    if task is None or task.status != "done" or task.done_by_id != actor.id:
        return False
    return db.session.get_one(FlowInstance, task.instance_id).status == "running"


def may_withdraw(instance_id: int, actor: Actor) -> bool:
    """Whether the page offers it: the applicant's own flow, which may be withdrawn as it stands."""
    instance = db.session.get(FlowInstance, instance_id)
    if instance is None or instance.status != "running" or instance.initiator_id != actor.id:
        return False
    try:
        withdrawal(instance, run_of(instance, actor), actor)
    except Conflict:
        return False
    return True


def withdrawal(instance: FlowInstance, run: Run, by: Actor) -> Way:
    """Where the applicant would take the flow back to. Refuses `Conflict`: the diagram does not allow it, there is
    no form to go back to, it is there already, somebody has decided since, or what was done cannot be undone."""
    allowed = run.program.main.properties.get("withdraw", "until_decided")
    target = start_of(instance, run) or _first_of(instance, run)
    if allowed == "never" or target is None:
        raise rules.no_withdrawing()
    if any(task.node.id == target.node for task in run.tasks()):
        raise rules.already_there()
    check_nothing_irreversible(over(passed_marks(instance.id, run), None, 0))
    if allowed == "until_decided":
        check_undecided(decided_since(instance.id, _submitted(instance), None, by))
    return target


def _first_of(instance: FlowInstance, run: Run) -> Way | None:
    """The first task of the flow itself, where the applicant did that."""
    own = {made.bpmn_id for made in run.workflow.spec.task_specs.values()}
    for event in _events(instance.id, ("done",))[:1]:
        mine = event.actor_id == instance.initiator_id
        if mine and event.process == run.program.main.key and event.node in own:
            return _way(START, (event.node,), event, run, event.process)
    return None


def _submitted(instance: FlowInstance) -> int:
    """The last event in which the applicant themselves brought the flow on its way."""
    return max(
        (
            e.id
            for e in _events(instance.id, ("started", "done"))
            if e.kind == "started" or e.actor_id == instance.initiator_id
        ),
        default=0,
    )
