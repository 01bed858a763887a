"""What hundreds of tests would work out anew to the same end is worked out once in each process.

Nothing is weakened: passwords are hashed as in production, addresses and templates compiled as ever; the answers
are kept.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


def remember() -> None:
    """Passwords (35 ms each), the addresses of an app (65 ms of its 80), templates; and no waiting for the disk."""
    from app.people import passwords

    passwords.hasher = Passwords(passwords.hasher)  # type: ignore[assignment]
    Rule._compile_builder = _compile_once(Rule._compile_builder)  # type: ignore[method-assign]
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Templates()}
    sa.event.listen(sa.pool.Pool, "checkout", _no_waiting)


class Passwords:
    """A hasher that hashes and compares each password once. The first hash of a password is good for all who have it."""

    def __init__(self, hasher: Any) -> None:
        self.hash: Callable[[str], str] = lru_cache(maxsize=None)(hasher.hash)
        self.check_needs_rehash: Callable[[str], bool] = hasher.check_needs_rehash
        self._compare = lru_cache(maxsize=None)(_outcome(hasher.verify))

    def verify(self, stored: str, password: str) -> bool:
        raised = self._compare(stored, password)
        if raised is not None:
            raise raised
        return True


def _outcome(verify: Callable[[str, str], bool]) -> Callable[[str, str], Exception | None]:
    def compare(stored: str, password: str) -> Exception | None:
        try:
            verify(stored, password)
        except Exception as error:
            return error
        return None

    return compare


def _compile_once(compiled: Callable[[Rule, bool], Any]) -> Callable[[Rule, bool], Any]:
    kept: dict[object, Any] = {}

    def compile_builder(rule: Rule, append_unknown: bool = True) -> Any:
        key = (rule.rule, repr(rule.defaults), tuple(rule._trace), append_unknown)
        if key not in kept:
            kept[key] = compiled(rule, append_unknown)
        return kept[key]

    return compile_builder


class Templates(BytecodeCache):
    """What templates were compiled to, for all apps; jinja looks whether their text is still the same."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


def _no_waiting(connection: Any, _record: Any, _proxy: Any) -> None:
    """A test's SQLite file need not survive a power cut. (PostgreSQL: see `app/servers.py`.)"""
    if not hasattr(connection, "pgconn"):
        connection.execute("PRAGMA synchronous=OFF")
