"""What came of a job: made, signed, failed; and incidents on the way. Pure. Fixed for good."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from card_agent.protocol.codec import Malformed, from_json
from card_agent.protocol.statements import CardSignature


@dataclass(frozen=True, kw_only=True)
class Made:
    """POST /agent/v1/jobs/{id}/outcome: the seal stands on the card. Journalled before it is sent, and sent
    again until it is answered; the server takes it any number of times.

    `envelope_sha256`: of the bytes read back. `card_receipt`, `maker_receipt`: each card's signature over its
    Receipt.
    """

    status: str = "made"
    order_id: str
    envelope_sha256: str
    seq: int
    card_receipt: CardSignature
    maker_receipt: CardSignature
    host: str
    mac: str


@dataclass(frozen=True, kw_only=True)
class DocumentSigned:
    """The card signed the order's `to_sign`. `certificate`: the card's, DER. `envelope_sha256`: of the seal
    that the card carries under the order's esID."""

    status: str = "signed"
    order_id: str
    signature: CardSignature
    certificate: bytes
    envelope_sha256: str
    host: str
    mac: str


@dataclass(frozen=True, kw_only=True)
class Unlocked:
    """The card has a new PIN. `proof`: over the possession of the order's nonce, signed by the card's key once that PIN
    had opened it. `certificate`: the card's, DER."""

    status: str = "unlocked"
    order_id: str
    proof: CardSignature
    certificate: bytes
    host: str
    mac: str


@dataclass(frozen=True, kw_only=True)
class Proved:
    """The card signed the LoginProof of the order. `certificate`: the card's, DER."""

    status: str = "proved"
    order_id: str
    proof: CardSignature
    certificate: bytes
    host: str
    mac: str


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The person at the station gave the job back; nothing more will be done for it. `card_changed`: whether
    anything was written to the card or deleted from it. `zh`, `en`: why, for people."""

    status: str = "failed"
    order_id: str | None = None
    code: str
    zh: str
    en: str
    card_changed: bool
    host: str
    mac: str


Outcome = Made | DocumentSigned | Unlocked | Proved | Failed

_BY_STATUS: dict[str, type[Made] | type[DocumentSigned] | type[Unlocked] | type[Proved] | type[Failed]] = {
    "made": Made,
    "signed": DocumentSigned,
    "unlocked": Unlocked,
    "proved": Proved,
    "failed": Failed,
}


def outcome_from_json(value: object) -> Outcome:
    """Refuses with Malformed a status that is none of ours."""
    if not isinstance(value, dict):
        raise Malformed("an object expected")
    given = cast("dict[str, object]", value)
    status = given.get("status")
    if not isinstance(status, str) or status not in _BY_STATUS:
        raise Malformed("status")
    return from_json(_BY_STATUS[status], given)


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The answer to an outcome. `state`: the job's, now: done or failed."""

    state: str


@dataclass(frozen=True, kw_only=True)
class Incident:
    """POST /agent/v1/jobs/{id}/incident: something went wrong and the job stays open (a wrong PIN, a card
    pulled, a forged order). The server writes it into its log of refusals (A26). `at`: by the station's
    clock. `nonce`: random, so that one sent twice is logged once. The answer is {}."""

    code: str
    step: str
    zh: str
    en: str
    card_serial: str | None = None
    card_changed: bool
    at: datetime
    nonce: str
    host: str
    mac: str
