"""Who would decide, if it were started now: the diagram walked through without doing anything.

Every rule table and condition is asked for real; every person is taken to agree (the form's primary answer);
actions do nothing. So what an applicant reads before submitting is what the published diagram will do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.actor import SYSTEM
from app.bpmn.fault import Fault
from app.bpmn.step import OpenTask, begin
from app.flows import queries
from app.flows.engine import ActionHost, local_now, program_of
from app.flows.models import FlowDefinition
from app.glossary import role_of_lane
from app.text import Text

FURTHEST = 30
"""More people than this in a row is not read by anybody."""


@dataclass(frozen=True)
class Step:
    """A person's step. `role`: who does it, by the lane it stands in."""

    label: Text
    role: str | None


class _Idle(ActionHost):
    """Does nothing, and has nothing to tell; knows who holds which role."""

    def act(self, operator: str, parameters: dict[str, Any]) -> Any:
        return {}


def people_ahead(key: str, data: Mapping[str, Any], *, now: datetime) -> list[Step]:
    """The people's steps of the version in force, in order, with such data; empty when it is not
    published. What the walk cannot answer ends it there."""
    definition = queries.published(key)
    if definition is None:
        return []
    steps: list[Step] = []
    try:
        run = begin(program_of(definition), data, host=_Idle(SYSTEM), now=local_now(now))
        while (waiting := run.tasks()) and len(steps) < FURTHEST:
            for task in waiting:
                if task.token not in {still.token for still in run.tasks()}:
                    continue  # a vote that was decided before all had answered
                step = Step(task.node.label, role_of_lane(task.node.lane or ""))
                if task.voter is None or steps[-1:] != [step]:  # a vote is one step, however many are asked
                    steps.append(step)
                run.complete(task.token, _agreed(definition, task))
            run.settle()
    except Fault:
        return steps
    return steps


def _agreed(definition: FlowDefinition, task: OpenTask) -> dict[str, Any]:
    """The form's primary answers."""
    form = queries.form_for(definition.id, task.node.properties.get("form", ""))
    answers: dict[str, Any] = {}
    for field in form.fields if form else ():
        if field.choices:
            primary = next((c for c in field.choices if c.tone == "primary"), field.choices[0])
            answers[field.name] = primary.value
    return answers
