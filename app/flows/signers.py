"""Reading who is asked beside a task: for the part of its page where people are added and taken off."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.actor import Actor
from app.db import db
from app.flows import added, engine
from app.flows.models import FlowInstance, FlowTask
from app.flows.queries import TaskView
from app.flows.rules import MOST_AT_ONCE
from app.people import queries as people
from app.people.models import User
from app.refusal import Invalid
from app.text import Text

LISTED = 300
"""People of the unit that the page offers; anybody else is found by their login."""


@dataclass(frozen=True)
class Signer:
    """One who is asked. `state`: whether they have answered; what a voter said is told when it is counted."""

    person_id: int
    name: str
    state: Text
    removable: bool


@dataclass(frozen=True)
class Beside:
    """What the page says and offers: who is asked, the ways in which others may be asked, and whom to choose from."""

    votes: bool
    signers: list[Signer]
    places: list[tuple[str, Text]]
    offered: list[tuple[str, str]]


WAYS = [
    ("before", Text("前加签：其表态之后我再办理", "Before me: I decide when they have answered")),
    ("after", Text("后加签：我办理之后由其表态", "After me: they answer when I have decided")),
]
INTO = [("into", Text("加入会签", "Into the vote"))]
ASKED, ANSWERED, LATER = (
    Text("待表态", "asked"),
    Text("已表态", "has answered"),
    Text("尚未轮到", "not asked yet"),
)


def are_allowed(task: FlowTask) -> bool:
    """Whether the diagram lets others be added to the task: `addSigners`, of the step, else of its process; yes unless
    it says `false`, as approval systems in China have it."""
    program = engine.program_of(engine.definition_of(task.definition_id))
    diagram = next((d for d in program.diagrams.values() if task.node in d.nodes), program.main)
    node = diagram.nodes.get(task.node)
    said = node.properties.get("addSigners") if node is not None else None
    return (said or diagram.properties.get("addSigners")) != "false"


def beside(view: TaskView, actor: Actor) -> Beside | None:
    """None where nobody can be added any more, or not by this person."""
    mine = view.assignee_id in (None, actor.id)
    if view.status not in ("open", "held") or not mine:
        return None
    task = db.session.get_one(FlowTask, view.id)
    votes = task.voter_id is not None and task.parent_id is None
    closed = view.status == "held" or task.owner_id is not None or not are_allowed(task)
    places = [] if closed else INTO if votes else WAYS
    found = _voters(task, actor) if votes else _added(task, actor)
    unit_id = actor.unit_id
    there: Sequence[User] = people.people_of(unit_id) if unit_id is not None and places else ()
    offered = [(person.login, person.name) for person in there[:LISTED] if person.id != actor.id]
    return Beside(votes, found, places, offered)


def _voters(task: FlowTask, actor: Actor) -> list[Signer]:
    instance = db.session.get_one(FlowInstance, task.instance_id)
    rows = engine.voters_of(instance, task.token, actor)
    names = people.able([row["id"] for row in rows])
    manages = actor.has("process_owner")
    return [
        Signer(
            row["id"],
            names.get(row["id"], str(row["id"])),
            ANSWERED if row["said"] is not None else ASKED if row["asked"] else LATER,
            row["said"] is None and len(rows) > 1 and (manages or actor.id in (row["added_by"], row["id"])),
        )
        for row in rows
    ]


def _added(task: FlowTask, actor: Actor) -> list[Signer]:
    may = actor.has("process_owner") or actor.id in (task.assignee_id, task.done_by_id)
    return [
        Signer(
            row.voter_id or 0,
            row.assignee_name or "",
            ANSWERED if row.status == "done" else ASKED,
            may and row.status in ("open", "held"),
        )
        for row in added.under(task.id)
        if row.status != "cancelled"
    ]


def people_ids(logins: str, most: int = MOST_AT_ONCE) -> list[int]:
    """The people of these logins, parted by commas or blanks; one beyond `most`, so that too many are seen to be.
    Refuses `Invalid` for one that nobody has."""
    found: list[int] = []
    for login in logins.replace(",", " ").replace("，", " ").split()[: most + 1]:
        person = people.user_by_login(login[:64])
        if person is None:
            raise Invalid(
                "flow.no_such_login",
                zh=f"没有登录名为「{login[:64]}」的人员，请核对。",
                en=f'Nobody has the login "{login[:64]}"; check it.',
            )
        found.append(person.id)
    return found
