"""批量办理: several tasks of one step decided with one word, where the diagram says `batch` and the form is a decision.

It is a convenience of the door, no right and no act of its own: each task is completed by its own command, under its own
key, with its own entry in the log, and what one refuses undoes no other. What asks for one's own hand (本人亲办, B4) is
never among them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from flask import current_app

from app.actor import Actor
from app.db import db
from app.flows import commands, engine, forms, queries
from app.flows.forms import Form
from app.flows.models import FlowTask
from app.flows.once import once
from app.flows.queries import TaskRow
from app.refusal import Conflict, Invalid, Refusal
from app.text import Text

MOST = 100
"""So many at once: two pages of the inbox."""


@dataclass(frozen=True)
class Group:
    """Ticked tasks that are one step, of one version of a diagram."""

    label: Text
    form: Form
    rows: list[TaskRow]


@dataclass(frozen=True)
class Outcome:
    """What became of one task. `refused`: None: it is done."""

    task_id: int
    title: str
    refused: Text | None


def form_of(task: FlowTask) -> Form | None:
    """The form by which this task may be decided together with others; None where it is decided by itself only."""
    alone = task.own_hand or task.page is not None or task.owner_id is not None
    if alone or not _says_batch(task.definition_id, task.node):
        return None
    form = queries.form_for(task.definition_id, task.form, task.node)
    return form if form is not None and form.is_decision else None


def _says_batch(definition_id: int, node: str) -> bool:
    """Kept for each process: no published diagram ever changes."""
    known: dict[tuple[int, str], bool] = current_app.extensions.setdefault("flow_batches", {})
    if (definition_id, node) not in known:
        shape = engine.diagram_of(engine.definition_of(definition_id)).nodes.get(node)
        known[definition_id, node] = shape is not None and shape.properties.get("batch") == "yes"
    return known[definition_id, node]


def groups(task_ids: Collection[int], actor: Actor) -> list[Group]:
    """What of these this person could decide together, by step. Refuses `Invalid` when that is nothing, or too much."""
    check_number(task_ids)
    found = queries.listed(
        queries.theirs(actor), [FlowTask.id.in_(task_ids)], queries.BY_DUE, limit=len(task_ids)
    )
    made: dict[tuple[int, str], Group] = {}
    for task, row in found:
        form = form_of(task)
        if form is not None:
            made.setdefault((task.definition_id, task.form), Group(row.label, form, [])).rows.append(row)
    if not made:
        raise nothing_ticked()
    return list(made.values())


def check_number(task_ids: Collection[int]) -> None:
    if not task_ids:
        raise nothing_ticked()
    if len(task_ids) > MOST:
        raise Invalid(
            "flow.batch_too_large",
            zh=f"一次最多办理 {MOST} 项，请少选一些，分几次办理。",
            en=f"At most {MOST} tasks at once; tick fewer and go on with the others afterwards.",
        )


def nothing_ticked() -> Invalid:
    return Invalid(
        "flow.batch_nothing",
        zh="没有选中可以批量办理的任务。请在待办列表中勾选后再试；已办完的任务不再列出。",
        en="No task is ticked that can be decided together with others. Tick some in the inbox; those that are done "
        "are not listed any more.",
    )


def decide(
    task_ids: Collection[int], said: Mapping[str, str], *, key: str | None, by: Actor
) -> list[Outcome]:
    """Complete each with the same form, one after the other; what became of each. `key`: of the whole press; each task
    gets its own from it, so that a press which comes twice, or broke off in the middle, does nothing twice. Refuses
    `Invalid` before the first when the form itself is wrong."""
    check_number(task_ids)
    tasks = [(ident, db.session.get(FlowTask, ident)) for ident in dict.fromkeys(task_ids)]
    for _, task in tasks:
        form = form_of(task) if task is not None and task.status == "open" else None
        if form is not None and task is not None:
            forms.fill(form, said, data=task.data)
    return [_decide(ident, said, f"{key}-{ident}" if key else None, by) for ident, _ in tasks]


def _decide(task_id: int, said: Mapping[str, str], key: str | None, by: Actor) -> Outcome:
    title = f"#{task_id}"
    try:
        title = queries.task(task_id, by).title
        _check_batch(task_id)
        once(commands.complete, task_id, dict(said), key=key, by=by)
    except Refusal as refusal:
        return Outcome(task_id, title, refusal.text)
    return Outcome(task_id, title, None)


def _check_batch(task_id: int) -> None:
    """Refuses `Conflict`: the diagram wants this step decided by itself."""
    if form_of(db.session.get_one(FlowTask, task_id)) is None:
        raise Conflict(
            "flow.no_batch",
            zh="这一步须逐项办理，不能与其他任务一起决定。请打开这项任务单独办理。",
            en="This step is decided one by one, not together with others. Open the task and decide it there.",
        )
