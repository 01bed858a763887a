"""Grants for one document: given when a request is agreed to, counted at each use, ended when it is not used (A22)."""

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from app import clock
from app.actor import Actor
from app.command import command
from app.db import db
from app.people import queries as people
from app.refusal import Forbidden, NotFound
from app.seals import queries, rules
from app.seals.facts import GrantWithdrawn, SealAuthorized
from app.seals.models import GrantWithdrawal, SealGrant

APPROVERS = ("seal_manager", "unit_head", "seal_office", "seal_office_head")
"""Whose word, for the seal's unit, lets somebody use it on one document."""


@command
def authorize_once(
    seal_id: int,
    *,
    document_digest: str,
    uses: int,
    valid_until: datetime,
    because: str,
    user_id: int | None = None,
    role: str | None = None,
    by: Actor,
) -> SealAuthorized:
    """Let a person, or whoever holds the role for the seal's unit, use the seal on this document so often, until then.
    `by`: who agreed; Forbidden unless the seal's unit is theirs to speak for."""
    found = queries.seal(seal_id)
    path = queries.owner_path(found)
    if by.id is None or not any(by.has(role, path) for role in APPROVERS):
        raise Forbidden(
            "seal.may_not_agree",
            zh="用印申请由印章所属单位的印章管理员或负责人批准，请转交他们办理",
            en="The seal manager or the head of the seal's unit agrees to a use; hand it to them",
        )
    rules.check_limits(None, uses)
    now = clock.now()
    grant = SealGrant(
        seal_id=seal_id,
        user_id=user_id,
        role=role,
        unit_id=found.owner_unit_id if role else None,
        functions=["pdf"],
        valid_from=now,
        valid_until=valid_until,
        document_digest=document_digest,
        uses_allowed=uses,
        granted_at=now,
        granted_by_id=by.id,
        granted_by_name=by.name,
        because=because,
    )
    db.session.add(grant)
    db.session.flush()
    return SealAuthorized(
        seal_id=seal_id,
        grant_id=grant.id,
        user_id=user_id,
        role=role,
        unit_id=grant.unit_id,
        functions=grant.functions,
        valid_from=now,
        valid_until=valid_until,
        document_digest=document_digest,
        uses_allowed=uses,
        because=because,
    )


def count_use(grant_id: int) -> bool:
    """One use of the grant, in the transaction of that use. The database decides between two at once: Forbidden to the
    second when one was left. Whether it is used up now."""
    counted = sa.update(SealGrant).where(
        SealGrant.id == grant_id,
        sa.or_(SealGrant.uses_allowed.is_(None), SealGrant.used < SealGrant.uses_allowed),
    )
    done = cast("sa.CursorResult[Any]", db.session.execute(counted.values(used=SealGrant.used + 1)))
    if done.rowcount != 1:
        raise Forbidden(
            "signing.used_up",
            zh="您的授权次数已用完，请另行申请用印",
            en="Your authorisation has been used up; ask for a new one",
        )
    grant = db.session.get_one(SealGrant, grant_id, populate_existing=True)
    return grant.uses_allowed is not None and grant.used >= grant.uses_allowed


@command
def give_back(grant_id: int, reason: str, *, by: Actor) -> GrantWithdrawn:
    """A grant for one document that is not needed any more: by the system when its time is over, or by whom it is for."""
    grant = db.session.get(SealGrant, grant_id)
    if grant is None or grant.document_digest is None:
        raise NotFound("seal.no_grant", zh="没有这项授权", en="There is no such authorisation")
    path = people.unit_path(grant.unit_id)
    mine = grant.user_id == by.id if grant.user_id is not None else by.has(grant.role or "", path)
    if by.kind != "system" and not mine:
        raise Forbidden("seal.not_your_grant", zh="这不是给您的授权", en="This authorisation is not yours")
    if db.session.get(GrantWithdrawal, grant_id) is None:
        db.session.add(
            GrantWithdrawal(grant_id=grant_id, at=clock.now(), reason=reason, by_id=by.id, by_name=by.name)
        )
    return GrantWithdrawn(
        seal_id=grant.seal_id,
        grant_id=grant_id,
        user_id=grant.user_id,
        role=grant.role,
        unit_id=grant.unit_id,
        reason=reason,
    )
