"""The sequencer gives staged entries their places in the tree and signs what the tree has become.

Runs beside the writers and never holds them up. Any number may run; one at a time works. It may die between
any two lines: before the commit nothing has happened, after it only the push to the witness is missing, and
the next run makes up for that.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
import structlog
from flask import current_app

from app.audit import checkpoint as notes
from app.audit import tree
from app.audit.header import Header, HeaderFault, leaf_hash, unpack
from app.audit.models import LogCheckpoint, LogEntry, LogLeaf, LogNode, LogPending, LogToken
from app.audit.nodes import BITS, stored_node
from app.audit.witness import Witness
from app.clock import now
from app.crypto.keys import keyring, verify
from app.db import begin_writing, db

BATCH = 2000
ADVISORY_LOCK = 0x59494E58
log = structlog.get_logger()
Staged = sa.Row[int, bytes, bytes, bytes]
"""id, header, nonce, ciphertext of an entry."""


class LogRewritten(RuntimeError):
    """The witness holds a checkpoint that this database does not lead up to. Nothing more will be signed."""


@dataclass(frozen=True)
class Head:
    """Where the tree stands: the last checkpoint, or the beginning."""

    number: int
    origin: str
    edge: tree.Edge


def sequence() -> int:
    """Sequence everything that is staged. Answers how many entries found their place."""
    _prepare_keys()
    done = 0
    while True:
        count = _one_batch()
        done += count
        if count < BATCH:
            return done


def _prepare_keys() -> None:
    """Make the coming month's data keys two days ahead, so that no writer waits for another to make one."""
    ring, period = keyring(), f"{now() + timedelta(days=2):%Y-%m}"
    for purpose in ("log", "vault"):
        if not ring.data_keys.remembers(purpose, period):
            begin_writing()
            ring.data_key(purpose, period)
            db.session.commit()


def witness() -> Witness:
    return Witness(cast(Path, current_app.config["SETTINGS"].witness_dir))


def _one_batch() -> int:
    """1 begin  2 take the turn  3 take what is staged  4 extend the tree  5 sign  6 commit  7 push."""
    begin_writing()
    try:
        if not _my_turn():
            return 0
        head = _head()
        _check_witness(head)
        rows = _staged()
        if rows:
            _place(rows, head)
            _sign(head)
            db.session.commit()
    finally:
        db.session.rollback()
    _push()
    return len(rows)


def _my_turn() -> bool:
    """One sequencer at a time; the others leave. (SQLite: the transaction is the only writer anyway.)"""
    if db.session.connection().dialect.name != "postgresql":
        return True
    return bool(db.session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(ADVISORY_LOCK))))


def _head() -> Head:
    """The last checkpoint, its signature checked and its root computed again before we build on it."""
    row = db.session.scalar(sa.select(LogCheckpoint).order_by(LogCheckpoint.number.desc()).limit(1))
    if row is None:
        return Head(0, notes.origin_of(keyring().public_key("checkpoint")), tree.Edge())
    try:
        stated, _ = notes.check(row.note, public_keys(), verify)
    except notes.NoteFault as error:
        raise LogRewritten(f"checkpoint {row.number}: {error}") from error
    edge = tree.edge_at(stated.size, stored_node)
    if edge.root() != stated.root:
        raise LogRewritten(f"the tree no longer has the root that checkpoint {row.number} signed")
    return Head(row.number, stated.origin, edge)


def _check_witness(head: Head) -> None:
    """Never sign a second history: what was witnessed must lie behind us."""
    try:
        note = witness().latest()
    except OSError as error:
        log.warning("witness.unreadable", error=str(error))
        return
    if note is None:
        return
    try:
        seen, _ = notes.check(note, public_keys(), verify)
    except notes.NoteFault as error:
        log.error("witness.unknown_checkpoint", error=str(error))
        return
    root = None
    if seen.size <= head.edge.size:
        root = tree.edge_at(seen.size, stored_node).root()
    if root != seen.root:
        log.error("log.rewritten", witnessed=seen.size, here=head.edge.size)
        raise LogRewritten(
            f"the witness has seen {seen.size} entries, this database has {head.edge.size} and does not "
            "lead up to them: it was rolled back or rewritten; run `yinxu audit verify`"
        )


def _staged() -> list[Staged]:
    query = (
        sa.select(LogEntry.id, LogEntry.header, LogEntry.nonce, LogEntry.ciphertext)
        .join(LogPending, LogPending.entry_id == LogEntry.id)
        .order_by(LogPending.entry_id)
        .limit(BATCH)
        .with_for_update(of=LogPending, skip_locked=True)
    )
    return list(db.session.execute(query))


def _place(rows: list[Staged], head: Head) -> None:
    leaves: list[dict[str, Any]] = []
    tokens: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for entry_id, header, nonce, ciphertext in rows:
        seq, value = head.edge.size, leaf_hash(header, nonce, ciphertext)
        clear, marks = _index(header)
        leaves.append({"seq": seq, "entry_id": entry_id, "hash": value, **clear})
        tokens += [{"field": field, "token": token, "seq": seq} for field, token in marks]
        kept += [
            {"level": level // BITS, "position": position, "hash": node}
            for level, position, node in head.edge.append(value)
            if level % BITS == 0
        ]
    for table, values in ((LogLeaf, leaves), (LogToken, tokens), (LogNode, kept)):
        if values:
            db.session.execute(sa.insert(table), values)
    ids = [row[0] for row in rows]
    db.session.execute(sa.delete(LogPending).where(LogPending.entry_id.in_(ids)))


def _index(header: bytes) -> tuple[dict[str, Any], tuple[tuple[int, bytes], ...]]:
    """What is searched for, from the header. A damaged one takes its place all the same; verifying tells."""
    try:
        found = unpack(header)
    except HeaderFault as error:
        log.error("log.damaged_before_sequencing", error=str(error))
        return {"ts_us": 0, "log_class": "", "action": "", "unit_id": 0, "result": ""}, ()
    return clear_columns(found), found.tokens


def clear_columns(header: Header) -> dict[str, Any]:
    """The columns of a leaf that repeat its header."""
    return {
        "ts_us": header.ts_us,
        "log_class": header.log_class,
        "action": header.action,
        "unit_id": header.unit_id,
        "result": header.result,
    }


def _sign(head: Head) -> None:
    stated = notes.Checkpoint(head.origin, head.edge.size, head.edge.root())
    signature = keyring().sign("checkpoint", stated.text().encode())
    key = keyring().public_key("checkpoint", int(signature.kid.rpartition("-v")[2]))
    note = notes.Note(stated, notes.key_id(key), signature.signature).pack()
    db.session.add(
        LogCheckpoint(
            number=head.number + 1, size=stated.size, note=note, alg=signature.alg, kid=signature.kid
        )
    )


def _push() -> None:
    """Bring the witness up to date. It may be away; then the next run tries again."""
    place = witness()
    try:
        seen = place.latest_size()
        fresh = list(
            db.session.scalars(
                sa.select(LogCheckpoint.note).where(LogCheckpoint.size > seen).order_by(LogCheckpoint.size)
            )
        )
        if fresh:
            origin = notes.parse(fresh[-1]).checkpoint.origin
            place.push(fresh, [notes.verifier_key(origin, key) for key in public_keys()])
    except OSError as error:
        log.error("witness.unreachable", folder=str(place.folder), error=str(error))
    finally:
        db.session.rollback()


def public_keys() -> list[bytes]:
    """Every key that may have signed a checkpoint, newest last."""
    ring = keyring()
    ring.newest("checkpoint")
    return [ring.public_key("checkpoint", version) for version in ring.public_versions("checkpoint")]
