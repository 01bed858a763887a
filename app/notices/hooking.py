"""A webhook: one POST to an address that was checked, signed as Standard Webhooks says, and bounded in every way.

`app/outward.py` guards the way there. Nothing is followed: an answer that leads elsewhere is a failure. Of what comes
back only the status and the headers are read.
"""

import base64
import hashlib
import hmac
import http.client
from datetime import datetime

from app.notices import rules
from app.notices.outcome import Again, Never
from app.outward import Line, NotAllowed, Resolve, Unreachable, address_of, is_public, resolve
from app.settings import Settings

__all__ = ["Resolve", "call", "is_public", "signature"]


def signature(key: bytes, ident: str, timestamp: int, body: bytes) -> str:
    """`v1,` and base64 of HMAC-SHA256 over id, timestamp and body. Pure."""
    told = f"{ident}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, told, hashlib.sha256)).decode()


def call(
    url: str,
    ident: str,
    body: bytes,
    key: bytes,
    at: datetime,
    settings: Settings,
    look_up: Resolve | None = None,
) -> None:
    """POST it. Raises `Again` or `Never`."""
    parts = rules.parts_of(url, private_allowed=settings.webhook_private_allowed)
    if parts is None:
        raise Never("the address must begin with https:// and hold no name or password")
    try:
        address, port = address_of(
            parts, look_up or resolve, private_allowed=settings.webhook_private_allowed
        )
    except Unreachable as error:
        raise Again(str(error)) from error
    except NotAllowed as error:
        raise Never(str(error)) from error
    timestamp = int(at.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Yinxu-Webhook/1",
        "Connection": "close",
        "Webhook-Id": ident,
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": signature(key, ident, timestamp, body),
    }
    with Line(parts, address, port, settings.webhook_timeout_s) as line:
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            line.request("POST", path, body, headers)
            status = line.getresponse().status
            if line.was_cut:
                raise TimeoutError
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Again(f"no answer: {type(error).__name__} {error}"[:300]) from error
    if 200 <= status < 300:
        return
    if status in (408, 425, 429) or status >= 500:
        raise Again(f"it answered {status}")
    raise Never(f"it answered {status}" + ("; redirections are not followed" if 300 <= status < 400 else ""))
