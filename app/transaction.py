"""A command's transaction on PostgreSQL: begun at the first thing that writes or locks, not before.

At READ COMMITTED each statement sees what was committed before it, whether a transaction is open or not, so what a
command reads before it writes is the same without one. What it writes last (the log's entry; what a step of a flow
changed) is kept back and sent as one statement. Where nothing was written before that, this statement is the whole
transaction: nothing had to be begun, and nothing has to be committed (docs/decisions/0019).
"""

import contextlib
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import libpq

_KEY = "transaction"
Row = dict[str, Any]


@dataclass
class Statement:
    """Parts of a `WITH` that write, with what they are given. `once`: the parts that must have written exactly one
    row, or all is undone and `stale` is raised."""

    parts: list[str] = field(default_factory=list[str])
    given: Row = field(default_factory=Row)
    once: list[str] = field(default_factory=list[str])
    stale: Callable[[], Exception] | None = None


class Transaction:
    """Of one command, in one session. `optimistic`: what is only read may be read without a lock, as whoever asked
    will ask anew when somebody was quicker. `info`: what belongs to it (the log's writer)."""

    def __init__(self, session: Session, engine: sa.Engine, *, optimistic: bool) -> None:
        self._session, self._engine = session, engine
        self._connection: sa.Connection | None = None
        self._last: Statement | None = None
        self._told: list[tuple[Sequence[str], Row]] = []
        self._first: list[Callable[[], None]] = []
        self.optimistic = optimistic
        self.begun = self.committed = False
        self.info: dict[str, Any] = {}
        self.when_over: list[Callable[[bool], None]] = []
        """Told whether it was committed."""

    @property
    def connection(self) -> sa.Connection:
        """What all goes through: ours, and what the session asks."""
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.info[_KEY] = self
        return self._connection

    def begin(self) -> None:
        """Open it, if it is not open yet."""
        if not self.begun:
            self.begun = True
            self._say("BEGIN")
            first, self._first = self._first, []
            for act in first:
                act()

    def at_first(self, act: Callable[[], None]) -> None:
        """What must be done when it is opened: lock what was read without a lock. Not done where it never is."""
        self._first.append(act)

    def run(self, text: str, given: Row | None = None) -> list[libpq.Row]:
        """A statement in the driver's own words (`libpq.run`). For the few that every step makes: SQLAlchemy spends
        longer on each than the server does."""
        with self._told_as_others():
            return libpq.run(self._driver(), text, given or {})

    def _say(self, word: str) -> None:
        with self._told_as_others():
            libpq.say(self._driver(), word)

    @contextlib.contextmanager
    def _told_as_others(self) -> Generator[None]:
        """What the driver raises, as SQLAlchemy raises it."""
        base = self._engine.dialect.loaded_dbapi.Error
        try:
            yield
        except base as error:
            raise DBAPIError.instance(None, None, error, base, dialect=self._engine.dialect) from error

    def _driver(self) -> Any:
        driver: Any = self.connection.connection.driver_connection
        if not driver.autocommit:
            raise RuntimeError("the engine must be in autocommit (app.db.READING): we say BEGIN ourselves")
        return driver

    def write_last(self, statement: Statement) -> None:
        """Keep this back; whatever is asked of the database next finds it written."""
        self.settle()
        self._last = statement

    def tell(self, parts: Sequence[str], given: Row) -> None:
        """Keep this back, too, and longer: nothing reads it within its own transaction. `{n}` in the parts, and after
        the names of what they are given, tells one from the next."""
        self._told.append((parts, given))

    def settle(self) -> None:
        """Write what was kept back, as more is to follow."""
        if self._last is not None:
            self.begin()
            statement, self._last = self._last, None
            self._send(statement)

    def settle_all(self) -> None:
        """The same, with the log's entries: a savepoint begins or ends."""
        self.begin()
        self.settle()
        if self._told:
            self._send(self._with_told(Statement()))

    def drop(self) -> None:
        """Forget what was kept back: it belongs to what is undone."""
        self._last, self._told = None, []
        self.info.clear()

    def close(self) -> None:
        """Send what was kept back, as one statement."""
        if self._last is not None or self._told:
            statement, self._last = self._last or Statement(), None
            self._send(self._with_told(statement))

    def commit(self) -> None:
        """All of it, where the session has no part in it."""
        self.close()
        if self.begun:
            self._say("COMMIT")
        self.committed = True
        self.end()

    def end(self) -> None:
        """It is over; what was not committed is rolled back as the connection is given back."""
        if self._session.info.get(_KEY) is self:
            del self._session.info[_KEY]
            if self._connection is not None:
                self._connection.close()
            for tell in self.when_over:
                tell(self.committed)

    def _with_told(self, statement: Statement) -> Statement:
        for number, (parts, given) in enumerate(self._told):
            statement.parts += [part.format(n=number) for part in parts]
            statement.given |= {f"{name}_{number}": value for name, value in given.items()}
        self._told = []
        return statement

    def _send(self, statement: Statement) -> None:
        counted = " * ".join(f"(SELECT count(*) FROM {name})" for name in statement.once)  # noqa: S608 (names of our own parts)
        text = f"WITH {', '.join(statement.parts)} SELECT 1{' / (' + counted + ')' if counted else ''}"
        try:
            self.run(text, statement.given)
        except DBAPIError as error:
            # dividing by nothing is how one statement takes back all that it wrote
            if statement.stale is not None and getattr(error.orig, "sqlstate", None) == DIVIDED_BY_NOTHING:
                raise statement.stale() from error
            raise


DIVIDED_BY_NOTHING = "22012"


def start(session: Session, engine: sa.Engine, *, optimistic: bool) -> None:
    """From here on what this session writes is one transaction, until it is committed or rolled back."""
    session.info[_KEY] = Transaction(session, engine, optimistic=optimistic)


class JoinedSession(FlaskSession):
    """A session that asks all it asks through the transaction that was started in it."""

    def get_bind(self, *args: Any, **named: Any) -> sa.Engine | sa.Connection:
        transaction = present(self)
        return super().get_bind(*args, **named) if transaction is None else transaction.connection


def present(session: Session) -> Transaction | None:
    """The transaction that was started in this session; None on SQLite, and where nothing writes."""
    return session.info.get(_KEY)


def commit(session: Session) -> None:
    """Commit what the session has done; where all was kept back, that is one statement and no more."""
    transaction = present(session)
    if transaction is None or session.in_transaction():
        session.commit()
    else:
        transaction.commit()


def roll_back(session: Session) -> None:
    """Undo what the session has done."""
    session.rollback()
    transaction = present(session)
    if transaction is not None:
        transaction.end()


def watch_engine(engine: sa.Engine) -> None:
    """See to it that a transaction of ours is begun before anything writes through this engine."""

    @event.listens_for(engine, "before_cursor_execute")
    def _before(connection: sa.Connection, _cursor: Any, text: str, *_rest: Any) -> None:
        if text.startswith(libpq.MAKES_FORGET):
            libpq.forget(connection.connection.driver_connection)
        transaction = connection.info.get(_KEY)
        if transaction is None:
            return
        if text.startswith("ROLLBACK TO"):
            transaction.drop()
        elif text.startswith(("SAVEPOINT", "RELEASE")):
            transaction.settle_all()
        else:
            transaction.settle()
            if not _only_reads(text):
                transaction.begin()

    @event.listens_for(engine, "rollback")
    def _undo(connection: sa.Connection) -> None:
        libpq.roll_back(connection.connection.driver_connection)

    @event.listens_for(engine, "reset")
    def _leave(connection: Any, *_rest: Any) -> None:
        libpq.roll_back(connection)

    @event.listens_for(engine, "checkin")
    def _over(_connection: Any, record: Any) -> None:
        record.info.pop(_KEY, None)


def watch_session(session: Any) -> None:
    """Have the session send what its transaction kept back before it commits, and tell it what became of it."""

    @event.listens_for(session, "before_commit")
    def _close(session: Session) -> None:
        transaction = present(session)
        if transaction is not None and not session.in_nested_transaction():
            session.flush()
            transaction.close()

    @event.listens_for(session, "after_commit")
    def _committed(session: Session) -> None:
        transaction = present(session)
        if transaction is not None and not session.in_nested_transaction():
            transaction.committed = True

    @event.listens_for(session, "after_transaction_end")
    def _ended(session: Session, ended: Any) -> None:
        transaction = present(session)
        if transaction is not None and ended.parent is None:
            transaction.end()


_WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|SHARE|pg_(?:try_)?advisory\w*|set_config|nextval|setval)\b")


@lru_cache(maxsize=4096)
def _only_reads(text: str) -> bool:
    return text.lstrip().startswith(("SELECT", "WITH")) and _WRITES.search(text) is None
