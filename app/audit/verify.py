"""Walk the whole log and say whether it is what was written, or where it is not.

Nothing stored is believed: leaves, index, tree and roots are computed again from the entries; every signature
is checked against the key in the server's token; each writer's count is followed; and the last checkpoint
that a witness keeps outside the database must lie on the way. Reads one snapshot; writes nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from app.audit import checkpoint as notes
from app.audit import storage, tree
from app.audit.archive import Archive
from app.audit.header import Header, HeaderFault, leaf_hash, unpack
from app.audit.models import LogCheckpoint, LogEntry, LogLeaf, LogNode, LogPending, LogToken
from app.audit.nodes import BITS
from app.audit.sequencer import clear_columns, public_keys
from app.crypto import cipher
from app.crypto.keys import ECDSA_P256_SHA256, KeyFault, keyring, verify
from app.db import begin_reading, db
from app.text import Text

PAGE = 2000
MOST_BREAKS = 100
KINDS: dict[str, Text] = {
    "deleted": Text("条目 #{at} 不见了：已被删除", "Entry #{at} is missing: it was deleted"),
    "edited": Text("条目 #{at} 的内容被改动", "The content of entry #{at} was changed"),
    "duplicated": Text("条目 #{at} 重复出现", "Entry #{at} occurs twice"),
    "index": Text(
        "条目 #{at} 的检索信息与原文不符", "What is indexed of entry #{at} differs from the entry itself"
    ),
    "writer": Text(
        "条目 #{at} 之前有条目缺失或顺序被改（写入者的计数不连续）",
        "Before entry #{at} one is missing or the order was changed (its writer's count is broken)",
    ),
    "node": Text("条目 #{at} 处的哈希树节点被改动", "A node of the hash tree at entry #{at} was changed"),
    "root": Text(
        "条目 #{at} 起到其后第一个检查点之间被改动：根与签名的根不同",
        "Something from entry #{at} up to the next checkpoint was changed: the root is not the one signed",
    ),
    "checkpoint": Text(
        "第 {at} 条之后的检查点被改动、伪造或删除",
        "The checkpoint after {at} entries was changed, forged or deleted",
    ),
    "truncated": Text(
        "日志自条目 #{at} 起被截断：见证的检查点之后的内容不见了",
        "The log was cut off at entry #{at}: what a checkpoint has seen is gone",
    ),
    "witness": Text(
        "与见证的检查点（{at} 条）不一致：日志被改写",
        "The log does not lead up to the witnessed checkpoint ({at} entries): it was rewritten",
    ),
    "staged": Text(
        "尚未排序的条目被改动、删除或滞留（位置 {at} 之后）",
        "An entry not yet sequenced was changed, deleted or kept back (after place {at})",
    ),
    "archive": Text(
        "归档文件中条目 #{at} 与日志不符", "Entry #{at} in the archive is not the one in the log"
    ),
    "unguarded": Text(
        "数据库不再拒绝改动日志（{at} 条）：保护它的触发器被删除或停用",
        "The database no longer refuses changes to the log ({at} entries): the triggers that guard it are gone",
    ),
    "key": Text("条目 #{at} 的密钥不存在或无法打开", "The key of entry #{at} is gone or does not open"),
}


@dataclass(frozen=True)
class Break:
    """Where the log is broken. `at`: the entry's number, or the size for a checkpoint."""

    at: int
    kind: str

    @property
    def text(self) -> Text:
        return KINDS[self.kind].format(at=self.at)

    def as_json(self) -> dict[str, Any]:
        return {"at": self.at, "kind": self.kind, "zh": self.text.zh, "en": self.text.en}


@dataclass
class Report:
    """`entries`: all that are stored; `tree_size`: those with a place. `checkpoint`: the last one."""

    entries: int = 0
    tree_size: int = 0
    pending: int = 0
    root: bytes = tree.EMPTY_ROOT
    checkpoint: str | None = None
    witnessed: int | None = None
    breaks: list[Break] = field(default_factory=list[Break])
    more_breaks: int = 0

    @property
    def intact(self) -> bool:
        return not self.breaks

    def found(self, at: int, kind: str) -> None:
        if Break(at, kind) in self.breaks:
            return
        if len(self.breaks) < MOST_BREAKS:
            self.breaks.append(Break(at, kind))
        else:
            self.more_breaks += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "intact": self.intact,
            "entries": self.entries,
            "tree_size": self.tree_size,
            "pending": self.pending,
            "root": self.root.hex(),
            "checkpoint": self.checkpoint,
            "witnessed": self.witnessed,
            "breaks": [found.as_json() for found in sorted(self.breaks, key=lambda b: b.at)],
            "more_breaks": self.more_breaks,
        }


def walk(
    witnessed: str | None = None,
    progress: Callable[[int], None] = lambda _: None,
    archives: Sequence[Archive] = (),
) -> Report:
    """Verify everything. `witnessed`: a checkpoint kept outside the database, as text. `archives`: periods of the
    log kept as files, to be held against it."""
    begin_reading()
    try:
        with storage.unreadable_text_spelt_out():
            report = _Walk(witnessed, progress).run()
            for archive in archives:
                _compare(archive, report)
            return report
    finally:
        db.session.rollback()


class _Walk:
    """One pass over the log, in the order of the tree."""

    def __init__(self, witnessed: str | None, progress: Callable[[int], None]) -> None:
        self.report = Report()
        self.edge = tree.Edge()
        self.keys = public_keys()
        self.progress = progress
        self.writers: dict[bytes, int] = {}
        self.next = 0
        self.holes = 0
        self.torn = False
        self.good_until = 0
        self.origin: str | None = None
        self.stated: dict[int, bytes] = {}
        self.seen = self._witnessed(witnessed)

    def run(self) -> Report:
        if wrong := list(storage.mistyped()):
            return self._unreadable(wrong)
        self._read_checkpoints()
        for leaf in _leaves():
            self._leaf(leaf)
        self._end()
        self._check_nodes_beyond()
        self._staged()
        if storage.unguarded():
            self.report.found(self.next, "unguarded")
        return self.report

    def _unreadable(self, wrong: list[tuple[int | None, str]]) -> Report:
        """There is no reading on over what cannot be read."""
        self.report.entries, self.report.tree_size = _count(LogEntry), _count(LogLeaf)
        for at, kind in wrong:
            self.report.found(self.report.tree_size if at is None else at, kind)
        return self.report

    # -- checkpoints

    def _witnessed(self, note: str | None) -> notes.Checkpoint | None:
        if note is None:
            return None
        try:
            found, _ = notes.check(note, self.keys, verify)
        except notes.NoteFault:
            self.report.found(0, "witness")
            return None
        self.report.witnessed, self.origin = found.size, found.origin
        return found

    def _read_checkpoints(self) -> None:
        """Each is signed by us, for this log, numbered without a gap, and larger than the one before."""
        number, size = 0, 0
        kids = {notes.key_id(key): f"checkpoint-v{n}" for n, key in _versions()}
        for row in db.session.scalars(sa.select(LogCheckpoint).order_by(LogCheckpoint.number)):
            try:
                found, key = notes.check(row.note, self.keys, verify)
            except notes.NoteFault:
                self.report.found(row.size, "checkpoint")
                number += 1
                continue
            fits = (
                row.number == number + 1
                and found.size == row.size > size
                and row.alg == ECDSA_P256_SHA256
                and row.kid == kids[notes.key_id(key)]
                and found.origin == (self.origin or found.origin)
            )
            if not fits:
                self.report.found(size if row.number != number + 1 else row.size, "checkpoint")
            self.origin = self.origin or found.origin
            number, size = row.number, found.size
            self.stated[found.size] = found.root
            self.report.checkpoint = row.note

    # -- leaves

    def _leaf(self, row: Mapping[str, Any]) -> None:
        seq: int = row["seq"]
        if seq != self.next:
            self.report.found(min(seq, self.next), "deleted" if seq > self.next else "duplicated")
            self.holes += max(seq - self.next, 0)
            self.torn = True
        self.next = seq + 1
        if row["header"] is None:
            self.report.found(seq, "deleted")
            self.holes += 1
        else:
            self._entry(row)
        self._extend(row["hash"])

    def _entry(self, row: Mapping[str, Any]) -> None:
        seq: int = row["seq"]
        try:
            header = unpack(row["header"])
        except HeaderFault:
            self.report.found(seq, "edited")
            self.holes += 1
            return
        if leaf_hash(row["header"], row["nonce"], row["ciphertext"]) != row["hash"]:
            self.report.found(seq, "edited")
        if not self._opens(seq, header, row):
            self.holes += 1
            return
        expected = clear_columns(header)
        if any(row[name] != value for name, value in expected.items()) or row["tokens"] != header.tokens:
            self.report.found(seq, "index")
        self._count(seq, header, "writer")

    def _count(self, at: int, header: Header, kind: str) -> None:
        """The writer's next number; a jump over entries already reported missing is not reported again."""
        jump = header.writer_counter - self.writers.get(header.writer_id, 0) - 1
        if 0 <= jump <= self.holes:
            self.holes -= jump
        else:
            self.report.found(at, kind)
        self.writers[header.writer_id] = header.writer_counter

    def _opens(self, seq: int, header: Header, row: Mapping[str, Any]) -> bool:
        try:
            key = keyring().data_key_by_id(header.key_id)
            cipher.decrypt(key, row["nonce"], row["ciphertext"], row["header"])
        except KeyFault:
            self.report.found(seq, "key")
            return False
        except cipher.DoesNotOpen:
            self.report.found(seq, "edited")
            return False
        return True

    def _extend(self, value: bytes) -> None:
        """The tree grows by the stored leaf; once it is torn there is no root left to compare."""
        if self.torn:
            return
        completed = self.edge.append(value)
        kept = [(level // BITS, position, node) for level, position, node in completed if level % BITS == 0]
        for level, position, node in kept:
            if _kept(level, position) != node:
                self.report.found(self.edge.size - 1, "node")
        self._compare_root()
        if self.edge.size % PAGE == 0:
            self.progress(self.edge.size)

    def _compare_root(self) -> None:
        size = self.edge.size
        stated = self.stated.get(size)
        if stated is not None:
            if stated == self.edge.root():
                self.good_until = size
            elif self.good_until >= 0:
                self.report.found(self.good_until, "root")
                self.good_until = -1  # every later root is wrong too; one break says it
        seen = self.seen
        if self.good_until >= 0 and seen is not None and seen.size == size and seen.root != self.edge.root():
            self.report.found(size, "witness")

    def _end(self) -> None:
        size, signed = self.next, max(self.stated, default=0)
        self.report.tree_size, self.report.root = size, self.edge.root()
        if signed > size or (self.seen is not None and self.seen.size > size):
            self.report.found(size, "truncated")
        if signed < size:
            self.report.found(signed, "checkpoint")
        if self.seen is not None and signed < self.seen.size <= size:
            self.report.found(signed, "checkpoint")

    # -- what lies beside the tree

    def _check_nodes_beyond(self) -> None:
        """No node or index row that the leaves do not explain."""
        size = self.next
        expected = sum(size >> BITS * level for level in range(1, 8))
        if _count(LogNode) != expected:
            self.report.found(size, "node")
        strays = db.session.scalar(sa.select(sa.func.min(LogToken.seq)).where(LogToken.seq >= size))
        negative = db.session.scalar(sa.select(sa.func.min(LogToken.seq)).where(LogToken.seq < 0))
        for stray in (strays, negative):
            if stray is not None:
                self.report.found(stray, "index")

    def _staged(self) -> None:
        """Every entry has a place or waits for one; who waits opens; nobody does both."""
        size = self.next
        placed = sa.exists().where(LogLeaf.entry_id == LogEntry.id)
        waiting = sa.exists().where(LogPending.entry_id == LogEntry.id)
        self.report.entries = _count(LogEntry)
        self.report.pending = _count(LogPending)
        lost = db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry).where(~placed, ~waiting))
        both = db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry).where(placed, waiting))
        void = db.session.scalar(
            sa.select(sa.func.count())
            .select_from(LogPending)
            .where(~sa.exists().where(LogEntry.id == LogPending.entry_id))
        )
        if lost or both or void:
            self.report.found(size, "staged")
        query = (
            sa.select(LogEntry)
            .join(LogPending, LogPending.entry_id == LogEntry.id)
            .order_by(LogEntry.id)
            .execution_options(yield_per=PAGE)
        )
        for entry in db.session.scalars(query):
            self._waiting(entry)

    def _waiting(self, entry: LogEntry) -> None:
        size = self.next
        try:
            header = unpack(entry.header)
            key = keyring().data_key_by_id(header.key_id)
            cipher.decrypt(key, entry.nonce, entry.ciphertext, entry.header)
        except (HeaderFault, KeyFault, cipher.DoesNotOpen):
            self.report.found(size, "staged")
            return
        self._count(size, header, "staged")


def _compare(archive: Archive, report: Report) -> None:
    """Each entry of the archive is the one whose hash the log has at its place."""
    query = sa.select(LogLeaf.seq, LogLeaf.hash).where(LogLeaf.seq.between(archive.first, archive.until - 1))
    stored = {seq: value for seq, value in db.session.execute(query)}
    for number, data in enumerate(archive.leaves, archive.first):
        if stored.get(number) != tree.leaf_hash(data):
            report.found(number, "archive")


def _leaves() -> Iterator[dict[str, Any]]:
    """Every leaf in order, with its entry (or none) and its tokens."""
    after: int | None = None
    while True:
        query = (
            sa.select(LogLeaf.__table__, LogEntry.header, LogEntry.nonce, LogEntry.ciphertext)
            .outerjoin(LogEntry, LogEntry.id == LogLeaf.entry_id)
            .order_by(LogLeaf.seq)
            .limit(PAGE)
        )
        rows = (
            db.session.execute(query if after is None else query.where(LogLeaf.seq > after)).mappings().all()
        )
        if not rows:
            return
        tokens = _tokens(rows[0]["seq"], rows[-1]["seq"])
        for row in rows:
            yield {**row, "tokens": tuple(sorted(tokens.get(row["seq"], [])))}
        after = rows[-1]["seq"]


def _tokens(first: int, last: int) -> dict[int, list[tuple[int, bytes]]]:
    found: dict[int, list[tuple[int, bytes]]] = {}
    query = sa.select(LogToken.seq, LogToken.field, LogToken.token).where(LogToken.seq.between(first, last))
    for seq, code, token in db.session.execute(query):
        found.setdefault(seq, []).append((code, token))
    return found


def _kept(level: int, position: int) -> bytes | None:
    return db.session.scalar(
        sa.select(LogNode.hash).where(LogNode.level == level, LogNode.position == position)
    )


def _count(table: type[LogEntry | LogLeaf | LogPending | LogNode]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _versions() -> list[tuple[int, bytes]]:
    ring = keyring()
    return [(n, ring.public_key("checkpoint", n)) for n in ring.public_versions("checkpoint")]
