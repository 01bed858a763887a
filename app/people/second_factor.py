"""两步验证: besides the password, a code of the person's authenticator (TOTP, RFC 6238: SHA-1, six digits, thirty seconds).

The key lies in an envelope that only this server opens, and is shown once, until the first code proves that it arrived.
"""

import base64
import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from app.actor import Actor
from app.clock import now
from app.command import command
from app.crypto import vault
from app.db import db, lock_row
from app.people import passwords, queries, rules
from app.people.facts import SecondFactorBegun, SecondFactorOff, SecondFactorOn
from app.people.models import SecondFactor, User
from app.refusal import Conflict, Forbidden

KEY_BYTES = 20
STEP_S = 30
ISSUER = "Yinxu 印序"


@command
def begin(*, by: Actor) -> SecondFactorBegun:
    """A new key, which counts for nothing until `confirm`. Refuses Conflict while one is on."""
    user_id = _person(by)
    row = db.session.get(SecondFactor, user_id)
    if row is not None and row.confirmed_at is not None:
        raise Conflict("people.factor_on", zh="两步验证已启用", en="The second factor is on already")
    if row is not None:
        db.session.delete(row)
        db.session.flush()
    key = vault.seal(secrets.token_bytes(KEY_BYTES), context=_context(user_id))
    db.session.add(SecondFactor(user_id=user_id, sealed=key))
    return SecondFactorBegun(user_id=user_id)


@command
def confirm(code: str, *, by: Actor) -> SecondFactorOn:
    """The authenticator has the key: its code says so. From now on every login by password asks for one."""
    user_id = _person(by)
    row: SecondFactor | None = lock_row(SecondFactor, user_id)
    if row is None or row.confirmed_at is not None:
        raise Conflict("people.factor_not_begun", zh="请先开始设置", en="Begin the setting up first")
    if not _taken(row, code, now()):
        raise rules.wrong_code()
    row.confirmed_at = now()
    return SecondFactorOn(user_id=user_id)


@command
def remove(password: str, *, by: Actor) -> SecondFactorOff:
    """Off again, by the person, who proves it with the password."""
    user_id = _person(by)
    user: User = lock_row(User, user_id)
    if not passwords.verify(user.password_hash, password):
        raise Forbidden("people.wrong_password", zh="密码不正确", en="The password is wrong")
    return _off(user_id, "")


@command
def reset(user_id: int, reason: str, *, by: Actor) -> SecondFactorOff:
    """The authenticator is lost: the security officer, not for themselves, puts it off; the person sets it up anew."""
    rules.check_may_appoint(by, "", first=False)
    if by.id == user_id:
        raise Forbidden("people.not_oneself", zh="不能为自己重置", en="Nobody resets their own")
    return _off(queries.user(user_id).id, rules.check_why(reason))


def _off(user_id: int, reason: str) -> SecondFactorOff:
    row: SecondFactor | None = lock_row(SecondFactor, user_id)
    if row is None:
        raise Conflict("people.factor_off", zh="两步验证未启用", en="The second factor is not on")
    db.session.delete(row)
    return SecondFactorOff(user_id=user_id, reason=reason)


def is_on(user_id: int) -> bool:
    row = db.session.get(SecondFactor, user_id)
    return row is not None and row.confirmed_at is not None


def take(user_id: int, code: str) -> bool:
    """Whether this is a code of the person's authenticator, now, that was not taken before; it is taken by this."""
    row: SecondFactor | None = lock_row(SecondFactor, user_id)
    return row is not None and row.confirmed_at is not None and _taken(row, code, now())


def key_to_show(user_id: int) -> tuple[str, str] | None:
    """The key in base 32 and as an address that authenticators open; None unless it waits for its first code."""
    row = db.session.get(SecondFactor, user_id)
    if row is None or row.confirmed_at is not None:
        return None
    key = vault.open(row.sealed, context=_context(user_id))
    address = _totp(key).get_provisioning_uri(queries.user(user_id).login, ISSUER)
    return base64.b32encode(key).decode().rstrip("="), address


def _taken(row: SecondFactor, code: str, at: datetime) -> bool:
    """The code of this step, the one before or the next: clocks differ."""
    said = "".join(code.split())
    if len(said) != rules.CODE_DIGITS or not (said.isascii() and said.isdecimal()):
        return False
    totp = _totp(vault.open(row.sealed, context=_context(row.user_id)))
    present = int(at.timestamp()) // STEP_S
    for step in (present - 1, present, present + 1):
        try:
            totp.verify(said.encode(), step * STEP_S)
        except InvalidToken:
            continue
        if step <= row.last_step:
            return False
        row.last_step = step
        return True
    return False


def _totp(key: bytes) -> TOTP:
    return TOTP(key, rules.CODE_DIGITS, SHA1(), STEP_S)  # noqa: S303 - what authenticators compute


def _context(user_id: int) -> dict[str, object]:
    return {"kind": "second_factor", "user_id": user_id}


def _person(by: Actor) -> int:
    if by.kind != "person" or by.id is None:
        raise Forbidden("people.log_in_first", zh="请先登录", en="Log in first")
    return by.id
