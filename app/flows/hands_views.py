"""Pages and buttons of hands: pass a task on, ask, copy, urge; one's substitute while away; the working calendar."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.fact import Fact
from app.flows import (
    acting,
    calendaring,
    calendars,
    copies,
    engine,
    handing,
    hands,
    informing,
    queries,
    standing,
    substituting,
)
from app.flows.pages import on_instance, on_task
from app.flows.signers import people_ids
from app.people.guards import check, current_actor, login_required
from app.refusal import Invalid, Refusal
from app.text import Text
from app.web.errors import wants_json
from app.web.incoming import end_of_day, row_number
from app.web.language import t

blueprint = Blueprint("hands", __name__)


@blueprint.app_context_processor
def offer_unread() -> dict[str, Any]:
    return {"unread_copies": lambda: copies.unread(current_actor())}


# --- a task ---


@blueprint.post("/inbox/<int:task_id>/hand-on")
@login_required
def hand_on(task_id: int) -> ResponseReturnValue:
    actor = current_actor()
    return on_task(
        task_id,
        "hand-on",
        lambda: handing.hand_on(task_id, _person("to"), _said("reason"), by=actor),
        lambda _: _on(Text("已转办。", "Handed on."), "flows.inbox"),
    )


@blueprint.post("/inbox/<int:task_id>/ask")
@login_required
def ask(task_id: int) -> ResponseReturnValue:
    actor = current_actor()
    return on_task(
        task_id,
        "ask",
        lambda: handing.ask(task_id, _person("to"), _said("reason"), by=actor),
        lambda _: _on(
            Text("已委派，答复后会回到您这里。", "Asked; it comes back with the answer."), "flows.inbox"
        ),
    )


@blueprint.post("/inbox/<int:task_id>/answer")
@login_required
def answer(task_id: int) -> ResponseReturnValue:
    actor = current_actor()
    return on_task(
        task_id,
        "answer",
        lambda: handing.answer(task_id, _said("answer"), by=actor),
        lambda _: _on(Text("已答复。", "Answered."), "flows.inbox"),
    )


@blueprint.post("/inbox/<int:task_id>/call-back")
@login_required
def call_back(task_id: int) -> ResponseReturnValue:
    actor = current_actor()
    return on_task(
        task_id,
        "",
        lambda: handing.call_back(task_id, by=actor),
        lambda _: _on(Text("已收回。", "Called back."), "flows.task", task_id=task_id),
    )


@blueprint.post("/inbox/<int:task_id>/urge")
@login_required
def urge(task_id: int) -> ResponseReturnValue:
    """From the page of the flow: whoever waits has no page of the task."""
    actor = current_actor()
    instance_id = queries.instance_of_task(task_id)
    return on_instance(
        instance_id,
        f"urge-{task_id}",
        lambda: informing.urge(task_id, _said("note"), by=actor),
        lambda _: _on(Text("已催办。", "Urged."), "flows.instance", instance_id=instance_id),
    )


# --- an instance ---


@blueprint.post("/inbox/flow/<int:instance_id>/copy")
@login_required
def copy(instance_id: int) -> ResponseReturnValue:
    actor = current_actor()

    def tell() -> Fact:
        who = [number for said in request.form.getlist("to") if (number := row_number(said)) is not None]
        who += people_ids(_said("to_login").lower(), copies.MOST)
        return informing.copy(instance_id, who, _said("note"), by=actor)

    return on_instance(
        instance_id,
        "copy",
        tell,
        lambda _: _on(Text("已抄送。", "Copied."), "flows.instance", instance_id=instance_id),
    )


@blueprint.get("/inbox/copied")
@login_required
def copied() -> ResponseReturnValue:
    """What this person was told, unread first."""
    rows = copies.to(current_actor())
    if wants_json():
        return jsonify(
            copies=[{"id": r.id, "instance_id": r.instance_id, "read": r.read_at is not None} for r in rows]
        )
    return render_template("flows/copied.html", rows=rows)


@blueprint.post("/inbox/copied/<int:copy_id>/read")
@login_required
def read(copy_id: int) -> ResponseReturnValue:
    informing.read_copy(copy_id, by=current_actor())
    return _on(Text("已阅。", "Read."), "flows.hands.copied")


# --- being away ---


@blueprint.get("/away")
@login_required
def away() -> ResponseReturnValue:
    """One's own substitutes and whom one stands in for; for administrators everybody's, and who left."""
    return _away()


def _away(refusal: Refusal | None = None, tried: str = "away") -> ResponseReturnValue:
    """`tried`: which of its forms was refused, and is shown as it was filled in."""
    actor = current_actor()
    arranges = any(actor.has(role) for role in hands.ADMINISTRATORS)
    rows = standing.everyone(now()) if arranges else standing.of_person(actor.id or 0, now())
    page = render_template(
        "flows/away.html",
        rows=rows,
        names=substituting.names(rows),
        colleagues=acting.near(actor),
        flows=[(key, label) for key, label in queries.flow_labels()],
        arranges=arranges,
        me=actor,
        refusal=refusal,
        form=request.form,
        tried=tried if refusal else "",
    )
    return make_response(page, refusal.status if refusal else 200)


@blueprint.post("/away")
@login_required
def be_away() -> ResponseReturnValue:
    actor = current_actor()

    def set_it() -> Fact:
        whose = _person("user") if _said("user") or _said("user_login") else actor.id or 0
        return substituting.substitute(
            whose,
            _person("to"),
            begins=_start_of("first") or now(),
            ends=_end_of("until"),
            reason=_said("reason"),
            flow_key=_said("flow") or None,
            by=actor,
        )

    return _try(set_it, Text("代理已设定，到期自动失效。", "Set; it lapses by itself."))


@blueprint.post("/away/<int:substitution_id>/end")
@login_required
def end(substitution_id: int) -> ResponseReturnValue:
    actor = current_actor()
    return _try(
        lambda: substituting.end_substitution(substitution_id, _said("reason"), by=actor),
        Text("代理已结束。", "Ended."),
        "end",
    )


@blueprint.post("/away/leave")
@login_required
def leave() -> ResponseReturnValue:
    """离职: all of one person's work to another."""
    try:
        fact = handing.hand_over_all(_person("user"), _person("to"), _said("reason"), by=current_actor())
    except Refusal as refusal:
        if wants_json():
            raise
        return _away(refusal, "leave")
    if wants_json():
        return jsonify(fact.payload())
    flash(
        t(
            "已移交 {moved} 项，退回同事 {released} 项，{stuck} 项不能移交",
            "{moved} moved, {released} back with the colleagues, {stuck} cannot be handed over",
            moved=len(fact.moved),
            released=len(fact.released),
            stuck=len(fact.stuck),
        )
    )
    for stuck in fact.stuck:
        flash(f"{stuck['title']}：{t(stuck['why_zh'], stuck['why_en'])}", "bad")
    return redirect(url_for("flows.hands.away"))


def _try(do: Callable[[], Fact], done: Text, form: str = "away") -> ResponseReturnValue:
    try:
        do()
    except Refusal as refusal:
        if wants_json():
            raise
        return _away(refusal, form)
    return _on(done, "flows.hands.away")


# --- the calendar ---


@blueprint.get("/calendar")
@login_required
def calendar() -> ResponseReturnValue:
    """A year's days that differ from the week."""
    check(current_actor(), "system_administrator")
    return _calendar()


def _calendar(refusal: Refusal | None = None) -> ResponseReturnValue:
    this_year = engine.local_now(now()).year
    year = row_number(request.args.get("year")) or this_year
    year = year if calendaring.FIRST <= year <= calendaring.LAST else this_year
    days = calendars.days(date(year, 1, 1), date(year, 12, 31))
    page = render_template("flows/calendar.html", year=year, days=days, refusal=refusal, form=request.form)
    return make_response(page, refusal.status if refusal else 200)


@blueprint.post("/calendar")
@login_required
def set_day() -> ResponseReturnValue:
    actor = current_actor()
    check(actor, "system_administrator")
    try:
        file = request.files.get("file")
        if file is not None and file.filename:
            calendaring.load_calendar(_text(file.read(1_000_001)), by=actor)
        else:
            day = _end_of("day") - timedelta(days=1)
            calendaring.set_day(day.date(), _said("kind"), _said("name"), by=actor)
    except Refusal as refusal:
        if wants_json():
            raise
        return _calendar(refusal)
    return _on(Text("日历已更改。", "The calendar is changed."), "flows.hands.calendar")


def _text(content: bytes) -> str:
    try:
        if len(content) <= 1_000_000:
            return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    text = Text("请选择 UTF-8 编码、不超过 1 MB 的 CSV 文件", "Choose a CSV file in UTF-8 of at most 1 MB")
    raise Invalid("calendar.malformed", zh=text.zh, en=text.en, fields={"file": text})


# --- small things ---


def _said(name: str) -> str:
    """A field of the form, or of a JSON body."""
    if request.is_json:
        said: Any = request.get_json(silent=True)
        return str(said.get(name) or "") if isinstance(said, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return request.form.get(name, "").strip()


def _person(name: str) -> int:
    """Chosen from the list, or found by their login. Refuses `Invalid` when nobody was chosen or several were, or
    nobody has it."""
    by_login = people_ids(_said(f"{name}_login").lower(), 1)
    number = by_login[0] if by_login else row_number(_said(name))
    if number is None or len(by_login) > 1:
        text = Text("请选择一位人员", "Choose one person")
        raise Invalid("flow.nobody_chosen", zh=text.zh, en=text.en, fields={name: text})
    return number


def _end_of(name: str) -> datetime:
    found = end_of_day(_said(name), code="flow.bad_date")
    if found is None:
        text = Text("请选择日期", "Choose a day")
        raise Invalid("flow.bad_date", zh=text.zh, en=text.en, fields={name: text})
    return found


def _start_of(name: str) -> datetime | None:
    found = end_of_day(_said(name), code="flow.bad_date")
    return found - timedelta(days=1) if found is not None else None


def _on(words: Text, endpoint: str, **values: Any) -> ResponseReturnValue:
    if wants_json():
        return jsonify(ok=True)
    flash(t(words), "good")
    return redirect(url_for(endpoint, **values))
