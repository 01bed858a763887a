"""Writers: each counts its committed entries 1, 2, 3, … without a gap, so that one taken out is missed.

A transaction borrows a writer on its first entry and gives it back when it has committed. A transaction that
did not commit keeps it: that writer is never heard of again, and a new one takes its place.
"""

import os
import secrets
import threading
from dataclasses import dataclass
from typing import Any, cast

from flask import current_app
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.db import db, present_transaction

_KEY = "log_writer"


@dataclass
class Writer:
    id: bytes
    counter: int = 0

    def next(self) -> int:
        self.counter += 1
        return self.counter


class Idle:
    """The writers of one app and one process that no transaction holds."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._writers: list[Writer] = []
        self._lock = threading.Lock()

    def take(self) -> Writer:
        with self._lock:
            if self._pid != os.getpid():  # a forked child must not count on where its parent was
                self._pid, self._writers = os.getpid(), []
            return self._writers.pop() if self._writers else Writer(secrets.token_bytes(16))

    def give_back(self, writer: Writer) -> None:
        with self._lock:
            if self._pid == os.getpid():
                self._writers.append(writer)


def writer_of_transaction() -> Writer:
    """The writer of the session's present transaction."""
    session = db.session()
    transaction = present_transaction()
    info = session.info if transaction is None else transaction.info
    if _KEY not in info:
        idle = cast(Idle, current_app.extensions.setdefault("log_writers", Idle()))
        info[_KEY] = (idle, idle.take())
        if transaction is not None:
            transaction.when_over.append(lambda committed: _give_back(info) if committed else None)
    return cast(Writer, info[_KEY][1])


def _give_back(info: dict[Any, Any]) -> None:
    held = cast("tuple[Idle, Writer] | None", info.pop(_KEY, None))
    if held is not None:
        idle, writer = held
        idle.give_back(writer)


def _committed(session: Session) -> None:
    if session.in_nested_transaction():  # a savepoint; the transaction itself may still fail
        return
    _give_back(session.info)


def _ended(session: Session, transaction: Any) -> None:
    if transaction.parent is None:
        session.info.pop(_KEY, None)


def _undone(session: Session, _transaction: Any) -> None:
    session.info.pop(_KEY, None)  # even if only a savepoint was undone: its numbers are spent


event.listen(db.session, "after_commit", _committed)
event.listen(db.session, "after_soft_rollback", _undone)
event.listen(db.session, "after_transaction_end", _ended)
