"""How often one address may knock. Counted in Redis; while Redis is silent, in this process."""

import hashlib

import redis
from flask import Flask, request
from flask_limiter import Limiter
from limits import RateLimitItem, parse

from app.settings import Settings, current_settings

DOOR_REFUSALS = parse("30 per minute")
"""How many refusals of one kind a door writes into the log for one address: a flood must not bury the log.

What is over is counted, and told in one entry (`held_back.py`)."""
REFUSED_KNOCKS = parse("60 per minute")
"""How many knocks of agents are turned away one by one for one address; the next ones hear only that they are many."""


def address() -> str:
    """Where the request comes from."""
    return request.remote_addr or "unknown"


def _sender() -> str:
    return f"{installation()}/{address()}"


def login_rate() -> str:
    return current_settings().login_rate


limiter = Limiter(_sender, default_limits=[])


def worth_recording(code: str) -> bool:
    """Whether this address has not had its share of log entries for this refusal yet."""
    return _hit(DOOR_REFUSALS, "refusal", code)


def worth_answering() -> bool:
    """Whether this address has not knocked in vain too often. Ask only after a refusal: who is admitted never waits."""
    return _hit(REFUSED_KNOCKS, "knock")


def _hit(share: RateLimitItem, *what: str) -> bool:
    try:
        return limiter.limiter.hit(share, installation(), *what, address())
    except redis.RedisError:
        return True


def installation() -> str:
    """Keeps apart what several installations count in one Redis."""
    return hashlib.sha256(current_settings().database_url.encode()).hexdigest()[:12]


def init_app(app: Flask, settings: Settings) -> None:
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.redis_url,
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 1},
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_SWALLOW_ERRORS=True,
    )
    limiter.init_app(app)
