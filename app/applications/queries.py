"""Reading applications."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app import store
from app.actor import Actor
from app.applications import rules
from app.applications.models import Application
from app.crypto import vault
from app.db import db
from app.imaging.checking import ImageRefused, check_image
from app.imaging.extracting import AS_IT_IS, Extraction, Shape, extract
from app.imaging.workshop import Work
from app.impressions import likeness
from app.impressions import queries as impressions
from app.impressions.likeness import Twin
from app.people import queries as people
from app.refusal import Invalid, NotFound
from app.settings import current_settings
from app.text import Text


def application(application_id: int) -> Application:
    found = db.session.get(Application, application_id)
    if found is None:
        raise NotFound(
            "application.unknown",
            zh="没有这份申请",
            en="There is no such application",
            application_id=application_id,
        )
    return found


def visible(application_id: int, actor: Actor) -> Application:
    """The application, for its applicant and for those whose work it is. Refuses Forbidden to others."""
    found = application(application_id)
    rules.check_may_see(actor, found.applicant_id, people.unit_path(found.unit_id))
    return found


def mine(actor: Actor) -> Sequence[Application]:
    return db.session.scalars(
        sa.select(Application).where(Application.applicant_id == actor.id).order_by(Application.id.desc())
    ).all()


def upload_context(user_id: int | None) -> dict[str, Any]:
    """An upload opens only for the person who sent it."""
    return {"for": "upload", "user": user_id}


def picture_context(uid: str, part: str) -> dict[str, Any]:
    return {"for": f"application-{part}", "application": uid}


def upload(reference: str, actor: Actor) -> bytes:
    """A scan that this person uploaded. Refuses NotFound, VaultError for another's."""
    return vault.open(store.get(reference), context=upload_context(actor.id))


def scan_picture(found: Application) -> bytes:
    return vault.open(store.get(found.scan), context=picture_context(found.uid, "scan"))


def impression_png(application_id: int) -> bytes:
    """The extracted impression, PNG. For the import into the library and for guarded pages."""
    found = application(application_id)
    return vault.open(store.get(found.impression), context=picture_context(found.uid, "impression"))


def check_scan(data: bytes) -> None:
    """Refuses Invalid unless it is a picture that we take; whether there is ink in it, `extraction` says."""
    try:
        check_image(data, limit_pixels=current_settings().image_limit_pixels)
    except ImageRefused as error:
        raise _refused(error) from error


def _refused(error: ImageRefused) -> Invalid:
    return Invalid(error.code, zh=error.text.zh, en=error.text.en, fields={"scan": error.text})


def extraction(
    data: bytes, *, shape: Shape, width_mm: float, height_mm: float, work: Work = AS_IT_IS
) -> Extraction:
    """The impression in a scan. Refuses Invalid with the sentence for the page's field `scan`."""
    try:
        return extract(
            data,
            shape=shape,
            width_mm=width_mm,
            height_mm=height_mm,
            work=work,
            limit_pixels=current_settings().image_limit_pixels,
        )
    except ImageRefused as error:
        raise _refused(error) from error


ELSEWHERE = Text(
    "印模库中已有非常相似的印模，登记在另一名称下。请核对名称，或说明为何再次申请",
    "The library already holds a very similar impression under another name. Check the name, or say why you apply again",
)


def warned_of_twins(found: list[Twin], actor: Actor) -> bool:
    """An applicant is told only of what belongs to those they may apply for."""
    return any(actor.has("applicant", twin.units) for twin in found)


def twins(application: Application) -> list[Twin]:
    """What in the library looks like this application's impression, for those who decide."""
    key = impressions.owner_key(application.owner_unit_id, application.owner_user_id)
    return likeness.twins(
        impression_png(application.id),
        application.kind,
        application.width_mm,
        owner_key=key,
        name=application.seal_name,
    )
