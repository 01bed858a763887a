"""Drafts of applications: which form a draft is of, and what of it is kept. The store is that of all forms."""

from collections.abc import Mapping

from app.actor import Actor
from app.applications import rules
from app.flows import drafts
from app.flows.drafts import Draft
from app.imaging.workshop import SIDES
from app.refusal import Invalid

FIELDS = (
    *rules.ASKED,
    "sensitivity",
    "turn",
    *(f"crop_{side}" for side in SIDES),
    "scan_reference",
    "scan_name",
    "letter",
)
LONGEST = 600


def key_of(kind: str, application_id: int | None = None) -> str:
    return f"correct-{application_id}" if application_id is not None else rules.check_kind(kind)


def keep(key: str, form: Mapping[str, str], *, by: Actor) -> Draft:
    """Remember the form as it stands, in the place of what was remembered before."""
    _check_key(key)
    before = of(key, by)
    kept = {name: form[name][:LONGEST] for name in FIELDS if name in form}
    for name in (
        "scan_reference",
        "scan_name",
        "letter",
    ):  # a form whose picture is not drawn yet does not lose it
        if not kept.get(name) and before and before.values.get(name):
            kept[name] = before.values[name]
    return drafts.keep(key, kept, window=drafts.window_of(form.get("draft_window")), by=by)


def of(key: str, by: Actor) -> Draft | None:
    return drafts.of(key, by)


def clear(key: str, *, by: Actor) -> None:
    """Called by the commands that say for real what was drafted, in their transaction."""
    drafts.clear(key, by=by)


def discard(key: str, *, by: Actor) -> None:
    _check_key(key)
    drafts.discard(key, by=by)


def corrected_by(key: str) -> int | None:
    """The application that such a draft corrects; None for a new one."""
    number = key.removeprefix("correct-")
    return int(number) if number != key and rules.is_id(number) else None


def _check_key(key: str) -> None:
    if key not in rules.KINDS and corrected_by(key) is None:
        raise Invalid(
            "application.unknown_draft", zh="没有这种草稿", en="There is no such draft", key=key[:40]
        )
