"""Sealing at the levels that last (B6): an authority that is asked over HTTP, and what happens while it does not answer."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Name, NameAttribute
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.cards.kinds import bring
from app.demo.time_stamps import TimeStamper, serve
from app.refusal import Unavailable
from app.settings import current_settings
from app.signing import queries
from card_agent.protocol import names
from tests.cards.makers import World
from tests.signing.makers import Ritual, ordered, usable_seal


@contextmanager
def authority(world: World, patch: pytest.MonkeyPatch, level: str) -> Generator[TimeStamper]:
    """A real one, on the loopback, under the root that is believed here."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = world.ca._sign(  # pyright: ignore[reportPrivateUsage]
        Name([NameAttribute(NameOID.COMMON_NAME, "时间戳")]),
        key.public_key(),
        world.ca.start,
        world.ca.end,
        ca=False,
        eku=[ExtendedKeyUsageOID.TIME_STAMPING],
    )
    stamper = TimeStamper(key, certificate.public_bytes(Encoding.DER))
    server = serve(stamper, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = current_settings()
    patch.setattr(settings, "seal_level", level)
    patch.setattr(settings, "tsa_url", f"http://127.0.0.1:{server.server_port}/")
    try:
        yield stamper
    finally:
        server.shutdown()
        server.server_close()


def through_the_door(ritual: Ritual) -> bytes:
    """As the station's report comes in: first what asks the world outside, then the transaction."""
    from app.cards import commands as cards

    message = ritual.signed(ritual.begin())
    brought = bring(names.SIGN_DOCUMENT, ritual.fact.job_id, message)
    cards.accept_outcome(ritual.fact.job_id, message, brought=brought, by=ritual.world.station_actor())
    return ritual.document()


@pytest.mark.parametrize(("level", "updates"), [("B-T", 1), ("B-LT", 2), ("B-LTA", 3)])
def test_a_document_is_sealed_at_the_level_that_is_set(
    world: World, monkeypatch: pytest.MonkeyPatch, level: str, updates: int
) -> None:
    seal_id = usable_seal(world)
    with authority(world, monkeypatch, level):
        once = through_the_door(Ritual(world, ordered(world, seal_id)))
        twice = through_the_door(Ritual(world, ordered(world, seal_id, document=once, x_pt=30.0)))

    assert once.count(b"%%EOF") == 1 + updates
    for document, seals in ((once, 1), (twice, 2)):
        report = queries.report_on(document)
        assert report.verdict == "genuine", report.problems
        sealed = [s for s in report.signatures if not s.examined.is_time_stamp]
        assert len(sealed) == seals
        assert all(s.examined.stamped_at is not None and s.examined.canonical for s in sealed)


def test_while_the_authority_is_silent_nothing_is_sealed_and_nothing_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    with authority(world, monkeypatch, "B-T"):
        order = ritual.begin()
    with pytest.raises(Unavailable, match=r"signing\.no_time_stamp") as refused:
        bring(names.SIGN_DOCUMENT, ritual.fact.job_id, ritual.signed(order))
    assert "自动重试" in refused.value.text.zh
    assert queries.sealing(ritual.fact.sealing_id, world.user).sealing.state == "prepared"

    with authority(world, monkeypatch, "B-T"):  # another port, another key: it is back
        through_the_door(ritual)
    assert queries.sealing(ritual.fact.sealing_id, world.user).sealing.state == "sealed"


def test_a_wrong_signature_is_refused_before_anybody_is_asked_for_a_stamp(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    with authority(world, monkeypatch, "B-T") as stamper:
        asked: list[bytes] = []
        monkeypatch.setattr(stamper, "answer", asked.append)
        message = ritual.signed(ritual.begin())
        object.__setattr__(message.signature, "value", b"\x30\x06\x02\x01\x01\x02\x01\x01")
        assert bring(names.SIGN_DOCUMENT, ritual.fact.job_id, message) is None and not asked


def test_without_a_stamp_a_level_that_wants_one_is_not_reached_by_the_back_door(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    with authority(world, monkeypatch, "B-T"), pytest.raises(Exception, match=r"signing\.not_stamped"):
        ritual.run()
    assert queries.sealing(ritual.fact.sealing_id, world.user).use is None
