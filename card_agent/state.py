"""What the station's page shows, as JSON. No PIN, no token, no key ever stands in it. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from cryptography import x509
from cryptography.x509.oid import NameOID

from card_agent.desk import Desk
from card_agent.enrolment import Station
from card_agent.fault import Fault
from card_agent.loops import Contact
from card_agent.protocol.codec import moment_text, to_json
from card_agent.protocol.jobs import CardSeen, Job
from card_agent.protocol.names import LOG_IN, MAKE_SEAL, SIGN_DOCUMENT, UNLOCK_PIN
from card_agent.ritual import Batch, Progress, Step
from card_agent.trust import is_maker
from card_agent.version import VERSION

SILENT_AFTER_S = 30
NEEDS: dict[str, list[str]] = {
    MAKE_SEAL: ["maker_pin", "card_pin"],
    SIGN_DOCUMENT: ["card_pin"],
    LOG_IN: ["card_pin"],
    UNLOCK_PIN: ["so_pin", "new_pin", "new_pin_again"],
}
"""What is typed for each kind of job."""


class Sees(Protocol):
    @property
    def cards(self) -> tuple[CardSeen, ...]: ...


class Shown(Protocol):
    """The agent, as far as the page sees it."""

    @property
    def station(self) -> Station: ...
    @property
    def desk(self) -> Desk: ...
    @property
    def presence(self) -> Sees: ...
    @property
    def contact(self) -> Contact: ...
    @property
    def host(self) -> str: ...
    @property
    def mac(self) -> str: ...


def state_of(agent: Shown) -> dict[str, Any]:
    cards = agent.presence.cards
    progress = agent.desk.progress
    return {
        "agent": {
            "version": VERSION,
            "station_id": agent.station.station_id,
            "station_name": agent.station.station_name,
            "server": agent.station.server,
            "host": agent.host,
            "mac": agent.mac,
        },
        "heartbeat": _contact(agent.contact),
        "slots": _slots(cards, agent.desk.jobs),
        "jobs": [_job(j, agent.desk) for j in agent.desk.jobs],
        "job": _progress(progress) if progress else None,
        "steps": [_step(s) for s in progress.steps] if progress else [],
        "busy": agent.desk.busy,
        "history": [to_json(p) for p in agent.desk.past],
    }


def _step(step: Step) -> dict[str, Any]:
    return {"name": step.name, "zh": step.zh, "en": step.en, "state": step.state, "ms": round(step.ms)}


def _contact(contact: Contact) -> dict[str, Any]:
    last = contact.last_at
    fresh = last is not None and (datetime.now(UTC) - last).total_seconds() < SILENT_AFTER_S
    return {
        "at": moment_text(last) if last else None,
        "ok": fresh and contact.fault is None,
        "fault": _fault(contact.fault),
    }


def _slots(cards: Sequence[CardSeen], jobs: Sequence[Job]) -> dict[str, Any]:
    """The maker's slot and the seal card's: of several seal cards the one that the oldest job waits for."""
    wanted = [j.card_serial for j in jobs]
    makers = [c for c in cards if is_maker(c.certificate)]
    seals = [c for c in cards if not is_maker(c.certificate)]
    seals.sort(key=lambda c: wanted.index(c.serial) if c.serial in wanted else len(wanted))
    return {
        "maker": _card(makers[0]) if makers else None,
        "seal": _card(seals[0]) if seals else None,
        "makers": len(makers),
        "seals": [_card(c) for c in seals],
    }


def _card(card: CardSeen) -> dict[str, Any]:
    shown: dict[str, Any] = {"serial": card.serial, "label": card.label, "slot": card.slot}
    if card.certificate is None:
        return {**shown, "certificate": False}
    certificate = x509.load_der_x509_certificate(card.certificate)
    until = certificate.not_valid_after_utc
    return {
        **shown,
        "certificate": True,
        "subject": _name(certificate, NameOID.COMMON_NAME),
        "organisation": _name(certificate, NameOID.ORGANIZATION_NAME),
        "valid_until": moment_text(until),
        "days_left": (until - datetime.now(UTC)).days,
    }


def _name(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _job(job: Job, desk: Desk) -> dict[str, Any]:
    return {
        **to_json(job),
        "needs": NEEDS.get(job.kind, []),
        "known": job.kind in NEEDS,
        "interrupted": job.state != "ordered" and not desk.busy,
    }


def _progress(progress: Progress) -> dict[str, Any]:
    return {
        "job_id": progress.job.job_id,
        "kind": progress.job.kind,
        "summary": to_json(progress.job.summary),
        "state": progress.state,
        "reported": progress.reported,
        "fault": _fault(progress.fault),
        "picture": progress.picture is not None,
        "batch": _batch(progress.batch),
    }


def _batch(batch: Batch | None) -> dict[str, int] | None:
    return {"total": batch.total, "done": batch.done, "failed": batch.failed} if batch else None


def _fault(fault: Fault | None) -> dict[str, Any] | None:
    if fault is None:
        return None
    return {
        "code": fault.code,
        "zh": fault.zh,
        "en": fault.en,
        "step": fault.step,
        "card_changed": fault.card_changed,
    }
