"""When a task that was sent back is done: on through all steps, or straight back to the one who returned it."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app.actor import Actor
from app.bpmn import graft
from app.bpmn.step import Run
from app.db import db
from app.flows import engine, queries, rules
from app.flows.holding import Standing
from app.flows.models import FlowReturn, FlowTask
from app.flows.ways_back import run_of
from app.flows.writing import Decided
from app.people import queries as people
from app.text import Text


class Completing:
    """The act of completing a task, for `engine.advance`; `landed` afterwards gives the tasks back to their people."""

    def __init__(self, instance: Standing, form: Mapping[str, Any], decided: Decided, by: Actor) -> None:
        self.instance, self.token, self.form, self.by, self.at = instance, decided.token, form, by, decided.at
        self.whose = (decided.by_id, decided.by_name)
        self.came: dict[str, str] = {}
        """New token of each old one, where the flow went straight back."""

    def __call__(self, run: Run) -> None:
        marked = graft.straight(run, self.token)
        run.complete(self.token, self.form, by=self.whose)
        if marked is not None:
            self._straight_back(run, *marked)

    def _straight_back(self, run: Run, entered: str, number: int) -> None:
        row = db.session.get_one(FlowReturn, number)
        if row.kept is None or row.instance_id != self.instance.id:
            return
        before = run_of(self.instance, self.by, row.kept)
        left, where = row.moved["left"], row.moved["token"]
        self.came = graft.come_back(run, entered, before, left, where)
        if self.came:
            row.kept, row.came_back_at = None, self.at
            said = Text(f"直接送回{row.by_name}", f"straight back to {row.by_name}")
            engine.note(self.instance, "came_back", self.by, self.at, zh=said.zh, en=said.en)

    def landed(self) -> None:
        """Who held a task before, or returned it, holds it again, if they still may."""
        if not self.came:
            return
        tasks = db.session.scalars(
            sa.select(FlowTask).where(
                FlowTask.instance_id == self.instance.id,
                FlowTask.token.in_([*self.came, *self.came.values()]),
            )
        )
        by_token = {task.token: task for task in tasks}
        for old, new in self.came.items():
            held, opened = by_token.get(old), by_token.get(new)
            if held is not None and opened is not None and opened.status == "open":
                hand_to(opened, held.assignee_id or held.done_by_id)


def hand_to(task: FlowTask, person_id: int | None) -> None:
    """The task belongs to this person, if they may act on it; else to whoever may, as any other."""
    if person_id is None:
        return
    who = people.actor_of(person_id)
    if rules.may_take(queries.candidates(task.id), who):
        task.assignee_id, task.assignee_name = who.id, who.name
