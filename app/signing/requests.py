"""Reading requests for the use of a seal (A22), and the register of uses (用印登记)."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.actor import Actor
from app.db import db
from app.people.queries import unit_path
from app.refusal import Hidden, NotFound
from app.seals import queries as seals
from app.seals.models import Seal
from app.seals.rules import PERSONAL_KINDS, may_ask_for_use
from app.signing import request_rules as law
from app.signing.models import Document, SealUse, UseRequest, Withdrawal

SEES_REQUESTS = ("seal_manager", "unit_head", "seal_user", "seal_office", "seal_office_head", "overseer")
"""Roles of a seal's unit that see who asks for its use, and what for (B8: they see what would be sealed)."""


@dataclass(frozen=True, kw_only=True)
class RequestRow:
    request: UseRequest
    document: Document
    seal: Seal


@dataclass(frozen=True, kw_only=True)
class UseRow:
    """A line of the register. `request`: the one it was agreed to by, if any."""

    use: SealUse
    request: UseRequest | None
    withdrawn: bool


def request(request_id: int, actor: Actor) -> RequestRow:
    """Refuses NotFound for what this person may not see."""
    row = db.session.get(UseRequest, request_id)
    if row is None or not _may_see(row, actor):
        kind = NotFound if row is None else Hidden
        raise kind(
            "request.unknown",
            zh="没有这项用印申请，或您无权查看",
            en="There is no such request, or it is not for you",
        )
    return _row(row)


def _may_see(row: UseRequest, actor: Actor) -> bool:
    return actor.kind == "system" or row.asked_by_id == actor.id or sees_uses_of(row.seal_id, actor)


def sees_uses_of(seal_id: int, actor: Actor) -> bool:
    path = unit_path(seals.seal(seal_id).owner_unit_id)
    return any(actor.has(role, path) for role in SEES_REQUESTS)


def may_see_document(document_id: int, actor: Actor) -> bool:
    """Whether a request that this person decides on, or presses, is about that document."""
    about = sa.select(UseRequest.seal_id).where(
        UseRequest.document_id == document_id, UseRequest.state.in_(("open", "agreed", "used"))
    )
    return any(sees_uses_of(seal_id, actor) for seal_id in db.session.scalars(about))


def requests_of(actor: Actor, *, limit: int = 100) -> list[RequestRow]:
    """What this person asked for, newest first."""
    found = db.session.scalars(
        sa.select(UseRequest)
        .where(UseRequest.asked_by_id == actor.id)
        .order_by(UseRequest.id.desc())
        .limit(limit)
    )
    return [_row(row) for row in found]


def requests_for(document_id: int) -> list[RequestRow]:
    """All for one document, oldest first."""
    found = db.session.scalars(
        sa.select(UseRequest).where(UseRequest.document_id == document_id).order_by(UseRequest.id)
    )
    return [_row(row) for row in found]


def _row(row: UseRequest) -> RequestRow:
    return RequestRow(
        request=row,
        document=db.session.get_one(Document, row.document_id),
        seal=seals.seal(row.seal_id),
    )


def under_way(document_id: int, seal_id: int) -> UseRequest | None:
    return db.session.scalar(
        sa.select(UseRequest).where(
            UseRequest.document_id == document_id,
            UseRequest.seal_id == seal_id,
            UseRequest.state.in_(law.UNDER_WAY),
        )
    )


def of_grant(grant_id: int | None) -> UseRequest | None:
    """The request that the grant came from."""
    if grant_id is None:
        return None
    return db.session.scalar(sa.select(UseRequest).where(UseRequest.grant_id == grant_id))


def askable(actor: Actor) -> list[Seal]:
    """Seals whose use this person may ask for: of units, in use now."""
    if not may_ask_for_use(actor):
        return []
    found = db.session.scalars(
        sa.select(Seal)
        .where(Seal.owner_unit_id.is_not(None), Seal.kind.not_in(PERSONAL_KINDS))
        .order_by(Seal.name, Seal.id)
    )
    return [s for s in found if seals.status_of(s) == "active"]


def register(
    actor: Actor,
    *,
    search: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 200,
) -> list[UseRow]:
    """用印登记, newest first: every use of the seals whose uses this person may see, and one's own. `search`: part of a
    file's, a seal's or a person's name, or a card's serial."""
    where: list[sa.ColumnElement[bool]] = []
    if search:
        where.append(
            sa.or_(
                *(
                    column.icontains(search, autoescape=True)
                    for column in (
                        SealUse.file_name,
                        SealUse.seal_name,
                        SealUse.user_name,
                        SealUse.card_serial,
                    )
                )
            )
        )
    if since is not None:
        where.append(SealUse.at >= since)
    if until is not None:
        where.append(SealUse.at < until)
    seen = [seal_id for seal_id in db.session.scalars(sa.select(Seal.id)) if sees_uses_of(seal_id, actor)]
    query = (
        sa.select(SealUse, UseRequest, Withdrawal.signature_id)
        .outerjoin(UseRequest, UseRequest.grant_id == SealUse.grant_id)
        .outerjoin(Withdrawal, Withdrawal.signature_id == SealUse.signature_id)
        .where(sa.or_(SealUse.seal_id.in_(seen), SealUse.user_id == actor.id), *where)
        .order_by(SealUse.id.desc())
        .limit(limit)
    )
    return [
        UseRow(use=used, request=asked, withdrawn=bool(withdrawn))
        for used, asked, withdrawn in db.session.execute(query)
    ]
