"""A test mail: sent at once and outside any transaction, then told to the log."""

from app.actor import Actor
from app.clock import now
from app.db import db
from app.notices import commands, letters, mailing, rules, wishes, writing
from app.notices.facts import TestMailSent
from app.notices.outcome import Again, Never
from app.settings import current_settings
from app.text import Text

TOLD = Text("测试邮件：通知邮件可以送达", "Test mail: notices reach you by mail")


def send_test_mail(to: str, *, by: Actor) -> TestMailSent:
    """Gives what went wrong, if anything did. Refuses `Forbidden`, `Invalid` (the address)."""
    rules.check_may_run(by)
    settings = current_settings()
    address = rules.check_address(to or "-", settings.mail_domains)
    error = "" if settings.smtp_host else "no mail server is set (YINXU_SMTP_HOST)"
    if not error:
        at = now()
        entry = letters.Entry(TOLD, "", by.name, Text("", ""), "", writing.href("/notices"))
        mail = letters.letter(
            [entry],
            name=by.name,
            to=address,
            sender=settings.smtp_from,
            language=wishes.of(by.id or 0).language,
            key=f"test-{at.timestamp():.6f}",
            at=at,
            settings_href=writing.settings_href(),
        )
        db.session.rollback()
        try:
            mailing.send(mail, settings)
        except (Again, Never) as problem:
            error = str(problem)
    return commands.note_test_mail(address, error, by=by)
