"""Who knocks at the agents' door: headers, time, nonce and signature of a station's request."""

import base64
import binascii
import re
from datetime import datetime

from app import clock
from app.actor import Actor, Origin
from app.cards import presence, queries, rules
from app.crypto.signing import verify_ed25519
from app.refusal import Unauthenticated
from card_agent.protocol.codec import Malformed, parse_moment
from card_agent.protocol.request import SIGNATURE_PREFIX, RequestHead

_NONCE = re.compile(r"[0-9a-f]{32}")


def stranger(ip: str | None, called: str) -> Actor:
    """A station that has not shown who it is; `called`: the number it gives itself."""
    return Actor(kind="station", name=f"? {called[:20]}", origin=Origin(ip=ip))


def newcomer(host: str | None, mac: str | None, *, ip: str | None) -> Actor:
    """A station about to enrol."""
    return Actor(kind="station", name=host or "?", origin=Origin(ip=ip, mac=mac, host=host))


def check_newcomer(public_key: bytes, head: RequestHead, signature: str, body: bytes) -> None:
    """It has the key that it brings. The code is used once, so no nonce is kept."""
    check_signature(public_key, head, signature, body)
    rules.check_fresh(sent_at(head), clock.now())


def admit(head: RequestHead, signature: str, body: bytes, *, ip: str | None) -> Actor:
    """The station behind the request. Refuses Unauthenticated: unknown, revoked, stale, replayed or badly
    signed. The nonce is used up only by a request whose signature holds."""
    row = queries.station_by_id(head.station)
    if row is None or row.public_key is None:
        raise _refused(
            "station.unknown", "工位没有登记，请先登记", "This station is not enrolled; enrol it first"
        )
    if row.revoked_at is not None:
        raise _refused(
            "station.revoked",
            "该工位已停用，请联系系统管理员",
            "This station has been revoked; ask the administrator",
        )
    check_signature(row.public_key, head, signature, body)
    rules.check_fresh(sent_at(head), clock.now())
    # made before the nonce is committed: the row would be asked for again after it
    by = Actor(
        kind="station",
        name=row.name,
        unit_id=row.unit_id,
        station_id=row.id,
        origin=Origin(ip=ip, mac=row.mac, host=row.host, mac_source="agent-signed" if row.mac else "none"),
    )
    presence.use_nonce(row.id, head.nonce)
    return by


def check_signature(public_key: bytes, head: RequestHead, signature: str, body: bytes) -> None:
    """`public_key`: raw Ed25519. Also the shape of the nonce, which is part of what is signed."""
    try:
        if not signature.startswith(SIGNATURE_PREFIX):
            raise ValueError("prefix")
        raw = base64.b64decode(signature.removeprefix(SIGNATURE_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad_signature() from error
    if not _NONCE.fullmatch(head.nonce) or not verify_ed25519(public_key, raw, head.signed_bytes(body)):
        raise _bad_signature()


def sent_at(head: RequestHead) -> datetime:
    try:
        return parse_moment(head.time)
    except Malformed as error:
        raise _refused(
            "station.bad_time",
            "请求时间格式不正确，请升级工位程序",
            "The request's time cannot be read; upgrade the agent",
        ) from error


def _bad_signature() -> Unauthenticated:
    return _refused(
        "station.bad_signature",
        "工位签名不成立，请重新登记工位",
        "The station's signature does not hold; enrol the station again",
    )


def _refused(code: str, zh: str, en: str) -> Unauthenticated:
    return Unauthenticated(code, zh=zh, en=en)
