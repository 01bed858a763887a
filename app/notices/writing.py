"""What leaves the house of one notice: the entry of a mail, the body of a webhook, and that webhook's secret."""

import base64
import hashlib
import hmac
import json
from zoneinfo import ZoneInfo

from app.notices import kinds
from app.notices.letters import Entry
from app.notices.models import Notice
from app.notices.wishes import Wish
from app.settings import current_settings
from app.text import Text


def href(path: str) -> str:
    return current_settings().public_url.rstrip("/") + path


def settings_href() -> str:
    return href("/notices/settings")


def entry(notice: Notice) -> Entry:
    zone = ZoneInfo(current_settings().time_zone)
    return Entry(
        told=kinds.sentence(notice.kind, Text(notice.step_zh, notice.step_en)),
        title=notice.title,
        who=notice.who,
        said=Text(notice.said_zh, notice.said_en),
        at=notice.at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        href=href(f"/notices/{notice.id}"),
    )


def payload(notice: Notice) -> bytes:
    """The same bytes each time it is tried."""
    told = kinds.sentence(notice.kind, Text(notice.step_zh, notice.step_en))
    said = {
        "type": f"notice.{notice.kind}",
        "timestamp": notice.at.isoformat(),
        "data": {
            "title": notice.title,
            "told": {"zh": told.zh, "en": told.en},
            "said": {"zh": notice.said_zh, "en": notice.said_en},
            "who": notice.who,
            "instance_id": notice.instance_id,
            "task_id": notice.task_id,
            "href": href(f"/notices/{notice.id}"),
        },
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def secret(wish: Wish) -> bytes:
    """32 bytes that only this person's webhook knows; nothing of it is stored. Another number, another secret."""
    master = current_settings().secret_key.get_secret_value().encode()
    return hmac.digest(master, f"webhook/{wish.user_id}/{wish.webhook_number}".encode(), hashlib.sha256)


def secret_words(wish: Wish) -> str:
    """As the person copies it (Standard Webhooks)."""
    return "whsec_" + base64.b64encode(secret(wish)).decode()
