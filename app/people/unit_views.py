"""The page of the organisation: its units as a tree, and what the system administrator does to them (D1)."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.fact import Fact
from app.people import commands, consequences, queries, reorganising
from app.people.guards import current_actor, requires
from app.refusal import Refusal
from app.text import Text
from app.touched import Touched
from app.web.incoming import row_number
from app.web.language import t

blueprint = Blueprint("units", __name__)


@blueprint.get("/units")
@requires("system_administrator", "security_officer")
def index() -> ResponseReturnValue:
    return _index()


def _index(refusal: Refusal | None = None) -> ResponseReturnValue:
    page = render_template(
        "people/units.html",
        rows=_tree(),
        living=queries.living_units(),
        names={unit.id: unit.name for unit in queries.units()},
        refusal=refusal,
        form=request.form,
    )
    return page, refusal.status if refusal else 200


@dataclass(frozen=True)
class Row:
    """A unit in the tree. `depth`: how many stand above it."""

    unit: object
    depth: int
    people: int
    former: list[str]


def _tree() -> list[Row]:
    """From the top, each followed by what is below it."""
    units, former = queries.units(), queries.former_names()
    below: dict[int | None, list[int]] = {}
    by_id = {unit.id: unit for unit in units}
    for unit in units:
        below.setdefault(unit.parent_id, []).append(unit.id)
    rows: list[Row] = []
    waiting = [(ident, 0) for ident in reversed(below.get(None, []))]
    while waiting:
        ident, depth = waiting.pop()
        names = [one.name for one in former.get(ident, [])]
        rows.append(Row(by_id[ident], depth, len(queries.people_of(ident)), names))
        waiting.extend((child, depth + 1) for child in reversed(below.get(ident, [])))
    return rows


@blueprint.post("/units")
@requires("system_administrator")
def register() -> ResponseReturnValue:
    said = request.form
    parent = said.get("parent_id", "").strip()
    return _done(
        lambda: commands.register_unit(
            said.get("name", ""),
            code=said.get("code", "").strip() or None,
            parent_id=(row_number(parent) or 0) if parent else None,
            by=current_actor(),
        ),
        Text("已登记", "Registered"),
    )


@blueprint.get("/units/<int:unit_id>/change")
@requires("system_administrator")
def change(unit_id: int) -> ResponseReturnValue:
    return _change(unit_id)


def _change(unit_id: int, refusal: Refusal | None = None, said_in: str = "") -> ResponseReturnValue:
    """`said_in`: the form that was refused."""
    page = render_template(
        "people/unit.html",
        unit=queries.living_unit(unit_id),
        touched=_touched(unit_id),
        people=queries.people_of(unit_id),
        below=queries.below(unit_id),
        others=[one for one in queries.living_units() if unit_id not in queries.unit_path(one.id)],
        refusal=refusal,
        said_in=said_in,
        form=request.form,
    )
    return page, refusal.status if refusal else 200


def _touched(unit_id: int) -> list[Touched]:
    """Without links: whoever runs the system does not open seals (D6)."""
    return consequences.touched(unit_id)


@blueprint.post("/units/<int:unit_id>/<any(rename, merge, close):change>")
@requires("system_administrator")
def reorganise(unit_id: int, change: str) -> ResponseReturnValue:
    said, by = request.form, current_actor()
    reason = said.get("reason", "")
    acts: dict[str, Callable[[], Fact]] = {
        "rename": lambda: reorganising.rename_unit(unit_id, said.get("name", ""), reason, by=by),
        "merge": lambda: reorganising.merge_unit(
            unit_id, row_number(said.get("into_id")) or 0, reason, by=by
        ),
        "close": lambda: reorganising.close_unit(unit_id, reason, by=by),
    }
    try:
        acts[change]()
    except Refusal as refusal:
        return _change(unit_id, refusal, change)
    flash(t("已办理，其印章已注销", "Done; its seals are cancelled"))
    return redirect(url_for("people.units.index"))


def _done(act: Callable[[], Fact], said: Text) -> ResponseReturnValue:
    try:
        act()
    except Refusal as refusal:
        return _index(refusal)
    flash(t(said))
    return redirect(url_for("people.units.index"))
