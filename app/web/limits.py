"""How often one address may knock. Counted in Redis; while Redis is silent, in this process."""

import hashlib

import redis
from flask import Flask, request
from flask_limiter import Limiter
from limits import parse

from app.settings import Settings, current_settings

DOOR_REFUSALS = parse("30 per minute")
"""How many refusals of one kind a door writes into the log for one address: a flood must not bury the log."""


def _address() -> str:
    return request.remote_addr or "unknown"


def _sender() -> str:
    return f"{_installation()}/{_address()}"


def login_rate() -> str:
    return current_settings().login_rate


limiter = Limiter(_sender, default_limits=[])


def worth_recording(code: str) -> bool:
    """Whether this address has not had its share of log entries for this refusal yet."""
    try:
        return limiter.limiter.hit(DOOR_REFUSALS, _installation(), "refusal", code, _address())
    except redis.RedisError:
        return True


def _installation() -> str:
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
