"""A seal's structure: what we build we read back, byte for byte, and nothing makes the reader fall."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.crypto import seal_asn1
from app.crypto.seal_data import (
    Extension,
    Picture,
    SealUnreadable,
    assemble_seal,
    build_seal_info,
    parse_seal,
    parse_seal_info,
)

NOW = dt.datetime(2026, 6, 1, 8, 30, 15, 987654, tzinfo=dt.timezone(dt.timedelta(hours=8)))
ECDSA = "1.2.840.10045.4.3.2"
SM2 = "1.2.156.10197.1.501"


def seal_info(**changes: object) -> bytes:
    values: dict[str, object] = {
        "es_id": "4f7d6c2e",
        "kind": "official",
        "name": "某某市财政局",
        "card_certificate": b"\x30\x00",
        "picture": Picture(format="PNG", data=b"\x89PNG", width_mm=42, height_mm=42),
        "created_at": NOW,
        "valid_from": NOW,
        "valid_until": NOW + dt.timedelta(days=365),
        "extensions": (Extension(oid="2.25.12345", value=b"{}"),),
        **changes,
    }
    return build_seal_info(**values)  # type: ignore[arg-type]


def test_what_is_built_is_read_back() -> None:
    info = seal_info()

    seal = parse_seal(assemble_seal(info, maker_certificate=b"cert", algorithm=ECDSA, signature=b"\x30sig"))

    assert (seal.structure, seal.algorithm, seal.signature) == (4, ECDSA, b"\x30sig")
    assert seal.signed == seal.info.raw == info
    assert seal.info.name == "某某市财政局"
    assert seal.info.certificates == (b"\x30\x00",)
    assert seal.info.created_at == NOW.replace(microsecond=0)
    assert seal.info.extension("2.25.12345") == Extension(oid="2.25.12345", value=b"{}")
    assert seal.time_stamp is None


def test_a_false_critical_is_left_out_and_a_true_one_stands() -> None:
    """DER omits what equals its default; a reader that demands the field is not a DER reader."""
    plain = seal_info(extensions=(Extension(oid="2.25.1", value=b"x"),))
    critical = seal_info(extensions=(Extension(oid="2.25.1", value=b"x", critical=True),))

    assert bytes.fromhex("0101ff") not in plain[-16:]
    assert bytes.fromhex("0101ff") in critical[-16:]
    assert parse_seal_info(critical).extensions[0].critical


def test_version_5_is_an_option_with_the_same_shape() -> None:
    seal = parse_seal(
        assemble_seal(seal_info(version=5), maker_certificate=b"c", algorithm=ECDSA, signature=b"s")
    )

    assert (seal.structure, seal.info.version) == (5, 5)


def test_a_version_5_seal_with_a_time_stamp_has_five_elements() -> None:
    bits = seal_asn1.core.BitString.load(seal_asn1.core.OctetBitString(b"token").dump())
    value = seal_asn1.core.BitString.load(seal_asn1.core.OctetBitString(b"sig").dump())
    der = seal_asn1.Seal(
        {
            "seal_info": seal_asn1.core.Any.load(seal_info(version=5)),
            "cert": b"c",
            "sign_alg": SM2,
            "signed_value": value,
            "time_stamp": bits,
        }
    ).dump()

    seal = parse_seal(der)

    assert (seal.structure, seal.time_stamp, seal.algorithm) == (5, b"token", SM2)


def test_version_1_signs_info_certificate_and_algorithm_together() -> None:
    """GM/T 0031-2014: two elements, UTCTime, no certListType."""
    info = seal_asn1.SealInfoV1(
        {
            "header": {"id": "ES", "version": 1, "vid": "OLD"},
            "es_id": "old-1",
            "property": {
                "type": 1,
                "name": "旧章",
                "cert_list": seal_asn1.Certs([b"signer"]),
                "create_date": dt.datetime(2015, 1, 1, tzinfo=dt.UTC),
                "valid_start": dt.datetime(2015, 1, 1, tzinfo=dt.UTC),
                "valid_end": dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
            },
            "picture": {"type": "PNG", "data": b"p", "width": 40, "height": 40},
        }
    ).dump()
    sign = {
        "cert": b"maker",
        "sign_alg": SM2,
        "sign_data": seal_asn1.core.BitString.load(seal_asn1.core.OctetBitString(b"sig").dump()),
    }
    der = seal_asn1.SealV1({"seal_info": seal_asn1.core.Any.load(info), "sign_info": sign}).dump()

    seal = parse_seal(der)

    expected = seal_asn1.SignedV1(
        {"seal_info": seal_asn1.core.Any.load(info), "cert": b"maker", "sign_alg": SM2}
    ).dump()
    assert (seal.structure, seal.info.name, seal.info.certificates) == (1, "旧章", (b"signer",))
    assert seal.signed == expected


def test_digests_instead_of_certificates_are_read_too() -> None:
    info = seal_asn1.SealInfo.load(seal_info())
    info["property"]["cert_list_type"] = 2
    info["property"]["cert_list"] = seal_asn1.CertDigests([{"type": "SM3", "value": b"\x01" * 32}])

    found = parse_seal_info(info.dump(force=True))

    assert found.certificate_digests == (("SM3", b"\x01" * 32),) and found.certificates == ()


def test_an_id_that_is_no_ascii_is_refused() -> None:
    with pytest.raises(SealUnreadable):
        seal_info(es_id="印章")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_fall(junk: bytes) -> None:
    with pytest.raises(SealUnreadable):
        parse_seal(junk)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_changed_byte_is_refused_or_read_as_something_else(data: st.DataObject) -> None:
    """Reading judges nothing: but what is read is what stands there, never what was meant."""
    seal = assemble_seal(seal_info(), maker_certificate=b"c" * 30, algorithm=ECDSA, signature=b"s" * 60)
    place = data.draw(st.integers(0, len(seal) - 1))
    changed = bytearray(seal)
    changed[place] ^= data.draw(st.integers(1, 255))

    try:
        found = parse_seal(bytes(changed))
    except SealUnreadable:
        return
    assert found.raw == bytes(changed)
    assert found.info.raw in found.raw


@given(st.integers(1, 200))
def test_a_seal_cut_short_is_refused(cut: int) -> None:
    seal = assemble_seal(seal_info(), maker_certificate=b"c", algorithm=ECDSA, signature=b"s" * 60)

    with pytest.raises(SealUnreadable):
        parse_seal(seal[:-cut])


def test_bytes_after_the_seal_are_refused() -> None:
    seal = assemble_seal(seal_info(), maker_certificate=b"c", algorithm=ECDSA, signature=b"s")

    with pytest.raises(SealUnreadable):
        parse_seal(seal + b"\x00")


def test_a_giant_is_refused_before_it_is_read() -> None:
    with pytest.raises(SealUnreadable):
        parse_seal(b"\x30" * 600_000)
