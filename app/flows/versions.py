"""The versions of a flow: which is in force at a moment, and one by its number.

A version is in force from its moment on (`effective_from`, else from when it was published) until a later one is. No
timer makes it so: it is asked at each start. An instance keeps the version that it began with.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.db import db
from app.flows import engine, publishing
from app.flows.models import FlowDefinition
from app.refusal import NotFound

SINCE = sa.func.coalesce(FlowDefinition.effective_from, FlowDefinition.published_at)


def version(key: str, number: int | None = None) -> FlowDefinition:
    """One version, the newest when no number is given. Refuses `NotFound`."""
    numbered = [FlowDefinition.version == number] if number is not None else []
    ident = db.session.scalar(
        sa.select(FlowDefinition.id)
        .where(FlowDefinition.key == key, *numbered)
        .order_by(FlowDefinition.version.desc())
        .limit(1)
    )
    if ident is None:
        raise NotFound(
            "flow.no_such_version",
            zh=f"流程「{key}」没有第 {number} 版。" if number else f"没有流程「{key}」。",
            en=f'The flow "{key}" has no version {number}.' if number else f'There is no flow "{key}".',
            key=key,
            version=number,
        )
    return engine.definition_of(ident)


def in_force(key: str, at: datetime) -> FlowDefinition | None:
    """The version by which the flow is started at that moment."""
    ident = db.session.scalar(
        sa.select(FlowDefinition.id)
        .where(FlowDefinition.key == key, at >= SINCE)
        .order_by(SINCE.desc(), FlowDefinition.version.desc())
        .limit(1)
    )
    return engine.definition_of(ident) if ident is not None else None


def stories_of(definition: FlowDefinition) -> Mapping[str, Any]:
    """Its example stories: name → YAML. Those of a version from files lie beside the files, as they are now."""
    return publishing.stories_of(definition.key) if definition.origin == "files" else definition.scenarios
