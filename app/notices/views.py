"""Pages of notices: the list, and the way from one to what it tells of."""

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.notices import commands, kinds, queries, rules, testing, wishes, writing
from app.people.guards import current_actor, login_required, maybe_actor, requires
from app.refusal import Refusal
from app.settings import current_settings
from app.web.incoming import row_number
from app.web.language import t

blueprint = Blueprint("notices", __name__, template_folder="templates")


@blueprint.app_context_processor
def offer_bell() -> dict[str, Any]:
    """For the shell: how many notices this person has not read; asked only where it is shown."""

    def bell() -> int:
        actor = maybe_actor()
        return queries.unread(actor) if actor is not None else 0

    return {"unread_notices": bell, "most_notices": queries.MOST_COUNTED}


@blueprint.get("/notices")
@login_required
def index() -> ResponseReturnValue:
    only = request.args.get("show") == "unread"
    before = row_number(request.args.get("before"))
    rows = queries.of(current_actor(), only_unread=only, before=before)
    older = rows[queries.PAGE - 1].id if len(rows) > queries.PAGE else None
    return render_template(
        "notices/index.html", rows=rows[: queries.PAGE], older=older, only=only, kinds=kinds.KINDS
    )


@blueprint.get("/notices/<int:notice_id>")
@login_required
def follow(notice_id: int) -> ResponseReturnValue:
    """To what it tells of; who goes there has read it."""
    row = queries.one(notice_id, current_actor())
    if not row.read and "prefetch" not in request.headers.get("Sec-Purpose", ""):
        commands.read(notice_id, by=current_actor())
    return redirect(_where(row))


def _where(row: queries.Row) -> str:
    """The task while it is open, else the flow; for operators the stopped flows; for a substitute in whose place."""
    if row.kind == "incident":
        return url_for("flows.steering.incidents")
    if row.task_id is not None and not row.over:
        return url_for("flows.task", task_id=row.task_id)
    if row.instance_id is not None:
        return url_for("flows.instance", instance_id=row.instance_id)
    return url_for("flows.hands.away")


@blueprint.post("/notices/read")
@login_required
def read_all() -> ResponseReturnValue:
    fact = commands.read(by=current_actor())
    flash(t("已将 {n} 条标为已读。", "{n} marked as read.", n=fact.count), "good")
    return redirect(url_for("notices.index"))


@blueprint.post("/notices/<int:notice_id>/read")
@login_required
def read(notice_id: int) -> ResponseReturnValue:
    commands.read(notice_id, by=current_actor())
    return _back()


@blueprint.post("/notices/<int:notice_id>/unread")
@login_required
def unread(notice_id: int) -> ResponseReturnValue:
    commands.unread(notice_id, by=current_actor())
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(url_for("notices.index", show=request.form.get("show") or None))


# --- what reaches me ---


@blueprint.get("/notices/settings")
@login_required
def settings() -> ResponseReturnValue:
    return _settings()


def _settings(refusal: Refusal | None = None) -> ResponseReturnValue:
    wish = wishes.of(current_actor().id or 0)
    said = request.form if refusal else None
    page = render_template(
        "notices/settings.html",
        wish=wish,
        said=said,
        chosen={
            k: request.form.getlist(k) if refusal else kinds.channels(k, wish.choices) for k in kinds.KINDS
        },
        kinds=kinds.KINDS,
        channels=kinds.CHANNELS,
        paces=rules.PACES,
        secret=writing.secret_words(wish) if wish.webhook else "",
        mail_works=bool(current_settings().smtp_host),
        domains=current_settings().mail_domains,
        refusal=refusal,
    )
    return make_response(page, refusal.status if refusal else 200)


@blueprint.post("/notices/settings")
@login_required
def set_wishes() -> ResponseReturnValue:
    said = request.form
    try:
        commands.set_wishes(
            language=said.get("language", ""),
            mail=said.get("mail", ""),
            webhook=said.get("webhook", ""),
            pace=said.get("pace", ""),
            choices={kind: said.getlist(kind) for kind in kinds.KINDS},
            by=current_actor(),
        )
    except Refusal as refusal:
        return _settings(refusal)
    flash(t("通知设置已保存。", "Your notice settings are saved."), "good")
    return redirect(url_for("notices.settings"))


@blueprint.post("/notices/settings/secret")
@login_required
def renew_secret() -> ResponseReturnValue:
    commands.renew_webhook_secret(by=current_actor())
    flash(
        t("已更换密钥，请在接收方同时更换。", "There is another secret; change it at the receiver too."),
        "good",
    )
    return redirect(url_for("notices.settings"))


# --- the ways outside, for the administrator ---


@blueprint.get("/notices/ways")
@requires("system_administrator")
def ways() -> ResponseReturnValue:
    return _ways()


def _ways(refusal: Refusal | None = None) -> ResponseReturnValue:
    page = render_template(
        "notices/ways.html",
        ways=queries.ways(),
        failures=queries.failures(),
        kinds=kinds.KINDS,
        channels=kinds.CHANNELS,
        settings=current_settings(),
        refusal=refusal,
        said=request.form,
    )
    return make_response(page, refusal.status if refusal else 200)


@blueprint.post("/notices/ways/test")
@requires("system_administrator")
def send_test_mail() -> ResponseReturnValue:
    try:
        fact = testing.send_test_mail(request.form.get("mail", ""), by=current_actor())
    except Refusal as refusal:
        return _ways(refusal)
    if fact.error:
        flash(t("未能发出：{why}", "It was not sent: {why}", why=fact.error), "bad")
    else:
        flash(t("测试邮件已交给邮件服务器。", "The mail server has taken the test mail."), "good")
    return redirect(url_for("notices.ways"))


@blueprint.post("/notices/ways/retry")
@requires("system_administrator")
def retry() -> ResponseReturnValue:
    fact = commands.retry(row_number(request.form.get("delivery")), by=current_actor())
    flash(t("{n} 条将重新发送。", "{n} will be sent again.", n=len(fact.delivery_ids)), "good")
    return redirect(url_for("notices.ways"))
