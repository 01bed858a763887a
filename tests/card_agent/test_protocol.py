"""The protocol is fixed for good: the golden examples read, write and verify as on the first day."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from app.crypto import seal_data
from card_agent.protocol import jobs, names, on_card, outcomes, request, statements
from card_agent.protocol.codec import (
    Malformed,
    canonical,
    decode,
    encode,
    from_json,
    parse,
    parse_canonical,
    to_json,
)
from card_agent.protocol.seal_content import content, content_sha256
from card_agent.seal_info import read_seal_info
from card_agent.trust import Trust
from tests.card_agent.golden import AT, FOLDER, examples

NAMES = sorted(p.stem for p in FOLDER.glob("*.json"))
MODULES = (jobs, outcomes, statements, on_card, request)


def golden(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_bytes())


def kind(name: str) -> Any:
    return next(getattr(m, golden(name)["message"]) for m in MODULES if hasattr(m, golden(name)["message"]))


def test_the_examples_are_those_of_the_first_day() -> None:
    fresh = examples()

    assert sorted(fresh) == NAMES
    for name, example in fresh.items():
        assert (FOLDER / f"{name}.json").read_bytes() == canonical(example) + b"\n", name


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_message_is_read_and_written_the_same(name: str) -> None:
    value = golden(name)["value"]

    message = from_json(kind(name), value, exact=True)

    assert to_json(message) == value
    assert decode(kind(name), encode(message)) == message


@pytest.mark.parametrize("name", [n for n in NAMES if "signed_bytes" in golden(n) and n != "request"])
def test_a_golden_statement_verifies(name: str) -> None:
    example = golden(name)
    statement = from_json(kind(name), example["value"], exact=True)
    key: Any = serialization.load_der_public_key(_bytes(example["public_key"]))

    assert statements.payload(statement).decode() == example["signed_bytes"]
    key.verify(_bytes(example["signature"]), statements.payload(statement), ec.ECDSA(hashes.SHA256()))


def test_the_golden_request_verifies() -> None:
    example = golden("request")
    head = from_json(request.RequestHead, example["value"])
    body = example["body"].encode()

    assert head.signed_bytes(body).decode() == example["signed_bytes"]
    key = Ed25519PublicKey.from_public_bytes(_bytes(example["public_key"]))
    key.verify(_bytes(example["signature"]), head.signed_bytes(body))
    with pytest.raises(InvalidSignature):
        key.verify(_bytes(example["signature"]), head.signed_bytes(body + b" "))


def test_the_golden_conversation_holds_together() -> None:
    """Order, structure, token and manifest of the examples belong to one production, under the example's root."""
    begun = from_json(jobs.MakeBegun, golden("make-begun")["value"])
    roots = from_json(jobs.Enrolled, golden("enrolled")["value"]).roots
    authorised = from_json(jobs.Authorised, golden("authorised")["value"])
    order = Trust(roots).open(statements.Order, begun.order, at=AT)
    token = Trust(roots).open(statements.WriteToken, authorised.token, at=AT)

    assert read_seal_info(begun.seal_info).order == begun.order
    assert content_sha256(begun.seal_info) == order.content_sha256
    assert token.envelope_sha256 == statements.hex_digest(authorised.envelope)
    manifest = on_card.read_manifest(encode(from_json(on_card.Manifest, golden("manifest")["value"])))
    assert manifest.token == authorised.token
    parsed = seal_data.parse_seal_info(begun.seal_info)
    extension = parsed.extension(names.ORDER_EXTENSION_OID)
    assert extension is not None
    assert statements.read_order_extension(extension.value) == begun.order


def test_every_field_of_every_statement_is_in_the_documents() -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
    messages = [
        thing
        for module in MODULES[:4]
        for thing in vars(module).values()
        if dataclasses.is_dataclass(thing) and thing.__module__ == module.__name__
    ]
    assert len(messages) > 25
    for message in messages:
        for word in (message.__name__, *(f.name for f in dataclasses.fields(message))):
            assert f"`{word}`" in page, (message, word)


# --- strictness ---

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_canonical_json_is_one_encoding(value: Any) -> None:
    try:
        data = canonical(value)
    except Malformed:
        return  # lone surrogates have no UTF-8
    assert parse_canonical(data) == value
    assert canonical(parse(data)) == data


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}', b'{"a":1.0}', b'{"a":1e3}', b"NaN", b'{"a":Infinity}', b"\xff", b"", b'{"\xc3\xa4":1}',
        b'{"a":9007199254740993}', b"[" * 100_000,
    ],
    ids=lambda d: d[:12].decode("latin-1"),
)  # fmt: skip
def test_ambiguous_json_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse(data)


@pytest.mark.parametrize("data", [b'{"b":1,"a":2}', b'{ "a":1}', b'{"a":"\\u4e2d"}', b'{"a":1}\n'])
def test_another_spelling_is_not_canonical(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_canonical(data)


def _order() -> dict[str, Any]:
    return dict(golden("order")["value"])


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1}, {"v": 2}, {"domain": "YINXU-WRITE-TOKEN/1"}, {"job_id": True}, {"job_id": "41"},
        {"issued_at": "2026-11-22 08:00:00"}, {"issued_at": "2026-11-22T08:00:00+08:00"}, {"operator": None},
        {"operator": {"id": 1, "name": "x", "admin": True}},
    ],
    ids=lambda c: next(iter(c)),
)  # fmt: skip
def test_a_statement_has_exactly_its_fields(change: dict[str, Any]) -> None:
    signed = statements.Signed(statement={**_order(), **change}, signature=b"", certificate=b"")

    with pytest.raises(Malformed):
        statements.open_statement(statements.Order, signed)


@pytest.mark.parametrize("missing", sorted(golden("order")["value"]))
def test_no_field_of_a_statement_may_be_missing(missing: str) -> None:
    value = _order()
    del value[missing]

    with pytest.raises(Malformed):
        statements.open_statement(
            statements.Order, statements.Signed(statement=value, signature=b"", certificate=b"")
        )


def test_base64_has_one_spelling() -> None:
    value = golden("work")["value"] and golden("begin-sign")["value"]
    with pytest.raises(Malformed):
        from_json(jobs.Begin, {**value, "card_certificate": value["card_certificate"] + "\n"})
    with pytest.raises(Malformed):
        from_json(jobs.Begin, {**value, "card_certificate": "AB=="[:3]})


def test_a_newer_side_may_say_more_in_messages_that_are_not_signed() -> None:
    assert from_json(jobs.Work, {"wait_s": 1, "mood": "good"}) == jobs.Work(wait_s=1)


def test_the_content_of_a_structure_is_the_structure_without_its_extensions() -> None:
    begun = from_json(jobs.MakeBegun, golden("make-begun")["value"])

    bare = content(begun.seal_info)

    assert content(bare) == bare
    assert seal_data.parse_seal_info(bare).name == "某局办公室公章"
    assert seal_data.parse_seal_info(bare).extensions == ()


@given(st.binary(max_size=80))
def test_junk_is_no_structure(data: bytes) -> None:
    for read in (content, read_seal_info):
        with pytest.raises(Malformed):
            read(data)


@given(cut=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_changed_structure_never_crashes_and_never_keeps_its_hash(cut: int, byte: int) -> None:
    begun = from_json(jobs.MakeBegun, golden("make-begun")["value"])
    bare = content(begun.seal_info)
    at = cut % len(bare)
    changed = bare[:at] + bytes([byte]) + bare[at + 1 :]
    if changed == bare:
        return
    try:
        assert content_sha256(changed) != content_sha256(bare)
    except Malformed:
        return


def _bytes(text: str) -> bytes:
    import base64

    return base64.b64decode(text)
