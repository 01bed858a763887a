"""The keeping of the master keys: split at a ceremony, backed up before use, restored by custodians (D9)."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from app.actor import SYSTEM
from app.audit import queries as audit
from app.audit import sequencer
from app.audit.models import LogLeaf
from app.cli import keys as cli
from app.crypto import vault
from app.crypto.keys import PURPOSES, KeyRing, keyring, ring_of, verify
from app.db import db
from app.drill import keys as drill
from app.keys import ceremony, commands, queries, restoring
from app.keys.ceremony import Prepared
from app.refusal import Conflict, Invalid, Refusal
from app.settings import current_settings

PEOPLE = ["张三", "李四", "王五"]
CONTEXT = {"kind": "test", "id": 7}


def sealed(secret: bytes) -> bytes:
    """As a command does: with the data key of its own transaction."""
    envelope = vault.seal(secret, context=CONTEXT)
    db.session.commit()
    return envelope


def held(app: Flask) -> Prepared:
    for purpose in PURPOSES:
        keyring().newest(purpose)
    prepared = ceremony.prepare(PEOPLE, 2)
    ceremony.check(prepared, prepared.shares[:2])
    ceremony.hold(prepared, by=SYSTEM)
    return prepared


def given(words: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"share {n}", w) for n, w in enumerate(words, start=1)]


def with_an_empty_token(app: Flask) -> KeyRing:
    """As on another machine: the database is there, the token is not."""
    conf = current_settings().softhsm2_conf
    assert conf is not None
    shutil.rmtree(conf.parent)
    app.extensions["keyring"] = ring_of(current_settings())
    return keyring()


def entries() -> list[str]:
    sequencer.sequence()
    rows = [audit.entry(seq) for seq in db.session.scalars(sa.select(LogLeaf.seq).order_by(LogLeaf.seq))]
    assert all(row.payload is not None for row in rows)
    return [row.action for row in rows]


def test_what_a_dead_token_held_comes_back_by_two_of_three(app: Flask) -> None:
    before = sealed(b"before")
    old = keyring().sign("checkpoint", b"root")
    prepared = held(app)
    after = sealed(b"after")
    signed = keyring().sign("order", b"order")
    later = ceremony.rotate("kek", by=SYSTEM)

    assert (later.key, later.backed_up) == ("kek-v3", True)
    assert queries.backed_up() == {
        "kek-v2": 1, "kek-v3": 1, "order-v1": None, "order-v2": 1, "checkpoint-v1": None, "checkpoint-v2": 1,
    }  # fmt: skip

    ring = with_an_empty_token(app)
    opened = restoring.open_backup(queries.backup(), given([prepared.shares[2], prepared.shares[0]]))
    done = restoring.bring_back(opened, by=SYSTEM)

    assert (done.share_numbers, done.unopened) == ([1, 3], 0) and done.data_keys > 0
    assert done.public_only == ["checkpoint-v1", "order-v1"]
    assert [vault.open(one, context=CONTEXT) for one in (before, after)] == [b"before", b"after"]
    assert verify(ring.public_key("order"), signed.signature, b"order")
    assert verify(ring.public_key("checkpoint", 1), old.signature, b"root")
    assert ring.sign("checkpoint", b"next").kid == "checkpoint-v2"
    assert ring.versions("checkpoint") == [2] and ring.public_versions("checkpoint") == [1, 2]
    said = entries()
    assert said[:1] == ["keys.ceremony_held"] and said[-1] == "keys.restored"
    assert said.count("keys.backed_up") == 6 and said.count("keys.rotated") == 4

    again = restoring.bring_back(opened, by=SYSTEM)
    assert (again.keys, again.unopened) == (done.keys, 0)


def test_fewer_open_nothing_and_the_wrong_share_is_named(app: Flask) -> None:
    with pytest.raises(Conflict, match="no backup"):
        restoring.open_backup(queries.backup(), [])
    prepared = held(app)
    backup = queries.backup()
    words, others = prepared.shares, ceremony.prepare(PEOPLE, 2).shares
    for some, told in (
        (words[:1], "1 of the 2 shares"),
        ([], "0 of the 2 shares"),
        ([*words[:2], others[2]], "“share 3” belongs to another ceremony"),
        ([words[0], words[0]], "“share 2” is another's again"),
        ([words[0], "not a share"], "“share 2” a word is wrong"),
        (others, "fit each other, but not this backup"),
    ):
        with pytest.raises(Refusal, match=told) as refused:
            restoring.open_backup(backup, given(some))
        assert not any(w in str(refused.value.details) for w in words[0].split() if len(w) > 5)


def test_nothing_reaches_a_token_that_holds_another_key(app: Flask) -> None:
    prepared = held(app)
    opened = restoring.open_backup(queries.backup(), given(prepared.shares[:2]))
    ring = with_an_empty_token(app)
    ring.make("kek", 2)
    with pytest.raises(Conflict, match="kek-v2"):
        restoring.bring_back(opened, by=SYSTEM)
    assert keyring().versions("order") == []


def test_a_backup_that_was_changed_gives_no_key(app: Flask, tmp_path: Path) -> None:
    prepared = held(app)
    told = json.loads(queries.written(queries.backup()))
    file = queries.read(json.dumps(told))
    assert file == queries.backup()
    keys = {key["label"]: key for key in told["keys"]}
    keys["kek-v2"]["sealed"], keys["order-v2"]["sealed"] = (
        keys["order-v2"]["sealed"],
        keys["kek-v2"]["sealed"],
    )
    for wrong in (told, {"format": "x"}, [], {**told, "keys": [{"label": 1}]}):
        with pytest.raises(Conflict):
            restoring.open_backup(queries.read(json.dumps(wrong)), given(prepared.shares[:2]))


def test_another_ceremony_makes_every_key_anew_and_its_custodians_open_what_is_in_use(app: Flask) -> None:
    first, second = held(app), held(app)
    envelope = sealed(b"secret")
    with_an_empty_token(app)
    theirs = restoring.open_backup(queries.backup(), given(second.shares[:2]))
    assert restoring.bring_back(theirs, by=SYSTEM).unopened == 0
    assert vault.open(envelope, context=CONTEXT) == b"secret"

    ring = with_an_empty_token(app)
    former = restoring.open_backup(queries.backup(), given(first.shares[:2]))
    with pytest.raises(Conflict, match="kek-v3"):
        restoring.bring_back(former, by=SYSTEM)
    assert ring.backend.labels() == []


def test_a_ceremony_has_people_to_spare_and_each_has_a_name(app: Flask) -> None:
    for names, needed, told in (
        (PEOPLE, 3, "one lost share"),
        (PEOPLE, 1, "at least 2"),
        (PEOPLE, 4, "at least 2"),
        ([f"人{n}" for n in range(17)], 3, "At most 16"),
        (["张三", "张三", "李四"], 2, "a name of their own"),
        (["张三", " ", "李四"], 2, "a name of their own"),
    ):
        with pytest.raises(Refusal, match=told):
            ceremony.prepare(names, needed)
        with pytest.raises(Refusal, match=told):
            commands.hold_ceremony(names, needed, 1, bytes(32), by=SYSTEM)
    with pytest.raises(Invalid, match="1 of the 2"):
        prepared = ceremony.prepare(PEOPLE, 2)
        ceremony.check(prepared, prepared.shares[:1])
    assert keyring().newest("kek") == 1 and queries.in_force() is None


def test_a_key_that_was_backed_up_and_never_reached_the_token_gives_its_number_to_nobody(app: Flask) -> None:
    held(app)
    commands.back_up("kek-v3", ceremony_id=1, sealed=b"x", public=None, by=SYSTEM)
    assert ceremony.rotate("kek", by=SYSTEM).key == "kek-v4"


@pytest.mark.softhsm
def test_at_a_terminal_custodians_read_their_shares_back_and_a_rehearsal_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path
) -> None:
    shutil.copyfile(sqlite_template, tmp_path / "keys.sqlite")
    for name, value in {
        "YINXU_ENVIRONMENT": "test", "YINXU_VAR_DIR": str(tmp_path / "var"), "YINXU_SECRET_KEY": "x",
        "YINXU_SERVER_TOKEN_PIN": "739154", "DATABASE_URL": f"sqlite:///{tmp_path / 'keys.sqlite'}",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)

    def yinxu(*words: str, typed: str = "") -> tuple[int, str]:
        done = CliRunner().invoke(cli.command, list(words), input=typed)
        told = f"{done.exception.text.en}" if isinstance(done.exception, Refusal) else done.output
        return done.exit_code, told

    assert yinxu("init")[0] == 0
    people = [word for name in PEOPLE for word in ("--custodian", name)]
    assert (
        "a name" not in yinxu("ceremony", *people, "--needed", "2", typed="wrong\n")[1]
    )  # nobody read theirs back
    assert "kek-v1  AES-256-GCM  NOT BACKED UP" in yinxu("list")[1]

    out = tmp_path / "shares"
    code, told = yinxu("ceremony", *people, "--needed", "2", "--out", str(out))
    assert code == 0 and "any 2 of 3 restore them" in told
    files = sorted(out.iterdir())
    assert all(f.stat().st_mode & 0o077 == 0 for f in [out, *files])
    assert "kek-v2  AES-256-GCM  backed up" in yinxu("list")[1]

    shares = [f.read_text().strip() for f in files]
    code, told = yinxu("rehearse", typed=f"{shares[0]}\n{shares[0][:-3]}\n{shares[2]}\n")
    assert (code, "shares 1, 3 open checkpoint-v2, kek-v2, order-v2" in told) == (0, True)
    assert "a word is wrong" in told and shares[0] not in told
    assert yinxu("backup", "--out", str(tmp_path / "b.json"))[0] == 0
    code, told = yinxu("rehearse", "--from", str(tmp_path / "b.json"), "--share", str(files[1]))
    assert code == 1 and "1 of the 2 shares" in told

    shutil.rmtree(tmp_path / "var" / "server-token")
    assert "`yinxu keys restore`" in yinxu("init")[1]
    assert not (tmp_path / "var" / "server-token").exists()


@pytest.mark.softhsm
def test_the_drill_holds() -> None:
    """On a file of SQLite; `yinxu drill keys` plays it larger, on PostgreSQL."""
    outcome = drill.play(None, 3, 5)

    assert outcome.held, outcome
    assert (outcome.restored.impressions, outcome.fewer_refused, outcome.enough_open) == (
        3,
        (10, 10),
        (10, 10),
    )
