"""Everything that the editor's panel lets one choose from, so that no id and no expression has to be typed."""

from collections.abc import Mapping
from typing import Any

from app.bpmn import decision
from app.bpmn.table_sheet import Column, Sheet, sheets
from app.flows import forms as flow_forms
from app.flows import queries as flows
from app.flows.action import ACTIONS
from app.flows.forms import Field
from app.glossary import LEVELS, OFFICERS, PARAMETERS, ROLES, SEAL_KINDS
from app.people import queries as people
from app.refusal import Refusal
from app.studio import checks, stories
from app.studio.models import StudioDraft
from app.text import Text

LABELS = {**ROLES, **SEAL_KINDS, **LEVELS}
"""What people call the values that tables speak of."""


def of_draft(draft: StudioDraft) -> dict[str, Any]:
    """As JSON: roles, posts, units, people, forms with their fields, decisions, flows, actions; `data`:
    the names that the example stories start the flow with."""
    return {
        "roles": [
            {"id": role, "zh": text.zh, "en": text.en} for role, text in ROLES.items() if role not in OFFICERS
        ],
        "posts": [],
        "units": [{"id": u.id, "name": u.name, "parent_id": u.parent_id} for u in people.living_units()],
        "people": [{"id": p.id, "name": p.name, "unit_id": p.unit_id} for p in people.people() if p.active],
        "forms": {name: {"fields": fields} for name, fields in _forms(draft.forms).items()},
        "decisions": _decisions(draft.tables),
        "data": sorted(checks.data_of(stories.read_all(draft.scenarios))),
        "flows": [
            {"id": key, "zh": text.zh, "en": text.en} for key, text in flows.flow_labels() if key != draft.key
        ],
        "actions": [
            {
                "id": name,
                "zh": action.label.zh,
                "en": action.label.en,
                "parameters": [
                    {"id": p, "required": p in action.needed, **_said(parameter(p))}
                    for p in sorted(action.allowed)
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
    """Each decision with what its table asks and answers; none of a table that cannot be read."""
    found: list[dict[str, Any]] = []
    for name, text in tables.items():
        content = str(text).encode()
        try:
            known = decision.parse(content).decisions
            found += [_decision(name, sheet) for sheet in sheets(str(text)) if sheet.decision in known]
        except decision.DecisionError:
            continue
    return found


def _decision(file: str, sheet: Sheet) -> dict[str, Any]:
    return {
        "id": sheet.decision,
        "zh": sheet.name,
        "en": sheet.name,
        "file": file,
        "inputs": [{"id": column.asks, "label": column.label} for column in sheet.inputs],
        "outputs": [_output(column) for column in sheet.outputs],
    }


def _output(column: Column) -> dict[str, Any]:
    """`choices`: what the table lists, each in words; empty where it lists nothing or no text."""
    listed = [v for v in column.values if isinstance(v, str)]
    return {
        "id": column.asks,
        "label": column.label,
        "type": "text" if column.type == "string" else column.type,
        "choices": [{"id": v, **_said(LABELS.get(v, Text(v, v)))} for v in listed],
    }


def parameter(name: str) -> Text:
    """What people call a parameter of an action."""
    plain = name.replace("_", " ")
    return PARAMETERS.get(name, Text(plain, plain))


def _said(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
