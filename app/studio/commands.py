"""The verbs of drafts: start, save, discard. What is published is in `publishing`."""

from collections.abc import Mapping
from typing import Any

from app.actor import Actor
from app.clock import now
from app.command import command
from app.db import db
from app.flows import versions
from app.studio import rules
from app.studio.facts import DraftDiscarded, DraftSaved, DraftStarted
from app.studio.holding import check_papers, locked
from app.studio.models import StudioDraft


@command
def start_draft(key: str, version: int | None = None, *, by: Actor) -> DraftStarted:
    """Begin a draft from a published version; from the newest when none is named. Refuses `Forbidden`, `NotFound`."""
    rules.check_may_own(by)
    base = versions.version(key, version)
    return open_draft(
        key,
        base.version,
        bpmn=base.bpmn,
        tables=base.tables,
        forms=base.forms,
        scenarios=versions.stories_of(base),
        by=by,
    )


@command
def open_draft(
    key: str,
    base_version: int | None,
    *,
    bpmn: str,
    tables: Mapping[str, Any],
    forms: Mapping[str, Any],
    scenarios: Mapping[str, Any],
    by: Actor,
) -> DraftStarted:
    """Begin a draft of these papers. Refuses `Forbidden`, `Invalid` (too large, unreadable, badly named)."""
    rules.check_may_own(by)
    check_papers(bpmn, tables, forms, scenarios)
    at = now()
    draft = StudioDraft(
        key=key,
        base_version=base_version,
        bpmn=bpmn,
        tables=dict(tables),
        forms=dict(forms),
        scenarios=dict(scenarios),
        revision=1,
        state="open",
        started_at=at,
        started_by_id=by.id,
        started_by_name=by.name,
        updated_at=at,
        updated_by_id=by.id,
        updated_by_name=by.name,
    )
    db.session.add(draft)
    db.session.flush()
    return DraftStarted(draft_id=draft.id, key=key, base_version=base_version)


@command
def save_draft(
    draft_id: int,
    revision: int,
    *,
    bpmn: str | None = None,
    tables: Mapping[str, Any] | None = None,
    forms: Mapping[str, Any] | None = None,
    by: Actor,
) -> DraftSaved:
    """Keep what is given; the rest stays. Of `tables` and `forms` each named file is replaced, one that is None is
    taken out, those not named stay. A draft may hold mistakes: they are told, not refused. Refuses `Forbidden`,
    `NotFound`, `Stale` when `revision` is not the present one, `Conflict` once it is published or discarded,
    `Invalid` for what cannot be read at all."""
    rules.check_may_own(by)
    draft = locked(draft_id)
    rules.check_fresh(revision, draft.revision, draft.updated_by_name, draft.updated_at)
    changed = ["diagram"] if bpmn is not None and bpmn != draft.bpmn else []
    changed += [name for name, text in (tables or {}).items() if draft.tables.get(name) != text]
    changed += [name for name, form in (forms or {}).items() if draft.forms.get(name) != form]
    if changed:
        draft.bpmn = bpmn if bpmn is not None else draft.bpmn
        draft.tables = _laid_over(draft.tables, tables)
        draft.forms = _laid_over(draft.forms, forms)
        check_papers(draft.bpmn, draft.tables, draft.forms, draft.scenarios)
        draft.revision += 1
        draft.updated_at, draft.updated_by_id, draft.updated_by_name = now(), by.id, by.name
        draft.proposal = draft.proposed_at = draft.proposed_by_id = draft.proposed_by_name = None
    return DraftSaved(draft_id=draft.id, key=draft.key, revision=draft.revision, changed=changed)


@command
def discard_draft(draft_id: int, *, by: Actor) -> DraftDiscarded:
    """Give a draft up; it stays as a record. Refuses `Forbidden`, `NotFound`, `Conflict`."""
    rules.check_may_own(by)
    draft = locked(draft_id)
    draft.state = "discarded"
    return DraftDiscarded(draft_id=draft.id, key=draft.key)


def _laid_over(kept: Mapping[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: text for name, text in {**kept, **(given or {})}.items() if text is not None}
