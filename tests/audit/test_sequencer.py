"""Staged entries find their places: no gap, no double, whatever dies and however many write."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.audit import checkpoint as notes
from app.audit import sequencer
from app.audit.models import LogCheckpoint, LogEntry, LogLeaf, LogPending
from app.audit.sequencer import LogRewritten, sequence, witness
from app.crypto.data_keys import DataKey
from app.db import db
from tests.audit.makers import CLERK, forge, stamp, verified, write


def places() -> list[int]:
    return list(db.session.scalars(sa.select(LogLeaf.seq).order_by(LogLeaf.seq)))


def checkpoints() -> list[str]:
    return list(db.session.scalars(sa.select(LogCheckpoint.note).order_by(LogCheckpoint.number)))


def test_entries_are_numbered_from_nought_without_a_gap(log: Flask) -> None:
    write(5, batch=2)
    assert places() == [0, 1, 2, 3, 4]
    assert [notes.parse(note).checkpoint.size for note in checkpoints()] == [2, 4, 5]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LogPending)) == 0
    assert verified().intact


def test_sequencing_again_changes_nothing(log: Flask) -> None:
    write(3)
    assert sequence() == 0
    assert len(checkpoints()) == 1


def test_more_than_one_batch_is_sequenced_in_one_go(log: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 4)
    write(10, batch=-1)
    assert sequence() == 10
    assert places() == list(range(10))
    assert verified().intact


def test_every_checkpoint_leaves_the_database(log: Flask) -> None:
    write(5, batch=2)
    folder = witness().folder
    assert sorted(p.name for p in folder.glob("0*.checkpoint")) == [
        "000000000002.checkpoint",
        "000000000004.checkpoint",
        "000000000005.checkpoint",
    ]
    assert witness().latest() == checkpoints()[-1]
    origin, key = notes.parse_verifier_key(witness().keys()[0])
    assert notes.check(checkpoints()[-1], [key], sequencer.verify)[0].origin == origin


class Killed(BaseException):
    """Dies here, as by SIGKILL."""


def kill(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("step", ["_head", "_staged", "_place", "_sign", "commit"])
def test_dying_before_the_commit_leaves_everything_to_the_next_run(
    log: Flask, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    write(3)
    write(2, batch=-1)
    with monkeypatch.context() as patch:
        if step == "commit":
            patch.setattr(db.session, "commit", kill)
        else:
            patch.setattr(sequencer, step, kill)
        with pytest.raises(Killed):
            sequence()
    assert places() == [0, 1, 2]

    assert sequence() == 2
    assert places() == [0, 1, 2, 3, 4]
    assert verified().intact


def test_a_push_that_was_lost_is_made_up_for(log: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    write(2, batch=-1)
    with monkeypatch.context() as patch:
        patch.setattr(sequencer, "_push", kill)
        with pytest.raises(Killed):
            sequence()
    assert witness().latest() is None

    assert sequence() == 0
    assert witness().latest() == checkpoints()[-1]


def test_a_witness_that_is_away_holds_nothing_up(log: Flask) -> None:
    folder: Path = witness().folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where the folder should be")
    write(2)
    assert places() == [0, 1]

    folder.unlink()
    sequence()
    assert witness().latest() == checkpoints()[-1]


def test_writers_and_sequencers_at_once_lose_and_double_nothing(log: Flask) -> None:
    acts, threads = 15, 4
    failures: list[BaseException] = []

    def work(act: int) -> None:
        try:
            with log.app_context():
                for number in range(acts):
                    stamp(act * acts + number, by=CLERK)
                db.session.remove()
        except BaseException as error:
            failures.append(error)

    def sequencing() -> None:
        try:
            with log.app_context():
                while any(writer.is_alive() for writer in writers):
                    sequence()
                db.session.remove()
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    helpers = [threading.Thread(target=sequencing) for _ in range(2)]
    for thread in [*writers, *helpers]:
        thread.start()
    for thread in [*writers, *helpers]:
        thread.join()
    sequence()

    assert not failures
    assert places() == list(range(acts * threads))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) == acts * threads
    assert verified().as_json()["breaks"] == []


def test_a_database_rolled_back_is_not_signed_a_second_time(log: Flask) -> None:
    write(4, batch=2)
    forge(
        "DELETE FROM log_token WHERE seq >= 2",
        "DELETE FROM log_leaf WHERE seq >= 2",
        "DELETE FROM log_entry WHERE id > 2",
        "DELETE FROM log_checkpoint WHERE size > 2",
    )
    stamp(9, by=CLERK)
    with pytest.raises(LogRewritten, match="has seen 4 entries"):
        sequence()
    assert len(checkpoints()) == 1


def test_nothing_is_built_on_a_tree_that_was_tampered_with(log: Flask) -> None:
    write(4)
    forge("UPDATE log_leaf SET hash = :x WHERE seq = 1", x=bytes(32))
    stamp(9, by=CLERK)
    with pytest.raises(LogRewritten, match="no longer has the root"):
        sequence()


def test_the_coming_months_keys_are_made_ahead(log: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that on the first of a month no writer waits for another that makes the key."""
    eve = datetime(2026, 11, 29, 12, tzinfo=UTC)
    monkeypatch.setattr(sequencer, "now", lambda: eve)
    sequence()
    made = db.session.execute(sa.select(DataKey.purpose, DataKey.period)).all()
    assert {tuple(row) for row in made} >= {("log", "2026-12"), ("vault", "2026-12")}
