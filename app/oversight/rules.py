"""Who may read which part of the log (D6). Pure.

The security auditor audits the two other officers; the security officer reviews what users (and the auditor)
did; business oversight sees the life and use of seals, in the units it is appointed for. Nobody else reads it.
"""

from dataclasses import dataclass

from app.actor import Actor
from app.fact import LogClass
from app.glossary import OFFICERS
from app.refusal import Forbidden
from app.text import Text

AUDITED = frozenset({"system_administrator", "security_officer"})
BUSINESS = frozenset(
    {
        LogClass.SEALING,
        LogClass.WITHDRAWAL,
        LogClass.PRINTING,
        LogClass.VERIFICATION,
        LogClass.SEAL_MANAGEMENT,
        LogClass.SEAL_AUTHORIZATION,
        LogClass.APPROVAL,
        LogClass.ILLEGAL_OPERATION,
    }
)
READERS = ("security_auditor", "security_officer", "overseer")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The part of the log that a reader may see. `units`: those units and all below; None means all."""

    role: str
    text: Text
    classes: frozenset[str]
    only_officers: frozenset[str] = frozenset()
    without_officers: frozenset[str] = frozenset()
    units: frozenset[int] | None = None


def scope_of(actor: Actor) -> Scope:
    """What this person may read. Refuses Forbidden when it is nothing."""
    everything = frozenset(log_class.value for log_class in LogClass)
    if actor.has("security_auditor"):
        return Scope(
            role="security_auditor",
            text=Text(
                "您审计系统管理员和安全保密管理员的操作",
                "You audit the system administrator and the security officer",
            ),
            classes=everything,
            only_officers=AUDITED,
        )
    if actor.has("security_officer"):
        return Scope(
            role="security_officer",
            text=Text(
                "您审查用户的行为，以及安全审计员的查阅",
                "You review what users did, and what the security auditor read",
            ),
            classes=everything,
            without_officers=AUDITED,
        )
    if actor.has("overseer"):
        return Scope(
            role="overseer",
            text=Text("您监督印章的制作、授权和使用", "You oversee the making, granting and use of seals"),
            classes=frozenset(log_class.value for log_class in BUSINESS),
            without_officers=OFFICERS,
            units=_units(actor),
        )
    raise Forbidden(
        "oversight.not_a_reader",
        zh="只有用印监督员、安全保密管理员和安全审计员可以查阅日志；如需要，请联系安全保密管理员",
        en="Only the overseer of seal use, the security officer and the security auditor read the log; "
        "ask the security officer if you need to",
    )


def _units(actor: Actor) -> frozenset[int] | None:
    """The units an overseer is appointed for; None as soon as one appointment is for all."""
    granted = {grant.unit_id for grant in actor.grants if grant.role == "overseer"}
    return None if None in granted else frozenset(unit_id for unit_id in granted if unit_id is not None)


def below(units: frozenset[int], parents: dict[int, int | None]) -> frozenset[int]:
    """The units and every unit under them. `parents`: unit → the unit above it."""
    found = set(units)
    while True:
        more = {unit for unit, parent in parents.items() if parent in found} - found
        if not more:
            return frozenset(found)
        found |= more
