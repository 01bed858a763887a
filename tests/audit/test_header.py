"""An entry's header is fixed for good: these bytes are the ones in docs/log-entry.md."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit import rules
from app.audit.header import Header, HeaderFault, leaf_data, leaf_hash, unpack

GOLDEN = Header(
    ts_us=1_795_000_000_123_456,
    log_class="sealing",
    action="document.sealed",
    unit_id=7,
    result="fact",
    writer_id=bytes(range(16)),
    writer_counter=42,
    tokens=((1, b"\xaa" * 16), (5, b"\xbb" * 16)),
    key_id=bytes(range(16, 32)),
    index_key_version=1,
)
GOLDEN_HEX = (
    "59584c01" "01" "01" "101112131415161718191a1b1c1d1e1f" "0001" "0006608b01611240" "0000000000000007"
    "01" "000102030405060708090a0b0c0d0e0f" "000000000000002a"
    "07" "7365616c696e67" "0f" "646f63756d656e742e7365616c6564"
    "0002" "01" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" "05" "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)  # fmt: skip
GOLDEN_LEAF = "31c11af70ece95b0041236178b5416ccc6e6a0ac48ba2946f1d6e1ac4b72fc45"


def test_the_golden_header_has_the_documented_bytes() -> None:
    assert GOLDEN.pack().hex() == GOLDEN_HEX
    assert unpack(bytes.fromhex(GOLDEN_HEX)) == GOLDEN
    assert GOLDEN_HEX in Path("docs/log-entry.md").read_text().replace("\n", "").replace(" ", "")


def test_the_golden_leaf_is_the_hash_of_the_stored_bytes() -> None:
    header, nonce, ciphertext = bytes.fromhex(GOLDEN_HEX), b"\x01" * 12, b"\x02" * 40
    assert (
        leaf_data(header, nonce, ciphertext).hex() == f"{len(header):08x}{GOLDEN_HEX}{'01' * 12}{'02' * 40}"
    )
    assert leaf_hash(header, nonce, ciphertext).hex() == GOLDEN_LEAF
    assert GOLDEN_LEAF in Path("docs/log-entry.md").read_text()


def test_the_field_codes_are_the_documented_ones() -> None:
    page = Path("docs/log-entry.md").read_text()
    for name, code in rules.FIELD_CODES.items():
        assert f"| {code} | `{name}` |" in page


headers = st.builds(
    Header,
    ts_us=st.integers(0, 2**62),
    log_class=st.text("abcdefg_", min_size=1, max_size=32),
    action=st.text("abcdefg._", min_size=1, max_size=64),
    unit_id=st.integers(0, 2**63 - 1),
    result=st.sampled_from(["fact", "refused"]),
    writer_id=st.binary(min_size=16, max_size=16),
    writer_counter=st.integers(0, 2**63),
    tokens=st.sets(st.tuples(st.integers(0, 255), st.binary(min_size=16, max_size=16)), max_size=8).map(
        lambda found: tuple(sorted(found))
    ),
    key_id=st.binary(min_size=16, max_size=16),
    index_key_version=st.integers(0, 65535),
)


@given(headers)
def test_every_header_comes_back_as_it_was_packed(header: Header) -> None:
    assert unpack(header.pack()) == header


@given(headers, st.data())
def test_a_changed_header_is_refused_or_says_something_else(header: Header, data: st.DataObject) -> None:
    packed = bytearray(header.pack())
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        changed = unpack(bytes(packed))
    except HeaderFault:
        return
    assert changed != header
    assert changed.pack() == bytes(packed)


@pytest.mark.parametrize("cut", [0, 1, 40, len(GOLDEN_HEX) // 2 - 1])
def test_a_cut_header_is_refused(cut: int) -> None:
    with pytest.raises(HeaderFault):
        unpack(GOLDEN.pack()[:cut])
    with pytest.raises(HeaderFault):
        unpack(GOLDEN.pack() + b"x")
