"""From the card's signature to the document that is kept: embedded, stamped, and with what proves it later (PAdES levels).

Asks a time-stamping authority, so it runs before the transaction that keeps the document (`cards.kinds.bring`).
"""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from app import outward, store
from app.crypto.certificates import fingerprint
from app.pdf import sealing as press
from app.pdf.confined import confined
from app.pdf.lasting import place_stamp, with_validation_data
from app.pdf.stamping import NoStamp, certificates_in, query, token_in
from app.refusal import Refusal, Unavailable
from app.settings import current_settings
from app.signing import queries
from card_agent.protocol.outcomes import DocumentSigned, Outcome

ANSWER_LIMIT_BYTES = 64 * 1024
WITH_DATA = ("B-LT", "B-LTA")


@dataclass(frozen=True)
class Finished:
    """`order_id`: the order that the card answered."""

    order_id: str
    document: bytes


def finished(job_id: int, message: Outcome) -> Finished | None:
    """The document, where its level needs more than the signature. None for what is refused in the transaction, where the
    refusal is recorded. Refuses Unavailable while no time-stamp can be had: the station tries again by itself."""
    if not isinstance(message, DocumentSigned):
        return None
    row = queries.sealing_of_job(job_id)
    state = row.press_state or {}
    level = state.get("level", "B-B")
    if level == "B-B" or row.press_object is None or row.order_id is None or row.order_id != message.order_id:
        return None
    try:
        return Finished(row.order_id, _finish(store.get(row.press_object), state, message.signature.value))
    except Unavailable:
        raise
    except Refusal:
        return None


def _finish(prepared: bytes, state: dict[str, Any], signature: bytes) -> bytes:
    press.embed(prepared, state, signature)  # before anybody is asked to stamp what is not our card's
    token = stamp(sha256(signature).digest())
    document = press.embed(prepared, state, signature, token)
    if state["level"] in WITH_DATA:
        press_trust = queries.believed().press
        certificates = (*press.certificates_of(state), *certificates_in(token))
        document = confined(with_validation_data, document, certificates, press_trust, _answers(certificates))
    if state["level"] == "B-LTA":
        placed = confined(place_stamp, document)
        document = press.fill(placed.pdf, placed.room, stamp(placed.digest))
    return document


def stamp(digest: bytes) -> bytes:
    """A token over this SHA-256. Refuses Unavailable."""
    settings, nonce = current_settings(), secrets.randbits(63)
    try:
        answer = outward.fetch(
            settings.tsa_url,
            limit_bytes=ANSWER_LIMIT_BYTES,
            seconds=settings.tsa_timeout_s,
            private_allowed=True,  # an administrator wrote the address down
            body=query(digest, nonce),
            content_type="application/timestamp-query",
        )
        return token_in(answer, digest=digest, nonce=nonce)
    except (outward.Unreachable, outward.NotAllowed, NoStamp) as error:
        raise Unavailable(
            "signing.no_time_stamp",
            zh="时间戳服务没有给出可用的时间戳，盖章暂不能完成，工位会自动重试；请系统管理员检查时间戳服务",
            en="The time-stamping authority gave no usable stamp, so the sealing waits; the station tries again by itself. "
            "The system administrator should look at the authority",
            why=str(error)[:300],
        ) from error


def _answers(certificates: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The OCSP answers that are kept here about these certificates."""
    folder = current_settings().trust_dir
    assert folder is not None
    files = [Path(folder, "ocsp", f"{fingerprint(one)}.der") for one in certificates]
    return tuple(file.read_bytes() for file in files if file.is_file())
