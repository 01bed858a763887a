"""The publish gate as a page, and its buttons."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.people.guards import current_actor, login_required
from app.refusal import Invalid, Refusal
from app.settings import current_settings
from app.studio import gate, queries, releasing
from app.studio.comparing import KINDS
from app.studio.facts import FlowPublished
from app.studio.releasing import Plan
from app.text import Text
from app.web.incoming import row_number
from app.web.language import local, t


@login_required
def page(draft_id: int) -> ResponseReturnValue:
    return _page(draft_id)


@login_required
def decide(draft_id: int) -> ResponseReturnValue:
    """Publish, propose, agree or decline, as the button says. What is refused keeps the form as it was filled in."""
    try:
        return _done(draft_id, request.form.get("do", ""))
    except Refusal as refusal:
        if refusal.status in (401, 403, 404):
            raise
        return _page(draft_id, refusal)


def _done(draft_id: int, do: str) -> ResponseReturnValue:
    actor = current_actor()
    if do == "propose":
        releasing.propose(draft_id, _plan(), by=actor)
        flash(
            t("已提请，等待另一位流程管理员同意。", "Proposed; another process owner has to agree."), "good"
        )
    elif do == "decline":
        revision = row_number(request.form.get("revision")) or 0
        releasing.decline(draft_id, revision, request.form.get("reason", ""), by=actor)
        flash(
            t("已撤下提请，草稿仍可修改。", "The proposal is off the table; the draft can be changed."),
            "good",
        )
    elif do == "agree":
        proposed = queries.draft(draft_id, actor).proposal
        revision = row_number(request.form.get("revision")) or 0
        return _published(
            releasing.agree(draft_id, revision, by=actor), move=bool(proposed and proposed["move"])
        )
    elif do == "publish":
        plan = _plan()
        return _published(releasing.publish(draft_id, plan, by=actor), move=plan.move)
    return redirect(url_for("studio.gate", draft_id=draft_id))


def _published(fact: FlowPublished, *, move: bool) -> ResponseReturnValue:
    if fact.effective_from is not None:
        when = local(fact.effective_from)
        flash(
            t(
                "第 {n} 版已发布，{when} 起生效。",
                "Version {n} is published and in force from {when}.",
                n=fact.version,
                when=when,
            ),
            "good",
        )
    else:
        flash(
            t(
                "第 {n} 版已发布，新的申请按它办理。",
                "Version {n} is published; what is started from now on follows it.",
                n=fact.version,
            ),
            "good",
        )
        if move:
            _move([fact.key, *(said.split()[0] for said in fact.also)])
    return redirect(url_for("studio.flow", key=fact.key))


def _move(keys: Sequence[str]) -> None:
    moved, stay, left = gate.move_running(keys, current_actor())
    words = Text(
        "在办的流程：{moved} 件改按新版本办理，{stay} 件仍按原版本。",
        "Of those running, {moved} go on by the new version, {stay} stay on theirs.",
    )
    flash(t(words, moved=moved, stay=stay), "good")
    if left:
        words = Text(
            "另有 {left} 件未处理，请系统管理员用 yinxu flows migrate 办理。",
            "{left} more were left; the administrators move them with yinxu flows migrate.",
        )
        flash(t(words, left=left), "warn")


def _plan() -> Plan:
    said = request.form
    return Plan(
        row_number(said.get("revision")) or 0,
        row_number(said.get("seen")),
        _day(said.get("effective_from", "")),
        said.get("running") == "move",
        said.get("note", "").strip()[:1000],
    )


def _day(said: str) -> datetime | None:
    """The beginning of the day chosen, in the organisation's zone. Refuses `Invalid`."""
    if not said.strip():
        return None
    try:
        return datetime.combine(
            date.fromisoformat(said.strip()), time.min, ZoneInfo(current_settings().time_zone)
        )
    except (ValueError, OverflowError):
        text = Text("日期不正确，请重新选择", "This is no date; choose again")
        raise Invalid("studio.bad_date", zh=text.zh, en=text.en, fields={"effective_from": text}) from None


def _page(draft_id: int, refusal: Refusal | None = None) -> Any:
    actor = current_actor()
    found = gate.gate(queries.draft(draft_id, actor), actor)
    given: Mapping[str, str] = request.form if refusal is not None else {}
    page = render_template(
        "studio/gate.html", gate=found, actor=actor, refusal=refusal, form=given, kinds=KINDS
    )
    return page, refusal.status if refusal is not None else 200
