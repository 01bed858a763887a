"""Pages of sealing many documents at once: one seal, one place, one PIN at the station; how far it is."""

import io
import secrets
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, jsonify, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from app.actor import Actor
from app.cards import queries as cards
from app.glossary import DOCUMENT_CLASSES
from app.people.guards import current_actor, login_required
from app.refusal import Invalid, Refusal
from app.settings import current_settings
from app.signing import commands, queries, rules
from app.signing.uploads import chosen, measure
from app.text import Text
from app.web.errors import wants_json

blueprint = Blueprint("batch", __name__)

MOST = 100
PAGES: dict[str, Text] = {
    "last": Text("最后一页", "The last page"),
    "first": Text("第一页", "The first page"),
}


@dataclass(frozen=True)
class Refused:
    """A file that was left out, and why."""

    file_name: str
    text: Text


@blueprint.get("/sealing/batch")
@login_required
def new() -> ResponseReturnValue:
    return _new(None)


def _new(refusal: Refusal | None, refused: Sequence[Refused] = ()) -> ResponseReturnValue:
    seals = queries.usable_seals(current_actor())
    chosen = next((s for s in seals if str(s.id) == request.form.get("seal_id")), seals[0] if seals else None)
    stations, holding = queries.stations_for(chosen) if chosen else ([], None)
    page = render_template(
        "signing/batch_new.html",
        seals=seals,
        stations=stations,
        classes=DOCUMENT_CLASSES,
        pages=PAGES,
        most=MOST,
        values={
            "station_id": holding or (stations[0].station.id if len(stations) == 1 else ""),
            "right_mm": "20",
            "bottom_mm": "50",
            "straddle_mm": "130",
            **request.form,
        },
        refusal=refusal,
        refused=refused,
    )
    return page, refusal.status if refusal else 422 if refused else 200


@blueprint.post("/sealing/batch")
@login_required
def order() -> ResponseReturnValue:
    """Each file by itself: one that cannot be sealed is named with its reason and left out."""
    actor, name = current_actor(), secrets.token_hex(8)
    refused: list[Refused] = []
    try:
        files, station_id = _files(), chosen("station_id")
        for file in files:
            try:
                _order(file, name, station_id, actor)
            except Refusal as refusal:
                refused.append(Refused(rules.clean_name(file.filename or ""), refusal.text))
    except Refusal as refusal:
        if wants_json():
            raise
        return _new(refusal)
    left = [{"file_name": one.file_name, "zh": one.text.zh, "en": one.text.en} for one in refused]
    if len(refused) == len(files):
        return (jsonify(refused=left), 422) if wants_json() else _new(None, refused)
    address = url_for("signing.batch.one", name=name)
    if wants_json():
        return jsonify(batch=name, address=address, refused=left), 201
    return _page(name, refused) if refused else redirect(address, 303)


def _order(file: FileStorage, batch: str, station_id: int, actor: Actor) -> None:
    commands.prepare_in_corner(
        file.stream.read(),
        file.filename or "",
        chosen("seal_id"),
        document_class=request.form.get("document_class") or "other",
        on_first_page=request.form.get("page") == "first",
        right_mm=measure("right_mm"),
        bottom_mm=measure("bottom_mm"),
        station_id=station_id,
        batch=batch,
        straddle_mm=measure("straddle_mm") if request.form.get("straddle") else None,
        by=actor,
    )


@blueprint.get("/sealing/batch/<name>")
@login_required
def one(name: str) -> ResponseReturnValue:
    return _page(name, ())


def _page(name: str, refused: Sequence[Refused]) -> ResponseReturnValue:
    shown = _shown(name)
    if wants_json():
        rows = [
            {"sealing_id": r.sealing.id, "file_name": r.document.file_name, "state": r.sealing.state}
            for r in queries.batch(name, current_actor())
        ]
        return jsonify(sealings=rows, open=shown["open"], done=shown["done"])
    return render_template("signing/batch.html", refused=refused, **shown)


@blueprint.get("/sealing/batch/<name>/progress")
@login_required
def progress(name: str) -> ResponseReturnValue:
    """The fragment that the page asks for each second, until all have ended."""
    shown = _shown(name)
    answer = Response(render_template("signing/_batch.html", **shown))
    if not shown["open"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


def _shown(name: str) -> dict[str, object]:
    rows = queries.batch(name, current_actor())
    waiting = [r for r in rows if r.sealing.state in rules.OPEN_STATES]
    station = cards.station(rows[0].sealing.station_id)
    return {
        "name": name,
        "rows": rows,
        "open": len(waiting),
        "done": sum(r.sealing.state == "sealed" for r in rows),
        "states": rules.STATE_TEXT,
        "station": station,
        "agent_page": current_settings().station_page_url,
    }


@blueprint.get("/sealing/batch/<name>.zip")
@login_required
def archive(name: str) -> Response:
    """All that were sealed, in one file."""
    out, taken = io.BytesIO(), list[str]()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for number, row in enumerate(queries.batch(name, current_actor()), 1):
            if row.use is not None:
                file_name, data = queries.permitted_file(row.use.sealed_digest, current_actor())
                packed.writestr(f"{number:03} {file_name}", data)
                taken.append(row.use.sealed_digest)
    commands.take(taken, f"{name}.zip", by=current_actor())
    out.seek(0)
    return send_file(out, "application/zip", as_attachment=True, download_name=f"{name}.zip")


# --- what the form says ---


def _files() -> list[FileStorage]:
    files = [file for file in request.files.getlist("documents") if file.filename]
    if not 1 <= len(files) <= MOST:
        told = Text(f"请选择 1 到 {MOST} 个 PDF 文件", f"Choose from 1 to {MOST} PDF files")
        raise Invalid("signing.no_file", zh=told.zh, en=told.en, fields={"documents": told})
    return files
