"""The publish gate: all that is worth knowing before a draft becomes the next version. Reads only."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.actor import Actor
from app.bpmn.parse import Program
from app.clock import now
from app.db import db
from app.flows import engine, migrating, rules, versions
from app.flows import forms as flow_forms
from app.flows.forms import Form
from app.flows.models import FlowDefinition, FlowInstance
from app.people import queries as people
from app.refusal import Refusal
from app.settings import current_settings
from app.studio import comparing, problems, replaying
from app.studio.comparing import Difference
from app.studio.models import StudioDraft
from app.studio.problems import Trouble
from app.studio.releasing import Plan, papers
from app.studio.replaying import Replay
from app.studio.rules import OWNER
from app.text import Text

MOST_TRIED = 200
"""Running instances that are tried on a copy while somebody waits for the page."""
MOST_MOVED = 500
"""And that are moved."""


@dataclass(frozen=True)
class Moving:
    """What would become of the running instances. `blocked`: why, and how many for each reason."""

    running: int
    tried: int
    would_move: int
    blocked: Sequence[tuple[Text, int]]


@dataclass(frozen=True)
class Gate:
    draft: StudioDraft
    troubles: Sequence[Trouble]
    present: FlowDefinition | None
    newest: FlowDefinition | None
    differences: Sequence[Difference]
    replays: Sequence[Replay]
    moving: Moving
    callers: Sequence[Text]
    second_person: bool
    others: Sequence[str]
    """Names of the other process owners who could agree."""
    proposal: Plan | None

    @property
    def errors(self) -> int:
        return sum(t.severity == "error" for t in self.troubles)

    @property
    def overtaken(self) -> bool:
        """Whether another version was published since the draft was begun."""
        return self.newest is not None and self.newest.version != self.draft.base_version

    @property
    def may_publish(self) -> bool:
        return not self.errors and bool(self.differences or self.present is None)


def gate(draft: StudioDraft, actor: Actor) -> Gate:
    at, made = now(), papers(draft)
    troubles, present = problems.of_draft(draft), versions.in_force(draft.key, at, made=True)
    try:
        after = versions.program_at(made, at)
        programs = {draft.key: after, **versions.callers_with(made, at)}
    except Refusal:
        after, programs = None, dict[str, Program]()
    differences: Sequence[Difference] = ()
    replays: Sequence[Replay] = ()
    if after is not None:
        before = engine.program_of(present) if present is not None else None
        if present is not None and before is not None:
            differences = comparing.compare(versions.papers_of(present), made, before, after)
        replays = replaying.replays(draft.scenarios, before, after, forms_of(draft), now=engine.local_now(at))
    return Gate(
        draft,
        troubles,
        present,
        versions.newest(draft.key),
        differences,
        replays,
        moving(programs, actor, at),
        [programs[key].main.label for key in programs if key != draft.key],
        bool(current_settings().studio_second_person),
        [p.name for p in people.users_with_role(OWNER) if p.id != actor.id],
        Plan.of(draft.proposal) if draft.proposal is not None else None,
    )


def forms_of(draft: StudioDraft) -> dict[str, Form]:
    """Those that are well formed."""
    found: dict[str, Form] = {}
    for name, said in draft.forms.items():
        try:
            found[name] = flow_forms.form_of(name, said)
        except Refusal:
            continue
    return found


def moving(programs: Mapping[str, Program], actor: Actor, at: datetime) -> Moving:
    """Try each running instance of the flow, and of those that call it, on a copy."""
    found = db.session.execute(
        sa.select(FlowInstance.id, FlowInstance.key)
        .where(FlowInstance.key.in_(programs), FlowInstance.status.not_in(rules.OVER))
        .order_by(FlowInstance.id)
    ).all()
    would, blocked = 0, Counter[Text]()
    for ident, key in found[:MOST_TRIED]:
        try:
            outcome = migrating.rehearse_with(ident, programs[key], by=actor)
        except Refusal as refusal:
            blocked[refusal.text] += 1
            continue
        if outcome.outcome == "would move":
            would += 1
        else:
            first: Mapping[str, Any] = outcome.blockers[0] if outcome.blockers else {}
            blocked[Text(str(first.get("zh", "")), str(first.get("en", "")))] += 1
    return Moving(len(found), min(len(found), MOST_TRIED), would, blocked.most_common())


def move_running(keys: Sequence[str], actor: Actor) -> tuple[int, int, int]:
    """Let the running instances of these flows go on by the versions in force now, each in a transaction of its own;
    gives how many did, how many stay on theirs, and how many are left for `yinxu flows migrate`."""
    moved = stay = left = 0
    for key in keys:
        target = versions.in_force(key, now())
        if target is None:
            continue
        number, ids = target.version, migrating.movable(key, target.version)
        room = max(0, MOST_MOVED - moved - stay)
        told = migrating.batch(key, ids[:room], number, {}, dry_run=False, by=actor)
        moved += sum(o.outcome == "moved" for o in told)
        stay += sum(o.outcome != "moved" for o in told)
        left += len(ids[room:])
    return moved, stay, left
