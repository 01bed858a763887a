"""What a change of an impression touches here: the seals made from it, and who may use them (D4)."""

from collections.abc import Iterable

from app.impressions.consequences import Touched, touched_by_impressions
from app.seals import queries
from app.text import Text


@touched_by_impressions("seals")
def seals_of(impression_id: int) -> Iterable[Touched]:
    """Every seal made from the impression that has not been cancelled."""
    for seal in queries.seals_of_impression(impression_id):
        if queries.cancellation(seal.id) is not None:
            continue
        users = [row.to for row in queries.grants(seal.id) if row.withdrawn is None]
        nobody = Text("尚未授权", "nobody yet")
        zh = "、".join(u.zh for u in users) or nobody.zh
        en = ", ".join(u.en for u in users) or nobody.en
        yield Touched(
            seal.name,
            Text(f"印章卡 {seal.card_serial} · 使用者:{zh}", f"card {seal.card_serial} · used by {en}"),
            href=f"/seals/{seal.id}",
        )
