"""A draft in hand: locked for a change, and what it may hold at all."""

from collections.abc import Mapping
from typing import Any

from app.bpmn import reading
from app.db import lock_row
from app.studio import rules
from app.studio.models import StudioDraft


def locked(draft_id: int) -> StudioDraft:
    """The draft, locked, while it is open. Refuses `NotFound`, `Conflict`."""
    draft: StudioDraft | None = lock_row(StudioDraft, draft_id)
    if draft is None:
        raise rules.no_such_draft(draft_id)
    rules.check_open(draft.state)
    return draft


def check_papers(
    bpmn: str, tables: Mapping[str, Any], forms: Mapping[str, Any], stories: Mapping[str, Any]
) -> None:
    """Bounded, well named, and readable as what they are; whether they are right is another question."""
    rules.check_names(tables, forms, stories)
    rules.check_kinds(bpmn, tables, forms, stories)
    rules.check_size(bpmn, *tables.values(), *stories.values(), rules.as_text(forms))
    for text in (bpmn, *tables.values()):
        reading.read(text.encode())
