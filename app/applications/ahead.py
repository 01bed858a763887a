"""Who will decide, told before submitting: the published diagram is walked through with what the form says."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.applications import rules
from app.clock import now
from app.flows import forecast
from app.glossary import ROLES
from app.people import queries as people
from app.refusal import NotFound
from app.text import Text

APPROVAL = "seal_approval"
NAMED = 3
"""More people than this for one step are counted, not named."""


@dataclass(frozen=True)
class Decider:
    """One step of the route. `names`: who may take it today; empty when nobody holds the role."""

    step: Text
    role: Text
    names: tuple[str, ...]


def deciders(kind: rules.Kind, form: Mapping[str, str]) -> list[Decider]:
    """The route for this form as far as it is filled in; empty while it is not yet said whose seal it is."""
    unit_id = _unit_of(form)
    if unit_id is None:
        return []
    unit = people.unit(unit_id)
    size = rules.SIZES.get(form.get("size", ""), rules.SIZES[rules.default_size(kind)])
    data = {
        "kind": kind,
        "seal_name": form.get("seal_name", ""),
        "unit_level": unit.level,
        "width_mm": size[2],
        "height_mm": size[3],
        "keeping": form.get("keeping", "unit"),
        "owner_unit_id": unit.id,
    }
    return [_decider(step, unit.id) for step in forecast.people_ahead(APPROVAL, data, now=now())]


def _decider(step: forecast.Step, unit_id: int) -> Decider:
    found = people.users_with_role(step.role, unit_id) if step.role else ()
    names = tuple(person.name for person in found)
    role = ROLES.get(step.role or "", step.label)
    return Decider(step.label, role, names if len(names) <= NAMED else ())


def _unit_of(form: Mapping[str, str]) -> int | None:
    unit, person = form.get("owner_unit_id", ""), form.get("owner_user_id", "")
    try:
        if rules.is_id(unit):
            return people.unit(int(unit)).id
        if rules.is_id(person):
            return people.user(int(person)).unit_id
    except NotFound:
        return None
    return None
