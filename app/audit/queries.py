"""Read the log: search by blind index, open one entry, prove it. Who may is decided by the callers."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from app.audit import archive as archives
from app.audit import checkpoint as notes
from app.audit import rules, tree
from app.audit.archive import Archive
from app.audit.header import Header, HeaderFault, leaf_data, unpack
from app.audit.models import LogCheckpoint, LogEntry, LogLeaf, LogPending, LogToken
from app.audit.nodes import stored_node
from app.audit.proof import Proof
from app.crypto import cipher
from app.crypto.keys import KeyFault, keyring
from app.db import db
from app.refusal import NotFound

PAGE = 50


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What to look for; None and empty mean: any. `marks`: indexed field (rules.FIELD_CODES) → any of these.

    `without` and `only_officers` narrow by the officer role of the acting person (D6).
    """

    classes: frozenset[str] = frozenset()
    units: frozenset[int] | None = None
    result: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    marks: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    only_officers: frozenset[str] = frozenset()
    without_officers: frozenset[str] = frozenset()
    before: int | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One entry as people read it. `payload` is None when it cannot be opened (any more)."""

    number: int
    at: datetime
    log_class: str
    action: str
    unit_id: int
    result: str
    payload: dict[str, Any] | None
    header: bytes
    nonce: bytes
    ciphertext: bytes
    hash: bytes

    @property
    def actor(self) -> dict[str, Any]:
        return (self.payload or {}).get("actor", {})

    @property
    def origin(self) -> dict[str, Any]:
        return (self.payload or {}).get("origin", {})

    @property
    def fact(self) -> dict[str, Any]:
        return (self.payload or {}).get("fact", {})

    @property
    def refusal(self) -> dict[str, Any]:
        return (self.payload or {}).get("refusal", {})


def search(wanted: Filter, limit: int = PAGE) -> list[Row]:
    """Newest first, `limit` rows before number `wanted.before`."""
    query = _joined().order_by(LogLeaf.seq.desc()).limit(limit)
    if wanted.before is not None:
        query = query.where(LogLeaf.seq < wanted.before)
    return [_row(found) for found in db.session.execute(query.where(*_conditions(wanted))).mappings()]


def count(wanted: Filter) -> int:
    query = sa.select(sa.func.count()).select_from(LogLeaf).where(*_conditions(wanted))
    return db.session.scalar(query) or 0


def entry(number: int, wanted: Filter | None = None) -> Row:
    """Entry number `number`, if it lies within `wanted`. Refuses NotFound."""
    query = _joined().where(LogLeaf.seq == number, *_conditions(wanted or Filter()))
    found = db.session.execute(query).mappings().one_or_none()
    if found is None:
        raise NotFound(
            "log.no_entry",
            zh=f"没有编号为 {number} 的日志，或您无权查阅；请返回日志检索",
            en=f"There is no log entry {number}, or not for you; go back to searching the log",
        )
    return _row(found)


def header_of(row: Row) -> Header | None:
    try:
        return unpack(row.header)
    except HeaderFault:
        return None


def proof(number: int) -> str:
    """Proof under the last checkpoint that entry `number` stands in the log. Refuses NotFound."""
    row, last = entry(number), checkpoint()
    assert last is not None
    stated = notes.parse(last).checkpoint
    path = tree.inclusion_path(number, stated.size, stored_node)
    return Proof(number, leaf_data(row.header, row.nonce, row.ciphertext), path, last).pack()


def period(since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """(first, until): numbers of the entries from the first one of this time to the last one, both inside the last
    checkpoint; equal when there is none. Places follow commits, so a few neighbours may come along."""
    last = checkpoint()
    size = notes.parse(last).checkpoint.size if last else 0
    wanted = _conditions(Filter(since=since, until=until))
    inside = sa.select(LogLeaf.seq).where(LogLeaf.seq < size, *wanted)
    first = db.session.scalar(inside.order_by(LogLeaf.seq).limit(1))
    end = db.session.scalar(inside.order_by(LogLeaf.seq.desc()).limit(1))
    return (size, size) if first is None or end is None else (first, end + 1)


def archive(first: int, until: int) -> Archive:
    """These entries with what proves them under the last checkpoint. Refuses NotFound for none."""
    last = checkpoint()
    size = notes.parse(last).checkpoint.size if last else 0
    if last is None or not 0 <= first < until <= size:
        raise NotFound(
            "log.nothing_to_archive",
            zh="这段时间没有已封存的日志；请换一个时间段",
            en="There is no log under a checkpoint from this time; choose another period",
        )
    left, right = archives.around(first, until, size, stored_node)
    rows = db.session.execute(
        _joined().where(LogLeaf.seq >= first, LogLeaf.seq < until).order_by(LogLeaf.seq)
    ).mappings()
    leaves = [leaf_data(row["header"], row["nonce"], row["ciphertext"]) for row in rows]
    return Archive(first, left, leaves, right, last)


def checkpoint() -> str | None:
    """The last checkpoint, as text, or None while the log is empty."""
    return db.session.scalar(sa.select(LogCheckpoint.note).order_by(LogCheckpoint.number.desc()).limit(1))


def size() -> tuple[int, int]:
    """(entries that have their place, entries that wait for it)."""
    placed = db.session.scalar(sa.select(sa.func.count()).select_from(LogLeaf)) or 0
    return placed, db.session.scalar(sa.select(sa.func.count()).select_from(LogPending)) or 0


def _joined() -> sa.Select[Any]:
    return sa.select(LogLeaf.__table__, LogEntry.header, LogEntry.nonce, LogEntry.ciphertext).join(
        LogEntry, LogEntry.id == LogLeaf.entry_id
    )


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.classes:
        found.append(LogLeaf.log_class.in_(wanted.classes))
    if wanted.units is not None:
        found.append(LogLeaf.unit_id.in_(wanted.units))
    if wanted.result:
        found.append(LogLeaf.result == wanted.result)
    if wanted.since:
        found.append(LogLeaf.ts_us >= _us(wanted.since))
    if wanted.until:
        found.append(LogLeaf.ts_us < _us(wanted.until))
    found += [_marked(name, values) for name, values in wanted.marks.items()]
    if wanted.only_officers:
        found.append(_marked("officer", sorted(wanted.only_officers)))
    if wanted.without_officers:
        found.append(~_marked("officer", sorted(wanted.without_officers)))
    return found


def _marked(name: str, values: list[str]) -> sa.ColumnElement[bool]:
    marks = [keyring().mac(name, rules.normal(name, value)) for value in values]
    return LogLeaf.seq.in_(
        sa.select(LogToken.seq).where(LogToken.field == rules.FIELD_CODES[name], LogToken.token.in_(marks))
    )


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _row(found: Any) -> Row:
    return Row(
        number=found["seq"],
        at=datetime.fromtimestamp(found["ts_us"] / 1_000_000, UTC),
        log_class=found["log_class"],
        action=found["action"],
        unit_id=found["unit_id"],
        result=found["result"],
        payload=_payload(found["header"], found["nonce"], found["ciphertext"]),
        header=found["header"],
        nonce=found["nonce"],
        ciphertext=found["ciphertext"],
        hash=found["hash"],
    )


def _payload(header: bytes, nonce: bytes, ciphertext: bytes) -> dict[str, Any] | None:
    try:
        key = keyring().data_key_by_id(unpack(header).key_id)
        return json.loads(cipher.decrypt(key, nonce, ciphertext, header))
    except (HeaderFault, KeyFault, cipher.DoesNotOpen, ValueError):
        return None
