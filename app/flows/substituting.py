"""代理: for the days one is away, another may do what would come to them, on their behalf. It lapses by itself."""

from datetime import datetime

from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db, lock_row
from app.flows import acting, hands, queries, rules, standing
from app.flows.facts import SubstituteEnded, SubstituteSet
from app.flows.models_hands import FlowSubstitution
from app.people import queries as people
from app.people.models import User
from app.refusal import Conflict


@command
def substitute(
    user_id: int,
    substitute_id: int,
    *,
    begins: datetime,
    ends: datetime,
    reason: str,
    flow_key: str | None = None,
    by: Actor,
) -> SubstituteSet:
    """From `begins` to before `ends`, for all flows or one. Refuses `Forbidden` (for others: the process owner or
    the system administrator), `Invalid` (reason, period), `NotFound`, `Conflict` (overlap, chain, officers, left)."""
    hands.check_may_arrange(by, user_id)
    reason = hands.check_reason(reason)
    hands.check_another(user_id, substitute_id)
    at = now()
    hands.check_period(begins, ends, at)
    if flow_key is not None and queries.definition(flow_key) is None:
        raise rules.no_such_flow(flow_key)
    for ident in sorted((user_id, substitute_id)):
        lock_row(User, ident)  # one arrangement after the other, or two would not see each other
    absent, deputy = acting.receiver(user_id), acting.receiver(substitute_id)
    held = [
        (row.user_id, row.substitute_id, row.flow_key)
        for row in standing.overlapping({user_id, substitute_id}, begins, ends)
    ]
    hands.check_no_overlap(held, user_id, flow_key)
    hands.check_no_chain(held, user_id, substitute_id)
    row = FlowSubstitution(
        kind="absent",
        user_id=user_id,
        substitute_id=substitute_id,
        flow_key=flow_key,
        valid_from=begins,
        valid_until=ends,
        reason=reason,
        set_at=at,
        set_by_id=by.id,
        set_by_name=by.name,
    )
    db.session.add(row)
    db.session.flush()
    return SubstituteSet(
        substitution_id=row.id,
        user_id=user_id,
        user_name=absent.name,
        substitute_id=substitute_id,
        substitute_name=deputy.name,
        flow_key=flow_key,
        valid_from=begins,
        valid_until=ends,
        reason=reason,
    )


@command
def end_substitution(substitution_id: int, reason: str = "", *, by: Actor) -> SubstituteEnded:
    """End it now. Whoever it is for ends it without a word, an administrator with a reason. Refuses `Forbidden`,
    `Conflict` when it has ended or never was, `Invalid`."""
    row: FlowSubstitution | None = lock_row(FlowSubstitution, substitution_id)
    at = now()
    if row is None or (row.valid_until is not None and row.valid_until <= at):
        raise Conflict(
            "flow.substitution_over", zh="这项代理已经结束。", en="This substitution is over already."
        )
    hands.check_may_arrange(by, row.user_id)
    reason = hands.check_note(reason) if by.id == row.user_id else hands.check_reason(reason)
    row.valid_until = at
    row.valid_from = min(row.valid_from, at)
    return SubstituteEnded(
        substitution_id=row.id, user_id=row.user_id, substitute_id=row.substitute_id, reason=reason
    )


def names(rows: list[FlowSubstitution]) -> dict[int, str]:
    """The names of all whom these concern."""
    return {ident: people.user(ident).name for row in rows for ident in (row.user_id, row.substitute_id)}
