"""Any version seen, compared and carried away; a flow brought in as a file."""

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.bpmn.picture import Picture
from app.flows import drawing, engine, versions
from app.flows import forms as flow_forms
from app.people.guards import current_actor, login_required
from app.refusal import Invalid, Refusal
from app.studio import bundle, commands, comparing, overview, releasing, rules, sheets
from app.studio.comparing import Difference
from app.text import Text
from app.web.incoming import row_number
from app.web.language import current_language, t

blueprint = Blueprint("papers", __name__, url_prefix="/studio")


@blueprint.get("/flows/<key>/<int:number>")
@login_required
def version(key: str, number: int) -> ResponseReturnValue:
    """One version: its diagram, tables, forms, stories."""
    rules.check_may_own(current_actor())
    definition = versions.version(key, number)
    label = Text(definition.label_zh, definition.label_en)
    return render_template(
        "studio/version.html",
        definition=definition,
        row=next(v for v in overview.flow_row(key).versions if v.version == number),
        label=label,
        picture=draw(overview.picture_of(definition), label),
        tables=sheets.of_tables(definition.tables),
        forms=[flow_forms.form_of(name, said) for name, said in definition.forms.items()],
        stories=versions.stories_of(definition),
    )


@blueprint.get("/flows/<key>/compare")
@login_required
def compare(key: str) -> ResponseReturnValue:
    """Two versions side by side: what was added, removed, changed, moved."""
    rules.check_may_own(current_actor())
    flow = overview.flow_row(key)
    newest = flow.versions[0].version
    new = row_number(request.args.get("to")) or newest
    old = row_number(request.args.get("from")) or max(1, new - 1)
    one, other = versions.version(key, old), versions.version(key, new)
    found = comparing.compare(
        versions.papers_of(one), versions.papers_of(other), engine.program_of(one), engine.program_of(other)
    )
    return render_template(
        "studio/compare.html",
        flow=flow,
        old=old,
        new=new,
        differences=found,
        kinds=comparing.KINDS,
        pictures=[
            draw(overview.picture_of(one), Text(one.label_zh, one.label_en), marks(found, old=True)),
            draw(overview.picture_of(other), Text(other.label_zh, other.label_en), marks(found)),
        ],
    )


@blueprint.get("/flows/<key>/<int:number>/files")
@login_required
def export(key: str, number: int) -> ResponseReturnValue:
    """The version as a zip."""
    rules.check_may_own(current_actor())
    answer = make_response(bundle.packed(versions.papers_of(versions.version(key, number))))
    answer.headers["Content-Type"] = "application/zip"
    answer.headers["Content-Disposition"] = f'attachment; filename="{key}-v{number}.zip"'
    return answer


@blueprint.get("/import")
@login_required
def choose() -> ResponseReturnValue:
    rules.check_may_own(current_actor())
    return render_template("studio/import.html", refusal=None)


@blueprint.post("/import")
@login_required
def take() -> ResponseReturnValue:
    """A file becomes a draft; nothing of it is published by that."""
    actor = current_actor()
    rules.check_may_own(actor)
    try:
        papers = bundle.unpacked(_uploaded())
        newest = versions.newest(papers.key)
        fact = commands.open_draft(
            papers.key,
            newest.version if newest else None,
            bpmn=papers.bpmn,
            tables=papers.tables,
            forms=papers.forms,
            scenarios=papers.stories,
            by=actor,
        )
    except Invalid as refusal:
        return render_template("studio/import.html", refusal=refusal), refusal.status
    flash(t("已导入为草稿，检查后再发布。", "Imported as a draft; check it before publishing."), "good")
    return redirect(url_for("studio.gate", draft_id=fact.draft_id))


@blueprint.post("/flows/<key>/<int:number>/call-off")
@login_required
def call_off(key: str, number: int) -> ResponseReturnValue:
    try:
        releasing.call_off(key, number, request.form.get("reason", ""), by=current_actor())
        flash(
            t(
                "第 {n} 版已撤销，不会生效。",
                "Version {n} is called off and will not come into force.",
                n=number,
            ),
            "good",
        )
    except Refusal as refusal:
        if refusal.status in (401, 403, 404):
            raise
        flash(t(refusal.text), "bad")
    return redirect(url_for("studio.flow", key=key))


def _uploaded() -> bytes:
    file = request.files.get("file")
    content = file.read(bundle.MOST_PACKED + 1) if file is not None else b""
    if not content:
        text = Text("请选择文件", "Choose a file")
        raise Invalid("studio.no_file", zh=text.zh, en=text.en, fields={"file": text})
    return content


def draw(picture: Picture, label: Text, marked: dict[str, tuple[str, str]] | None = None) -> Markup:
    return drawing.svg(picture, language=current_language(), title=t(label), marks=marked)


def marks(found: list[Difference], *, old: bool = False) -> dict[str, tuple[str, str]]:
    """Each shape that differs, with its class and its words; what is new does not stand in the old one."""
    told: dict[str, Any] = {
        d.element: (d.kind, f"· {t(comparing.KINDS[d.kind])}") for d in found if d.place == "diagram"
    }
    return {ident: mark for ident, mark in told.items() if mark[0] != ("added" if old else "removed")}
