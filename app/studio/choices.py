"""Everything that the editor's panel lets one choose from, so that no id and no expression has to be typed."""

from collections.abc import Mapping
from typing import Any

from app.bpmn import decision
from app.flows import forms as flow_forms
from app.flows import queries as flows
from app.flows.action import ACTIONS
from app.flows.forms import Field
from app.glossary import OFFICERS, ROLES
from app.people import queries as people
from app.refusal import Refusal
from app.studio.models import StudioDraft


def of_draft(draft: StudioDraft) -> dict[str, Any]:
    """As JSON: roles, posts, units, people, forms with their fields, decisions, flows, actions."""
    return {
        "roles": [
            {"id": role, "zh": text.zh, "en": text.en} for role, text in ROLES.items() if role not in OFFICERS
        ],
        "posts": [],
        "units": [{"id": u.id, "name": u.name, "parent_id": u.parent_id} for u in people.units()],
        "people": [{"id": p.id, "name": p.name, "unit_id": p.unit_id} for p in people.people() if p.active],
        "forms": {name: {"fields": fields} for name, fields in _forms(draft.forms).items()},
        "decisions": _decisions(draft.tables),
        "flows": [
            {"id": key, "zh": text.zh, "en": text.en} for key, text in flows.flow_labels() if key != draft.key
        ],
        "actions": [
            {
                "id": name,
                "zh": action.label.zh,
                "en": action.label.en,
                "parameters": [
                    {"id": p, "required": p in action.needed} for p in sorted(action.allowed, key=str)
                ],
            }
            for name, action in sorted(ACTIONS.items())
        ],
    }


def _forms(forms: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The fields of each form; none of one that is malformed, which the problems tell."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, said in forms.items():
        try:
            found[name] = [_field(field) for field in flow_forms.form_of(name, said).fields]
        except Refusal:
            found[name] = []
    return found


def _field(field: Field) -> dict[str, Any]:
    return {
        "id": field.name,
        "zh": field.label.zh,
        "en": field.label.en,
        "type": field.type,
        "choices": [{"id": c.value, "zh": c.label.zh, "en": c.label.en} for c in field.choices],
    }


def _decisions(tables: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, text in tables.items():
        try:
            ids = decision.parse(str(text).encode()).decisions
        except decision.DecisionError:
            continue
        found += [{"id": ident, "file": name} for ident in ids]
    return found
