"""Security headers on every answer, with a strict content policy (ASVS 3.4)."""

import secrets
from typing import Any, cast

from flask import Flask, Response, g, request

from app.settings import current_settings


def nonce() -> str:
    """This answer's nonce: the only inline script and style that run are those that carry it."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(18)
    return g.nonce


def init_app(app: Flask) -> None:
    cast(Any, app.jinja_env).globals["nonce"] = nonce

    def harden(answer: Response) -> Response:
        policy = (
            "default-src 'none'; "
            f"script-src 'self' 'nonce-{nonce()}'; style-src 'self' 'nonce-{nonce()}'; "
            "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
        )
        headers = answer.headers
        headers.setdefault("Content-Security-Policy", policy)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if current_settings().https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if not request.path.startswith("/static/"):
            headers.setdefault("Cache-Control", "no-store")
        return answer

    app.after_request(harden)
