"""From a draft to a version: proposed, agreed to by a second person where the setting asks for one, published."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.actor import Actor
from app.clock import now
from app.command import command
from app.flows import versions
from app.flows.rules import check_reason
from app.settings import current_settings
from app.studio import problems, rules
from app.studio.facts import FlowPublished, ProposalDeclined, PublishingProposed, VersionCalledOff
from app.studio.holding import locked
from app.studio.models import StudioDraft


@dataclass(frozen=True)
class Plan:
    """How a draft is to be published. `revision` and `seen`: the draft's and the newest version that were looked at
    when it was planned. `effective_from`: None for at once. `move`: running instances follow, where they can."""

    revision: int
    seen: int | None
    effective_from: datetime | None = None
    move: bool = False
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        start = self.effective_from.isoformat() if self.effective_from else None
        return {**vars(self), "effective_from": start}

    @staticmethod
    def of(said: dict[str, Any]) -> "Plan":
        start = said["effective_from"]
        return Plan(
            said["revision"],
            said["seen"],
            datetime.fromisoformat(start) if start else None,
            said["move"],
            said["note"],
        )


def papers(draft: StudioDraft) -> versions.Papers:
    return versions.Papers(draft.key, draft.bpmn, draft.tables, draft.forms, draft.scenarios)


@command
def publish(draft_id: int, plan: Plan, *, by: Actor) -> FlowPublished:
    """Make a draft the next version. Refuses `Forbidden` where a second person must agree, and as `propose` does."""
    rules.check_may_own(by)
    rules.check_may_publish_alone(current_settings().studio_second_person)
    draft = locked(draft_id)
    _check(draft, plan)
    return _publish(draft, plan, by, proposed_by_id=None)


@command
def propose(draft_id: int, plan: Plan, *, by: Actor) -> PublishingProposed:
    """Ask another process owner to agree. Refuses `Forbidden`, `NotFound`, `Conflict` (over; nothing changed),
    `Stale`, `Invalid` (problems; a moment that will not do)."""
    rules.check_may_own(by)
    draft = locked(draft_id)
    _check(draft, plan)
    draft.proposal, draft.proposed_at = plan.as_json(), now()
    draft.proposed_by_id, draft.proposed_by_name = by.id, by.name
    return PublishingProposed(
        draft_id=draft.id,
        key=draft.key,
        revision=plan.revision,
        note=plan.note,
        effective_from=plan.effective_from,
    )


@command
def agree(draft_id: int, revision: int, *, by: Actor) -> FlowPublished:
    """Agree to what another person proposed, and publish it as proposed. Refuses `Forbidden` to the proposer,
    `Conflict` where nothing is proposed, and as `propose` does."""
    draft, plan = _proposed(draft_id, revision, by)
    rules.check_is_another(by, draft.proposed_by_id)
    _check(draft, plan)
    return _publish(draft, plan, by, proposed_by_id=draft.proposed_by_id)


@command
def decline(draft_id: int, revision: int, reason: str, *, by: Actor) -> ProposalDeclined:
    """Take a proposal off the table, one's own too; the draft stays open. Refuses `Invalid` without a reason."""
    draft, plan = _proposed(draft_id, revision, by)
    said = check_reason(reason)
    draft.proposal = draft.proposed_at = draft.proposed_by_id = draft.proposed_by_name = None
    return ProposalDeclined(draft_id=draft.id, key=draft.key, revision=plan.revision, reason=said)


@command
def call_off(key: str, version: int, reason: str, *, by: Actor) -> VersionCalledOff:
    """Keep a version that is not yet in force from ever being. Refuses `Forbidden`, `NotFound`, `Conflict`,
    `Invalid` without a reason."""
    rules.check_may_own(by)
    definition, said = versions.version(key, version), check_reason(reason)
    rules.check_is_made(definition.follows)
    versions.call_off(definition, now())
    return VersionCalledOff(key=key, version=version, effective_from=versions.since(definition), reason=said)


def _proposed(draft_id: int, revision: int, by: Actor) -> tuple[StudioDraft, Plan]:
    rules.check_may_own(by)
    draft = locked(draft_id)
    if draft.proposal is None:
        raise rules.nothing_proposed()
    rules.check_fresh(revision, draft.revision, draft.updated_by_name, draft.updated_at)
    return draft, Plan.of(draft.proposal)


def _check(draft: StudioDraft, plan: Plan) -> None:
    rules.check_fresh(plan.revision, draft.revision, draft.updated_by_name, draft.updated_at)
    rules.check_start(plan.effective_from, now())
    versions.one_at_a_time()
    newest = versions.newest(draft.key)
    rules.check_seen(plan.seen, newest.version if newest else None)
    rules.check_no_errors([p.text for p in problems.of_draft(draft) if p.severity == "error"])
    present = versions.in_force(draft.key, plan.effective_from or now(), made=True)
    rules.check_differs(present is None or not versions.is_as(papers(draft), present))


def _publish(draft: StudioDraft, plan: Plan, by: Actor, proposed_by_id: int | None) -> FlowPublished:
    made, *also = versions.add(
        papers(draft),
        origin="studio",
        at=now(),
        effective_from=plan.effective_from,
        note=plan.note,
        by=by,
    )
    draft.state, draft.published_version = "published", made.version
    return FlowPublished(
        draft_id=draft.id,
        key=draft.key,
        version=made.version,
        definition_sha256=made.sha256,
        effective_from=plan.effective_from,
        note=plan.note,
        proposed_by_id=proposed_by_id,
        also=[f"{row.key} v{row.version} {row.sha256}" for row in also],
    )
