"""Taking a seal's structure out, for whoever checks it without this program. It holds no key and no secret: it lies in every
sealed document; still, who took it is known. A card's copy is ciphertext and opens only here (A18)."""

from app.actor import Actor
from app.command import command
from app.refusal import Forbidden
from app.seals import queries, rules
from app.seals.facts import SealExported


@command
def export(number: str, *, by: Actor) -> SealExported:
    """Record that a SESeal leaves the house; `queries.seal_der` has the bytes. `number`: the card's serial, the esID, or the
    number in the ledger. Refuses Forbidden without a role of the seal's
    management, NotFound for whoever may not know of the seal."""
    found = queries.seal_named(number, by)
    if by.kind != "system" and not rules.may_export(by, queries.owner_path(found)):
        raise Forbidden(
            "seal.export_role_needed",
            zh="导出印章结构须由印章管理部门或该印章的管理员办理",
            en="Only the seal office or the seal's manager takes a seal's structure out",
            seal_id=found.id,
        )
    return SealExported(
        seal_id=found.id,
        es_id=found.es_id,
        card_serial=found.card_serial,
        seal_sha256=found.seal_sha256,
        unit_id=found.owner_unit_id,
    )
