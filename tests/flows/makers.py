"""People, units and hands for tests of flows."""

from dataclasses import dataclass, field
from typing import Any

from app.actor import SYSTEM, Actor, Grant
from app.db import db
from app.flows import action as registry
from app.flows import commands, queries
from app.flows.action import Action
from app.people.models import Unit, User
from app.text import Text


def unit(name: str, parent: Unit | None = None) -> Unit:
    made = Unit(name=name, parent_id=parent.id if parent else None, level=parent.level + 1 if parent else 1)
    db.session.add(made)
    db.session.commit()
    return made


def person(name: str, where: Unit, *roles: str, over: Unit | None = None) -> Actor:
    """Somebody of a unit who holds roles over `over` and what is below it; everywhere when None."""
    user = User(login=f"{name}-{where.id}", name=name, unit_id=where.id, password_hash="-")
    db.session.add(user)
    db.session.commit()
    grants = frozenset(Grant(role=role, unit_id=over.id if over else None) for role in roles)
    return Actor(id=user.id, name=name, unit_id=where.id, grants=grants)


@dataclass
class Town:
    """An organisation of two departments, with everybody whom the life of a seal needs."""

    head_office: Unit
    department: Unit
    other: Unit
    applicant: Actor
    office: Actor
    colleague: Actor
    head: Actor
    operator: Actor
    stranger: Actor

    def data(self, **more: Any) -> dict[str, Any]:
        """What an application tells its flow; a department's official seal unless said otherwise."""
        return {
            "application_id": 7,
            "kind": "official",
            "seal_name": "财务专用章",
            "owner_unit_id": self.department.id,
            "applicant_id": self.applicant.id,
            "unit_level": 2,
            "width_mm": 40,
            "height_mm": 40,
            "keeping": "unit",
            **more,
        }

    def apply(self, **more: Any) -> int:
        """Start the life of a seal; gives the instance's id."""
        fact = commands.start(
            "seal_lifecycle", self.data(**more), business_key="application/7", by=self.applicant
        )
        return fact.instance_id

    def act(self, by: Actor, node: str, **form: Any) -> Any:
        """Do the one open task of that name."""
        row = next(r for r in queries.inbox(by) if r.node == node)
        do = commands.complete_on_page if row.node == "correct" else commands.complete
        return do(row.id, form, by=by)


def town() -> Town:
    head_office = unit("总公司")
    department = unit("财务部", head_office)
    other = unit("工程部", head_office)
    return Town(
        head_office=head_office,
        department=department,
        other=other,
        applicant=person("李航", department, "applicant", over=department),
        office=person("王敏", head_office, "seal_office", over=head_office),
        colleague=person("周宁", head_office, "seal_office", over=head_office),
        head=person("赵立", head_office, "seal_office_head", over=head_office),
        operator=person("陈工", head_office, "station_operator"),
        stranger=person("外人", other, "applicant", "seal_office", over=other),
    )


@dataclass
class Hands:
    """Stands in for the houses above: answers each action, and remembers what it was asked for."""

    asked: list[tuple[str, dict[str, Any], Actor]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)

    def names(self) -> list[str]:
        return [name.partition("/")[2] for name, _, _ in self.asked]

    def stand_in(self, name: str) -> Action:
        real = registry.ACTIONS[name]

        def do(*, by: Actor, **given: Any) -> Any:
            self.asked.append((name, given, by))
            answer = self.answers.get(name.partition("/")[2], {})
            return answer(**given) if callable(answer) else answer

        return Action(name, real.label, do, real.needed, real.allowed)


def hands() -> Hands:
    """With the answers that the houses would give."""
    jobs = iter(range(41, 99))
    return Hands(
        answers={
            "send_back_application": lambda application_id, reason: {"reason": reason},
            "register_impression": {"impression_id": 5, "displaced_id": None},
            "order_seal": lambda **_: {"job_id": next(jobs)},
            "record_made": {"seal_id": 9, "es_id": "ES-1"},
        }
    )


CARDS = [("C-0001", Text("卡 C-0001", "card C-0001")), ("C-0002", Text("卡 C-0002", "card C-0002"))]
STATIONS = [("3", Text("一号工位", "station one"))]

__all__ = ["CARDS", "STATIONS", "SYSTEM", "Hands", "Town", "hands", "person", "town", "unit"]
