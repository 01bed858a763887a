"""The two pages on which people work: a task in the inbox, and one flow. Shown fresh, or again with what was refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.actor import Actor
from app.flows import (
    acting,
    comments,
    drafts,
    drawing,
    form_views,
    operators,
    queries,
    signers,
    timeline,
    ways_back,
)
from app.flows.action import PANELS
from app.flows.panes import Pane, pane_of
from app.flows.queries import TaskRow, TaskView
from app.glossary import ROLES
from app.people.guards import current_actor
from app.refusal import Refusal
from app.text import Text
from app.web.errors import wants_json
from app.web.incoming import row_number
from app.web.language import current_language


@dataclass(frozen=True)
class Story:
    """What a task's page tells about its flow."""

    panel: Markup | None
    drawings: list[tuple[Text, Markup]]
    stages: list[queries.Stage]
    entries: list[timeline.Entry]
    incidents: list[Text]
    held: bool
    """Whether an operator has suspended the flow."""


@dataclass(frozen=True)
class Tried:
    """What was sent from a page and refused. `form`: the id of the form or dialog on it; `values`: what was typed."""

    form: str
    values: Mapping[str, Any]
    refusal: Refusal


def task_page(task_id: int, pane: Pane, *, chosen: bool, tried: Tried | None = None) -> str:
    """The inbox with this task beside it. Refuses `NotFound`, `Forbidden`."""
    actor = current_actor()
    view = queries.task(task_id, actor)
    hand = acting.hand(task_id, actor)
    sent = tried if tried and tried.form == "complete" else None
    draft = drafts.of(form_views.key_of(task_id), actor) if sent is None and view.status == "open" else None
    filled = sent.values if sent else draft.values if draft else {}
    return render_template(
        "flows/inbox.html",
        filled=filled,
        wrong=sent.refusal.fields if sent else {},
        draft=draft,
        files=form_views.files_of(view.form, filled),
        hand=hand,
        pane=pane,
        view=view,
        chosen=chosen,
        story=story(view.instance_id, view),
        offered=queries.offered(view, hand.acting or actor) if view.status == "open" else {},
        beside=signers.beside(view, actor),
        mine=view.assignee_id in hand.persons,
        others=hand.owner_id is not None
        or (view.assignee_id is not None and view.assignee_id not in hand.persons),
        ways=(ways := ways_back.ways_of_task(task_id, actor)),
        closed=ways_back.closed_of_task(task_id) if ways else [],
        said=comments.of(view.instance_id, actor),
        may_take_back=ways_back.could_take_back(task_id, actor),
        **_told(tried),
    )


def instance_page(instance_id: int, tried: Tried | None = None) -> str:
    """One flow: its subject, where it stands, its whole history, and what may be done with it. Refuses `NotFound`,
    `Forbidden`."""
    actor = current_actor()
    queries.check_may_see(instance_id, actor)
    return render_template(
        "flows/instance.html",
        told=_to_tell(instance_id, actor),
        said=comments.of(instance_id, actor),
        story=story(instance_id),
        row=queries.instance(instance_id),
        steer=operators.may(instance_id, actor),
        may_withdraw=ways_back.may_withdraw(instance_id, actor),
        **_told(tried),
    )


def _told(tried: Tried | None) -> dict[str, Any]:
    refusal = tried.refusal if tried else None
    return {
        "tried": tried.form if tried else "",
        "values": tried.values if tried else {},
        "errors": refusal.fields if refusal else {},
        "sentence": refusal.text if refusal else None,
    }


def shown_again(tried: Tried, show: Callable[[Tried], str]) -> ResponseReturnValue:
    """A refusal on the page that it came from: what was typed is kept, and the page says how things stand by now. As a
    plain refusal where a program asked, or the page itself is closed to the person by now."""
    if wants_json() or tried.refusal.status in (401, 403, 404):
        raise tried.refusal
    try:
        page = show(tried)
    except Refusal:
        raise tried.refusal from None
    return make_response(page, tried.refusal.status)


def on_task(
    task_id: int,
    form: str,
    do: Callable[[], Any],
    done: Callable[[Any], ResponseReturnValue],
    values: Mapping[str, Any] | None = None,
) -> ResponseReturnValue:
    """Do something from a task's page; what comes of it, or the page again. `values`: what was typed, where it is
    more than the request's own form."""
    try:
        fact = do()
    except Refusal as refusal:
        tried = Tried(form, request.form if values is None else values, refusal)
        pane = pane_of(current_actor())
        return shown_again(tried, lambda t: task_page(task_id, pane, chosen=True, tried=t))
    return done(fact)


def on_instance(
    instance_id: int, form: str, do: Callable[[], Any], done: Callable[[Any], ResponseReturnValue]
) -> ResponseReturnValue:
    """The same from the page of a flow."""
    try:
        fact = do()
    except Refusal as refusal:
        return shown_again(Tried(form, request.form, refusal), lambda t: instance_page(instance_id, t))
    return done(fact)


@dataclass(frozen=True)
class Told:
    """What the page of an instance offers: tasks to urge, people to tell."""

    waits: list[TaskRow]
    colleagues: list[tuple[int, str]]


def _to_tell(instance_id: int, actor: Actor) -> Told:
    waits = [
        task
        for task in queries.open_tasks(instance_id)
        if task.assignee_id != actor.id
        and (actor.id == queries.initiator_of(instance_id) or actor.has("process_owner"))
    ]
    return Told(waits, acting.near(actor))


def story(instance_id: int, view: TaskView | None = None) -> Story:
    row = queries.instance(instance_id)
    entries = timeline.entries(queries.history(instance_id))
    for waiting in queries.open_tasks(instance_id):
        who = Text(waiting.assignee, waiting.assignee) if waiting.assignee else ROLES.get(waiting.role or "")
        entries.append(timeline.waiting(waiting.label, who))
    entries += [timeline.waiting(label, None) for label in queries.awaited(instance_id)]
    return Story(
        panel=_panel(row.business_key, view),
        drawings=_drawings(instance_id),
        stages=queries.stages(instance_id),
        entries=entries,
        incidents=[Text(i.text_zh, i.text_en) for i in queries.incidents(instance_id)],
        held=row.status == "suspended",
    )


def _panel(business_key: str, view: TaskView | None) -> Markup | None:
    """What the house that owns the subject shows of it."""
    subject, _, ident = business_key.partition("/")
    show = PANELS.get(subject)
    number = row_number(ident)
    return show(number, view) if show is not None and number is not None else None


def _drawings(instance_id: int) -> list[tuple[Text, Markup]]:
    """The diagram the instance stands in, drawn; the main flow's own is told by the stages instead."""
    places = queries.places(instance_id)
    return [
        (
            place.label,
            drawing.svg(
                place.picture,
                done=place.done,
                current=place.current,
                language=current_language(),
                title=place.label.in_(current_language()),
            ),
        )
        for place in places[-1:]
        if place.picture.shapes
    ]
