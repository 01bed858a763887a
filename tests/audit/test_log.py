"""What a command makes true joins the log in the same transaction; what it refuses, in one of its own."""

import json

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.actor import SYSTEM, Actor
from app.audit import log as audit_log
from app.audit import rules
from app.audit.header import Header, unpack
from app.audit.models import APPEND_ONLY, LogEntry, LogPending
from app.audit.queries import Row, entry
from app.audit.sequencer import sequence
from app.crypto.keys import keyring
from app.db import begin_writing, db, savepoint
from app.fact import Fact, LogClass
from app.refusal import Conflict
from tests.audit.makers import CLERK, DocumentStamped, forge, stamp


def headers() -> list[Header]:
    return [unpack(h) for h in db.session.scalars(sa.select(LogEntry.header).order_by(LogEntry.id))]


def first() -> Row:
    sequence()
    return entry(0)


def test_a_fact_is_staged_with_what_it_tells(log: Flask) -> None:
    fact = stamp(3, by=CLERK)

    row = first()
    assert row.fact == fact.payload() == {"seal_id": 3, "unit_id": 7, "file_name": "通知.pdf"}
    assert (row.action, row.log_class, row.result, row.unit_id) == (
        "test.document_stamped", "sealing", "fact", 7,
    )  # fmt: skip
    assert row.actor == {
        "kind": "person", "id": 5, "name": "张三", "unit_id": 7, "station_id": None, "roles": [],
    }  # fmt: skip
    assert row.origin == {
        "ip": "10.0.0.1", "mac": "02:00:5e:00:53:01", "mac_source": "agent-signed", "host": "PC-17",
        "user_agent": None,
    }  # fmt: skip


def test_a_refusal_is_recorded_with_code_both_sentences_and_what_was_attempted(log: Flask) -> None:
    with pytest.raises(Conflict):
        stamp(-1, by=CLERK)

    row = first()
    assert (row.log_class, row.result, row.action) == ("illegal_operation", "refused", "stamps._stamp")
    assert row.refusal == {
        "code": "test.no_seal",
        "zh": "没有此印章，请重选",
        "en": "No such seal; choose another",
        "attempted": "stamps._stamp",
        "details": {"seal_id": -1},
        "fields": {},
    }


def test_nothing_is_stored_in_clear_but_what_the_header_says(log: Flask) -> None:
    stamp(3, by=CLERK, file_name="绝密名单.pdf")
    found = db.session.scalars(sa.select(LogEntry)).one()
    stored = found.header + found.nonce + found.ciphertext
    for hidden in ("绝密名单", "张三", "10.0.0.1", "02:00:5e"):
        assert hidden.encode() not in stored


def test_an_act_that_is_undone_leaves_no_entry(log: Flask) -> None:
    begin_writing()
    audit_log.append(DocumentStamped(seal_id=1, unit_id=1), by=CLERK)
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LogPending)) == 0


def test_each_writer_counts_without_a_gap_whatever_is_undone(log: Flask) -> None:
    stamp(1, by=CLERK)
    begin_writing()
    audit_log.append(DocumentStamped(seal_id=2, unit_id=1), by=CLERK)
    db.session.rollback()
    stamp(3, by=CLERK)
    begin_writing()
    audit_log.append(DocumentStamped(seal_id=4, unit_id=1), by=CLERK)
    with pytest.raises(ZeroDivisionError), savepoint():
        audit_log.append(DocumentStamped(seal_id=5, unit_id=1), by=CLERK)
        raise ZeroDivisionError
    with savepoint():
        audit_log.append(DocumentStamped(seal_id=6, unit_id=1), by=CLERK)
    db.session.commit()
    stamp(7, by=CLERK)

    counts: dict[bytes, list[int]] = {}
    for header in headers():
        counts.setdefault(header.writer_id, []).append(header.writer_counter)
    assert sum(len(numbers) for numbers in counts.values()) == 5
    for numbers in counts.values():
        assert numbers == list(range(1, len(numbers) + 1))


def test_equal_values_have_equal_tokens_under_a_key_that_nobody_sees(log: Flask) -> None:
    stamp(3, by=CLERK)
    stamp(3, by=SYSTEM)
    with_person, by_system = headers()
    seal, person = rules.FIELD_CODES["seal"], rules.FIELD_CODES["person"]
    assert dict(with_person.tokens)[seal] == dict(by_system.tokens)[seal] == keyring().mac("seal", "3")
    assert person in dict(with_person.tokens) and person not in dict(by_system.tokens)
    assert keyring().mac("seal", "3") != keyring().mac("card", "3")


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_database_itself_refuses_to_change_the_log(log: Flask, table: str) -> None:
    from tests.audit.makers import write

    write(257)
    column = {"log_entry": "nonce", "log_token": "token", "log_checkpoint": "note"}.get(table, "hash")
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            db.session.execute(sa.text(statement))
        db.session.rollback()


class Careless(Fact, name="test.careless", zh="疏忽", en="Careless", log_class=LogClass.LOGIN):
    """A fact that carries what no log may keep."""

    answer: dict[str, object]


@pytest.mark.parametrize(
    "name", ["pin", "PIN", "user_pin", "old-password", "secret", "private_key", "so_pin"]
)
def test_a_fact_with_a_secret_makes_nothing_true(log: Flask, name: str) -> None:
    begin_writing()
    with pytest.raises(rules.SecretInLog, match=name):
        audit_log.append(Careless(answer={"card": [{name: "123456"}]}), by=CLERK)
    db.session.rollback()


@pytest.mark.parametrize("name", ["pin_attempts_left", "pin_changed", "opinion", "pinned_at", "key_version"])
def test_what_only_sounds_like_a_secret_may_stand(name: str) -> None:
    rules.check_no_secrets({name: 3})


def test_a_refusal_is_recorded_without_its_secrets(log: Flask) -> None:
    begin_writing()
    refusal = Conflict("test.pin", zh="口令错", en="Wrong PIN", pin="123456", tried=[{"password": "hunter2"}])
    audit_log.append_refusal(refusal, attempted="test", by=CLERK)
    db.session.commit()
    told = json.dumps(first().refusal)
    assert "123456" not in told and "hunter2" not in told and "(left out)" in told


@given(st.text(max_size=20))
def test_one_spelling_is_indexed_for_one_value(value: str) -> None:
    assert rules.normal("mac", value.upper().lower()) == rules.normal("mac", f" {value.upper().lower()} ")


def test_a_station_and_an_officer_are_found_as_such(log: Flask) -> None:
    from app.actor import Grant

    officer = Actor(id=9, name="审计", grants=frozenset({Grant(role="security_auditor")}))
    stamp(1, by=Actor(kind="station", id=4, name="一号工位"))
    stamp(1, by=officer)
    station, audit = (dict(header.tokens) for header in headers())
    assert station[rules.FIELD_CODES["station"]] == keyring().mac("station", "4")
    assert audit[rules.FIELD_CODES["officer"]] == keyring().mac("officer", "security_auditor")


def test_a_key_that_was_made_and_undone_is_not_remembered(log: Flask) -> None:
    begin_writing()
    audit_log.append(DocumentStamped(seal_id=1, unit_id=1), by=CLERK)
    with savepoint():  # until then the entry is kept back
        lost = unpack(db.session.scalars(sa.select(LogEntry.header)).one()).key_id
    db.session.rollback()
    stamp(1, by=CLERK)
    assert first().payload is not None
    assert headers()[0].key_id != lost


def test_a_forger_can_switch_the_triggers_off(log: Flask) -> None:
    """So that the tests of verifying prove something: the tree has to find out, not the trigger."""
    stamp(1, by=CLERK)
    forge("UPDATE log_entry SET nonce = :x", x=b"0" * 12)
    assert db.session.scalars(sa.select(LogEntry.nonce)).one() == b"0" * 12
