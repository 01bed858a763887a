"""People for tests of the doors: units, everybody's roles, and browsers that have logged in."""

import re
from dataclasses import dataclass, field

from flask import Flask, g
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.actor import SYSTEM, Actor
from app.people import commands, queries

PASSWORD = "a long password of tests"

CAST: dict[str, tuple[str, ...]] = {
    "clerk": ("applicant", "seal_user"),
    "office": ("seal_office", "seal_office_head", "seal_manager", "station_operator", "overseer"),
    "admin": ("system_administrator",),
    "officer": ("security_officer",),
    "auditor": ("security_auditor",),
    "nobody": (),
}


@dataclass
class Town:
    """Ids by login; `top` is the unit above, `department` the one below it, where everybody works."""

    top: int
    department: int
    people: dict[str, int] = field(default_factory=dict)

    def actor(self, login: str) -> Actor:
        return queries.actor_of(self.people[login])


def town() -> Town:
    top = commands.register_unit("示例公司", by=SYSTEM).unit_id
    department = commands.register_unit("供应链中心", parent_id=top, by=SYSTEM).unit_id
    made = Town(top, department)
    for login, roles in CAST.items():
        made.people[login] = commands.register_user(
            login, f"某{login}", department, PASSWORD, by=SYSTEM
        ).user_id
        for role in roles:
            commands.appoint(made.people[login], role, by=SYSTEM)
    return made


class Browser:
    """A client that keeps cookies and sends the CSRF token of the last page, as a person's browser does."""

    def __init__(self, app: Flask, address: str = "127.0.0.1") -> None:
        self.client: FlaskClient = app.test_client()
        self.address = address
        self.token = ""

    def get(self, path: str, **headers: str) -> TestResponse:
        answer = self.send("GET", path, headers=headers)
        found = re.search(rb'name="csrf_token" value="([^"]+)"', answer.data)
        found = found or re.search(rb"X-CSRFToken&#34;: &#34;([^&]+)|X-CSRFToken\": \"([^\"]+)", answer.data)
        if found:
            self.token = next(part for part in found.groups() if part).decode()
        return answer

    def post(self, path: str, data: dict[str, object] | None = None, **headers: str) -> TestResponse:
        return self.send("POST", path, data={"csrf_token": self.token, **(data or {})}, headers=headers)

    def send(self, method: str, path: str, **more: object) -> TestResponse:
        forget_request()
        more["environ_overrides"] = {"REMOTE_ADDR": self.address}
        return self.client.open(path, method=method, **more)  # type: ignore[arg-type]

    def log_in(self, login: str, password: str = PASSWORD, **form: object) -> TestResponse:
        self.get("/login")
        return self.post("/login", {"login": login, "password": password, **form})


def forget_request() -> None:
    """Tests live inside one application context, whose `g` a request would otherwise share with the last."""
    for name in list(g):
        g.pop(name)
