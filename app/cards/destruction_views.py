"""The page before a card is destroyed: what it touches, who asked, who has to be there; and what its witness sees."""

from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.cards import destroying, destroying_rules, queries, standing
from app.cards.consequences import touched
from app.flows.action import panel
from app.people import queries as people
from app.people.guards import current_actor, requires
from app.refusal import Refusal
from app.web.errors import wants_json
from app.web.language import t

blueprint = Blueprint("destruction", __name__)
_office = requires("seal_office")


@blueprint.get("/cards/<serial>/destruction")
@_office
def first_page(serial: str) -> ResponseReturnValue:
    return _page(serial)


@blueprint.post("/cards/<serial>/destruction")
@_office
def ask(serial: str) -> ResponseReturnValue:
    try:
        fact = destroying.ask_destruction(serial, request.form.get("reason", ""), by=current_actor())
    except Refusal as refusal:
        return _page(serial, refusal)
    if wants_json():
        return jsonify(destruction_id=fact.destruction_id, instance_id=fact.instance_id)
    flash(t("已申请销毁，等待监销人确认", "Asked for; it waits for its witness"), "good")
    return redirect(url_for("cards.card", serial=serial))


@blueprint.post("/cards/<serial>/destruction/<int:destruction_id>/take-back")
@_office
def take_back(serial: str, destruction_id: int) -> ResponseReturnValue:
    try:
        destroying.take_back_destruction(destruction_id, request.form.get("reason", ""), by=current_actor())
    except Refusal as refusal:
        return _page(serial, refusal)
    flash(t("已撤回销毁申请", "Taken back"), "good")
    return redirect(url_for("cards.card", serial=serial))


def _page(serial: str, refusal: Refusal | None = None) -> ResponseReturnValue:
    if refusal is not None and wants_json():
        raise refusal
    row = queries.card_row(serial)
    page = render_template(
        "cards/destruction.html",
        row=row,
        owner=_owner(row.card),
        waiting=queries.open_destruction(row.card.id),
        touched=touched(serial),
        words=standing.WORDS,
        can="destroyed" in standing.MOVES[row.card.state],
        mine=destroying_rules.may_destroy(current_actor(), _units(row.card)),
        refusal=refusal,
        values=request.form,
    )
    return page, refusal.status if refusal else 200


@panel("card_destruction")
def on_task_page(destruction_id: int, _task: Any) -> Markup:
    """What the witness compares with the card on the table."""
    asked = queries.destruction(destruction_id)
    card = queries.card_of(asked)
    return Markup(  # noqa: S704  rendered by Jinja, which escapes
        render_template(
            "cards/_destruction.html",
            asked=asked,
            card=card,
            owner=_owner(card),
            touched=touched(card.serial),
            words=standing.WORDS,
        )
    )


def _owner(card: Any) -> str:
    if card.owner_user_id is not None:
        return people.user(card.owner_user_id).name
    return people.unit(card.owner_unit_id).name


def _units(card: Any) -> frozenset[int]:
    return people.unit_path(people.unit_concerned(card.owner_unit_id, card.owner_user_id))
