"""Any byte changed inside a signed range says altered: every third byte of a small sealed PDF is changed in turn."""

from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pdf import examining, verifying
from app.pdf.trusting import Trust
from tests.pdf import makers

STEP = 7
"""All bytes take minutes; a bit of any of them is drawn besides, anew with each run."""
SHARES = 4
"""The bytes are dealt out to this many tests, so that several processes share the work."""
SEAL = b"\x30\x0b\x02\x01\x04\x0c\x06\xe6\xb5\x8b\xe8\xaf\x95"


def sound(der: bytes, certificate: bytes, at: object) -> verifying.SealCheck:
    """A checker that believes any seal which arrives as it was sent."""
    return verifying.SealCheck(
        es_id="1",
        name="测试",
        kind="official",
        maker="Maker",
        valid_from=None,
        valid_until=None,
        picture=None,
        forged="" if der == SEAL else "changed",
    )


@lru_cache(maxsize=1)
def sealed() -> tuple[bytes, Trust, int, int]:
    """A sealed document, what it is verified with, and where its signature's container stands."""
    pdf = makers.sealed(seal_der=SEAL)
    (start, end) = next(iter(examining.read_claims(pdf))).gap or (0, 0)
    return pdf, Trust(roots=(makers.root().der,)), start, end


def verdict(pdf: bytes, trust: Trust) -> str:
    examined = examining.examine(pdf, trust, at=makers.NOW)
    return verifying.conclude(pdf, examined, trust, at=makers.NOW, check_seal=sound).verdict


def test_the_untouched_document_is_genuine() -> None:
    pdf, trust, _, _ = sealed()

    assert verdict(pdf, trust) == "genuine"


@pytest.mark.parametrize("share", range(SHARES))
def test_every_signed_byte_counts(share: int) -> None:
    pdf, trust, start, end = sealed()
    signed = [*range(start), *range(end, len(pdf))]

    wrong = {}
    for position in signed[share * STEP :: SHARES * STEP]:
        changed = bytearray(pdf)
        changed[position] ^= 1 << (position % 8)
        said = verdict(bytes(changed), trust)
        if said != "altered":
            wrong[position] = said

    assert wrong == {}


def test_no_byte_of_the_container_can_change_unnoticed() -> None:
    """It stands outside the signed range. Spelling its digits otherwise changes nothing; all else does."""
    pdf, trust, start, end = sealed()
    container = bytes.fromhex(pdf[start + 1 : end - 1].decode())

    wrong = {}
    for position in range(start, end, STEP):
        changed = bytearray(pdf)
        changed[position] ^= 1 << (position % 4)
        if _decoded(changed, start, end) == container:
            continue
        said = verdict(bytes(changed), trust)
        if said == "genuine":
            wrong[position] = said

    assert wrong == {}


def _decoded(pdf: bytearray, start: int, end: int) -> bytes | None:
    if pdf[start : start + 1] != b"<" or pdf[end - 1 : end] != b">":
        return None
    try:
        return bytes.fromhex(pdf[start + 1 : end - 1].decode())
    except ValueError:
        return None


def test_digits_of_the_container_in_capitals_mean_the_same() -> None:
    pdf, trust, start, end = sealed()

    respelled = pdf[:start] + pdf[start:end].upper() + pdf[end:]

    assert respelled != pdf
    assert verdict(respelled, trust) == "genuine"


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_every_bit_of_a_signed_byte_counts(place: float, bit: int) -> None:
    pdf, trust, start, end = sealed()
    signed = [*range(start), *range(end, len(pdf))]
    changed = bytearray(pdf)

    changed[signed[int(place * len(signed))]] ^= 1 << bit

    assert verdict(bytes(changed), trust) == "altered"
