"""The rows of the failure table at the card station (card.md §4) that want more than one fault: somebody on the line, a
card whose certificate ends, a card that never comes back, an order taken back too late."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from app import clock, store
from app.actor import SYSTEM
from app.cards import commands as cards
from app.cards import queries
from app.crypto import vault
from app.demo.pki import MadeCard
from app.drill.cards_station import CardSeen, until
from app.drill.cards_table import RECEIPT_OF_CARD, Drill, fault_of, must, refused, state_of
from app.refusal import Conflict
from app.seals import commands as seals
from app.seals import queries as ledger

LIFE_S = 12
"""Of a certificate that ends while its job waits: making the card, starting the agent and ordering must fit in."""


@contextmanager
def _own_card(drill: Drill, *, not_after: datetime | None = None) -> Generator[MadeCard]:
    """A new card in the place of the station's, for rows that leave it spoilt; what is given is the station's own."""
    station, kept = drill.station, drill.station.card
    station.card = drill.scene.new_card(f"own-{drill.outcome.jobs}", not_after=not_after)
    station.readers.pull(kept.token)
    station.readers.insert(station.card.token)
    try:
        yield kept
    finally:
        station.readers.pull(station.card.token)
        station.card = kept
        station.readers.insert(kept.token)


def _revoked_before(drill: Drill) -> str:
    with _own_card(drill):
        certificate = drill.station.card.certificate
        return refused(drill, "certificate.revoked", lambda: drill.scene.pki.revoke(certificate))


def _revoked_meanwhile(drill: Drill) -> str:
    """The seal was written and journalled; before the server hears of it the card's certificate is revoked: no seal
    enters the ledger."""
    with _own_card(drill):
        certificate = drill.station.card.certificate
        job_id = drill.strike(
            "noted outcome", "kill", then=lambda _: drill.scene.pki.revoke(certificate), judged=False
        )
    must(state_of(job_id) == "failed", f"ended as {state_of(job_id)}")
    must(not _enters(job_id), "the ledger took the seal")
    drill.outcome.refused += 1
    return f"failed, no seal in the ledger: {queries.job(job_id).reason_en}"


def _expired(drill: Drill) -> str:
    end = clock.now() + timedelta(seconds=LIFE_S)
    with _own_card(drill, not_after=end):
        return refused(
            drill, "certificate.expired",
            lambda: until("the certificate to end", lambda: clock.now() > end + timedelta(seconds=1)),
        )  # fmt: skip


def _forged(drill: Drill) -> str:
    fault = {"at": "answered authorise", "act": "forge"}
    return refused(drill, "server.untrusted", mend=lambda: None, fault=fault)


def _replayed(answer: str) -> Callable[[Drill], str]:
    """The server's answer to an earlier job of the same card, kept by somebody on the line, comes again."""

    def row(drill: Drill) -> str:
        kept = str(drill.station.folder / "kept")
        drill.restart({"at": answer, "act": "keep", "target": kept})
        drill.finish(drill.order())
        fault = {"at": answer, "act": "replay", "source": kept}
        return refused(drill, "server.untrusted", mend=lambda: None, fault=fault)

    return row


def _copied(drill: Drill) -> str:
    """All that lies on one card lies on another: there it counts for nothing, and does not open."""
    job_id = drill.order()
    drill.restart()
    drill.finish(job_id)
    with _own_card(drill) as source:
        station, target = drill.station, drill.station.card
        station.readers.insert(source.token)
        station.copy(source, target)
        station.readers.pull(source.token)
        found = station.look()
        must(len(found.labels) == 2, f"the copy holds {found.labels}")
        must(found.seal is None, "the copy counts")
        making = ledger.making_of_job(job_id)
        assert making is not None and making.envelope_object is not None
        envelope, context = store.get(making.envelope_object), ledger.envelope_context(making)
        must(vault.open(envelope, context=context), "it does not open for its own card")
        must(not _opens(envelope, {**context, "card_serial": target.serial}), "it opens for the other card")
        job_id = drill.order()
        drill.finish(job_id)
        must(state_of(job_id) == "done", f"ended as {state_of(job_id)}")
    return "no seal there, and the envelope does not open; a seal made on that card is its only one"


def _opens(envelope: bytes, context: dict[str, Any]) -> bool:
    try:
        vault.open(envelope, context=context)
    except vault.VaultError:
        return False
    return True


def _made_again(drill: Drill) -> str:
    """A second seal on the card: into the other slot, one number higher, and the first pair is gone."""
    seen: list[CardSeen] = []
    drill.restart()
    for _ in range(2):
        drill.finish(drill.order())
        seen.append(drill.station.look())
    first, second = seen[0].seal, seen[1].seal
    must(first and second, "no seal")
    assert first is not None and second is not None
    must(second.seq == first.seq + 1, f"number {second.seq} after {first.seq}")
    must(not {*first.labels} & {*seen[1].labels}, f"{seen[1].labels} after {first.labels}")
    return f"{first.labels} gave way to {second.labels}"


def _card_gone_after_write(drill: Drill) -> str:
    """Nobody was told of what was written, and the card has left: the journal reports it without the card."""
    token, readers = drill.station.card.token, drill.station.readers
    job_id = drill.strike("noted outcome", "kill", then=lambda _: readers.pull(token), judged=False)
    must(token not in readers.inserted(), "the card came back")
    must(state_of(job_id) == "done", f"ended as {state_of(job_id)}")
    readers.insert(token)
    drill.judge(job_id)
    return "reported from the journal without the card: done, one seal"


def _never_back(drill: Drill) -> str:
    """Written, not confirmed, and the card does not come back: the person gives the job back, no seal is entered, and
    whoever reads the job is told that the card was changed. The next making sweeps up what lies on it."""
    token, readers = drill.station.card.token, drill.station.readers
    drill.restart(
        {
            "at": RECEIPT_OF_CARD,
            "act": "pull",
            "source": str(readers.tokens / token),
            "target": str(readers.drawer / token),
        }
    )
    job_id = drill.order()
    until("the job on the page", lambda: drill.station.shows(job_id))
    code = fault_of(drill.station.press(job_id))
    drill.outcome.pulled += 1
    must(code == "card.removed", f"refused with {code}")
    drill.give_back(job_id)
    job = queries.job(job_id)
    must(job.state == "failed", f"ended as {job.state}")
    must((job.outcome or {}).get("card_changed") is True, "nobody is told that the card was changed")
    must(not _enters(job_id), "the ledger took the seal")
    drill.outcome.refused += 1
    readers.insert(token)
    job_id = drill.order()
    drill.finish(job_id)
    must(state_of(job_id) == "done", f"the next ended as {state_of(job_id)}")
    return "given back as failed with the card changed, no seal in the ledger; the next: done, one seal"


def _taken_back_too_late(drill: Drill) -> str:
    """What was authorised may be on a card: the order is not taken back any more. The seal is cancelled once it is known,
    and nobody uses it from then on."""
    codes: list[str] = []

    def take_back(job_id: int) -> None:
        try:
            cards.cancel_job(job_id, "演练", by=drill.scene.operator)
        except Conflict as refusal:
            codes.append(refusal.code)

    job_id = drill.strike("noted outcome", "kill", then=take_back)
    must(codes, "an authorised order was taken back")
    must(state_of(job_id) == "done", f"ended as {state_of(job_id)}")
    seal_id = seals.record_made(job_id, by=SYSTEM).seal_id
    seals.cancel(seal_id, "演练", by=drill.scene.manager)
    code = ledger.may_use(seal_id, drill.scene.operator).code
    must(code == "cancelled", f"its use is judged {code}")
    return f"{codes[0]}; done; the seal is cancelled, and its use is refused"


def _enters(job_id: int) -> bool:
    """Whether the ledger takes the job's seal."""
    try:
        seals.record_made(job_id, by=SYSTEM)
    except Conflict:
        return False
    return True


ROWS: dict[str, Callable[[Drill], str]] = {
    "made again, seq + 1": _made_again,
    "forged token": _forged,
    "replayed order": _replayed("answered begin"),
    "replayed token": _replayed("answered authorise"),
    "envelope copied to another card": _copied,
    "killed after write, card gone": _card_gone_after_write,
    "card pulled before receipt, never put back": _never_back,
    "taken back after the write": _taken_back_too_late,
    "certificate expired before begin": _expired,
    "certificate revoked before begin": _revoked_before,
    "certificate revoked after the write": _revoked_meanwhile,
}
