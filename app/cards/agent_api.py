"""The agents' door: POST /agent/v1/*. Canonical JSON in and out, each request signed by a station's key.

Who knocks is established in `knocking.py`; what may be done is the commands' affair. docs/protocol.md is the
contract. A refusal is answered as JSON with its code and both languages; knocks turned away stand in the log.
"""

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from app import command as gate
from app.actor import Actor
from app.cards import commands, knocking, presence, queries, rules, waiting
from app.cards.kinds import bring
from app.crypto.certificates import root_certificates
from app.crypto.keys import keyring
from app.refusal import Conflict, Invalid, Refusal
from app.settings import current_settings
from app.web import errors, limits
from app.web.limits import limiter
from card_agent.protocol import names
from card_agent.protocol.codec import BODY_LIMIT_BYTES, Malformed, decode, encode, parse, to_json
from card_agent.protocol.jobs import Authorise, Begin, CardSeen, Enrol, Enrolled, Heartbeat, Jobs, Work
from card_agent.protocol.outcomes import Accepted, Incident, outcome_from_json
from card_agent.protocol.request import ENROLLING, NONCE, SIGNATURE, STATION, TIME, RequestHead

blueprint = Blueprint("agent_api", __name__, url_prefix="/agent/v1")

T = TypeVar("T")


@blueprint.post("/enrol")
@limiter.limit("60 per minute")
def enrol() -> Response:
    """The one request of a station that has no number yet: signed with the key it brings."""
    message = _read(Enrol, knocking.stranger(request.remote_addr, ENROLLING))
    if message.protocol != names.PROTOCOL:
        raise Conflict(
            "station.other_protocol",
            zh=f"工位程序的协议版本（{message.protocol}）与服务器（{names.PROTOCOL}）不同，请升级工位程序",
            en=f"The agent speaks protocol {message.protocol}, the server {names.PROTOCOL}; upgrade the agent",
        )
    head = _head()
    by = knocking.newcomer(message.host, message.mac, ip=request.remote_addr)
    _recording(lambda: knocking.check_newcomer(message.public_key, head, _signature(), _body()), by)
    fact = commands.redeem(
        message.code,
        message.public_key,
        host=message.host,
        mac=message.mac,
        agent_version=message.agent_version,
        by=by,
    )
    return _answer(
        Enrolled(
            station_id=fact.station_id,
            station_name=queries.station(fact.station_id).station.name,
            server_order_certificate=keyring().certificate("order"),
            roots=root_certificates(queries.trust()),
        )
    )


@blueprint.post("/heartbeat")
def heartbeat() -> Response:
    by = _station()
    message = _read(Heartbeat, by)
    assert by.station_id is not None
    presence.heartbeat(by.station_id, [_seen(c) for c in message.cards], ip=request.remote_addr)
    return _answer({})


def _seen(card: CardSeen) -> dict[str, str | None]:
    found: dict[str, str | None] = to_json(card)
    return found


@blueprint.post("/work")
def work() -> Response:
    """All open jobs of the station: at once when they are not those it knows, else after a while."""
    by = _station()
    message = _read(Work, by)
    assert by.station_id is not None
    station_id, known = by.station_id, tuple(sorted(message.known))
    settings = current_settings()
    waiting.wait_until(
        lambda: queries.open_job_ids_now(station_id) != known,
        at_most_s=min(message.wait_s, settings.agent_poll_s),
        places=max(1, settings.web_threads // 2),
    )
    answer = _answer(Jobs(jobs=tuple(queries.as_job(j) for j in queries.open_jobs(station_id))))
    answer.headers["Retry-After"] = "1"
    return answer


@blueprint.post("/jobs/<int:job_id>/begin")
def begin(job_id: int) -> Response:
    by = _station()
    return _answer(commands.begin(job_id, _read(Begin, by), by=by).reply)


@blueprint.post("/jobs/<int:job_id>/authorise")
def authorise(job_id: int) -> Response:
    by = _station()
    return _answer(commands.authorise(job_id, _read(Authorise, by), by=by).reply)


@blueprint.post("/jobs/<int:job_id>/outcome")
def outcome(job_id: int) -> Response:
    by = _station()
    message = _well_formed(lambda: outcome_from_json(parse(_body())), by)
    kind = queries.kind_of_job(job_id, by.station_id)
    brought = bring(kind, job_id, message) if kind else None
    return _answer(Accepted(state=commands.accept_outcome(job_id, message, brought=brought, by=by).state))


@blueprint.post("/jobs/<int:job_id>/incident")
def incident(job_id: int) -> Response:
    """Something went wrong at the station and the job stays open: into the log of refusals, once (A26)."""
    by = _station()
    message = _read(Incident, by)
    assert by.station_id is not None
    if presence.is_new(by.station_id, message.nonce):
        rules.check_own_job(queries.job(job_id).station_id, by.station_id)
        refusal = Refusal(
            f"agent.{message.code}",
            zh=message.zh,
            en=message.en,
            job_id=job_id,
            card_serial=message.card_serial,
            card_changed=message.card_changed,
            at=message.at.isoformat(),
        )
        gate.record(refusal, attempted=f"card_agent.{message.step}", by=by)
    return _answer({})


# --- what every request has ---


def _station() -> Actor:
    head, ip = _head(), request.remote_addr
    return _recording(
        lambda: knocking.admit(head, _signature(), _body(), ip=ip), knocking.stranger(ip, head.station)
    )


def _recording(attempt: Callable[[], T], by: Actor) -> T:
    """A knock that is turned away stands in the log, with what it called itself; who keeps knocking hears less."""
    try:
        return attempt()
    except Refusal as refusal:
        errors.record(refusal, attempted=f"agent {request.path}", by=by)
        if limits.worth_answering():
            raise
        often = errors.too_often()
        often.recorded = True  # as what it was
        raise often from refusal


def _head() -> RequestHead:
    return RequestHead(
        method=request.method,
        path=request.full_path.rstrip("?") if request.query_string else request.path,
        station=request.headers.get(STATION, ENROLLING),
        time=request.headers.get(TIME, ""),
        nonce=request.headers.get(NONCE, ""),
    )


def _signature() -> str:
    return request.headers.get(SIGNATURE, "")


def _body() -> bytes:
    if (request.content_length or 0) > BODY_LIMIT_BYTES:
        raise RequestEntityTooLarge
    return request.get_data(cache=True)


def _read(kind: type[T], by: Actor) -> T:
    return _well_formed(lambda: decode(kind, _body()), by)


def _well_formed(read: Callable[[], T], by: Actor) -> T:
    """No person writes what comes here: what is not well formed is a defect or an attack, and stands in the log."""

    def strictly() -> T:
        try:
            return read()
        except Malformed as error:
            raise Invalid(
                "station.malformed",
                zh="请求内容不符合协议，请升级工位程序",
                en="The request does not follow the protocol; upgrade the agent",
                reason=str(error),
            ) from error

    return _recording(strictly, by)


def _answer(message: object) -> Response:
    return Response(encode(message), content_type="application/json")
