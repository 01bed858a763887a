"""The signing of a document: the card signs what was shown and ordered, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from asn1crypto import core

from card_agent.fault import CardRemoved, NoSuchSealOnCard, Untrusted, WrongCard, WrongPin
from card_agent.pin import Pin
from card_agent.protocol.jobs import Begin, SignBegun
from card_agent.protocol.outcomes import DocumentSigned
from card_agent.protocol.statements import payload
from card_agent.signing import sign_document
from tests.card_agent import makers
from tests.card_agent.makers import CARD_PIN, RSA_KEY
from tests.card_agent.server import check, document, signed_attributes
from tests.card_agent.test_making import Story


class SigningStory(Story):
    """The seal is on the card; a document waits to be signed."""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder, makers.world(**more))
        self.make()
        self.server.calls.clear()
        self.sign_job = makers.sign_job(self.world.card.serial, document())
        self.server.jobs[42] = self.sign_job

    def sign(self, pin: str = CARD_PIN, press: Any = lambda _point: None) -> DocumentSigned:
        self.progress = makers.signing(self.sign_job)
        return sign_document(self.sign_job, self.bench(press), self.progress, card_pin=Pin(pin))


@pytest.fixture
def story(tmp_path: Path) -> SigningStory:
    return SigningStory(tmp_path)


@pytest.mark.parametrize("key", [None, RSA_KEY], ids=["p256", "rsa2048"])
def test_a_card_signs_what_was_ordered(tmp_path: Path, key: Any) -> None:
    story = SigningStory(tmp_path, key=key)

    signed = story.sign()

    check(signed.certificate, signed.signature, signed_attributes(signed.certificate))
    assert signed.envelope_sha256 == story.on_card().envelope_sha256
    assert [s.state for s in story.progress.steps] == ["done"] * 3


def test_the_maker_card_is_not_needed(story: SigningStory) -> None:
    story.reader.pull(story.world.maker.serial)

    assert story.sign().status == "signed"


def _ordered(story: SigningStory, **changes: Any) -> None:
    begin = Begin(card_serial=story.world.card.serial, card_certificate=story.world.card.certificate or b"")
    story.server.begin_sign = lambda _job, _begin: SignBegun(  # type: ignore[method-assign]
        order=story.server.sign(story.server.sign_order(42, begin, **changes))
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"document_sha256": "0" * 64}, {"document_name": "别的.pdf"}, {"job_id": 9}, {"station_id": 8},
        {"card_cert_sha256": "0" * 64}, {"mechanism": "rsa-pkcs1-sha256"}, {"to_sign": b"anything"},
        {"to_sign": payload.__doc__.encode()},
    ],
    ids=lambda c: next(iter(c)),
)  # fmt: skip
def test_an_order_for_something_else_signs_nothing(story: SigningStory, changes: dict[str, Any]) -> None:
    _ordered(story, **changes)

    with pytest.raises(Untrusted):
        story.sign()

    assert "outcome" not in story.bench().journal.read(42).steps


@pytest.mark.parametrize(
    "to_sign",
    [
        b"YINXU-RECEIPT/1\n{}",
        core.SequenceOf([1, 2], spec=core.Integer).dump(),
        signed_attributes(b"another certificate"),
        b"",
    ],
    ids=["receipt", "sequence", "another card", "empty"],
)
def test_a_card_signs_no_other_bytes_than_a_documents(story: SigningStory, to_sign: bytes) -> None:
    """Even the server cannot have it sign a receipt, a certificate, or another card's document."""
    _ordered(story, to_sign=to_sign)

    with pytest.raises(Untrusted, match="signed attributes"):
        story.sign()


def test_a_making_order_is_no_signing_order(story: SigningStory) -> None:
    story.server.begin_sign = lambda _job, _begin: SignBegun(  # type: ignore[method-assign]
        order=story.server.orders[41].order
    )

    with pytest.raises(Untrusted):
        story.sign()


def test_a_card_without_that_seal_signs_nothing(story: SigningStory) -> None:
    _ordered(story, es_id="YXother")

    with pytest.raises(NoSuchSealOnCard):
        story.sign()


def test_a_wrong_pin_and_a_wrong_card_are_refused(story: SigningStory) -> None:
    with pytest.raises(WrongPin):
        story.sign(pin="1")
    story.reader.pull(story.world.card.serial)
    story.reader.insert(makers.card(story.world.authority, "seal-2", "别人", CARD_PIN))
    with pytest.raises(WrongCard):
        story.sign()
    assert story.server.calls == []


def test_a_pulled_card_does_not_look_like_an_empty_one(story: SigningStory) -> None:
    def on(operation: str) -> None:
        if operation == "before labels":
            story.reader.pull(story.world.card.serial)

    story.reader.on = on

    with pytest.raises(CardRemoved):
        story.sign()
