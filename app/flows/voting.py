"""加签 and 减签: whoever holds a task asks others beside themselves, or into a vote; and takes them off again.

A vote's seats are the token engine's; people added before or after a task stand in tables only (`added.py`).
"""

from collections.abc import Sequence
from fractions import Fraction

from app.actor import Actor
from app.bpmn.step import Run
from app.clock import now
from app.command import command
from app.db import db
from app.flows import acting, added, answering, engine, hands, queries, rules, signers
from app.flows.facts import SignersAdded, SignerTakenOff
from app.flows.models import FlowInstance, FlowTask
from app.people import queries as people
from app.refusal import Invalid
from app.text import Text

HEAVIEST = 10**6


@command(replays=3)
def add_signers(
    task_id: int, people_ids: Sequence[int], place: str, *, reason: str = "", weight: str = "1", by: Actor
) -> SignersAdded:
    """Ask others too: `before` I decide, `after` I have decided, or `into` the vote I am asked in (with a `weight`
    where votes are weighed). Refuses `NotFound`, `Forbidden`, `Conflict`, `Invalid`."""
    task, instance, by = acting.in_hand(task_id, by)
    votes = task.voter_id is not None and task.parent_id is None
    hands.check_may_ask_others(signers.are_allowed(task))
    rules.check_place(place, votes=votes)
    why = rules.check_reason(reason) if reason.strip() else ""
    there = people.able(people_ids)
    rows: Sequence[FlowTask] = () if votes else added.under(task.id)
    asked = [row.voter_id for row in rows if row.status in ("open", "held") and row.voter_id is not None]
    rules.check_added(people_ids, there, asked, by)
    names = "、".join(there[ident] for ident in people_ids)
    words = Text(f"{_PLACES[place].zh}：{names}", f"{_PLACES[place].en}: {names}")
    _noted(instance, task, "signer_added", by, words, why)
    if votes:
        _seat(task, instance, people_ids, weight, by)
    else:
        _beside(task, [(ident, there[ident]) for ident in people_ids], place, by)
    return SignersAdded(
        instance_id=instance.id, task_id=task.id, node=task.node, place=place, people=list(people_ids), reason=why
    )  # fmt: skip


_PLACES = {
    "before": Text("前加签", "Asked before"),
    "after": Text("后加签", "Asked after"),
    "into": Text("加入会签", "Added to the voters"),
}


def _seat(task: FlowTask, instance: FlowInstance, ids: Sequence[int], weight: str, by: Actor) -> None:
    share = _weight(weight)

    def add(run: Run) -> None:
        for ident in ids:
            run.add_voter(task.token, ident, weight=str(share), by=by.id)

    engine.advance(instance, add, by=by, now=now())


def _weight(text: str) -> Fraction:
    try:
        weight = Fraction(text.strip()) if len(text) <= 12 and "e" not in text.lower() else Fraction(0)
    except (ValueError, ZeroDivisionError):
        weight = Fraction(0)
    if not 0 < weight <= HEAVIEST:
        sentence = Text("票数应是正数", "A weight is a number above zero")
        raise Invalid("flow.bad_weight", zh=sentence.zh, en=sentence.en, fields={"weight": sentence})
    return weight


def _beside(task: FlowTask, found: Sequence[tuple[int, str]], place: str, by: Actor) -> None:
    """Whoever asks others has taken the task: no colleague decides it meanwhile."""
    rules.check_depth(added.depth(task))
    if task.assignee_id is None:
        task.assignee_id, task.assignee_name = by.id, by.name
    task.added = (task.added or 0) + len(found)
    at = now()
    for person in found:
        added.open_row(task, person, place, at)


@command(replays=3)
def take_off(task_id: int, person_id: int, reason: str, *, by: Actor) -> SignerTakenOff:
    """Ask somebody no more: whom I added, or a voter (me, whom I added; the process owner anybody). What is left is
    counted anew. Refuses `NotFound`, `Forbidden`, `Conflict` (answered already, or the last voter), `Invalid`."""
    task, instance = acting.locked(task_id)
    rules.check_not_suspended(instance.status)
    why = rules.check_reason(reason)
    if task.voter_id is not None and task.parent_id is None:
        _off_the_vote(task, instance, person_id, why, by)
    else:
        _off_beside(task, instance, person_id, why, by)
    return SignerTakenOff(
        instance_id=instance.id,
        task_id=task.id,
        node=task.node,
        person_id=person_id,
        reason=why,
        finished=instance.status == "finished",
    )


def _off_the_vote(task: FlowTask, instance: FlowInstance, person_id: int, why: str, by: Actor) -> None:
    if not by.has("process_owner") and not queries.may_act(task, by):
        raise rules.not_yours()
    rules.check_open(task.status, task.done_by_name, task.done_at)

    def off(run: Run) -> None:
        voter = next((v for v in run.voters(task.token) if v["id"] == person_id), None)
        rules.check_may_take_off(voter["added_by"] if voter else None, person_id, by)
        run.take_off(task.token, person_id)

    _noted(instance, task, "signer_taken_off", by, _off(person_id), why)
    engine.advance(instance, off, by=by, now=now())


def _off_beside(task: FlowTask, instance: FlowInstance, person_id: int, why: str, by: Actor) -> None:
    if not by.has("process_owner") and by.id not in (task.assignee_id, task.done_by_id):
        raise rules.not_yours()
    asked = [row for row in added.under(task.id) if row.voter_id == person_id and row.status != "cancelled"]
    row = next((row for row in asked if row.status in ("open", "held")), None)
    if row is None:
        raise rules.not_asked(answered=bool(asked))
    added.cancel([row], instance.id)
    _noted(instance, task, "signer_taken_off", by, _off(person_id), why)
    db.session.flush()
    if task.status == "held":
        answering.release(task, instance, by)


def _off(person_id: int) -> Text:
    name = people.user(person_id).name
    return Text(f"减签：{name}", f"Taken off: {name}")


def _noted(instance: FlowInstance, task: FlowTask, kind: str, by: Actor, words: Text, why: str) -> None:
    zh, en = (f"{words.zh}（{why}）", f"{words.en} ({why})") if why else (words.zh, words.en)
    engine.note(instance, kind, by, now(), node=task.node, task_id=task.id, zh=zh, en=en)
