"""What a shape says should happen by itself: the same approver twice, one's own application, nobody found.

    repeat = ask | pass                   the only possible person has agreed earlier in this instance
    own    = ask | pass | superior        the only possible person is who started the flow
    nobody = wait | incident | pass | admin

Without these properties nothing happens by itself. What may only be done by a person's own hand never does
(`app.bpmn.policy`, which the lint asks too), and a form that demands more than a decision is asked for.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.actor import SYSTEM, Actor
from app.bpmn.fault import Fault
from app.bpmn.parse import Node
from app.bpmn.policy import may_pass
from app.bpmn.step import OpenTask, Passed, Run
from app.bpmn.voters import ADMINISTRATORS
from app.bpmn.votes import YES
from app.command import command
from app.db import db
from app.flows import forms
from app.flows.facts import StepPassed
from app.flows.holding import HeldInstance
from app.flows.models import FlowDefinition, FlowEvent, FlowInstance, FlowTask
from app.flows.rules import EVERYWHERE, Candidate
from app.flows.writing import Decided
from app.people import queries as people
from app.refusal import Invalid
from app.text import Text

MOST = 1_000
"""Steps that pass by themselves in one go; whoever comes after is asked."""

SUPERIOR = "unit_head"
"""Whose decision one's own application is, where nobody else holds the role."""

Standing = FlowInstance | HeldInstance
Usual = Callable[[OpenTask], list[Candidate]]

WHY = {
    "repeat": Text("此前已同意，本步自动通过", "Agreed earlier in this flow; passed by itself"),
    "own": Text("发起人即审批人，本步自动通过", "Started the flow; passed by itself"),
    "nobody": Text("没有可办理的人，本步自动通过", "Nobody could do it; passed by itself"),
}


@dataclass(frozen=True)
class _Way:
    """Why a step passes, and in whose name (nobody's where nobody was found)."""

    why: str
    person_id: int | None
    name: str


def passed_by_itself(
    instance: Standing,
    definition: FlowDefinition,
    run: Run,
    before: Collection[str],
    decided: Decided | None,
    usual: Usual,
) -> bool:
    """Let the steps that have just opened pass where their shapes say so; whether any did."""
    done = decided.token if decided is not None else None
    looked_at, passed = set(before) - {done}, False
    while True:
        waited = next((w for w in run.tasks() if w.token not in looked_at), None)
        if waited is None or _passes(run) >= MOST:
            return passed
        looked_at.add(waited.token)
        way = _way(instance, waited, decided, usual) if may_pass(waited.node.properties) else None
        form = _agreed(definition, waited) if way is not None else None
        if way is not None and form is not None:
            yes = str(form["decision"]) if "decision" in form else None
            told = {"by_itself": way.why, "person": way.person_id, "name": way.name, "outcome": yes}
            run.complete(waited.token, form, by=(way.person_id, way.name), told=told)
            run.settle()
            record_passed(instance.id, waited.node.id, way.why, way.person_id, by=SYSTEM)
            passed = True


def _passes(run: Run) -> int:
    return sum("by_itself" in passed.did for passed in run.trail)


@command
def record_passed(instance_id: int, node: str, why: str, person_id: int | None, *, by: Actor) -> StepPassed:
    """Say in the log that a step passed by itself. Only ever inside the command that made it so."""
    return StepPassed(instance_id=instance_id, node=node, why=why, person_id=person_id)


def _way(instance: Standing, waited: OpenTask, decided: Decided | None, usual: Usual) -> _Way | None:
    said = waited.node.properties
    found = _people(usual(waited))
    if not found:
        passes = said.get("nobody") == "pass" and waited.voter is None
        return _Way("nobody", None, "") if passes else None
    if len(found) > 1:
        return None
    ((person_id, name),) = found.items()
    if said.get("own") == "pass" and person_id == instance.initiator_id:
        return _Way("own", person_id, name)
    if said.get("repeat") == "pass" and _agreed_earlier(instance, decided, _yes(waited.node), person_id):
        return _Way("repeat", person_id, name)
    return None


def _people(candidates: Collection[Candidate]) -> dict[int, str]:
    """Everybody who could take it now, with names."""
    found = people.able([c.user_id for c in candidates if c.user_id is not None])
    for role in {c.role for c in candidates if c.role is not None}:
        units = {c.unit_id for c in candidates if c.role == role}
        found |= {person.id: person.name for person in people.holders(role, units)}
    return found


def _yes(node: Node) -> str:
    return node.properties.get("yes") or YES


def _agreed_earlier(instance: Standing, decided: Decided | None, yes: str, person_id: int) -> bool:
    """Whether this person has agreed since the flow was last sent back: what was agreed to before may have changed."""
    if decided is not None and decided.by_id == person_id and decided.outcome == yes:
        return True
    if decided is not None and decided.outcome not in (None, yes):
        return False
    mine = sa.and_(FlowTask.instance_id == instance.id, FlowTask.status == "done")
    back = db.session.scalar(
        sa.select(sa.func.max(FlowTask.done_at)).where(
            mine, FlowTask.outcome != yes, FlowTask.voter_id.is_(None)
        )
    )
    returned = db.session.scalar(
        sa.select(sa.func.max(FlowEvent.at)).where(
            FlowEvent.instance_id == instance.id, FlowEvent.kind.in_(("returned", "withdrawn", "jumped"))
        )
    )
    since = max((at for at in (back, returned) if at is not None), default=None)
    agreed = [mine, FlowTask.done_by_id == person_id, FlowTask.outcome == yes, FlowTask.parent_id.is_(None)]
    if since is not None:
        agreed.append(FlowTask.done_at > since)
    return db.session.scalar(sa.select(FlowTask.id).where(*agreed).limit(1)) is not None


def _agreed(definition: FlowDefinition, waited: OpenTask) -> dict[str, Any] | None:
    """The form of somebody who agrees and says no more; None where it asks for more than that."""
    owner = definition
    if waited.process in definition.calls:
        owner = db.session.get_one(FlowDefinition, definition.calls[waited.process])
    name = waited.node.properties.get("form") or waited.node.id
    if name not in owner.forms:
        return {}
    form = forms.form_of(name, owner.forms[name])
    try:
        return forms.fill(form, {"decision": _yes(waited.node)}, data=waited.data)
    except Invalid:
        return None


def candidates(waited: OpenTask, instance: Standing, usual: Usual) -> list[Candidate]:
    """Under whom a task is filed, once its shape has said what is to be done about one's own and about nobody."""
    said = waited.node.properties
    asked = usual(waited)
    if waited.voter is not None or not (said.get("own") == "superior" or _cares(said)):
        return asked
    found = _people(asked)
    if said.get("own") == "superior" and instance.initiator_id in found:
        del found[instance.initiator_id]
        found = found or _superiors(instance, said)
        asked = [Candidate(user_id=ident) for ident in found]
    if found:
        return asked
    if said.get("nobody") == "admin":
        asked = [Candidate(user_id=person.id) for person in people.users_with_role(ADMINISTRATORS)]
    if said.get("nobody") == "incident" or (not asked and said.get("nobody", "wait") != "wait"):
        raise _nobody(waited)
    if said.get("own") == "superior" and not asked:
        raise _nobody(waited)
    return asked


def _cares(said: Mapping[str, str]) -> bool:
    return said.get("nobody", "wait") != "wait"


def _superiors(instance: Standing, said: Mapping[str, str]) -> dict[int, str]:
    """The heads of the units above the initiator's."""
    if instance.unit_id is None:
        return {}
    above = {*people.unit_path(instance.unit_id), EVERYWHERE} - {instance.unit_id}
    heads = people.holders(said.get("superior") or SUPERIOR, above)
    return {person.id: person.name for person in heads if person.id != instance.initiator_id}


def _nobody(waited: OpenTask) -> Fault:
    return Fault(
        "nobody",
        process=waited.process,
        node=waited.node.label.zh,
        node_id=waited.node.id,
        zh="没有可以办理的人",
        en="there is nobody who could do it",
    )


def told(passed: Passed) -> dict[str, Any]:
    """The history's row of a step that passed by itself, or of a vote that was counted."""
    did = passed.did
    if "vote" in did:
        words = _result(did["vote"])
        return {"kind": "counted", "detail": {**did["vote"], "zh": words.zh, "en": words.en}}
    words = WHY[did["by_itself"]]
    return {
        "kind": "by_itself",
        "actor_id": did["person"],
        "actor_name": did["name"] or SYSTEM.name,
        "outcome": did["outcome"],
        "detail": {"by_itself": did["by_itself"], "zh": words.zh, "en": words.en},
    }


def _result(vote: Mapping[str, Any]) -> Text:
    zh = "通过" if vote["result"] == "approved" else "未通过"
    weights = vote.get("weight")
    more_zh = f"，同意票数 {vote['yes_weight']}/{weights}" if weights is not None else ""
    more_en = f", weight {vote['yes_weight']} of {weights}" if weights is not None else ""
    open_zh = f"，未表决 {vote['open']}" if vote["open"] else ""
    open_en = f", not asked any more {vote['open']}" if vote["open"] else ""
    return Text(
        f"{zh}：{vote['voters']} 人中同意 {vote['yes']}，不同意 {vote['no']}{open_zh}{more_zh}",
        f"{vote['result'].capitalize()}: of {vote['voters']} voters {vote['yes']} agreed, {vote['no']} did not"
        f"{open_en}{more_en}",
    )
