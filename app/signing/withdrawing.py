"""撤章 (D5): asked for, agreed to or refused, entered in the register that every verification asks.

The diagram `workflows/seal_withdrawal` says whose word it takes; what no diagram may leave out stands here: once the
document was taken, or another seal follows, nobody withdraws alone, and nobody agrees to their own wish.
"""

from app import clock
from app.actor import Actor
from app.command import command
from app.db import db, locked
from app.flows import commands as flows
from app.flows.action import cancelled
from app.people.queries import unit_path
from app.seals import queries as seals
from app.signing import queries, rules
from app.signing import withdrawing_rules as law
from app.signing.facts import SealWithdrawn, WithdrawalAgreed, WithdrawalAsked, WithdrawalRefused
from app.signing.models import Document, Sealing, SealUse, Withdrawal, WithdrawalRequest


@command
def ask(use_id: int, reason: str, *, by: Actor) -> WithdrawalAsked:
    """The person who sealed, or the seal office or manager of the seal's unit. While nothing follows and nobody took the
    document, the sealer's word is enough."""
    used: SealUse = locked(SealUse, queries.known_use(use_id).id)
    law.check_may_ask(by, unit_path(used.unit_id), sealed_by_id=used.user_id)
    said = rules.check_reason(reason)
    rules.check_not_withdrawn(db.session.get(Withdrawal, used.signature_id) is not None)
    law.check_none_waits(queries.open_withdrawal(use_id) is not None)
    row = WithdrawalRequest(
        seal_use_id=used.id,
        reason=said,
        sent=queries.is_sent(used) or by.id != used.user_id,
        asked_by_id=by.id or 0,
        asked_by_name=by.name,
        asked_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    started = flows.start(
        "seal_withdrawal",
        {
            "withdrawal_id": row.id, "use_id": used.id, "sent": row.sent, "reason": said, "file_name": used.file_name,
            "document_class": used.document_class, "kind": seals.seal(used.seal_id).kind, "seal_name": used.seal_name,
            "owner_unit_id": used.unit_id,
        },
        business_key=f"withdrawal/{row.id}",
        by=by,
    )  # fmt: skip
    row.instance_id = started.instance_id
    return WithdrawalAsked(
        withdrawal_id=row.id,
        signature_id=used.signature_id,
        seal_id=used.seal_id,
        sealing_id=used.sealing_id,
        card_serial=used.card_serial,
        document_digest=used.document_digest,
        sealed_digest=used.sealed_digest,
        file_name=used.file_name,
        reason=said,
        sent=row.sent,
        user_id=row.asked_by_id,
        unit_id=used.unit_id,
        instance_id=started.instance_id,
    )


@command
def agree(withdrawal_id: int, *, by: Actor) -> WithdrawalAgreed:
    """The seal's manager, or the office, agrees. Called by the diagram."""
    row, used = _open(withdrawal_id)
    law.check_may_agree(by, unit_path(used.unit_id), asked_by_id=row.asked_by_id)
    row.agreed_by_id, row.agreed_by_name = by.id, by.name
    return WithdrawalAgreed(
        withdrawal_id=row.id,
        seal_id=used.seal_id,
        sealed_digest=used.sealed_digest,
        file_name=used.file_name,
        unit_id=used.unit_id,
    )


@command
def refuse(withdrawal_id: int, reason: str, *, by: Actor) -> WithdrawalRefused:
    """It stays. Called by the diagram."""
    row, used = _open(withdrawal_id)
    row.state, row.answer = "refused", rules.check_reason(reason)
    return WithdrawalRefused(
        withdrawal_id=row.id,
        seal_id=used.seal_id,
        sealed_digest=used.sealed_digest,
        file_name=used.file_name,
        unit_id=used.unit_id,
        reason=row.answer,
    )


@command
def carry_out(withdrawal_id: int, *, by: Actor) -> SealWithdrawn:
    """Enter it: copies already sent stay as they are, every verification that asks the register says withdrawn. A document
    that nobody took goes back to what it was before this seal. Called by the diagram."""
    row, used = _open(withdrawal_id)
    sent = queries.is_sent(used)  # also when it was taken after the wish
    law.check_agreed(sent=sent, own=row.asked_by_id == used.user_id, agreed_by_id=row.agreed_by_id)
    rules.check_not_withdrawn(db.session.get(Withdrawal, used.signature_id) is not None)
    row.state = "done"
    entry = Withdrawal(
        signature_id=used.signature_id,
        seal_use_id=used.id,
        at=clock.now(),
        reason=row.reason,
        by_id=row.asked_by_id,
        by_name=row.asked_by_name,
    )
    db.session.add(entry)
    if not sent:
        _take_off(used)
    return SealWithdrawn(
        signature_id=used.signature_id,
        seal_id=used.seal_id,
        sealing_id=used.sealing_id,
        card_serial=used.card_serial,
        document_digest=used.document_digest,
        sealed_digest=used.sealed_digest,
        file_name=used.file_name,
        reason=row.reason,
        at=entry.at,
        user_id=row.asked_by_id,
        unit_id=used.unit_id,
    )


def _take_off(used: SealUse) -> None:
    """The revision before it is the newest again: the next seal goes onto that one."""
    sealing = db.session.get_one(Sealing, used.sealing_id)
    document: Document = locked(Document, sealing.document_id)
    before = sealing.base_digest
    document.sealed_digest = None if before in (None, document.digest) else before


@cancelled("withdrawal")
def taken_back(withdrawal_id: int, reason: str, *, by: Actor) -> None:
    """The flow was cancelled: the seal stays on the document."""
    row: WithdrawalRequest = locked(WithdrawalRequest, withdrawal_id)
    if row.state == "open":
        row.state, row.answer = "cancelled", reason[:500]


def _open(withdrawal_id: int) -> tuple[WithdrawalRequest, SealUse]:
    row: WithdrawalRequest = locked(WithdrawalRequest, withdrawal_id)
    law.check_open(row.state)
    return row, db.session.get_one(SealUse, row.seal_use_id)
