"""A prepared statement by one call of PostgreSQL's own client library, for the few that every step makes.

psycopg's cursor is a hundred Python calls around the same two messages, 170 µs of processor against 55. Its wrapper of
libpq is used here directly. Parameters are written as for the cursor (`%(name)s`); the server infers their types.
"""

import itertools
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors, pq

Row = list[bytes | None]
_number = itertools.count()

KEPT = 200
"""Statements prepared on one connection; beyond that it forgets all and prepares anew."""

_prepared: "WeakKeyDictionary[psycopg.Connection[Any], dict[bytes, bytes]]" = WeakKeyDictionary()


def run(connection: "psycopg.Connection[Any]", text: str, given: Mapping[str, Any]) -> list[Row]:
    """The rows of the answer, in the server's binary form: text as UTF-8, bytea as it is; ask for nothing else.
    Raises `psycopg.Error` as the cursor does. `given`: str, int, bool, None, bytes, moments, lists of str."""
    query, names = _numbered(text)
    values = [given[name] for name in names]
    formats = [pq.Format.BINARY if isinstance(value, bytes) else pq.Format.TEXT for value in values]
    said: Any = [_said(value) for value in values]  # its types know nothing of NULL
    wrapped = connection.pgconn
    answer = wrapped.exec_prepared(_name(connection, query), said, formats, pq.Format.BINARY)
    if answer.error_field(pq.DiagnosticField.SQLSTATE) == _FORGOTTEN and _is_idle(wrapped):
        forget(connection)
        answer = wrapped.exec_prepared(_name(connection, query), said, formats, pq.Format.BINARY)
    _check(connection, answer)
    columns = range(answer.nfields)
    return [[answer.get_value(row, column) for column in columns] for row in range(answer.ntuples)]


_FORGOTTEN = b"26000"


def _is_idle(wrapped: pq.abc.PGconn) -> bool:
    return wrapped.transaction_status == pq.TransactionStatus.IDLE


def forget(connection: Any) -> None:
    """The server may know none of what was prepared any more: the driver has it forget all when it has undone
    something, or changed a table."""
    _prepared.pop(connection, None)


MAKES_FORGET = ("ROLLBACK", "DROP", "ALTER", "DISCARD", "DEALLOCATE")
"""How statements begin upon which the driver does that."""


def say(connection: "psycopg.Connection[Any]", word: str) -> None:
    """BEGIN or COMMIT, on a connection in autocommit."""
    _check(connection, connection.pgconn.exec_(word.encode()))


def roll_back(connection: Any) -> None:
    """Undo what is open. The driver's own rollback makes the server forget every statement it has planned."""
    wrapped = connection.pgconn
    if wrapped.status == pq.ConnStatus.OK and wrapped.transaction_status in _OPEN:
        _check(connection, wrapped.exec_(b"ROLLBACK"))


_OPEN = (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)


def _name(connection: "psycopg.Connection[Any]", query: bytes) -> bytes:
    known = _prepared.setdefault(connection, {})
    name = known.get(query)
    if name is None:
        if len(known) >= KEPT:
            for each in known.values():
                _check(connection, connection.pgconn.exec_(b"DEALLOCATE " + each))
            known.clear()
        name = b"yinxu_%d" % next(_number)
        _check(connection, connection.pgconn.prepare(name, query))
        known[query] = name
    return name


_PLACE = re.compile(r"%\((\w+)\)s")


@lru_cache(maxsize=1024)
def _numbered(text: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement as the server wants it, and whose values `$1`, `$2`, … are."""
    names: dict[str, int] = {}
    query = _PLACE.sub(lambda found: f"${names.setdefault(found[1], len(names) + 1)}", text)
    return query.encode(), tuple(names)


def _said(value: Any) -> bytes | None:
    match value:
        case None | bytes():
            return value
        case str():
            return value.encode()
        case bool():
            return b"t" if value else b"f"
        case int():
            return b"%d" % value
        case datetime():
            return value.isoformat().encode()
        case list():
            return ("{" + ",".join(map(_quoted, value)) + "}").encode()  # pyright: ignore[reportUnknownArgumentType]
        case _:
            raise TypeError(f"{type(value).__name__} has no form here")


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _check(connection: "psycopg.Connection[Any]", answer: pq.abc.PGresult) -> None:
    if answer.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        return
    if connection.pgconn.status == pq.ConnStatus.BAD:
        raise psycopg.OperationalError(connection.pgconn.get_error_message())
    raise errors.error_from_result(answer)
