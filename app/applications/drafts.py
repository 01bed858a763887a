"""Drafts: what somebody has typed and not yet said. Kept at every change, so that no form is ever lost.

A draft is no act and makes nothing true: it passes no gate and leaves no entry in the log. Only its writer can
read it; submitting or correcting clears it away.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from app.actor import Actor
from app.applications import rules
from app.applications.models import ApplicationDraft
from app.clock import now
from app.db import begin_writing, db
from app.refusal import Invalid

FIELDS = (
    "owner_unit_id", "owner_user_id", "seal_name", "seal_type", "credit_code", "keeping", "handler", "reason",
    "size", "sensitivity",
)  # fmt: skip
LONGEST = 600


def key_of(kind: str, application_id: int | None = None) -> str:
    return f"correct-{application_id}" if application_id is not None else rules.check_kind(kind)


def keep(key: str, form: Mapping[str, str], *, by: Actor) -> ApplicationDraft:
    """Remember the form as it stands, in the place of what was remembered before."""
    _check_key(key)
    begin_writing()
    found = of(key, by)
    if found is None:
        assert by.id is not None
        found = ApplicationDraft(user_id=by.id, key=key, fields={})
        db.session.add(found)
    found.fields = {name: form[name][:LONGEST] for name in FIELDS if name in form}
    found.scan = form.get("scan_reference", found.scan)[:80]
    found.scan_name = form.get("scan_name", "")[:200] or found.scan_name
    found.saved_at = now()
    db.session.commit()
    return found


def of(key: str, by: Actor) -> ApplicationDraft | None:
    """This person's draft."""
    return db.session.scalars(
        sa.select(ApplicationDraft).where(ApplicationDraft.user_id == by.id, ApplicationDraft.key == key)
    ).first()


def clear(key: str, *, by: Actor) -> None:
    """Forget it: called by the commands that say for real what was drafted, in their transaction."""
    db.session.execute(
        sa.delete(ApplicationDraft).where(ApplicationDraft.user_id == by.id, ApplicationDraft.key == key)
    )


def discard(key: str, *, by: Actor) -> None:
    """Its writer does not want it any more."""
    _check_key(key)
    begin_writing()
    clear(key, by=by)
    db.session.commit()


def corrected_by(key: str) -> int | None:
    """The application that such a draft corrects; None for a new one."""
    number = key.removeprefix("correct-")
    return int(number) if number != key and rules.is_id(number) else None


def _check_key(key: str) -> None:
    if key not in rules.KINDS and corrected_by(key) is None:
        raise Invalid(
            "application.unknown_draft", zh="没有这种草稿", en="There is no such draft", key=key[:40]
        )
