"""Everything that the editor's panel lets one choose from, so that no id and no expression has to be typed."""

from collections.abc import Mapping
from typing import Any

from app.bpmn import decision
from app.bpmn.reading import Element, read
from app.bpmn.shapes import said_in as text_of
from app.flows import forms as flow_forms
from app.flows import queries as flows
from app.flows.action import ACTIONS
from app.flows.forms import Field
from app.glossary import OFFICERS, ROLES
from app.people import queries as people
from app.refusal import Refusal
from app.studio import checks, stories
from app.studio.models import StudioDraft


def of_draft(draft: StudioDraft) -> dict[str, Any]:
    """As JSON: roles, posts, units, people, forms with their fields, decisions, flows, actions; `data`:
    the names that the example stories start the flow with."""
    return {
        "roles": [
            {"id": role, "zh": text.zh, "en": text.en} for role, text in ROLES.items() if role not in OFFICERS
        ],
        "posts": [],
        "units": [{"id": u.id, "name": u.name, "parent_id": u.parent_id} for u in people.units()],
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
    """Each decision with what its table asks and answers; none of a table that cannot be read."""
    found: list[dict[str, Any]] = []
    for name, text in tables.items():
        content = str(text).encode()
        try:
            known = decision.parse(content).decisions
        except decision.DecisionError:
            continue
        for drawn in read(content).iter("{*}decision"):
            if drawn.get("id") in known:
                found.append(_decision(name, drawn))
    return found


def _decision(file: str, drawn: Element) -> dict[str, Any]:
    label = str(drawn.get("name") or drawn.get("id"))
    return {
        "id": str(drawn.get("id")),
        "zh": label,
        "en": label,
        "file": file,
        "inputs": [
            {"id": text_of(next(c.iter("{*}text"), None)), "label": str(c.get("label") or "")}
            for c in drawn.iter("{*}input")
        ],
        "outputs": [
            {"id": str(c.get("name") or ""), "label": str(c.get("label") or c.get("name") or "")}
            for c in drawn.iter("{*}output")
        ],
    }
