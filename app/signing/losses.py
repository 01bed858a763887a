"""What the loss of a card means for documents (D14): its uses for the card's page, and a warning for whoever verifies one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.cards.models import Card, CardLoss
from app.cards.uses import CardUse, uses_of_cards
from app.db import db
from app.pdf.verifying import Report
from app.signing.models import SealUse, Withdrawal
from app.text import Text


@dataclass(frozen=True)
class Loss:
    """The card behind a signature was reported lost at `at`. `doubtful`: the signature was made when nobody knew where the
    card was."""

    signature_id: str
    card_serial: str
    at: datetime
    since: datetime | None
    doubtful: bool


@uses_of_cards("signing")
def sealed_with(card_serial: str, since: datetime | None, until: datetime) -> Iterable[CardUse]:
    """Every document sealed with the card in that time."""
    where = [SealUse.card_serial == card_serial, SealUse.at <= until]
    if since is not None:
        where.append(SealUse.at >= since)
    rows = db.session.execute(
        sa.select(SealUse, Withdrawal.at)
        .outerjoin(Withdrawal, Withdrawal.signature_id == SealUse.signature_id)
        .where(*where)
        .order_by(SealUse.at)
    )
    for use, withdrawn in rows:
        yield CardUse(
            at=use.at,
            what=use.file_name,
            who=use.user_name,
            where=" · ".join(part for part in (use.host, use.ip, use.mac) if part),
            href=f"/sealing/{use.sealing_id}",
            note=Text("已撤章", "withdrawn") if withdrawn else None,
        )


def of_report(report: Report) -> list[Loss]:
    """The losses of cards behind this document's signatures, as far as they were made here."""
    ids = [one.claim.id for one in (signature.examined for signature in report.signatures) if one.claim.id]
    rows = db.session.execute(
        sa.select(SealUse.signature_id, SealUse.at, SealUse.card_serial, CardLoss.at, CardLoss.since)
        .join(Card, Card.serial == SealUse.card_serial)
        .join(CardLoss, CardLoss.card_id == Card.id)
        .where(SealUse.signature_id.in_(ids))
    )
    return [
        Loss(signature_id, serial, lost_at, since, doubtful=since is None or used_at >= since)
        for signature_id, used_at, serial, lost_at, since in rows
    ]


def as_json(report: Report) -> dict[str, object]:
    """What the JSON says besides, where a card behind a signature was reported lost."""
    found = [
        {
            "signature_id": loss.signature_id,
            "reported_at": loss.at.isoformat(),
            "since": loss.since.isoformat() if loss.since else None,
            "doubtful": loss.doubtful,
        }
        for loss in of_report(report)
    ]
    return {"cards_lost": found} if found else {}
