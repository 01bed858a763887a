"""How often one address may knock. Counted in Redis; while Redis is silent, in this process."""

from flask import Flask, request
from flask_limiter import Limiter

from app.settings import Settings, current_settings


def _address() -> str:
    return request.remote_addr or "unknown"


def login_rate() -> str:
    return current_settings().login_rate


limiter = Limiter(_address, default_limits=[])


def init_app(app: Flask, settings: Settings) -> None:
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.redis_url,
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 1},
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_IN_MEMORY_FALLBACK=[settings.login_rate],
        RATELIMIT_SWALLOW_ERRORS=True,
    )
    limiter.init_app(app)
