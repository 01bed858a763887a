"""Attacks on the stored log with every right over the database: each is found, and located."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from app.audit import checkpoint as notes
from app.audit import tree
from app.audit.header import leaf_hash
from app.audit.models import LogEntry, LogLeaf
from app.audit.sequencer import sequence, witness
from app.audit.verify import walk
from app.db import db
from tests.audit.makers import CLERK, forge, stamp, verified, write


def found() -> list[tuple[int, str]]:
    report = verified()
    assert report.intact == (not report.breaks)
    return sorted((one.at, one.kind) for one in report.breaks)


def test_an_untouched_log_is_intact_and_says_what_it_holds(log: Flask) -> None:
    write(7, batch=3)
    stamp(8, by=CLERK)
    told = verified().as_json()
    assert told["intact"] and told["breaks"] == []
    assert (told["entries"], told["tree_size"], told["pending"], told["witnessed"]) == (8, 7, 1, 7)
    assert told["root"] == notes.parse(told["checkpoint"]).checkpoint.root.hex()


def test_an_empty_log_is_intact(log: Flask) -> None:
    told = verified().as_json()
    assert told["intact"] and told["entries"] == 0 and told["checkpoint"] is None


def test_a_log_with_kept_nodes_is_intact(log: Flask) -> None:
    write(259)
    assert found() == []


def edit_content(seq: int = 3) -> None:
    forge(f"UPDATE log_entry SET ciphertext = :x WHERE id = {entry_of(seq)}", x=b"forged" * 20)


def edit_and_rehash(seq: int = 3) -> None:
    """A thorough forger computes the leaf anew."""
    row = db.session.execute(sa.select(LogEntry).where(LogEntry.id == entry_of(seq))).scalar_one()
    value = leaf_hash(row.header, row.nonce, b"forged" * 20)
    edit_content(seq)
    forge(f"UPDATE log_leaf SET hash = :x WHERE seq = {seq}", x=value)


def delete_entry() -> None:
    forge(f"DELETE FROM log_entry WHERE id = {entry_of(3)}")


def delete_place() -> None:
    forge("DELETE FROM log_token WHERE seq = 3", "DELETE FROM log_leaf WHERE seq = 3")


def delete_and_close_up() -> None:
    """Entry 3 goes, all later ones move up, index included."""
    forge(
        "DELETE FROM log_token WHERE seq = 3",
        "DELETE FROM log_leaf WHERE seq = 3",
        f"DELETE FROM log_entry WHERE id = {entry_of(3)}",
        *(f"UPDATE log_leaf SET seq = {n - 1} WHERE seq = {n}" for n in range(4, 9)),
        *(f"UPDATE log_token SET seq = {n - 1} WHERE seq = {n}" for n in range(4, 9)),
    )


def delete_tail() -> None:
    last = entry_of(6)
    forge(
        "DELETE FROM log_token WHERE seq >= 6",
        "DELETE FROM log_leaf WHERE seq >= 6",
        f"DELETE FROM log_entry WHERE id >= {last}",
        "DELETE FROM log_checkpoint WHERE size > 6",
    )


def delete_all() -> None:
    forge(
        *(f"DELETE FROM {t}" for t in ("log_token", "log_leaf", "log_pending", "log_entry", "log_checkpoint"))
    )


def swap_places() -> None:
    forge(
        "UPDATE log_leaf SET seq = -1 WHERE seq = 3",
        "UPDATE log_leaf SET seq = 3 WHERE seq = 4",
        "UPDATE log_leaf SET seq = 4 WHERE seq = -1",
    )


def swap_contents() -> None:
    a, b = entry_of(3), entry_of(4)
    rows = {r.id: (r.nonce, r.ciphertext) for r in db.session.scalars(sa.select(LogEntry)) if r.id in (a, b)}
    for ours, (nonce, ciphertext) in ((b, rows[a]), (a, rows[b])):
        forge(f"UPDATE log_entry SET nonce = :n, ciphertext = :c WHERE id = {ours}", n=nonce, c=ciphertext)


def duplicate_entry() -> None:
    forge(
        "INSERT INTO log_entry (id, header, nonce, ciphertext) "
        f"SELECT 999, header, nonce, ciphertext FROM log_entry WHERE id = {entry_of(3)}",
        "INSERT INTO log_leaf (seq, entry_id, hash, ts_us, log_class, action, unit_id, result) "
        "SELECT 9, 999, hash, ts_us, log_class, action, unit_id, result FROM log_leaf WHERE seq = 3",
        "INSERT INTO log_token (field, token, seq) SELECT field, token, 9 FROM log_token WHERE seq = 3",
    )


def change_time() -> None:
    forge("UPDATE log_leaf SET ts_us = ts_us - 3600000000 WHERE seq = 3")


def change_index() -> None:
    forge("UPDATE log_token SET token = :x WHERE seq = 3 AND field = 5", x=b"x" * 16)


def hide_from_index() -> None:
    forge("DELETE FROM log_token WHERE seq = 3 AND field = 5")


def forge_checkpoint() -> None:
    last = witness().latest()
    assert last is not None
    stated = notes.parse(last)
    lied = notes.Note(
        notes.Checkpoint(stated.checkpoint.origin, 9, bytes(32)), stated.key_id, stated.signature
    )
    forge("UPDATE log_checkpoint SET note = :x WHERE size = 9", x=lied.pack())


def drop_checkpoint() -> None:
    forge("DELETE FROM log_checkpoint WHERE size = 6")


def lose_what_waits() -> None:
    forge("DELETE FROM log_pending")


ATTACKS: list[tuple[Callable[[], None], list[tuple[int, str]]]] = [
    (edit_content, [(3, "edited")]),
    (edit_and_rehash, [(3, "edited"), (3, "root")]),
    (delete_entry, [(3, "deleted")]),
    (delete_place, [(3, "deleted"), (9, "staged")]),
    (delete_and_close_up, [(3, "root"), (3, "writer"), (8, "truncated")]),
    (delete_tail, [(6, "truncated")]),
    (delete_all, [(0, "truncated")]),
    (swap_places, [(3, "index"), (3, "root"), (3, "writer"), (4, "index"), (4, "writer"), (5, "writer")]),
    (swap_contents, [(3, "edited"), (4, "edited")]),
    (duplicate_entry, [(9, "checkpoint"), (9, "writer")]),
    (change_time, [(3, "index")]),
    (change_index, [(3, "index")]),
    (hide_from_index, [(3, "index")]),
    (forge_checkpoint, [(6, "checkpoint"), (9, "checkpoint")]),
    (drop_checkpoint, [(3, "checkpoint")]),
]


def entry_of(seq: int) -> int:
    found_id = db.session.scalar(sa.select(LogLeaf.entry_id).where(LogLeaf.seq == seq))
    assert found_id is not None
    return found_id


@pytest.mark.parametrize(("attack", "breaks"), ATTACKS, ids=[attack.__name__ for attack, _ in ATTACKS])
def test_an_attack_is_found_and_located(
    log: Flask, attack: Callable[[], None], breaks: list[tuple[int, str]]
) -> None:
    for number in range(9):
        stamp(number, by=CLERK, file_name=f"{number}.pdf")
        if number % 3 == 2:
            sequence()
    assert found() == []

    attack()

    assert found() == breaks


def test_an_entry_that_waits_and_vanishes_is_missed(log: Flask) -> None:
    write(3)
    stamp(3, by=CLERK)
    lose_what_waits()
    assert found() == [(3, "staged")]


def test_an_entry_that_vanishes_with_its_wait_is_missed_by_its_writers_count(log: Flask) -> None:
    write(3)
    stamp(3, by=CLERK)
    forge("DELETE FROM log_pending", "DELETE FROM log_entry WHERE id = (SELECT max(id) FROM log_entry)")
    stamp(4, by=CLERK)
    assert found() == [(3, "staged")]
    sequence()
    assert found() == [(3, "writer")]


def test_an_entry_edited_while_it_waits_is_found(log: Flask) -> None:
    write(3)
    stamp(3, by=CLERK)
    forge("UPDATE log_entry SET ciphertext = :x WHERE id = (SELECT max(id) FROM log_entry)", x=b"x" * 99)
    assert found() == [(3, "staged")]
    sequence()
    assert found() == [(3, "edited")]


def test_a_header_destroyed_while_it_waits_does_not_stop_the_log(log: Flask) -> None:
    write(3)
    stamp(3, by=CLERK)
    forge("UPDATE log_entry SET header = :x WHERE id = (SELECT max(id) FROM log_entry)", x=b"junk")
    stamp(4, by=CLERK)
    assert sequence() == 2
    assert found() == [(3, "edited")]


def test_a_shorter_honest_history_does_not_pass_for_the_whole(log: Flask) -> None:
    """The database of yesterday's backup: every signature in it is true, and it is still found out."""
    write(4, batch=2)
    seen = witness().latest()
    delete = (
        "DELETE FROM log_token WHERE seq >= 2", "DELETE FROM log_leaf WHERE seq >= 2",
        "DELETE FROM log_entry WHERE id > 2", "DELETE FROM log_checkpoint WHERE size > 2",
    )  # fmt: skip
    forge(*delete)
    assert walk(None).intact
    assert [(b.at, b.kind) for b in walk(seen).breaks] == [(2, "truncated")]


def test_another_history_of_the_same_length_is_found_by_the_witness(log: Flask) -> None:
    write(4)
    stated = notes.parse(witness().latest() or "")
    other = notes.Checkpoint(stated.checkpoint.origin, 4, tree.EMPTY_ROOT)
    from app.crypto.keys import keyring

    signature = keyring().sign("checkpoint", other.text().encode()).signature
    seen = notes.Note(other, stated.key_id, signature).pack()
    assert [(b.at, b.kind) for b in walk(seen).breaks] == [(4, "witness")]


def test_a_checkpoint_by_a_foreign_key_is_not_believed(log: Flask) -> None:
    write(2)
    stated = notes.parse(witness().latest() or "")
    forged = notes.Note(stated.checkpoint, b"\0\0\0\0", stated.signature).pack()
    assert [b.kind for b in walk(forged).breaks] == ["witness"]


def test_a_destroyed_key_is_said_to_be_one(log: Flask) -> None:
    write(2)
    forge("DELETE FROM data_key WHERE purpose = 'log'")
    log.extensions.pop("keyring")
    assert found() == [(0, "key"), (1, "key")]
