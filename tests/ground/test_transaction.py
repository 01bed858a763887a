"""A command's transaction: begun when something writes, sent as one statement where nothing was; and libpq's own call."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import libpq
from app.db import begin_writing, commit, db, present_transaction, roll_back, savepoint
from app.transaction import Statement, Transaction

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.fixture
def driver(app: Flask) -> Iterator[Any]:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("PostgreSQL's own")
    with db.engine.connect() as connection:
        yield connection.connection.driver_connection
    db.session.remove()


def note(text: str) -> Statement:
    """A row of the append-only log's table, standing for anything that a command writes last."""
    adding = "INSERT INTO log_entry (header, nonce, ciphertext) VALUES (%(x)s, %(x)s, %(x)s) RETURNING id"
    return Statement([f"added AS ({adding})"], {"x": text.encode()}, ["added"])


def begun() -> Transaction:
    begin_writing()
    transaction = present_transaction()
    assert transaction is not None
    return transaction


def notes(driver: Any) -> list[bytes]:
    return [row[0] for row in driver.execute("SELECT header FROM log_entry ORDER BY id").fetchall()]


def test_nothing_is_begun_for_what_only_reads_and_writes_last(driver: Any):
    transaction = begun()
    db.session.execute(sa.text("SELECT 1"))
    transaction.write_last(note("一"))
    assert not transaction.begun and notes(driver) == []
    commit()
    assert not transaction.begun and notes(driver) == ["一".encode()] and present_transaction() is None


@pytest.mark.parametrize(
    "writes",
    [
        "UPDATE flow_task SET node = node",
        "SELECT id FROM flow_task FOR UPDATE",
        "SELECT pg_advisory_xact_lock(1)",
    ],
)
def test_whatever_writes_or_locks_finds_the_transaction_begun_and_the_rest_written(driver: Any, writes: str):
    transaction = begun()
    transaction.write_last(note("先"))
    db.session.execute(sa.text(writes))
    assert transaction.begun and notes(driver) == []
    assert db.session.scalar(sa.text("SELECT count(*) FROM log_entry")) == 1
    roll_back()
    assert notes(driver) == [] and present_transaction() is None


def test_a_part_that_must_write_one_row_and_does_not_undoes_all(driver: Any):
    transaction = begun()
    lost = note("不留")
    lost.parts.append("gone AS (UPDATE flow_task SET node = node WHERE id = -1 RETURNING id)")
    lost.once.append("gone")
    lost.stale = lambda: LookupError("somebody was quicker")
    transaction.write_last(lost)
    with pytest.raises(LookupError):
        commit()
    roll_back()
    assert notes(driver) == []


def test_what_was_kept_back_in_a_savepoint_goes_with_it(driver: Any):
    transaction = begun()
    transaction.write_last(note("外"))
    with pytest.raises(KeyError), savepoint():
        transaction.write_last(note("内"))
        raise KeyError
    with savepoint():
        transaction.write_last(note("又"))
    commit()
    assert notes(driver) == ["外".encode(), "又".encode()]


@given(texts=st.lists(TEXT, max_size=3), number=st.integers(-(2**31), 2**31 - 1), raw=st.binary(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_every_value_arrives_as_it_was(driver: Any, texts: list[str], number: int, raw: bytes):
    asked = (
        "SELECT %(raw)s::bytea, array_to_json(%(texts)s::text[])::text, %(number)s::int::text, %(none)s::text"
    )
    ((first, second, third, fourth),) = libpq.run(
        driver, asked, {"raw": raw, "texts": texts, "number": number, "none": None}
    )
    assert (first, third, fourth) == (raw, str(number).encode(), None)
    assert json.loads(second or b"") == texts


def test_a_statement_that_the_driver_had_forgotten_is_prepared_anew(driver: Any):
    assert libpq.run(driver, "SELECT %(a)s::text", {"a": "1"}) == [[b"1"]]
    driver.execute("DEALLOCATE ALL")
    assert libpq.run(driver, "SELECT %(a)s::text", {"a": "2"}) == [[b"2"]]


def test_what_the_server_refuses_is_raised_as_the_driver_raises_it(driver: Any):
    with pytest.raises(psycopg.errors.DivisionByZero):
        libpq.run(driver, "SELECT (1 / %(n)s::int)::text", {"n": 0})
    with pytest.raises(TypeError, match="float"):
        libpq.run(driver, "SELECT %(n)s::text", {"n": 0.5})
