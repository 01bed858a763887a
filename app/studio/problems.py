"""What is wrong with a draft, for the person who draws it: one sentence that names the step, and the remedy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.bpmn import decision
from app.bpmn.lint import Surroundings, lint
from app.bpmn.reading import read
from app.flows import forms as flow_forms
from app.flows import queries as flows
from app.flows.action import ACTIONS
from app.glossary import ROLES, role_of_lane
from app.refusal import Refusal
from app.studio.models import StudioDraft
from app.text import Text


@dataclass(frozen=True)
class Trouble:
    """One problem. `element`: the id of the shape or flow, or the file's name where `place` is a table or a form."""

    element: str
    rule: str
    severity: Literal["error", "advice"]
    text: Text
    remedy: Text
    place: Literal["diagram", "table", "form"] = "diagram"

    def as_json(self) -> dict[str, Any]:
        return {
            "element": self.element,
            "rule": self.rule,
            "severity": self.severity,
            "place": self.place,
            "zh": self.text.zh,
            "en": self.text.en,
            "remedy_zh": self.remedy.zh,
            "remedy_en": self.remedy.en,
        }


def of_draft(draft: StudioDraft) -> list[Trouble]:
    """Every problem of a draft, those that keep it from being published first."""
    return troubles(draft.key, draft.bpmn, draft.tables, draft.forms)


def troubles(key: str, bpmn: str, tables: Mapping[str, Any], forms: Mapping[str, Any]) -> list[Trouble]:
    found: list[Trouble] = []
    decisions: set[str] = set()
    for name, text in tables.items():
        try:
            decisions.update(decision.parse(str(text).encode()).ids)
        except decision.DecisionError as error:
            found.append(Trouble(name, "table", "error", error.text, Text("", ""), "table"))
    for name, said in forms.items():
        try:
            flow_forms.form_of(name, said)
        except Refusal as refusal:
            found.append(Trouble(name, "form", "error", refusal.text, Text("", ""), "form"))
    around = Surroundings(
        actions={name: (action.needed, action.allowed) for name, action in ACTIONS.items()},
        forms=frozenset(forms),
        decisions=frozenset(decisions),
        flows=frozenset(key for key, _ in flows.flow_labels()),
        role_of_lane=role_of_lane,
        roles=frozenset(ROLES),
        strict=True,
    )
    try:
        told = lint(read(bpmn.encode()), around)
    except Refusal as refusal:
        return [*found, Trouble("", refusal.code, "error", refusal.text, Text("", ""))]
    found += [
        Trouble(p.element, p.rule, "error" if p.fatal else "advice", p.text, Text("", "")) for p in told
    ]
    return sorted(found, key=lambda trouble: trouble.severity != "error")
