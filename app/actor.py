"""Who acts, and from where: the keyword `by=` of every command. Pure."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where an act came from (A24). `mac` and `host` are *reported by the card agent and signed by its
    station key*, never observed: no browser tells them. None means unknown; nothing is ever guessed."""

    ip: str | None = None
    mac: str | None = None
    mac_source: Literal["agent-signed", "none"] = "none"
    host: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A role held, for one unit and everything under it, or everywhere when `unit_id` is None."""

    role: str
    unit_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Principal:
    """The person in whose place somebody acts (代理)."""

    id: int
    name: str


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person, a card station, or the system itself (a timer, a job).

    `unit_path`: the ids of the person's unit and of all units above it, own unit first.
    """

    kind: Literal["person", "station", "system"] = "person"
    id: int | None = None
    name: str = ""
    unit_id: int | None = None
    grants: frozenset[Grant] = frozenset()
    origin: Origin = field(default_factory=Origin)
    station_id: int | None = None
    on_behalf_of: Principal | None = None
    """Set for one act only, by the flows: then `grants` are what that person may do, and no more."""

    @property
    def persons(self) -> frozenset[int]:
        """The person, and the one in whose place they act."""
        ids = (self.id, self.on_behalf_of.id if self.on_behalf_of else None)
        return frozenset(i for i in ids if i is not None)

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(g.role for g in self.grants)

    def has(self, role: str, unit_ids: "frozenset[int] | set[int] | None" = None) -> bool:
        """Whether the role is held, where `unit_ids` are the unit in question and all units above it.
        Without `unit_ids`: held anywhere at all."""
        return any(
            g.role == role and (unit_ids is None or g.unit_id is None or g.unit_id in unit_ids)
            for g in self.grants
        )


SYSTEM = Actor(kind="system", name="system")
