"""A seal of any maker is read as far as it can be, and nothing that anybody sends makes the reader fall or believe."""

import base64
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.crypto import sm2
from app.crypto.seal_reading import FILE_LIMIT_BYTES, read_seal
from app.imaging.header import pixels
from tests.crypto.foreign_seals import END, PNG, START, Maker

SAMPLE = Maker("p256", Path())
SEALS = {version: SAMPLE.seal(version) for version in (1, 4, 5)}


@pytest.mark.parametrize("kind", ["p256", "rsa", "sm2"])
@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_seal_of_each_version_and_algorithm_is_good_and_one_changed_bit_makes_it_bad(
    kind: str, version: int, tmp_path: Path
) -> None:
    seal = Maker(kind, tmp_path).seal(version, stamped=version == 5, digests=version != 1)

    found = read_seal(seal)

    assert (found.version, found.signature, found.problems) == (version, "good", [])
    assert (found.name, found.es_id, found.type, found.vendor) == ("某某市财政局", "esid-1", 3, "OTHER")
    assert (found.created, found.valid_from, found.valid_until) == (START, START, END)
    assert (found.picture, found.width_mm, found.height_mm) == (PNG, 42, 21)
    assert pixels(found.picture or b"") == ("PNG", 200, 100)
    assert [(e.oid, e.critical, e.value) for e in found.extensions] == [("2.25.7", False, b"x")]
    assert found.time_stamp == (b"token" if version == 5 else None)
    if version == 1:
        assert found.users == [b"a user", b"another"]
    else:
        assert found.digests == [("SM3", b"d" * 32)]
    assert read_seal(seal.replace(b"esid-1", b"esid-2")).signature == "bad"


def test_the_example_key_of_the_standard_is_one_that_openssl_reads() -> None:
    assert sm2.verify(sm2.EXAMPLE_KEY, b"\x30\x06\x02\x01\x01\x02\x01\x01", b"data") == "bad"


def test_an_sm2_signature_may_be_bare_and_needs_the_identity_of_the_standard(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    from app.crypto.maker_signature import public_key_of

    maker = Maker("sm2", tmp_path)
    signature, key = maker.sign(b"data"), public_key_of(maker.certificate)
    bare = b"".join(n.to_bytes(32, "big") for n in decode_dss_signature(signature))
    assert key
    assert sm2.verify(key, bare, b"data") == sm2.verify(key, signature, b"data") == "good"
    assert sm2.verify(key, signature, b"data", identity="somebody else") == "bad"


def test_where_no_openssl_knows_sm2_nothing_is_called_good_or_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert sm2.verify(sm2.EXAMPLE_KEY, b"\0" * 64, b"") == "unknown"


def test_pem_and_base64_are_read_as_der_is() -> None:
    text = base64.encodebytes(SEALS[4])

    for encoding, data in {
        "base64": text,
        "pem": b"-----BEGIN SEAL-----\r\n" + text + b"-----END SEAL-----\r\n",
        "der": SEALS[4],
    }.items():
        found = read_seal(data)
        assert (found.encoding, found.signature) == (encoding, "good")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\xff\xd8 a photograph", "not_a_seal"),
        (bytes(FILE_LIMIT_BYTES + 1), "too_large"),
        (SEALS[4][:-1], "truncated"),
        (b"\x30\x80" + SEALS[4][4:] + b"\0\0", "indefinite_length"),
        (b"\x30\x84\xff\xff\xff\xff", "truncated"),
        (b"\x30\x89" + b"\xff" * 9, "bad_length"),
        (b"\x30\x82\x30\x00" * 3000, "truncated"),
        (b"\x30\x83\x00\x20\x00" + b"\0" * 0x2000, "bad_length"),
        (b"\x30\x82\x20\x00" + b"\x05\x00" * 0x1000, "too_many"),
        (b"-----BEGIN SEAL-----\nMIIB", "bad_pem"),
        (b"-----BEGIN SEAL-----\nM!IB\n-----END SEAL-----", "bad_base64"),
        (b"TUlJQg==", "not_a_seal"),
        (b"\x30\x03\x02\x01\x05", "not_a_seal"),
    ],
)
def test_what_is_no_seal_is_said_to_be_none(data: bytes, code: str) -> None:
    found = read_seal(data)

    assert (found.version, found.signature, [p.code for p in found.problems]) == (None, "unknown", [code])


def test_what_follows_the_seal_is_confirmed_by_nobody() -> None:
    found = read_seal(SEALS[4] + b"more")

    assert (found.name, found.signature) == ("某某市财政局", "unknown")
    assert [p.code for p in found.problems] == ["trailing_bytes"]


def test_damaged_content_is_bad_and_what_can_still_be_read_is_told() -> None:
    found = read_seal(SEALS[4].replace(b"20260102030405Z", b"20261302030405Z"))

    assert (found.signature, found.name, found.valid_until) == ("bad", "某某市财政局", END)
    assert {(p.code, p.where) for p in found.problems} == {
        ("bad_time", "property.createDate"), ("bad_time", "property.validStart"),
    }  # fmt: skip


def test_an_unknown_algorithm_and_a_missing_certificate_leave_the_signature_unknown(tmp_path: Path) -> None:
    maker = Maker("p256", tmp_path)
    maker.oid = "1.2.3.4"
    assert read_seal(maker.seal(4)).signature == "unknown"
    maker = Maker("p256", tmp_path)
    maker.certificate = b"no certificate"
    assert read_seal(maker.seal(4)).signature == "unknown"


def test_a_key_of_another_kind_than_the_algorithm_confirms_nothing(tmp_path: Path) -> None:
    for kind, oid in (
        ("p256", "1.2.156.10197.1.501"),
        ("sm2", "1.2.840.10045.4.3.2"),
        ("rsa", "1.2.840.10045.4.3.2"),
    ):
        maker = Maker(kind, tmp_path)
        maker.oid = oid
        assert read_seal(maker.seal(4)).signature == "bad"


@settings(max_examples=150, deadline=None)
@given(version=st.sampled_from([1, 4, 5]), data=st.data())
def test_no_damage_makes_the_reader_fall_or_what_is_signed_good(version: int, data: st.DataObject) -> None:
    seal = SEALS[version]
    at = data.draw(st.integers(0, len(seal) - 1))
    damaged = seal[:at] + data.draw(st.binary(max_size=12)) + seal[at + data.draw(st.integers(0, 12)) :]

    found = read_seal(damaged)

    # the certificate's own fields are not under a seal of v4 and v5; everything else is
    assert found.signature != "good" or found.signed == read_seal(seal).signed


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300).map(lambda b: b"\x30" + b))
def test_noise_is_answered(noise: bytes) -> None:
    assert read_seal(noise).signature != "good"


def test_pictures_tell_their_size_without_being_decoded() -> None:
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08\x00\x10\x00\x20\x01\x01\x11\x00"
    assert pixels(jpeg) == ("JPEG", 32, 16)
    assert pixels(b"GIF89a\x20\x00\x10\x00") == ("GIF", 32, 16)
    assert pixels(b"BM" + bytes(12) + b"\x28\0\0\0\x20\0\0\0\xf0\xff\xff\xff") == ("BMP", 32, 16)
    assert pixels(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\xff" * 8) == ("PNG", 0xFFFFFFFF, 0xFFFFFFFF)
    for nothing in (
        b"",
        b"\xff\xd8\xff",
        b"\xff\xd8" + b"\xff" * 100_000,
        b"PK\x03\x04",
        b"\x89PNG\r\n\x1a\n",
    ):
        assert pixels(nothing) is None
