"""Mail through a real SMTP conversation, webhooks over a real connection: once, signed, tried again, given up visibly."""

import base64
import hashlib
import hmac
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.actor import Actor
from app.clock import now
from app.db import db
from app.flows import commands
from app.notices import gathering, hooking, letters, mailing, rules, sending, wishes, writing
from app.notices.models import NoticeChannel, NoticeDelivery, NoticeProfile
from app.notices.outcome import Again, Never
from app.notices.rules import check_address, next_mail, pause
from app.refusal import Invalid
from app.settings import Settings, current_settings
from app.text import Text
from tests.conftest import ONE_DATABASE
from tests.flows.test_hands import APPROVE, Office, number, publish, task_of
from tests.notices.servers import MailServer, mail_server, web_server


@pytest.fixture
def office(app: Flask, tmp_path: Path) -> Office:
    made = Office()
    publish(tmp_path, review={})
    return made


def wishes_for(who: Actor, **more: Any) -> None:
    values = {
        "language": "zh", "mail": f"u{who.id}@example.com", "webhook": "", "webhook_number": 1, "pace": "at_once",
        "choices": {}, **more,
    }  # fmt: skip
    db.session.add(NoticeProfile(user_id=number(who), **values))
    db.session.commit()


def through(server: MailServer, monkeypatch: pytest.MonkeyPatch, **more: object) -> None:
    values = {
        "smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none",
        "smtp_from": "seals@example.com", "public_url": "https://seals.example.com", **more,
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setattr(current_settings(), name, value)


def deliveries() -> list[tuple[str, str]]:
    db.session.expire_all()
    rows = db.session.scalars(sa.select(NoticeDelivery).order_by(NoticeDelivery.id))
    return [(row.channel, row.status) for row in rows]


def test_a_mail_goes_out_once_and_what_the_server_puts_off_later(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    wishes_for(office.wang)
    at = now()
    with mail_server() as server:
        through(server, monkeypatch)
        server.answers = ["451 later"]
        instance_id = office.start()
        gathering.gather()
        sending.deliver(at + timedelta(seconds=1))
        assert (server.mails, deliveries()) == ([], [("mail", "waiting")])
        row = db.session.scalars(sa.select(NoticeDelivery)).one()
        assert "451 later" in row.error
        for minutes in (0, 2, 9):
            sending.deliver(at + timedelta(minutes=minutes))
        [mail] = server.mails
        assert deliveries() == [("mail", "sent")]
        assert mail["To"] == "王敏 <u2@example.com>" or "u2@" in str(mail["To"])
        assert "待您办理" in mail["Subject"]
        notice = f"https://seals.example.com/notices/{row.notice_id}"
        plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
        assert plain is not None
        assert page is not None
        assert notice in plain.get_content()
        assert notice in page.get_content()
        assert mail["Auto-Submitted"] == "auto-generated"

        # a worker that died while it sent: nobody is mailed twice, and it is shown
        db.session.execute(sa.update(NoticeDelivery).values(status="sending", changed_at=at))
        db.session.commit()
        sending.deliver(at + timedelta(hours=1))
        assert (len(server.mails), deliveries()) == (1, [("mail", "failed")])

        # what somebody else has done meanwhile is not mailed
        wishes_for(office.zhou)
        office.start()
        gathering.gather()
        commands.complete(
            db.session.scalars(sa.text("SELECT max(id) FROM flow_task")).one(), APPROVE, by=office.zhou
        )
        sending.deliver(at + timedelta(hours=1))
        assert ("mail", "dropped") in deliveries()
        assert len(server.mails) == 1
    assert task_of(instance_id)


def test_mails_of_the_busy_are_one_an_hour_and_a_dead_server_is_told(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    wishes_for(office.wang, pace="hourly", language="en")
    at = datetime(2026, 3, 2, 9, 20, tzinfo=now().tzinfo)
    with mail_server() as server:
        through(server, monkeypatch)
        for _ in range(3):
            office.start()
        gathering.gather(at)
        sending.deliver(at + timedelta(minutes=39))
        assert server.mails == []
        sending.deliver(at + timedelta(minutes=41))
        [mail] = server.mails
        assert mail["Subject"] == "Yinxu: 3 notices"
        assert deliveries() == [("mail", "sent")] * 3
        monkeypatch.setattr(current_settings(), "smtp_port", 1)
        monkeypatch.setattr(rules, "MOST_TRIES", 2)
        office.start()
        gathering.gather(at)
        later = at + timedelta(hours=2)
        for _ in range(3):
            sending.deliver(later)
            later += timedelta(hours=5)
        assert deliveries()[-1] == ("mail", "failed")
        channel = db.session.get_one(NoticeChannel, "mail")
        assert "cannot be reached" in channel.error
        assert channel.ok_at is not None


@ONE_DATABASE
def test_the_way_to_the_mail_server_is_protected_or_not_taken(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ca, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(ca, key)
    secret = Settings.model_fields["smtp_password"].annotation("hunter2")  # type: ignore[misc]
    with mail_server(context) as server:
        through(
            server,
            monkeypatch,
            smtp_security="starttls",
            smtp_ca_file=ca,
            smtp_user="u",
            smtp_password=secret,
        )
        mailing.send(a_letter(), current_settings())
        assert server.envelopes == [("FROM:<seals@example.com>", "TO:<li@example.com>", True)]
        [login] = server.logins
        assert base64.b64decode(login.split()[-1]) == b"\0u\0hunter2"
        assert "hunter2" not in repr(current_settings())
        monkeypatch.setattr(current_settings(), "smtp_ca_file", None)
        with pytest.raises(Again, match="cannot be reached"):
            mailing.send(a_letter(), current_settings())
    with mail_server() as server:
        through(server, monkeypatch, smtp_security="starttls")
        with pytest.raises(Again, match="cannot be reached"):
            mailing.send(a_letter(), current_settings())
        through(server, monkeypatch, smtp_security="none", smtp_user="")
        server.answers = ["550 no such user"]
        with pytest.raises(Never, match="550"):
            mailing.send(a_letter(), current_settings())
        assert server.mails == []


def a_letter(**more: Any) -> Any:
    entry = letters.Entry(
        Text("「审核」待您办理", "x"), "财务专用章", "", Text("", ""), "2026-03-02", "https://h/1"
    )
    given = {
        "name": "李航", "to": "li@example.com", "sender": "seals@example.com", "language": "zh", "key": "k", "at": now(),
        "settings_href": "https://h/s", **more,
    }  # fmt: skip
    return letters.letter([more.pop("entry", entry)], **{k: v for k, v in given.items() if k != "entry"})


def test_nothing_that_people_write_breaks_a_header_or_the_page():
    evil = "章\r\nBcc: all@example.com\r\n\r\n<script>x</script>\u2028\x85"
    entry = letters.Entry(Text(evil, evil), evil, evil, Text(evil, evil), "", "https://h/1")
    mail = a_letter(entry=entry, name=f'李"{evil}')
    assert "Bcc" not in mail
    head = mail.as_bytes().split(b"\r\n\r\n")[0]
    assert b"\nBcc" not in head
    page = mail.get_body(("html",)).get_content()
    assert "<script>" not in page
    for address in ("a@b.c\r\nBcc: x@y.z", "a b@c.d", "a@b.c, d@e.f", "@b", "a@", "a@b.c>", "<a@b.c"):
        with pytest.raises(Invalid):
            check_address(address, ())
    with pytest.raises(Invalid, match="bad_address"):
        check_address("a@elsewhere.com", ("example.com",))
    assert check_address(" a@Example.com ", ("example.com",)) == "a@Example.com"


def test_a_day_begins_where_the_organisation_is():
    at = datetime.fromisoformat("2026-03-02T01:00:00+00:00")
    assert next_mail("daily", at, "Asia/Shanghai", 8) == datetime.fromisoformat("2026-03-03T00:00:00+00:00")
    assert next_mail("hourly", at, "UTC", 8) == at + timedelta(hours=1)
    assert next_mail("at_once", at, "UTC", 8) == at
    assert [pause(n) for n in (1, 3, 20)] == [timedelta(minutes=1), timedelta(minutes=4), timedelta(hours=4)]


def test_a_webhook_is_signed_and_tried_again_under_the_same_id(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    at = now()
    with web_server() as server:
        url = f"http://hook.test:{server.port}/in?x=1"
        wishes_for(office.wang, mail="", webhook=url, choices={"task": ["hook"]})
        monkeypatch.setattr(current_settings(), "webhook_private_allowed", True)
        monkeypatch.setattr(hooking, "resolve", lambda *_: ["127.0.0.1"])
        server.answers = [503]
        office.start()
        gathering.gather()
        for minutes in (1, 3, 9):
            sending.deliver(at + timedelta(minutes=minutes))
        assert deliveries() == [("hook", "sent")]
        first, second = server.posts
        assert (first[0], first[2], first[1]["Webhook-Id"]) == ("/in?x=1", second[2], second[1]["Webhook-Id"])
        assert second[1]["Host"] == f"hook.test:{server.port}"
        key = base64.b64decode(writing.secret_words(wishes.of(number(office.wang))).removeprefix("whsec_"))
        told = f"{second[1]['Webhook-Id']}.{second[1]['Webhook-Timestamp']}.".encode() + second[2]
        expected = base64.b64encode(hmac.digest(key, told, hashlib.sha256)).decode()
        assert second[1]["Webhook-Signature"] == f"v1,{expected}"

        server.answers = [302]
        office.start()
        gathering.gather()
        sending.deliver(at + timedelta(minutes=10))
        assert deliveries()[-1] == ("hook", "failed")
        assert [path for path, _, _ in server.posts] == ["/in?x=1"] * 3


@ONE_DATABASE
def test_a_webhook_reaches_nothing_private_and_nobody_keeps_it_waiting(
    app: Flask, monkeypatch: pytest.MonkeyPatch
):
    settings = current_settings()
    asked: list[str] = []

    def names(*addresses: str) -> hooking.Resolve:
        def look_up(host: str, _port: int) -> list[str]:
            asked.append(host)
            return list(addresses)

        return look_up

    def post(url: str, look_up: hooking.Resolve | None = None) -> None:
        hooking.call(url, "notice-1", b"{}", b"k", now(), settings, look_up)

    private = (
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1%eth0",
        "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "224.0.0.1", "255.255.255.255",
    )  # fmt: skip
    for address in private:
        assert not hooking.is_public(address), address
        with pytest.raises(Never, match="not public"):
            post("https://hook.test/", names("93.184.215.14", address))
    for url in ("https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/"):
        with pytest.raises((Never, Again)):
            post(url)
    for url in ("http://hook.test/", "ftp://hook.test/", "https://u:p@hook.test/", "https:///x", "https://h:99999/", "https://h/\r\nX: y"):  # fmt: skip
        with pytest.raises(Never):
            post(url, names("93.184.215.14"))
    assert hooking.is_public("93.184.215.14")
    assert hooking.is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")

    # the name is asked for once: what it stands for a moment later does not matter
    monkeypatch.setattr(settings, "webhook_private_allowed", True)
    with web_server() as server:
        asked.clear()
        post(f"http://hook.test:{server.port}/", names("127.0.0.1"))
        assert (asked, len(server.posts)) == (["hook.test"], 1)
        monkeypatch.setattr(settings, "webhook_timeout_s", 0.3)
        server.answers = [0]
        with pytest.raises(Again, match="no answer"):
            post(f"http://hook.test:{server.port}/", names("127.0.0.1"))


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.test")])
    at = now()
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "c.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "k.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "c.pem", folder / "k.pem"
