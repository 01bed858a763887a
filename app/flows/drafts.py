"""Drafts: what somebody has typed and not yet said, of any form. Kept at every change, so that none is ever lost.

A draft is no act and makes nothing true: it passes no gate and leaves no entry in the log. Only its writer can
read it, from wherever they log in; saying it for real clears it away. Of two windows the one that saved last is
right, and is told that there was another.
"""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.actor import Actor
from app.clock import now
from app.db import begin_writing, db, insert_unless_there
from app.flows.models_forms import FormDraft
from app.refusal import Invalid

LARGEST = 100_000
"""Bytes of one draft."""


@dataclass(frozen=True)
class Draft:
    """`revision`: counts the savings. `overtook`: when another window had saved what this page has not seen."""

    values: dict[str, Any]
    revision: int
    saved_at: datetime
    overtook: datetime | None = None


@dataclass(frozen=True)
class Window:
    """A page that shows a form: its own name, and the revision of the draft that it was opened with."""

    seen: int
    name: str

    def __str__(self) -> str:
        return f"{self.seen}-{self.name}"


def opened(draft: Draft | None) -> Window:
    """A page that is about to show this draft, or an empty form."""
    return Window(draft.revision if draft else 0, secrets.token_hex(6))


def window_of(said: str | None) -> Window:
    """As the page sends it; one that names none (a program, a form without script) has seen nothing."""
    found = re.fullmatch(r"([0-9]{1,9})-([0-9a-f]{12})", said or "")
    return Window(int(found[1]), found[2]) if found else Window(0, "")


def of(key: str, by: Actor) -> Draft | None:
    """This person's draft."""
    found = db.session.scalars(_mine(key, by)).first()
    return Draft(found.values, found.revision, found.saved_at) if found and found.revision else None


def keep(key: str, values: Mapping[str, Any], *, window: Window, by: Actor) -> Draft:
    """Remember the form as it stands, in the place of what was remembered before. `window`: the page that
    shows it. Refuses Invalid what is too large."""
    if len(json.dumps(dict(values), ensure_ascii=False).encode()) > LARGEST:
        raise Invalid(
            "form.draft_too_large",
            zh="内容太长，草稿无法保存；请把长文作为附件上传",
            en="Too long to be kept as a draft; upload long texts as a file",
        )
    begin_writing()
    first: dict[str, Any] = {
        "user_id": by.id,
        "key": key,
        "values": {},
        "revision": 0,
        "window": "",
        "saved_at": now(),
    }
    db.session.execute(insert_unless_there(FormDraft, **first))
    found = db.session.scalars(_mine(key, by).with_for_update()).one()
    overtook = found.saved_at if found.revision > window.seen and found.window != window.name else None
    found.values, found.revision, found.saved_at = dict(values), found.revision + 1, now()
    found.window = window.name
    kept = Draft(found.values, found.revision, found.saved_at, overtook)
    db.session.commit()
    return kept


def clear(key: str, *, by: Actor) -> None:
    """Forget it: called by the commands that say for real what was drafted, in their transaction."""
    db.session.execute(sa.delete(FormDraft).where(FormDraft.user_id == by.id, FormDraft.key == key))


def discard(key: str, *, by: Actor) -> None:
    """Its writer does not want it any more."""
    begin_writing()
    clear(key, by=by)
    db.session.commit()


def _mine(key: str, by: Actor) -> sa.Select[FormDraft]:
    return sa.select(FormDraft).where(FormDraft.user_id == by.id, FormDraft.key == key)
