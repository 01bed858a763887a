"""What each person wishes: which happenings reach them where, in which language, at what pace."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.db import db
from app.notices import kinds, rules
from app.notices.models import NoticeProfile
from app.settings import current_settings


@dataclass(frozen=True)
class Wish:
    """`choices`: kind → channels. A channel without an address reaches nobody."""

    user_id: int
    language: str
    mail: str = ""
    webhook: str = ""
    webhook_number: int = 0
    pace: str = "at_once"
    choices: dict[str, Any] = field(default_factory=dict[str, Any])

    def channels(self, kind: str) -> frozenset[str]:
        settings = current_settings()
        lacking = {"mail"} if not (self.mail and settings.smtp_host) else set[str]()
        return kinds.channels(kind, self.choices) - lacking - (set() if self.webhook else {"hook"})

    def due(self, channel: str, at: datetime) -> datetime:
        """When something that happened at this moment goes out."""
        if channel != "mail":
            return at
        settings = current_settings()
        return rules.next_mail(self.pace, at, settings.time_zone, settings.notice_digest_hour)


def of_people(ids: Collection[int]) -> dict[int, Wish]:
    """Everybody's, whether they ever chose or not."""
    usual = current_settings().languages[0]
    found = {ident: Wish(ident, usual) for ident in ids}
    for row in db.session.scalars(sa.select(NoticeProfile).where(NoticeProfile.user_id.in_(ids))):
        found[row.user_id] = Wish(
            row.user_id, row.language, row.mail, row.webhook, row.webhook_number, row.pace, row.choices
        )
    return found


def of(user_id: int) -> Wish:
    return of_people([user_id])[user_id]
