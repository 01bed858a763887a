"""Files that come with forms: sealed at once and known by a handle, so that no refused form loses them.

Until the form is sent only its sender can use or open one; then it belongs to the flow, and whoever may see that
may open it, which the log tells.
"""

import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from app import store
from app.actor import Actor
from app.clock import now
from app.command import command
from app.crypto import vault
from app.db import db
from app.flows import file_kinds, queries
from app.flows.facts import FormFilesCleared, FormFileSent, FormFileViewed
from app.flows.form_values import FILES
from app.flows.forms import Form
from app.flows.models_forms import FormDraft, FormUpload
from app.imaging.checking import ImageRefused, check_image
from app.refusal import Invalid, NotFound
from app.settings import current_settings

MOST_CLEARED = 1000
"""Files that are looked at in one sweep."""


@command
def send(data: bytes, name: str, *, field: str, by: Actor) -> FormFileSent:
    """Keep a file of a form that is not sent yet. Refuses Invalid, at `field`, what is not what it claims to be."""
    kind = file_kinds.type_of(data, name, field=field)
    if kind.startswith("image/"):
        _check_picture(data, field)
    handle = secrets.token_hex(16)
    found = FormUpload(
        handle=handle,
        user_id=by.id or 0,
        name=file_kinds.plain_name(name),
        type=kind,
        size=len(data),
        digest=store.digest_of(data),
        envelope=store.put(vault.seal(data, context=_context(handle))),
    )
    db.session.add(found)
    db.session.flush()
    return FormFileSent(handle=handle, file_name=found.name, digest=found.digest, bytes=found.size)


def _check_picture(data: bytes, field: str) -> None:
    try:
        check_image(data, limit_pixels=current_settings().image_limit_pixels)
    except ImageRefused as error:
        raise Invalid(error.code, zh=error.text.zh, en=error.text.en, fields={field: error.text}) from error


def _context(handle: str) -> dict[str, Any]:
    return {"for": "form-upload", "handle": handle}


def known(handles: Iterable[object], by: Actor) -> dict[str, dict[str, Any]]:
    """Of these handles, this person's own uploads that no flow has yet: as a form keeps them."""
    said = [h for h in handles if isinstance(h, str)]
    if not said:
        return {}
    rows = db.session.scalars(
        sa.select(FormUpload).where(
            FormUpload.handle.in_(said), FormUpload.user_id == by.id, FormUpload.instance_id.is_(None)
        )
    )
    return {
        row.handle: {
            "handle": row.handle, "name": row.name, "digest": row.digest, "size": row.size, "type": row.type
        }
        for row in rows
    }  # fmt: skip


def offered(form: Form, values: Mapping[str, Any], by: Actor) -> dict[str, dict[str, Any]]:
    """The uploads that these values name, of those the person may hand in."""
    return known([values.get(f.name) for f in form.asked if f.type in FILES], by)


def hand_in(files: Mapping[str, Any], instance_id: int) -> None:
    """They belong to the flow from now on. Called by the commands that send a form, in their transaction."""
    db.session.execute(
        sa.update(FormUpload).where(FormUpload.handle.in_(list(files))).values(instance_id=instance_id)
    )


def orphans() -> list[int]:
    """Ids of the files that no flow has and that are older than the setting, but for those of a draft that was saved
    since."""
    before = now() - timedelta(days=current_settings().uploads_kept_days)
    drafts = sa.select(FormDraft.user_id, FormDraft.values).where(FormDraft.saved_at >= before)
    old = db.session.scalars(
        sa.select(FormUpload)
        .where(FormUpload.instance_id.is_(None), FormUpload.sent_at < before)
        .order_by(FormUpload.id)
        .limit(MOST_CLEARED)
    ).all()
    theirs = drafts.where(FormDraft.user_id.in_({row.user_id for row in old}))
    kept = [(user_id, str(values)) for user_id, values in db.session.execute(theirs)]
    return [row.id for row in old if not any(row.user_id == who and row.handle in said for who, said in kept)]


@command
def clear(ids: list[int], *, by: Actor) -> FormFilesCleared:
    """Forget files that were never handed in. The content goes first: were it cut short, the next time finds the rows
    again."""
    rows = db.session.scalars(
        sa.select(FormUpload)
        .where(FormUpload.id.in_(ids), FormUpload.instance_id.is_(None))
        .order_by(FormUpload.id)
        .with_for_update()
    ).all()
    for row in rows:
        store.remove(row.envelope)
        db.session.delete(row)
    return FormFilesCleared(
        handles=[row.handle for row in rows], kept_days=current_settings().uploads_kept_days
    )


@command
def view(handle: str, *, by: Actor) -> FormFileViewed:
    """Somebody is about to open it. Refuses NotFound; Forbidden to whom the flow does not concern."""
    found = _row(handle)
    if found.user_id != by.id:
        if found.instance_id is None:
            raise _unknown()
        queries.check_may_see(found.instance_id, by)
    return FormFileViewed(handle=handle, file_name=found.name, instance_id=found.instance_id)


def opened(handle: str) -> tuple[bytes, str, str]:
    """Content, name and type. Whoever calls has asked `view`."""
    found = _row(handle)
    return vault.open(store.get(found.envelope), context=_context(handle)), found.name, found.type


def _row(handle: str) -> FormUpload:
    found = db.session.scalars(sa.select(FormUpload).where(FormUpload.handle == handle)).first()
    if found is None:
        raise _unknown()
    return found


def _unknown() -> NotFound:
    return NotFound("form.no_file", zh="没有这个文件", en="There is no such file")
