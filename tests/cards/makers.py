"""People, an authority, cards and a station for tests; the station speaks over HTTP as an agent would."""

import base64
import datetime as dt
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509 import Name, NameAttribute
from cryptography.x509.oid import NameOID
from flask import Flask, g
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import clock
from app.actor import Actor, Grant
from app.cards import commands
from app.crypto.keys import keyring
from app.db import db
from app.people import queries as people
from app.people.models import LoginSession, RoleGrant, Unit, User
from app.settings import current_settings
from card_agent.protocol.codec import encode, moment_text
from card_agent.protocol.request import NONCE, SIGNATURE, SIGNATURE_PREFIX, STATION, TIME, RequestHead
from tests.crypto.pki import Authority, Holder

DAY = dt.timedelta(days=1)
SYSTEM = Actor(kind="system", name="test")


@dataclass
class Station:
    """An agent program: a key, a number, requests signed with it."""

    app: Flask
    id: int = 0
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    host: str = "station-1"
    mac: str = "02:00:00:00:00:01"

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def headers(self, path: str, body: bytes, **changes: str) -> dict[str, str]:
        head = RequestHead(
            method="POST",
            path=changes.get("signed_path", path),
            station=str(self.id),
            time=changes.get("time", moment_text(clock.now())),
            nonce=changes.get("nonce", secrets.token_hex(16)),
        )
        signature = self.key.sign(head.signed_bytes(body))
        return {
            STATION: head.station,
            TIME: head.time,
            NONCE: head.nonce,
            SIGNATURE: SIGNATURE_PREFIX + base64.b64encode(signature).decode(),
            "Content-Type": "application/json",
        }

    def send(self, path: str, message: object, **changes: str) -> TestResponse:
        """POST /agent/v1/<path> with a protocol message."""
        body = message if isinstance(message, bytes) else encode(message)
        full = f"/agent/v1/{path}"
        return self.app.test_client().post(full, data=body, headers=self.headers(full, body, **changes))


@dataclass
class World:
    """One organisation: a bureau with a seal office and a department, its people, one authority, one station."""

    app: Flask

    def __post_init__(self) -> None:
        now = dt.datetime.now(dt.UTC)
        self.ca = Authority(start=now - 30 * DAY, end=now + 365 * DAY)
        self.publish()
        self.bureau = self._unit("某市财政局", None)
        self.finance = self._unit("预算处", self.bureau)
        self.operator = self.person("wang", "王工", self.bureau, "station_operator")
        self.office = self.person("li", "李主任", self.bureau, "seal_office")
        self.manager = self.person("zhao", "赵管", self.bureau, "seal_manager", unit=self.finance)
        self.user = self.person("sun", "孙用", self.finance, "seal_user", unit=self.finance)
        self.stranger = self.person("qian", "钱某", self.bureau, "applicant")
        self.administrator = self.person("admin", "系统员", self.bureau, "system_administrator")
        subject = Name([NameAttribute(NameOID.COMMON_NAME, "印章服务器")])
        key = load_der_public_key(keyring().public_key("order"))
        certificate = self.ca.certify(subject, key, role="order")
        keyring().install_certificate("order", certificate.public_bytes(Encoding.PEM))
        self.station = self.enrolled("三楼制章室")
        self.maker = self.ca.issue("某市公章制作中心", role="maker")
        self.card = self.ca.issue("预算处", role="seal")
        db.session.commit()

    def publish(self, *revoked: Holder) -> None:
        """Root and a fresh revocation list, as the trust folder has them."""
        now = dt.datetime.now(dt.UTC)
        folder = current_settings().trust_dir
        assert folder is not None
        self.ca.publish(folder, *revoked, at=now - DAY / 24, fresh_until=now + 30 * DAY)

    def _unit(self, name: str, parent: int | None) -> int:
        unit = Unit(name=name, parent_id=parent, level=1 if parent is None else 2)
        db.session.add(unit)
        db.session.flush()
        return unit.id

    def person(self, login: str, name: str, unit_id: int, *roles: str, unit: int | None = None) -> Actor:
        """Somebody with these roles, for `unit` or everywhere."""
        user = User(login=login, name=name, unit_id=unit_id, password_hash="-")
        db.session.add(user)
        db.session.flush()
        for role in roles:
            db.session.add(RoleGrant(user_id=user.id, role=role, unit_id=unit))
        db.session.commit()
        return people.actor_of(user.id)

    def enrolled(self, name: str) -> Station:
        """A station that has redeemed its code."""
        fact = commands.enrol_station(name, self.bureau, by=SYSTEM)
        station = Station(self.app)
        commands.redeem(
            fact.code,
            station.public_key,
            host=station.host,
            mac=station.mac,
            agent_version="0.1",
            by=Actor(kind="station", name=name),
        )
        station.id = fact.station_id
        return station

    def person_with_all(self) -> Actor:
        """Manages the seals of every unit."""
        return Actor(
            id=self.manager.id, name="赵管", grants=frozenset({Grant(role="seal_manager", unit_id=None)})
        )

    def station_actor(self) -> Actor:
        return Actor(kind="station", name="三楼制章室", station_id=self.station.id)

    def register_cards(self) -> None:
        """The maker card MK1 and the department's seal card SC1."""
        self.register("MK1", self.maker, role="maker", owner_unit_id=self.bureau)
        self.register("SC1", self.card, owner_unit_id=self.finance)

    def register(self, serial: str, holder: Holder, *, role: str = "seal", **owner: Any) -> None:
        commands.register_card(serial, role, holder.der, **owner, by=self.office)  # type: ignore[arg-type]


class Browser(FlaskClient):
    """Forgets what an earlier request of the test knew: the test's app context outlives its requests."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        for name in ("actor", "login_session", "language"):
            g.pop(name, None)
        return super().open(*args, **kwargs)


def browser(world: World, who: Actor) -> FlaskClient:
    """This person's browser, logged in."""
    assert who.id is not None
    token = secrets.token_urlsafe(32)
    db.session.add(LoginSession(token_hash=people.token_hash(token), user_id=who.id))
    db.session.commit()
    world.app.config["WTF_CSRF_ENABLED"] = False
    client = Browser(world.app, world.app.response_class)
    client.set_cookie("yinxu", token)
    return client
