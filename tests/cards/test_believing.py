"""Authorities come in by hand and by name; what they say of their certificates is fetched, and never instead of them."""

import datetime as dt
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from flask import Flask

from app import outward
from app.actor import SYSTEM
from app.audit.models import LogEntry
from app.cards import believing, commands, jobs, queries
from app.cards.believing import Keeper, check_issued, lay_down, read_authorities
from app.cli import main
from app.clock import now
from app.crypto.certificates import Trust, judge_certificate, trust_from
from app.db import db
from app.refusal import Invalid
from app.settings import current_settings
from tests.cards.makers import World
from tests.crypto.pki import DAY, NOW, Authority, Holder
from tests.crypto.test_revocation import answer, naming


class Site:
    """What stands where on a web server of the authority's; a path that leads elsewhere is a text."""

    def __init__(self) -> None:
        self.content: dict[str, bytes | str] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                found = site.content.get(self.path)
                self.send_response(404 if found is None else 302 if isinstance(found, str) else 200)
                if isinstance(found, str):
                    self.send_header("Location", found)
                self.end_headers()
                if isinstance(found, bytes):
                    self.wfile.write(found)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


def keeper(folder: Path, *, private_allowed: bool = True) -> Keeper:
    return Keeper(folder, every_s=3600, private_allowed=private_allowed)


def look(
    keeper: Keeper, ca: Authority, *cards: Holder, at: dt.datetime = NOW, all_of_it: bool = False
) -> list[str]:
    """Why each of those asked was not taken; empty for one that was."""
    leaves: list[Certificate] = [c.certificate for c in cards]
    trust = Trust((ca.certificate,))
    return [f.why for f in keeper.refresh(trust, leaves, at=at, seconds=20, all_of_it=all_of_it)]


def test_what_certificates_name_is_fetched_and_decides_about_them(site: Site, tmp_path: Path) -> None:
    ca = Authority()
    lay_down(believing.Authority(ca.certificate), tmp_path)
    card = naming(ca, f"{site.address}/root.crl")
    site.content["/root.crl"] = ca.crl().public_bytes(Encoding.DER)
    keep = keeper(tmp_path)

    def problem() -> str | None:
        return judge_certificate(card.der, trust_from(tmp_path), at=NOW, usage="seal").problem

    assert problem() == "revocation_unknown"  # fail closed
    found = look(keep, ca, card)
    assert found[0] == "" and "not found" in found[1]  # the responder's name leads nowhere
    assert problem() is None
    assert look(keep, ca, card) == []  # nothing is due
    site.content["/root.crl"] = ca.crl(card, at=NOW).public_bytes(Encoding.DER)
    assert look(keep, ca, card, all_of_it=True)[0] == ""
    assert problem() == "revoked"
    for held_back in (ca.crl(at=NOW - 2 * DAY).public_bytes(Encoding.DER), b"<html>login</html>", b"x" * 100):
        site.content["/root.crl"] = held_back
        assert look(keep, ca, card, all_of_it=True)[0] != ""
        assert problem() == "revoked"  # the old one stays


def test_a_responder_is_asked_about_a_card(site: Site, tmp_path: Path) -> None:
    ca = Authority()
    lay_down(believing.Authority(ca.certificate), tmp_path)
    card = naming(ca, "ldap://ca.example/nothing-for-us", f"{site.address}/ocsp")
    site.content["/ocsp"] = answer(ca, card)

    assert look(keeper(tmp_path), ca, card) == [""]
    assert judge_certificate(card.der, trust_from(tmp_path), at=NOW, usage="seal").good
    site.content["/ocsp"] = answer(ca, card, said_at=NOW - DAY / 2)
    assert "older than" in look(keeper(tmp_path), ca, card, all_of_it=True)[0]


def test_nobody_is_led_to_an_address_inside(site: Site, tmp_path: Path) -> None:
    """Whoever has a certificate issued writes the address into it."""
    ca = Authority()
    inside = naming(ca, f"{site.address}/root.crl")
    site.content["/root.crl"] = ca.crl().public_bytes(Encoding.DER)

    assert "not public" in look(keeper(tmp_path, private_allowed=False), ca, inside)[0]
    assert site.asked == [] and not (tmp_path / "crls").exists()

    def outside(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if host == "127.0.0.1" else ["169.254.169.254"]

    site.content["/away"] = "http://metadata.example/"
    site.content["/round"] = "/round"
    site.content["/huge"] = b"0" * 2000
    for path, why in {"/away": "no answer|not found", "/round": "on and on", "/huge": "larger than"}.items():
        with pytest.raises((outward.NotAllowed, outward.Unreachable), match=why):
            outward.fetch(
                site.address + path, limit_bytes=1000, seconds=2, private_allowed=True,
                look_up=outside if path != "/away" else None,
            )  # fmt: skip
    for odd in (
        "file:///etc/passwd",
        "http://user:pw@ca.example/",
        "gopher://x/",
        "http:///x",
        "http://a b/",
    ):
        with pytest.raises(outward.NotAllowed):
            outward.fetch(odd, limit_bytes=10, seconds=1, private_allowed=True)


def test_an_authority_is_believed_once_it_stands_in_the_log(app: Flask, tmp_path: Path) -> None:
    world, new = World(app), Authority("外部 CA", now() - 30 * DAY, now() + 365 * DAY)
    card = new.issue("外部卡")
    pem = new.certificate.public_bytes(Encoding.PEM)
    folder = current_settings().trust_dir
    assert folder is not None
    assert judge_certificate(card.der, queries.trust(), at=now(), usage="seal").problem == "untrusted"

    [authority] = read_authorities(pem, at=now())
    check_issued([authority], queries.trust())
    fact = commands.believe(authority, by=SYSTEM)
    lay_down(authority, folder)

    verdict = judge_certificate(card.der, queries.trust(), at=now(), usage="seal")
    assert verdict.problem == "revocation_unknown"  # believed, but nothing is known of its cards yet
    assert fact.is_root and fact.fingerprint == authority.fingerprint
    assert db.session.query(LogEntry).order_by(LogEntry.id.desc()).first() is not None
    world.register_cards()
    assert jobs.refresh_trust() == 0  # none of these certificates names an address


@pytest.mark.parametrize("what", ["a card's", "an expired one", "no certificate"])
def test_what_is_no_authority_is_not_believed(what: str) -> None:
    ca = Authority()
    data = {
        "a card's": ca.issue("卡").certificate.public_bytes(Encoding.PEM),
        "an expired one": ca.certificate.public_bytes(Encoding.DER),
        "no certificate": b"hello",
    }[what]

    with pytest.raises(Invalid) as refused:
        read_authorities(data, at=NOW + (999 * DAY if what == "an expired one" else 0 * DAY))

    assert refused.value.code in ("trust.no_authority", "trust.unreadable")


def test_an_issuing_authority_needs_its_root() -> None:
    root, below = Authority("根"), Authority("下级")
    issued = root._sign(below.subject, below.key.public_key(), root.start, root.end, ca=True)

    with pytest.raises(Invalid, match="import its root first"):
        check_issued([believing.Authority(issued)], Trust(()))
    check_issued([believing.Authority(issued)], Trust((root.certificate,)))
    assert believing.Authority(issued).place.startswith("intermediates/")
    assert main.get_command(None, "trust") is not None  # type: ignore[arg-type]
