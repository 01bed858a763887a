"""Send what is due. A row is taken (`sending`) and that is committed before anything leaves, so that no two workers,
and no worker begun anew, send the same mail: at most once. What was taken when a worker died is shown as failed, since
nobody knows whether it went; a webhook carries its id, so that it is simply sent again.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from app.clock import now
from app.db import begin_writing, commit, db, insert_unless_there, roll_back
from app.flows.models import FlowTask
from app.notices import hooking, kinds, letters, mailing, rules, wishes, writing
from app.notices.models import Notice, NoticeChannel, NoticeDelivery
from app.notices.outcome import Again, Never
from app.notices.wishes import Wish
from app.people.models import User
from app.settings import current_settings

log = structlog.get_logger()

AT_ONCE = 50
"""Rows looked at in one run; what is left waits a second."""
SECONDS_A_RUN = 10.0
"""After so long the rest waits for the next run: meanwhile somebody is to be told in the product."""
LOST_AFTER = timedelta(minutes=15)
REST = timedelta(seconds=60)


def deliver(at: datetime | None = None) -> int:
    """Send all that is due; gives how many mails and calls went out."""
    at = at or now()
    roll_back()
    _give_up_lost(at)
    return sum(_deliver(channel, at) for channel in ("mail", "hook") if not _rests(channel, at))


def _deliver(channel: str, at: datetime) -> int:
    waiting = db.session.scalars(
        sa.select(NoticeDelivery)
        .where(
            NoticeDelivery.status == "waiting", NoticeDelivery.due_at <= at, NoticeDelivery.channel == channel
        )
        .order_by(NoticeDelivery.due_at, NoticeDelivery.id)
        .limit(AT_ONCE)
    ).all()
    wanted = wishes.of_people({row.user_id for row in waiting})
    done, begun = 0, time.monotonic()
    for group in _groups(waiting, wanted):
        if time.monotonic() - begun > SECONDS_A_RUN:
            break
        person = wanted[group[0].user_id]
        try:
            done += _attempt(channel, [row.id for row in group], person, at)
        except Again:
            break
    return done


def _groups(rows: Sequence[NoticeDelivery], wanted: dict[int, Wish]) -> Iterable[list[NoticeDelivery]]:
    """One mail for all that a person has collected; everything else by itself."""
    groups = dict[tuple[int, int], list[NoticeDelivery]]()
    for row in rows:
        collects = row.channel == "mail" and wanted[row.user_id].pace != "at_once"
        groups.setdefault((row.user_id, 0 if collects else row.id), []).append(row)
    return groups.values()


def _attempt(channel: str, ids: list[int], wish: Wish, at: datetime) -> int:
    """Take them, send them, write down what became of it. Raises `Again` when the way itself is shut."""
    mine = _take(ids, at)
    due = [n for n in _notices(mine) if not _needless(n)]
    kept = {notice.id for notice in due}
    rows = {row.id: row.notice_id for row in _deliveries(mine)}
    needless = [ident for ident, notice_id in rows.items() if notice_id not in kept]
    _write(needless, at, status="dropped")
    wanted = [ident for ident in mine if ident not in needless]
    if not wanted:
        return 0
    try:
        _send(channel, wanted, due, wish, at)
    except Again as problem:
        _put_back(channel, wanted, str(problem), at)
        if problem.everybody:
            _note(channel, at, error=str(problem), rests_until=at + REST)
            raise
        return 0
    except Never as problem:
        _write(wanted, at, status="failed", error=str(problem))
        _note(channel, at, error=str(problem))
        return 0
    _write(wanted, at, status="sent", error="")
    _note(channel, at)
    return 1


def _send(channel: str, ids: list[int], due: list[Notice], wish: Wish, at: datetime) -> None:
    settings = current_settings()
    person = db.session.get_one(User, wish.user_id)
    name = person.name
    try:
        if channel == "mail":
            if not wish.mail or not rules.domain_allowed(wish.mail, settings.mail_domains):
                raise Never("there is no address that notices may be mailed to")
            message = letters.letter(
                [writing.entry(notice) for notice in due], name=name, to=wish.mail, sender=settings.smtp_from,
                language=wish.language, key=f"notice-{ids[0]}", at=at, settings_href=writing.settings_href(),
            )  # fmt: skip
            db.session.rollback()  # nothing of the database is held while the world takes its time
            mailing.send(message, settings)
        else:
            if not wish.webhook:
                raise Never("there is no webhook any more")
            body, secret = writing.payload(due[0]), writing.secret(wish)
            db.session.rollback()
            hooking.call(wish.webhook, f"notice-{ids[0]}", body, secret, at, settings)
    except (Again, Never):
        raise
    except Exception as error:
        log.exception("notices.not_sent", channel=channel, deliveries=ids)
        raise Never(f"a defect ({type(error).__name__})") from error


def _needless(notice: Notice) -> bool:
    """Who has read it in the product, or whose task somebody did, is not written to."""
    if notice.read_at is not None:
        return True
    if notice.kind not in kinds.ASKING or notice.task_id is None:
        return False
    return (
        db.session.scalar(
            sa.select(FlowTask.id).where(FlowTask.id == notice.task_id, FlowTask.status == "open")
        )
        is None
    )


def _take(ids: list[int], at: datetime) -> list[int]:
    begin_writing()
    taken = list(
        db.session.scalars(
            sa.update(NoticeDelivery)
            .where(NoticeDelivery.id.in_(ids), NoticeDelivery.status == "waiting")
            .values(status="sending", changed_at=at, tries=NoticeDelivery.tries + 1)
            .returning(NoticeDelivery.id)
        )
    )
    commit()
    return sorted(taken)


def _deliveries(ids: list[int]) -> Sequence[NoticeDelivery]:
    return db.session.scalars(
        sa.select(NoticeDelivery)
        .where(NoticeDelivery.id.in_(ids))
        .order_by(NoticeDelivery.id)
        .execution_options(populate_existing=True)
    ).all()


def _notices(ids: list[int]) -> Sequence[Notice]:
    of = sa.select(NoticeDelivery.notice_id).where(NoticeDelivery.id.in_(ids))
    return db.session.scalars(
        sa.select(Notice)
        .where(Notice.id.in_(of))
        .order_by(Notice.id)
        .execution_options(populate_existing=True)
    ).all()


def _write(ids: list[int], at: datetime, **values: object) -> None:
    if ids:
        begin_writing()
        db.session.execute(
            sa.update(NoticeDelivery).where(NoticeDelivery.id.in_(ids)).values(changed_at=at, **values)
        )
        commit()


def _put_back(channel: str, ids: list[int], why: str, at: datetime) -> None:
    """To be tried again later each time; given up, and shown, after `rules.MOST_TRIES`."""
    for row in [(r.id, r.tries) for r in _deliveries(ids)]:
        ident, tries = row
        if tries >= rules.MOST_TRIES:
            _write([ident], at, status="failed", error=why)
        else:
            _write([ident], at, status="waiting", error=why, due_at=at + rules.pause(tries))
    _note(channel, at, error=why)


def _give_up_lost(at: datetime) -> None:
    lost = [NoticeDelivery.status == "sending", NoticeDelivery.changed_at < at - LOST_AFTER]
    if db.session.scalar(sa.select(NoticeDelivery.id).where(*lost).limit(1)) is None:
        return
    begin_writing()
    mail, hook = NoticeDelivery.channel == "mail", NoticeDelivery.channel == "hook"
    why = "the worker ended meanwhile: it is not known whether it was sent"
    db.session.execute(sa.update(NoticeDelivery).where(*lost, mail).values(status="failed", error=why))
    db.session.execute(sa.update(NoticeDelivery).where(*lost, hook).values(status="waiting", due_at=at))
    commit()


def _rests(channel: str, at: datetime) -> bool:
    until = db.session.scalar(sa.select(NoticeChannel.rests_until).where(NoticeChannel.channel == channel))
    return until is not None and until > at


def _note(channel: str, at: datetime, *, error: str = "", rests_until: datetime | None = None) -> None:
    values: dict[str, object] = {"error": error, "error_at": at} if error else {"ok_at": at}
    begin_writing()
    db.session.execute(insert_unless_there(NoticeChannel, channel=channel, error=""))
    change = sa.update(NoticeChannel).where(NoticeChannel.channel == channel)
    db.session.execute(change.values(**values, rests_until=rests_until))
    commit()
