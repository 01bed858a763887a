"""What the server asks of a station, and what a station sends before it has done it. Pure. Fixed for good."""

from dataclasses import dataclass, field
from datetime import datetime

from card_agent.protocol.names import PROTOCOL
from card_agent.protocol.statements import CardSignature, Operator, Signed


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """The answer {}."""


# --- enrolment and presence ---


@dataclass(frozen=True, kw_only=True)
class Enrol:
    """POST /agent/v1/enrol. `code`: one-time, from the administrator. `public_key`: the station's new Ed25519
    key, 32 bytes; the request is signed with it. `mac`: of a real network card, or "unknown"."""

    protocol: int = PROTOCOL
    code: str = field(repr=False)
    public_key: bytes
    host: str
    mac: str
    agent_version: str


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """The answer. `roots`: DER certificates from which the order certificate must descend; pinned from now
    on."""

    protocol: int = PROTOCOL
    station_id: int
    station_name: str
    server_order_certificate: bytes = field(repr=False)
    roots: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class CardSeen:
    """A card in a reader. `certificate`: DER, or None when the card holds none that can be read without a
    PIN."""

    slot: str
    serial: str
    label: str
    certificate: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """POST /agent/v1/heartbeat, every ten seconds and whenever a card comes or goes. The answer is {}."""

    cards: tuple[CardSeen, ...]
    host: str
    mac: str
    agent_version: str


# --- jobs ---


@dataclass(frozen=True, kw_only=True)
class Words:
    zh: str
    en: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line for the people at the station: what it is, in both languages, and its value."""

    zh: str
    en: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """The document of a signing job. The signed order must name the same one, or the station refuses."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What people see before anything is done. `document`: for sign_document only."""

    title: Words
    lines: tuple[Line, ...] = ()
    document: Document | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """`kind`: make_seal, sign_document, unlock_pin or log_in; a kind the station does not know is shown, never done.
    `state`: ordered, begun or authorised. `card_serial`: the card it is for."""

    job_id: int
    kind: str
    card_serial: str
    state: str
    operator: Operator
    created_at: datetime
    summary: Summary


@dataclass(frozen=True, kw_only=True)
class Work:
    """POST /agent/v1/work. Answered at once when the station's open jobs are not exactly `known`, else after
    at most `wait_s` seconds."""

    wait_s: int
    known: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """The answer: all open jobs of this station, oldest first."""

    jobs: tuple[Job, ...]


# --- doing one ---


@dataclass(frozen=True, kw_only=True)
class Begin:
    """POST /agent/v1/jobs/{id}/begin: these cards are here. `maker_…`: for make_seal only."""

    card_serial: str
    card_certificate: bytes = field(repr=False)
    maker_serial: str | None = None
    maker_certificate: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class MakeBegun:
    """The answer to make_seal. `order`: a signed Order. `seal_info`: DER of SES_SealInfo, which carries the
    same order under ORDER_EXTENSION_OID. Repeated with the same cards it is the same, until the order expires
    unauthorised; then a new order replaces it."""

    order: Signed
    seal_info: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SignBegun:
    """The answer to sign_document. `order`: a signed SignOrder, made at this moment."""

    order: Signed


@dataclass(frozen=True, kw_only=True)
class UnlockBegun:
    """The answer to unlock_pin. `order`: a signed UnlockOrder, made at this moment."""

    order: Signed


@dataclass(frozen=True, kw_only=True)
class LoginBegun:
    """The answer to log_in. `order`: a signed LoginOrder, made at this moment."""

    order: Signed


@dataclass(frozen=True, kw_only=True)
class Authorise:
    """POST /agent/v1/jobs/{id}/authorise, make_seal only. `maker_signature`: over `seal_info`. The proofs:
    over the Possession of each card."""

    order_id: str
    maker_signature: CardSignature
    maker_proof: CardSignature
    card_proof: CardSignature


@dataclass(frozen=True, kw_only=True)
class Authorised:
    """The answer. `token`: a signed WriteToken. `envelope`: what goes on the card; only the server can open
    it. Repeated for the same order it is the same envelope; an expired token is issued anew."""

    token: Signed
    envelope: bytes = field(repr=False)
