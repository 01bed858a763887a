"""Envelopes: fixed for good, opened only in their place, and by nobody else."""

import secrets

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.crypto import vault
from app.crypto.data_keys import DataKey
from app.crypto.keys import keyring
from app.crypto.vault import Header, VaultError, open_with, seal_with
from app.db import begin_writing, db

KEY, KEY_ID, NONCE = bytes(range(32)), bytes(range(16)), bytes(range(12))
CONTEXT = {"kind": "impression", "id": 7, "name": "公章"}
GOLDEN_HEX = (
    "59585601" "01" "000102030405060708090a0b0c0d0e0f" "000102030405060708090a0b" "a28f66c22b0bdd20067c0e680955b3205f99a7"
)  # fmt: skip


def test_the_golden_envelope_has_the_documented_bytes() -> None:
    envelope = seal_with(KEY, Header(1, KEY_ID, NONCE), "印".encode(), CONTEXT)
    assert envelope.hex() == GOLDEN_HEX
    assert open_with(KEY, bytes.fromhex(GOLDEN_HEX), CONTEXT).decode() == "印"


@given(st.binary(max_size=300), st.data())
def test_a_turned_bit_anywhere_keeps_an_envelope_shut(plaintext: bytes, data: st.DataObject) -> None:
    envelope = bytearray(seal_with(KEY, Header(1, KEY_ID, NONCE), plaintext, CONTEXT))
    envelope[data.draw(st.integers(0, len(envelope) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(VaultError):
        open_with(KEY, bytes(envelope), CONTEXT)


@pytest.mark.parametrize(
    "junk", [b"", b"YXV", b"x" * 200, b"YXV\x02" + b"x" * 90, b"YXV\x01\x09" + b"x" * 90]
)
def test_what_is_no_envelope_is_refused_in_words(junk: bytes) -> None:
    with pytest.raises(VaultError) as refused:
        vault.header_of(junk)
    assert refused.value.code == "vault.unreadable"
    assert "备份" in refused.value.text.zh and "backup" in refused.value.text.en


def test_what_was_sealed_opens_in_its_place_and_in_no_other(log: Flask) -> None:
    begin_writing()
    envelope = vault.seal(b"impression", context=CONTEXT)
    db.session.commit()

    assert vault.open(envelope, context=CONTEXT) == b"impression"
    assert b"impression" not in envelope
    for other in ({}, {**CONTEXT, "id": 8}, {**CONTEXT, "kind": "scan"}):
        with pytest.raises(VaultError):
            vault.open(envelope, context=other)


def test_an_envelope_of_an_unknown_key_stays_shut(log: Flask) -> None:
    foreign = seal_with(KEY, Header(1, secrets.token_bytes(16), NONCE), b"x", CONTEXT)
    with pytest.raises(VaultError, match="does not open"):
        vault.open(foreign, context=CONTEXT)


def test_envelopes_still_open_after_the_master_key_was_rotated(log: Flask) -> None:
    begin_writing()
    envelope = vault.seal(b"impression", context=CONTEXT)
    db.session.commit()
    ring = keyring()
    ring.make("kek", 2)
    begin_writing()
    changed = ring.data_keys.rewrap(ring.newest("kek"))
    db.session.commit()
    log.extensions.pop("keyring")

    assert changed == 1
    assert {key.kek_version for key in db.session.scalars(db.select(DataKey))} == {2}
    assert vault.open(envelope, context=CONTEXT) == b"impression"


def test_a_data_key_cannot_stand_in_for_another(log: Flask) -> None:
    begin_writing()
    first, _ = keyring().data_key("vault", "2026-01")
    second, _ = keyring().data_key("vault", "2026-02")
    rows = {key.id: key for key in db.session.scalars(db.select(DataKey))}
    rows[first].wrapped = rows[second].wrapped
    db.session.commit()
    log.extensions.pop("keyring")
    from app.crypto.keys import KeyFault

    with pytest.raises(KeyFault):
        keyring().data_key_by_id(first)
    assert keyring().data_key_by_id(second)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(plaintext=st.binary(max_size=2000))
def test_every_content_comes_back(log: Flask, plaintext: bytes) -> None:
    begin_writing()
    assert vault.open(vault.seal(plaintext, context=CONTEXT), context=CONTEXT) == plaintext
    db.session.rollback()
