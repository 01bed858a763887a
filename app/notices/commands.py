"""The verbs of notices: read, unread; choose what reaches oneself; send again what failed, and a test."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import sqlalchemy as sa

from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db, insert_unless_there, lock_row
from app.notices import kinds, queries, rules, wishes
from app.notices.facts import (
    DeliveryRetried,
    NoticesRead,
    NoticeUnread,
    NoticeWishesSet,
    TestMailSent,
    WebhookSecretRenewed,
)
from app.notices.models import Notice, NoticeDelivery, NoticeProfile
from app.refusal import NotFound
from app.settings import current_settings


@command
def read(notice_id: int | None = None, *, by: Actor) -> NoticesRead:
    """Mark one of one's own notices as read; all when none is named. Refuses `NotFound` for anybody else's."""
    mine = [Notice.user_id == by.id, Notice.read_at.is_(None)]
    if notice_id is not None:
        mine.append(Notice.id == queries.own(notice_id, by).id)
    done = db.session.execute(sa.update(Notice).where(*mine).values(read_at=now()))
    return NoticesRead(count=cast("sa.CursorResult[Any]", done).rowcount)


@command
def unread(notice_id: int, *, by: Actor) -> NoticeUnread:
    """Take that back. Refuses `NotFound` for anybody else's."""
    queries.own(notice_id, by)
    db.session.execute(sa.update(Notice).where(Notice.id == notice_id).values(read_at=None))
    return NoticeUnread(notice_id=notice_id)


@command
def set_wishes(
    *,
    language: str,
    mail: str,
    webhook: str,
    pace: str,
    choices: Mapping[str, Sequence[str]],
    by: Actor,
) -> NoticeWishesSet:
    """Choose what reaches oneself, where and how often. Refuses `Invalid` (an address)."""
    settings = current_settings()
    mail = rules.check_address(mail, settings.mail_domains)
    webhook = rules.check_webhook(webhook, private_allowed=settings.webhook_private_allowed)
    chosen = {kind: [c for c in kinds.CHANNELS if c in choices.get(kind, ())] for kind in kinds.KINDS}
    row = _profile(by)
    row.language = language if language in ("zh", "en") else row.language
    row.pace = pace if pace in rules.PACES else row.pace
    row.mail, row.webhook, row.choices = mail, webhook, chosen
    host = urlsplit(webhook).hostname or ""
    return NoticeWishesSet(
        user_id=row.user_id,
        language=row.language,
        pace=row.pace,
        mail=mail,
        webhook_host=host,
        choices=chosen,
    )


@command
def renew_webhook_secret(*, by: Actor) -> WebhookSecretRenewed:
    """Another secret from now on; the former signs nothing any more."""
    row = _profile(by)
    row.webhook_number += 1
    return WebhookSecretRenewed(user_id=row.user_id, number=row.webhook_number)


def _profile(by: Actor) -> NoticeProfile:
    """One's own, made when there is none. Refuses `NotFound` for who is no person."""
    if by.id is None or by.kind != "person":
        raise NotFound("notice.nobody", zh="没有这个人员。", en="There is no such person.")
    usual = wishes.of(by.id)
    values: dict[str, Any] = {
        "mail": "",
        "webhook": "",
        "webhook_number": 1,
        "pace": "at_once",
        "choices": {},
    }
    db.session.execute(insert_unless_there(NoticeProfile, user_id=by.id, language=usual.language, **values))
    found: NoticeProfile = lock_row(NoticeProfile, by.id)
    return found


@command
def retry(delivery_id: int | None = None, *, by: Actor) -> DeliveryRetried:
    """Send again what failed; all of it when none is named. Refuses `Forbidden`."""
    rules.check_may_run(by)
    which = [NoticeDelivery.status == "failed"]
    which += [NoticeDelivery.id == delivery_id] if delivery_id is not None else []
    change = sa.update(NoticeDelivery).where(*which).values(status="waiting", tries=0, due_at=now())
    done = list(db.session.scalars(change.returning(NoticeDelivery.id)))
    return DeliveryRetried(delivery_ids=sorted(done))


@command
def note_test_mail(to: str, error: str, *, by: Actor) -> TestMailSent:
    """What became of a test mail (`testing.py` sends it: no transaction waits for a mail server). Refuses `Forbidden`."""
    rules.check_may_run(by)
    return TestMailSent(to=to, error=error)
