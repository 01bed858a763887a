"""Pages of card stations and cards."""

from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import NotFound as PageNotFound

from app.cards import choices as _choices  # noqa: F401  # pyright: ignore[reportUnusedImport] registers
from app.cards import commands, destruction_views, queries, standing, unlocking
from app.cards.consequences import touched
from app.cards.uses import uses
from app.crypto.certificates import as_der
from app.people import queries as people
from app.people.guards import current_actor, requires
from app.refusal import Invalid, Refusal
from app.settings import current_settings
from app.text import Text
from app.web.errors import wants_json
from app.web.incoming import local_moment, row_number
from app.web.language import t

blueprint = Blueprint("cards", __name__, template_folder="templates")
blueprint.register_blueprint(destruction_views.blueprint)

WATCHES_STATIONS = ("station_operator", "seal_office", "seal_manager", "system_administrator")
KEEPS_CARDS = ("station_operator", "seal_office", "seal_manager")


# --- stations ---


@blueprint.get("/stations")
@requires(*WATCHES_STATIONS)
def stations() -> ResponseReturnValue:
    return render_template(
        "cards/stations.html", rows=queries.stations(), units=people.living_units(), code=None, refusal=None
    )


@blueprint.get("/stations/live")
@requires(*WATCHES_STATIONS)
def stations_live() -> ResponseReturnValue:
    return render_template("cards/_stations.html", rows=queries.stations(), unit=people.unit)


@blueprint.post("/stations")
@requires("system_administrator")
def enrol() -> ResponseReturnValue:
    """The code is shown once, on the answer itself: it is kept nowhere."""
    try:
        fact = commands.enrol_station(
            request.form.get("name", "").strip(), _number("unit_id") or 0, by=current_actor()
        )
    except Refusal as refusal:
        if wants_json():
            raise
        page = render_template(
            "cards/stations.html",
            rows=queries.stations(),
            units=people.living_units(),
            code=None,
            refusal=refusal,
        )
        return page, refusal.status
    if wants_json():
        return jsonify(
            station_id=fact.station_id, code=fact.code, expires_at=fact.code_expires_at.isoformat()
        )
    return render_template(
        "cards/stations.html", rows=queries.stations(), units=people.living_units(), code=fact, refusal=None
    )


@blueprint.get("/stations/<int:station_id>")
@requires(*WATCHES_STATIONS)
def station(station_id: int) -> ResponseReturnValue:
    return render_template("cards/station.html", **_station_page(station_id))


@blueprint.get("/stations/<int:station_id>/live")
@requires(*WATCHES_STATIONS)
def station_live(station_id: int) -> ResponseReturnValue:
    return render_template("cards/_station.html", **_station_page(station_id))


def _station_page(station_id: int) -> dict[str, Any]:
    """The system administrator sees that a station lives, never what it makes (D6)."""
    business = any(current_actor().has(role) for role in KEEPS_CARDS)
    jobs = queries.jobs(station_id=station_id, limit=10) if business else []
    row = queries.station(station_id)
    return {
        "row": row,
        "unit": people.unit(row.station.unit_id),
        "jobs": [(job, queries.as_job(job), queries.steps(job.id)) for job in jobs],
        "business": business,
        "agent_page": current_settings().station_page_url,
        "known": {str(c["serial"]): queries.card(str(c["serial"])) for c in row.cards},
    }


@blueprint.post("/stations/<int:station_id>/revoke")
@requires("system_administrator")
def revoke(station_id: int) -> ResponseReturnValue:
    commands.revoke_station(station_id, request.form.get("reason", ""), by=current_actor())
    return redirect(url_for("cards.stations"))


@blueprint.post("/stations/<int:station_id>/jobs/<int:job_id>/cancel")
@requires("station_operator", "seal_office")
def cancel_job(station_id: int, job_id: int) -> ResponseReturnValue:
    commands.cancel_job(job_id, request.form.get("reason", "").strip() or "—", by=current_actor())
    return redirect(url_for("cards.station", station_id=station_id))


# --- cards ---


@blueprint.get("/cards")
@requires(*KEEPS_CARDS)
def cards() -> ResponseReturnValue:
    role = request.args.get("role", "")
    rows = queries.cards(
        role="maker" if role == "maker" else "seal" if role == "seal" else None,
        search=request.args.get("q", "").strip(),
    )
    if wants_json():
        return jsonify(
            cards=[{"serial": r.card.serial, "role": r.card.role, "subject": r.card.subject} for r in rows]
        )
    return render_template(
        "cards/cards.html",
        rows=rows,
        owner_of=_owner_of,
        person=people.user,
        words=standing.WORDS,
        to_be_destroyed=queries.to_be_destroyed(),
    )


def _owner_of(card: Any) -> str:
    if card.owner_user_id is not None:
        return people.user(card.owner_user_id).name
    return people.unit(card.owner_unit_id).name


@blueprint.get("/cards/new")
@requires("station_operator", "seal_office")
def new_card() -> ResponseReturnValue:
    """`serial`: of a card in a reader; one that no station sees is not filled in."""
    serial = request.args.get("serial", "")
    return _card_form({"serial": serial} if queries.certificate_seen(serial) else {}, None)


@blueprint.post("/cards")
@requires("station_operator", "seal_office")
def register_card() -> ResponseReturnValue:
    """`certificate`: a file (PEM or DER), or what a station saw in its reader when none is given."""
    form = request.form
    try:
        serial = form.get("serial", "").strip()
        fact = commands.register_card(
            serial,
            "maker" if form.get("role") == "maker" else "seal",
            _certificate(serial),
            owner_unit_id=_number("owner_unit_id"),
            owner_user_id=_number("owner_user_id"),
            keeping="personal" if form.get("keeping") == "personal" else "unit",
            by=current_actor(),
        )
    except Refusal as refusal:
        if wants_json():
            raise
        return _card_form(form, refusal), refusal.status
    if wants_json():
        return jsonify(card_serial=fact.card_serial, subject=fact.subject)
    flash(t("卡 {serial} 已登记", "Card {serial} is registered", serial=fact.card_serial), "good")
    return redirect(url_for("cards.cards"))


def _certificate(serial: str) -> bytes:
    upload = request.files.get("certificate")
    data = upload.read() if upload else b""
    if not data:
        data = queries.certificate_seen(serial) or b""
    if not data:
        raise Invalid(
            "card.certificate_needed",
            zh="没有证书：请把卡插入制章工位，或上传证书文件",
            en="There is no certificate: insert the card at a station, or upload the file",
            fields={"certificate": Text("请上传证书或插卡", "Upload the certificate or insert the card")},
        )
    return as_der(data)


def _card_form(values: Any, refusal: Refusal | None) -> str:
    return render_template(
        "cards/card_new.html",
        values=values,
        refusal=refusal,
        seen=queries.unregistered_cards(),
        units=people.living_units(),
        people=people.people(),
    )


@blueprint.get("/cards/<serial>")
@requires(*KEEPS_CARDS, "seal_office_head")
def card(serial: str) -> ResponseReturnValue:
    row = queries.card_row(serial)
    return render_template(
        "cards/card.html",
        row=row,
        owner=_owner_of(row.card),
        keeper=people.user(row.keeper_id) if row.keeper_id else None,
        jobs=queries.jobs_of_card(serial),
        moves=queries.moves_of(row.card.id),
        words=standing.WORDS,
        can=standing.MOVES[row.card.state],
        people=people.people(),
        uses=uses(serial, row.lost.since, row.lost.at) if row.lost else [],
        unlock=queries.open_unlock(row.card.id),
        stations=[s for s in queries.stations() if s.station.revoked_at is None],
        me=current_actor().id,
        destruction=queries.open_destruction(row.card.id),
        destroyed=queries.destruction_of(row.card.id),
        touched=touched(serial) if current_actor().has("seal_office") else [],
    )


@blueprint.post("/cards/<serial>/lost")
@requires(*KEEPS_CARDS)
def report_lost(serial: str) -> ResponseReturnValue:
    since = local_moment(request.form.get("since", ""), code="card.bad_date")
    commands.report_lost(serial, request.form.get("reason", ""), since=since, by=current_actor())
    return redirect(url_for("cards.card", serial=serial))


@blueprint.post("/cards/<serial>/unlock")
@requires(*KEEPS_CARDS)
def ask_unlock(serial: str) -> ResponseReturnValue:
    unlocking.ask_unlock(serial, request.form.get("reason", ""), by=current_actor())
    return redirect(url_for("cards.card", serial=serial))


@blueprint.post("/cards/<serial>/unlock/<int:unlock_id>/agree")
@requires("seal_office", "seal_office_head")
def agree_unlock(serial: str, unlock_id: int) -> ResponseReturnValue:
    unlocking.agree_unlock(unlock_id, by=current_actor())
    return redirect(url_for("cards.card", serial=serial))


@blueprint.post("/cards/<serial>/unlock/<int:unlock_id>/refuse")
@requires(*KEEPS_CARDS)
def refuse_unlock(serial: str, unlock_id: int) -> ResponseReturnValue:
    unlocking.refuse_unlock(unlock_id, request.form.get("reason", ""), by=current_actor())
    return redirect(url_for("cards.card", serial=serial))


@blueprint.post("/cards/<serial>/unlock/<int:unlock_id>/start")
@requires("station_operator")
def start_unlock(serial: str, unlock_id: int) -> ResponseReturnValue:
    unlocking.start_unlock(unlock_id, _number("station_id") or 0, by=current_actor())
    return redirect(url_for("cards.card", serial=serial))


BY_HAND = {
    "suspend": commands.suspend_card,
    "return": commands.take_back,
    "resume": commands.take_up,
}


@blueprint.post("/cards/<serial>/<what>")
@requires("seal_office")
def move_card(serial: str, what: str) -> ResponseReturnValue:
    if what not in BY_HAND:
        raise PageNotFound
    BY_HAND[what](serial, request.form.get("reason", ""), by=current_actor())
    return redirect(url_for("cards.card", serial=serial))


@blueprint.post("/cards/<serial>/hand-over")
@requires("seal_office")
def hand_over(serial: str) -> ResponseReturnValue:
    keeper = _number("keeper_id")
    if keeper is None:
        raise Invalid("card.keeper_needed", zh="请选择接收人", en="Choose who takes the card")
    commands.hand_over(serial, keeper, by=current_actor())
    return redirect(url_for("cards.card", serial=serial))


def _number(field: str) -> int | None:
    text = request.form.get(field, "").strip()
    if not text:
        return None
    number = row_number(text)
    if number is None:
        raise BadRequest
    return number
