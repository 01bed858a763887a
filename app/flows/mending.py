"""What an operator does about an instance that stands as an incident, beside trying again: step over the action that
fails, or correct the data it fails on. And what it does about itself, where time may help.
"""

from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from app.actor import Actor
from app.bpmn.editing import edit
from app.bpmn.step import resume
from app.bpmn.values import plain
from app.clock import now
from app.command import command
from app.db import db
from app.flows import attempting, engine, ownhand, queries, rules
from app.flows.facts import DataCorrected, IncidentRetried, StepSkipped
from app.flows.models import FlowIncident, FlowInstance, FlowTask
from app.flows.steering import locked
from app.flows.stepping import SteppingOver
from app.people import queries as people
from app.refusal import Conflict, Invalid
from app.text import Text

LARGEST_CHANGE = 64 * 1024
LONGEST_NAME = 120


@command
def skip(
    instance_id: int, reason: str, *, outputs: Mapping[str, Any] | None = None, by: Actor
) -> StepSkipped:
    """Step over the action or rule table that stopped an instance, as if it had brought `outputs`, and go on. It is
    not tried again on the way. Refuses `Forbidden`, `NotFound`, `Invalid`, `Conflict` when nothing stops it, or
    when what does is no such step (a condition, a time: correct the data, or publish a better drawing)."""
    instance, incident = _stopped(instance_id, by)
    said, given = rules.check_reason(reason), _bounded(outputs)
    node = _node(instance, incident)
    if node is None or node.kind not in ("serviceTask", "businessRuleTask", "sendTask"):
        raise Conflict(
            "flow.not_skippable",
            zh="受阻之处不是自动操作或规则表，无法跳过。请更正数据后重试，或迁移到改好的版本。",
            en="What fails here is neither an action nor a rule table, so it cannot be skipped. Correct the data, or "
            "move the flow to a better version.",
        )
    at = now()
    _solve(instance, at)
    engine.note(
        instance,
        "skipped",
        by,
        at,
        zh=f"{node.label.zh}：{said}",
        en=f"{node.label.en}: {said}",
        outputs=given,
    )
    db.session.flush()
    stepping = SteppingOver(
        engine.ActionHost(by),
        engine.local_now(at),
        node=incident.node_id,
        visit=incident.visit,
        outputs=given,
    )
    stopped = attempting.again(instance, incident, by, at, expressions=stepping)
    return StepSkipped(
        instance_id=instance.id,
        incident_id=incident.id,
        process=incident.process,
        node_id=incident.node_id,
        reason=said,
        outputs=given,
        solved=not stopped,
    )


@command
def correct(instance_id: int, changes: Mapping[str, Any], reason: str, *, by: Actor) -> DataCorrected:
    """Set named values of the data of an instance that is stopped, wherever it knows them, and try again. Refuses
    `Forbidden`, `NotFound`, `Invalid`, `Conflict` when nothing stops it."""
    instance, incident = _stopped(instance_id, by)
    said, wanted = rules.check_reason(reason), _bounded(changes)
    if not wanted or any(not name.strip() or len(name) > LONGEST_NAME for name in wanted):
        text = Text("请写明要更正的数据", "Name the values that are to be corrected")
        raise Invalid("flow.nothing_to_correct", zh=text.zh, en=text.en, fields={"changes": text})
    at = now()
    program = engine.program_of(engine.definition_of(instance.definition_id))
    run = resume(program, instance.state, host=engine.ActionHost(by), now=engine.local_now(at))
    ownhand.check_correction(program, wanted)
    changed = edit(run, wanted)
    instance.state, instance.revision = run.state(), instance.revision + 1
    for task in db.session.scalars(
        sa.select(FlowTask).where(FlowTask.instance_id == instance.id, FlowTask.status == "open")
    ):
        task.data = {**task.data, **wanted}
    _solve(instance, at)
    words = "; ".join(f"{c['name']}: {_shown(c['old'])} → {_shown(c['new'])}" for c in changed)
    engine.note(
        instance, "corrected", by, at, zh=f"{said}（{words}）", en=f"{said} ({words})", changes=changed
    )
    db.session.flush()
    stopped = attempting.again(instance, incident, by, at)
    return DataCorrected(
        instance_id=instance.id, incident_id=incident.id, changes=changed, reason=said, solved=not stopped
    )


@command
def retry_by_itself(incident_id: int, *, by: Actor) -> IncidentRetried:
    """Try again what is due to be tried. Refuses `Conflict` when it is not, any more."""
    incident = db.session.get(FlowIncident, incident_id)
    at = now()
    if incident is None or incident.next_try_at is None or incident.next_try_at > at:
        raise Conflict("flow.over", zh="这件事已经处理过了。", en="This has been dealt with already.")
    return attempting.try_again(incident.instance_id, by, at)


def _stopped(instance_id: int, by: Actor) -> tuple[FlowInstance, FlowIncident]:
    instance = locked(instance_id)
    rules.check_may_steer(by, people.unit_path(instance.unit_id), "process_owner")
    rules.check_not_suspended(instance.status)
    found = queries.incidents(instance_id)
    if not found:
        raise Conflict(
            "flow.not_stopped",
            zh="该流程没有受阻，无需处理。",
            en="Nothing stops this flow; there is nothing to mend.",
        )
    return instance, found[-1]


def _solve(instance: FlowInstance, at: Any) -> None:
    for incident in queries.incidents(instance.id):
        incident.solved_at, incident.next_try_at = at, None
    instance.status = "running"


def _node(instance: FlowInstance, incident: FlowIncident) -> Any:
    program = engine.program_of(engine.definition_of(instance.definition_id))
    found = (d.nodes[incident.node_id] for d in program.diagrams.values() if incident.node_id in d.nodes)
    return next(found, None)


def _bounded(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    try:
        said: dict[str, Any] = plain(dict(values))
        size = len(orjson.dumps(said, option=orjson.OPT_NON_STR_KEYS))
    except (TypeError, ValueError, RecursionError):
        size, said = LARGEST_CHANGE + 1, {}
    if size > LARGEST_CHANGE:
        raise Invalid(
            "flow.too_much",
            zh="内容太多、嵌套太深或含有无法保存的值，请缩减",
            en="This is too much, too deeply nested or cannot be stored; make it shorter",
        )
    return said


def _shown(value: Any) -> str:
    text = "—" if value is None else value if isinstance(value, str) else orjson.dumps(plain(value)).decode()
    return text if len(text) <= 60 else text[:59] + "…"
