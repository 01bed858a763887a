"""Login with one's own card (登录认证, A21, A23): the login page shows a code, the person's card signs it at the station, the page goes on.

Anybody may say a name at the login page, so a name proves nothing: what logs in is the card's signature over a challenge of this
server's, for its address, with the code of that very browser, by a card that is good now and whose seal may be used to log in.
"""

import secrets
from datetime import timedelta

import sqlalchemy as sa

from app import clock
from app.actor import SYSTEM, Actor
from app.cards import commands as cards
from app.cards import queries as card_queries
from app.cards import rules as card_rules
from app.cards.kinds import JobEnd, job_kind
from app.cards.models import CardJob
from app.command import command
from app.crypto import signing
from app.crypto.keys import keyring
from app.db import db, locked
from app.people import queries as people
from app.people import sessions
from app.people.facts import LoggedIn
from app.people.models import User
from app.refusal import Conflict, Forbidden, Invalid
from app.seals import card_login_rules as law
from app.seals import queries
from app.seals.facts import CardLoginAsked, CardLoginEnded
from app.seals.models import CardLogin
from app.settings import current_settings
from app.text import Text
from card_agent.protocol import names
from card_agent.protocol.codec import encode, from_json, parse_canonical
from card_agent.protocol.jobs import Authorise, Authorised, Begin, Line, LoginBegun, Summary, Words
from card_agent.protocol.outcomes import Failed, Outcome, Proved
from card_agent.protocol.statements import (
    LoginOrder,
    Operator,
    Signed,
    login_proof,
    open_statement,
    payload,
    sealed,
)

FUNCTION = "login"


@command
def ask(login: str, *, token: str, by: Actor) -> CardLoginAsked:
    """Somebody at a login page says who they are. `token`: 256 random bits that only this browser holds. Refuses Conflict in
    the same words for a name nobody has, a person without a card for it, and a card that is in no reader now."""
    user = people.user_by_login(login)
    found = _card_of(user) if user is not None and user.active else None
    if user is None or found is None:
        raise law.no_card()
    serial, station_id = found
    for earlier in db.session.scalars(
        sa.select(CardLogin).where(CardLogin.user_id == user.id, CardLogin.state == "open")
    ):
        _end(earlier)
    now = clock.now()
    row = CardLogin(
        user_id=user.id,
        token_hash=people.token_hash(token),
        card_serial=serial,
        code=f"{secrets.randbelow(10_000):04}",
        asked_at=now,
        expires_at=now + timedelta(seconds=current_settings().order_life_s),
        ip=by.origin.ip,
    )
    db.session.add(row)
    db.session.flush()
    job = cards.open_job(
        names.LOG_IN, station_id, serial, {"login_id": row.id}, operator=people.actor_of(user.id), by=by
    )
    row.job_id = job.job_id
    return CardLoginAsked(
        login_id=row.id, user_id=user.id, card_serial=serial, station_id=station_id, job_id=job.job_id
    )


def _card_of(user: User) -> tuple[str, int] | None:
    """The person's card that is in a reader now and may be used to log in, and where."""
    person = people.actor_of(user.id)
    for card in card_queries.cards_of(user.id):
        seal = queries.live_seal_on_card(card.serial)
        station_id = card_queries.station_holding(card.serial)
        if (
            seal is not None
            and station_id is not None
            and queries.may_use(seal.id, person, function=FUNCTION).allowed
        ):
            return card.serial, station_id
    return None


@command
def finish(login_id: int, *, token: str, session_token: str, by: Actor) -> LoggedIn:
    """The browser that asked goes on, once, and only while it is fresh. Refuses Conflict while the card has not proved it."""
    row: CardLogin = locked(CardLogin, login_id)
    law.check_mine(row.token_hash == people.token_hash(token))
    law.check_proved(row.state, fresh=clock.now() < row.expires_at)
    if not people.user(row.user_id).active:
        raise law.no_card()
    row.state = "used"
    return LoggedIn(
        user_id=row.user_id,
        session_id=sessions.open_session(row.user_id, session_token, by),
        card_serial=row.card_serial,
    )


def state_of(login_id: int, token: str) -> tuple[str, str]:
    """State and code, for the browser that asked; `ended` for everybody else and when its time is over."""
    row = db.session.get(CardLogin, login_id)
    if row is None or row.token_hash != people.token_hash(token) or clock.now() >= row.expires_at:
        return "ended", ""
    return row.state, row.code


def end_expired() -> int:
    """The stations forget those whose time is over; how many. Running twice changes nothing."""
    old = db.session.scalars(
        sa.select(CardLogin.id).where(CardLogin.state == "open", CardLogin.expires_at <= clock.now())
    ).all()
    for login_id in old:
        give_up(login_id, by=SYSTEM)
    return len(old)


@command
def give_up(login_id: int, *, by: Actor) -> CardLoginEnded:
    """Its time is over."""
    row: CardLogin = locked(CardLogin, login_id)
    if row.state == "open":
        _end(row)
    return CardLoginEnded(login_id=row.id, user_id=row.user_id, card_serial=row.card_serial)


def _end(row: CardLogin) -> None:
    row.state = "ended"
    job = card_queries.job(row.job_id) if row.job_id is not None else None
    if job is not None and job.state in card_rules.OPEN_STATES:
        cards.cancel_job(job.id, "登录请求已失效", by=SYSTEM)


@job_kind(names.LOG_IN, several=True)
class LogIn:
    """The station's half of it."""

    def summary(self, job: CardJob) -> Summary:
        row = _of(job)
        return Summary(
            title=Words(zh=f"登录：{job.operator_name}", en=f"Log in: {job.operator_name}"),
            lines=(
                Line(
                    zh="核对码（须与登录页面一致）", en="Code (the same as on the login page)", value=row.code
                ),
                Line(zh="登录到", en="Log in to", value=_origin()),
                Line(zh="请求来自", en="Asked from", value=row.ip or "—"),
            ),
        )

    def begin(self, job: CardJob, message: Begin, *, by: Actor) -> LoginBegun:
        row = _of(job)
        law.check_open(row.state, fresh=clock.now() < row.expires_at)
        card_rules.check_card_present(expected=job.card_serial, presented=message.card_serial)
        card_queries.check_registered_card(
            job.card_serial, "seal", certificate=message.card_certificate, at=clock.now()
        )
        if row.order_json is None:
            order = _new_order(row, job)
            row.order_id, row.order_json = order.order_id, encode(_signed(order))
        return LoginBegun(order=_order(row))

    def authorise(self, job: CardJob, message: Authorise, *, by: Actor) -> Authorised:
        raise Invalid(
            "card_job.no_such_step",
            zh="登录任务没有写卡授权这一步，请升级工位程序",
            en="Logging in has no such step; upgrade the station's agent",
        )

    def outcome(self, job: CardJob, message: Outcome, *, by: Actor) -> JobEnd:
        if isinstance(message, Failed):
            return JobEnd(done=False, reason=Text(message.zh or message.code, message.en or message.code))
        if not isinstance(message, Proved):
            raise Invalid(
                "card_job.wrong_outcome",
                zh="工位回报的结果与任务不符，请升级工位程序",
                en="The station reported an outcome of another kind of job; upgrade its agent",
            )
        row = _of(job)
        law.check_open(row.state, fresh=clock.now() < row.expires_at)
        if row.order_id is None or message.order_id != row.order_id:
            raise Conflict(
                "card_job.replayed",
                zh="回报的命令编号不是当前命令",
                en="The order reported is not the present one",
            )
        card_queries.check_registered_card(
            job.card_serial, "seal", certificate=message.certificate, at=clock.now()
        )
        alg = message.proof.alg
        wanted = payload(login_proof(open_statement(LoginOrder, _order(row)), alg=alg))
        if (
            alg not in names.CARD_ALGORITHMS
            or signing.verify_by_certificate(alg, message.certificate, message.proof.value, wanted) != "good"
        ):
            raise law.proof_bad()
        _check_may(row)
        return JobEnd(done=True)

    def ended(self, job: CardJob, end: JobEnd, *, by: Actor) -> None:
        row = _of(job)
        if row.state == "open":
            row.state = "proved" if end.done else "ended"


def _check_may(row: CardLogin) -> None:
    """The decision is asked again at the moment of use: what was withdrawn since counts."""
    seal = queries.live_seal_on_card(row.card_serial)
    if seal is None:
        raise law.no_card()
    decision = queries.may_use(seal.id, people.actor_of(row.user_id), function=FUNCTION)
    if not decision.allowed:
        raise Forbidden(f"seal.{decision.code}", zh=decision.because.zh, en=decision.because.en)


def _of(job: CardJob) -> CardLogin:
    return db.session.get_one(CardLogin, int(job.payload["login_id"]))


def _origin() -> str:
    return current_settings().public_url


def _order(row: CardLogin) -> Signed:
    assert row.order_json is not None
    return from_json(Signed, parse_canonical(row.order_json), exact=True)


def _new_order(row: CardLogin, job: CardJob) -> LoginOrder:
    card = card_queries.card(job.card_serial)
    assert card is not None
    return LoginOrder(
        domain=LoginOrder.DOMAIN,
        alg=names.ECDSA_SHA256,
        kid=f"order-v{keyring().newest('order')}",
        order_id=secrets.token_hex(16),
        job_id=job.id,
        nonce=secrets.token_hex(32),
        origin=_origin(),
        code=row.code,
        card_serial=card.serial,
        card_cert_sha256=card.cert_sha256,
        operator=Operator(id=job.operator_id, name=job.operator_name),
        station_id=job.station_id,
        issued_at=clock.now(),
        expires_at=row.expires_at,
    )


def _signed(order: LoginOrder) -> Signed:
    ring = keyring()
    _, kid, signature = ring.sign("order", payload(order))
    if kid != order.kid:
        raise Conflict(
            "keys.rotated", zh="服务器密钥刚刚轮换，请重试", en="The server's key was just rotated; try again"
        )
    return sealed(order, signature, ring.certificate("order"))
