"""Append to the log, inside the transaction of what it tells. Only the gate (`app/command.py`) calls this.

No fact without its entry, no entry without its fact: both are rows of one transaction. The sequencer
(`sequencer.py`) gives the entry its place in the tree afterwards, so writers never wait for one another.
"""

import json
import os
import time
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask import current_app

from app import jobs
from app.actor import Actor
from app.audit import rules
from app.audit.header import NONCE_BYTES, Header, Result
from app.audit.models import LogEntry, LogPending
from app.audit.writers import writer_of_transaction
from app.clock import now
from app.crypto import cipher
from app.crypto.keys import BLIND_INDEX_VERSION, keyring
from app.db import db, present_transaction
from app.fact import Fact, LogClass
from app.glossary import OFFICERS
from app.refusal import Refusal

SECONDS_BETWEEN_NUDGES = 0.25


def append(fact: Fact, *, by: Actor) -> None:
    """Stage the entry that tells this Fact. Raises SecretInLog if it carries a PIN, a password or a key."""
    payload = fact.payload()
    rules.check_no_secrets(payload)
    _stage(
        log_class=fact.log_class,
        action=fact.name,
        result="fact",
        unit_id=_unit(payload, by),
        told={"fact": payload},
        searchable=payload,
        by=by,
    )


def append_refusal(refusal: Refusal, *, attempted: str, by: Actor) -> None:
    """Stage the entry that tells of a refusal (非法操作, A26). Secrets in its details are left out."""
    details = rules.without_secrets(json.loads(json.dumps(refusal.details, default=str)))
    told = {
        "code": refusal.code,
        "zh": refusal.text.zh,
        "en": refusal.text.en,
        "attempted": attempted,
        "details": details,
        "fields": {name: {"zh": t.zh, "en": t.en} for name, t in refusal.fields.items()},
    }
    _stage(
        log_class=LogClass.ILLEGAL_OPERATION,
        action=rules.action_of(attempted),
        result="refused",
        unit_id=_unit(details, by),
        told={"refusal": told},
        searchable=details,
        by=by,
    )


def nudge() -> None:
    """Wake the sequencer once the transaction has committed, a few times a second at most.

    One that is held back costs nothing: the scheduler's sweep comes each second.
    """
    moment = time.monotonic()
    if moment - current_app.extensions.get("log_nudged", -1.0) >= SECONDS_BETWEEN_NUDGES:
        current_app.extensions["log_nudged"] = moment
        jobs.enqueue("audit", "app.audit.jobs.sequence")


def _unit(payload: dict[str, Any], by: Actor) -> int:
    unit_id = payload.get("unit_id", payload.get("owner_unit_id"))
    return unit_id if isinstance(unit_id, int) and 0 < unit_id < 2**31 else by.unit_id or 0


def _stage(
    *,
    log_class: LogClass,
    action: str,
    result: Result,
    unit_id: int,
    told: dict[str, Any],
    searchable: dict[str, Any],
    by: Actor,
) -> None:
    key_id, key = keyring().data_key("log")
    writer = writer_of_transaction()
    header = Header(
        ts_us=_microseconds(),
        log_class=log_class.value,
        action=action,
        unit_id=unit_id,
        result=result,
        writer_id=writer.id,
        writer_counter=writer.next(),
        tokens=_tokens([*_who(by), *rules.indexed(searchable)]),
        key_id=key_id,
        index_key_version=BLIND_INDEX_VERSION,
    ).pack()
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = cipher.encrypt(key, nonce, encode({"v": 1, **_by(by), **told}), header)
    _insert(header, nonce, ciphertext)


def _insert(header: bytes, nonce: bytes, ciphertext: bytes) -> None:
    """The entry, and that it waits for its place: sent with what the transaction writes last, where it is one of ours
    on PostgreSQL, as every command writes at least one."""
    given = {"header": header, "nonce": nonce, "ciphertext": ciphertext}
    transaction = present_transaction()
    if transaction is not None:
        transaction.tell(_BOTH, given)
        return
    run = db.session.connection()
    entry_id = run.scalar(sa.insert(LogEntry).values(given).returning(LogEntry.id))
    run.execute(sa.insert(LogPending).values(entry_id=entry_id))


_BOTH = (
    "entry_{n} AS (INSERT INTO log_entry (header, nonce, ciphertext)"
    " VALUES (%(header_{n})s, %(nonce_{n})s, %(ciphertext_{n})s) RETURNING id)",
    "pending_{n} AS (INSERT INTO log_pending (entry_id) SELECT id FROM entry_{n})",
)


def encode(payload: dict[str, Any]) -> bytes:
    """Sorted, compact JSON in UTF-8."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _microseconds() -> int:
    moment = now()
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _by(by: Actor) -> dict[str, Any]:
    actor: dict[str, Any] = {
        "kind": by.kind,
        "id": by.id,
        "name": by.name,
        "unit_id": by.unit_id,
        "station_id": by.station_id,
        "roles": sorted(by.roles),
    }
    if by.on_behalf_of is not None:
        actor["on_behalf_of"] = {"id": by.on_behalf_of.id, "name": by.on_behalf_of.name}
    origin = {
        "ip": by.origin.ip,
        "mac": by.origin.mac,
        "mac_source": by.origin.mac_source,
        "host": by.origin.host,
        "user_agent": by.origin.user_agent,
    }
    return {"actor": actor, "origin": origin}


def _who(by: Actor) -> list[tuple[str, str]]:
    values: list[tuple[str, Any]] = [
        ("person", by.id if by.kind == "person" else None),
        ("unit", by.unit_id),
        ("station", by.station_id or (by.id if by.kind == "station" else None)),
        ("ip", by.origin.ip),
        ("mac", by.origin.mac),
        ("host", by.origin.host),
    ]
    if by.on_behalf_of is not None:
        values.append(("person", by.on_behalf_of.id))
    values += [("officer", role) for role in by.roles & OFFICERS]
    return [(field, rules.normal(field, value)) for field, value in values if value is not None]


def _tokens(values: Iterable[tuple[str, str]]) -> tuple[tuple[int, bytes], ...]:
    ring = keyring()
    return tuple(sorted({(rules.FIELD_CODES[field], ring.mac(field, value)) for field, value in values}))
