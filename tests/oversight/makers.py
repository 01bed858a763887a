"""A small organisation with its readers of the log, and their way in."""

from dataclasses import dataclass

from flask import g
from flask.testing import FlaskClient

from app.actor import SYSTEM, Actor, Origin
from app.people import commands, queries
from app.people.guards import cookie_name

PASSWORD = "correct horse 47"
ORIGIN = Origin(ip="192.0.2.7", mac="02:00:5e:00:53:07", mac_source="agent-signed", host="FINANCE-PC")


@dataclass
class Organisation:
    """Ids of units and people by login."""

    head_office: int
    branch: int
    people: dict[str, int]

    def actor(self, login: str) -> Actor:
        return queries.actor_of(self.people[login], ORIGIN)

    def enter(self, client: FlaskClient, login: str) -> None:
        """Log in as this person, by the page's own command."""
        token = f"token-of-{login}-{'x' * 20}"
        commands.log_in(login, PASSWORD, token=token, by=Actor(origin=ORIGIN))
        client.set_cookie(cookie_name(), token)
        forget()


def forget() -> None:
    """The test's own context outlives a request; what a request noted in `g` must not reach the next."""
    for name in list(g):
        g.pop(name)


def organisation() -> Organisation:
    head = commands.register_unit("总公司", by=SYSTEM).unit_id
    branch = commands.register_unit("分公司", parent_id=head, by=SYSTEM).unit_id
    people: dict[str, int] = {}
    for login, role, unit in (
        ("auditor", "security_auditor", None),
        ("officer", "security_officer", None),
        ("admin", "system_administrator", None),
        ("overseer", "overseer", None),
        ("branchseer", "overseer", branch),
        ("clerk", "seal_user", head),
    ):
        people[login] = commands.register_user(login, f"某{login}", head, PASSWORD, by=SYSTEM).user_id
        commands.appoint(people[login], role, unit, by=SYSTEM)
    return Organisation(head, branch, people)
