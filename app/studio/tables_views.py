"""A rule table of a draft as a page of its own: choose, compare, try; every change is saved by itself."""

import hashlib
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.bpmn import decision
from app.bpmn.decision.coverage import flaws
from app.bpmn.table_cells import cell
from app.bpmn.table_difference import differences
from app.bpmn.table_sheet import Sheet, sheets, write
from app.flows import versions
from app.glossary import ROLES
from app.people.guards import current_actor, login_required
from app.refusal import Conflict, NotFound, Refusal
from app.studio import choices, commands, problems, queries, rules, table_form
from app.studio.choices import LABELS
from app.studio.models import StudioDraft
from app.text import Text
from app.web.language import t

blueprint = Blueprint("tables", __name__, url_prefix="/studio/drafts/<int:draft_id>/tables")


@blueprint.get("/<file>")
@login_required
def table(draft_id: int, file: str) -> ResponseReturnValue:
    draft = _draft(draft_id, file)
    part = "studio/_table_case.html" if request.headers.get("HX-Request") else "studio/table.html"
    return render_template(part, **_page(draft, file))


@blueprint.post("/<file>")
@login_required
def save(draft_id: int, file: str) -> ResponseReturnValue:
    draft, do = _draft(draft_id, file), request.form.get("do", "save")
    xml = str(draft.tables[file])
    if do == "restore":
        return _restored(draft, file)
    page = _page(draft, file)
    if request.form.get("base") != page["base"]:
        return _told(
            page | {"refusal": rules.Stale(draft.revision, draft.updated_by_name, draft.updated_at)}, 409
        )
    grid = table_form.entered(page["sheet"], request.form, page["known"])
    if grid.wrong:
        return _told(page | {"wrong": grid.wrong}, 422)
    sheet = table_form.acted(grid.sheet, do, page["known"], request.form.get("field", ""))
    try:
        commands.save_draft(draft_id, draft.revision, tables={file: write(xml, sheet)}, by=current_actor())
    except Conflict as refusal:
        return _told(page | {"refusal": refusal}, refusal.status)
    if request.headers.get("HX-Request"):
        return _told(_page(_draft(draft_id, file), file) | {"saved": True}, 200)
    return redirect(url_for("studio.tables.table", draft_id=draft_id, file=file, decision=sheet.decision))


def _told(page: Mapping[str, Any], status: int) -> ResponseReturnValue:
    """The part beneath the table for the script; without it the page, with what was entered."""
    if request.headers.get("HX-Request"):
        return render_template("studio/_table_told.html", **page), status
    kept = {**page, "form": request.form, "was": request.form.get}
    return render_template("studio/table.html", **kept), status


def _restored(draft: StudioDraft, file: str) -> ResponseReturnValue:
    published = versions.version(draft.key, draft.base_version).tables.get(file)
    if published is not None:
        revision = int(request.form["revision"]) if request.form.get("revision", "").isdecimal() else 0
        commands.save_draft(draft.id, revision, tables={file: published}, by=current_actor())
        flash(t("已恢复为已发布的规则表。", "The published table is back."), "good")
    return redirect(url_for("studio.tables.table", draft_id=draft.id, file=file))


def _draft(draft_id: int, file: str) -> StudioDraft:
    draft = queries.draft(draft_id, current_actor())
    if file not in draft.tables:
        raise NotFound(
            "studio.no_such_table",
            zh="草稿里没有这张规则表。",
            en="There is no such rule table in the draft.",
        )
    return draft


def _page(draft: StudioDraft, file: str) -> dict[str, Any]:
    xml = str(draft.tables[file])
    known = table_form.known_of(choices.of_draft(draft)["forms"])
    try:
        found = sheets(xml)
    except decision.DecisionError as error:
        found, broken = (), error.text
    else:
        broken = None
    wanted = request.values.get("decision", "")
    sheet = next((s for s in found if s.decision == wanted), found[0] if found else None)
    page: dict[str, Any] = {
        "draft": draft, "file": file, "sheets": found, "sheet": sheet, "known": known, "broken": broken,
        "base": hashlib.sha256(xml.encode()).hexdigest()[:16], "kinds": table_form.KINDS,
        "policies": table_form.POLICY_WORDS, "labels": LABELS, "form": None, "was": _unchanged,
    }  # fmt: skip
    if sheet is not None:
        page |= _grid(sheet, known) | {"told": _flaws(xml, sheet), "changed": _changed(draft, file, xml)}
        page |= _case(xml, sheet)
    return page


def _unchanged(_name: str, value: str) -> str:
    return value


def _grid(sheet: Sheet, known: Mapping[str, table_form.Known]) -> dict[str, Any]:
    boxes = [
        [
            table_form.box(f"r{n}-c{j}", said, column, known.get(column.asks), LABELS)
            for j, (column, said) in enumerate(zip(sheet.inputs, rule.cells, strict=True))
        ]
        for n, rule in enumerate(sheet.rules)
    ]
    offers = [table_form.offered(c, known.get(c.asks), LABELS) for c in sheet.inputs]
    says: list[list[tuple[str, Text]]] = []
    for k, column in enumerate(sheet.outputs):
        given = [v for r in sheet.rules for v in cell(r.results[k]).values]
        offer = table_form.offered(column, None, LABELS)
        if not offer and given and all(str(v) in ROLES for v in given):
            offer = [(f'"{role}"', text) for role, text in ROLES.items()]
        says.append(offer)
    free = {name: k for name, k in known.items() if name not in {c.asks for c in sheet.inputs}}
    policies = [p for p in table_form.POLICY_WORDS if p in table_form.PLAIN or p == sheet.policy]
    return {"boxes": boxes, "offers": offers, "says": says, "free": free, "policy_choices": policies}


def _flaws(xml: str, sheet: Sheet) -> list[tuple[bool, Text]]:
    """(whether it keeps the draft from being published, sentence)."""
    try:
        decision.parse(xml.encode())
        return [(f.sure, problems.flaw_words(f)) for f in flaws(xml.encode()) if f.decision == sheet.decision]
    except decision.DecisionError as error:
        return [(True, error.text)]


def _changed(draft: StudioDraft, file: str, xml: str) -> list[Text]:
    try:
        published = versions.version(draft.key, draft.base_version).tables.get(file)
        return differences(str(published), xml) if published is not None else []
    except (Refusal, decision.DecisionError):
        return []


def _case(xml: str, sheet: Sheet) -> dict[str, Any]:
    try:
        given = table_form.case_of(sheet, request.args)
        if given is None:
            return {"case": request.args, "answer": None}
        answer = decision.parse(xml.encode()).decide(sheet.decision, given)
        return {"case": request.args, "answer": answer}
    except decision.DecisionError as error:
        return {"case": request.args, "case_wrong": error.text}
    except (ValueError, ArithmeticError, AttributeError):
        return {
            "case": request.args,
            "case_wrong": Text("请填写正确的数字或日期。", "Enter a number or a day."),
        }
