"""Is this seal in the library already, under another name? Asked when somebody applies with its picture.

What tells two impressions alike (`app/imaging/likeness.py`) shows a seal's layout, so it is sealed as the impression
is (A10): the database holds ciphertext, there is no fingerprint in the clear to compare with pictures from outside.
The price is that each candidate is opened in memory; only those of the same kind and about the same size are.

To be told "it is there" is knowledge too. An applicant is told only of owners they may apply for; those who decide
are told that it is there, and which one it is where they may look at it (`may_look`).
"""

from dataclasses import dataclass

import sqlalchemy as sa

from app.crypto import vault
from app.db import db
from app.imaging import likeness as pictures
from app.impressions import queries
from app.impressions.models import Impression, ImpressionLikeness

OTHER_SIZE = 0.25
"""A scan taken for another size of the same seal is still compared."""


@dataclass(frozen=True)
class Twin:
    """An impression of the library that looks the same. `units`: its owner's unit and all above it."""

    impression: Impression
    units: frozenset[int]


def remember(found: Impression, png: bytes) -> None:
    """Called when an impression is registered, in its transaction."""
    sealed = vault.seal(pictures.likeness(png), context=_context(found))
    db.session.add(ImpressionLikeness(impression_id=found.id, sealed=sealed))


def twins(png: bytes, kind: str, width_mm: float, *, owner_key: str, name: str) -> list[Twin]:
    """The impressions that look the same and stand under another owner or name, newest first."""
    like = pictures.likeness(png)
    rows = db.session.execute(
        sa.select(Impression, ImpressionLikeness.sealed)
        .outerjoin(ImpressionLikeness, ImpressionLikeness.impression_id == Impression.id)
        .where(
            Impression.kind == kind,
            Impression.width_mm.between(width_mm * (1 - OTHER_SIZE), width_mm * (1 + OTHER_SIZE)),
            sa.or_(Impression.owner_key != owner_key, Impression.name != name),
        )
        .order_by(Impression.id.desc())
    ).all()
    same = [found for found, sealed in rows if pictures.same_seal(like, _opened(found, sealed))]
    return [Twin(found, queries.unit_path_of(found.owner_unit_id, found.owner_user_id)) for found in same]


def _opened(found: Impression, sealed: bytes | None) -> bytes:
    """Of an impression from before likenesses were kept, it is made anew each time."""
    if sealed is None:
        return pictures.likeness(queries.clear_png(found.id))
    return vault.open(sealed, context=_context(found))


def _context(found: Impression) -> dict[str, object]:
    return {"for": "likeness", "digest": found.digest, "owner": found.owner_key, "name": found.name}
