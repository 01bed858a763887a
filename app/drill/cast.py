"""The people and the diagram of the drill that kills: four kinds of waiting, a fork, a vote and a call on the world."""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher

from app.actor import SYSTEM
from app.bench.chains import EXTENSION, MODEL
from app.db import db
from app.flows import commands
from app.people.models import RoleGrant, Unit, User

KEY = "drill_flow"
MESSAGE = "drill.answered"
ONE = "drill_first"
"""The shape that stands before the fork; the last is `close`."""

ROLES = {"ann": "seal_office", "ben": "seal_office", "cai": "unit_head", "dou": None, "eve": None}
"""Two share an office's tasks, one heads the unit, two vote."""

FORM = {
    "title": {"zh": "演练", "en": "Drill"},
    "fields": [
        {
            "name": "decision", "type": "choice", "widget": "buttons", "required": True,
            "label": {"zh": "结论", "en": "Decision"},
            "choices": [{"value": "approve", "label": {"zh": "同意", "en": "Approve"}, "tone": "primary"}],
        }
    ],
}  # fmt: skip

EXPECTED = {
    ("started", ""): 1, ("passed", "begin"): 1, ("done", ONE): 1, ("passed", "fork"): 1, ("done", "head"): 1,
    ("passed", "pause"): 1, ("done", "vote"): 2, ("counted", "vote"): 1, ("passed", "join"): 1,
    ("passed", "answer"): 1, ("done", "close"): 1, ("passed", "finish"): 1, ("finished", ""): 1,
}  # fmt: skip
"""What the history of each instance must hold, each so many times: no more, and no less."""


@dataclass(frozen=True)
class Cast:
    """`people`: ids by login; `password` opens all of them."""

    people: dict[str, int]
    password: str = field(repr=False)


def drawing() -> bytes:
    return (
        f'<definitions xmlns="{MODEL}" xmlns:s="{EXTENSION}" id="d" targetNamespace="urn:drill">'
        f'<message id="m" name="{MESSAGE}"/><process id="{KEY}" name="演练" isExecutable="true">'
        f'<startEvent id="begin"/>{_task(ONE, role="seal_office", form="drill")}<parallelGateway id="fork"/>'
        f'{_task("head", role="unit_head", form="drill")}'
        '<intermediateCatchEvent id="pause"><timerEventDefinition><timeDuration>PT1S</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>"
        f'{_task("vote", more="<multiInstanceLoopCharacteristics/>", vote="all", voters="voters", form="drill")}'
        '<parallelGateway id="join"/>'
        f'<intermediateCatchEvent id="answer">{_said(correlation="number")}'
        '<messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
        f'{_task("close", role="seal_office", form="drill")}<endEvent id="finish"/>'
        + "".join(
            f'<sequenceFlow id="f{n}" sourceRef="{a}" targetRef="{b}"/>'
            for n, (a, b) in enumerate((
                ("begin", ONE), (ONE, "fork"), ("fork", "head"), ("head", "pause"), ("pause", "join"),
                ("fork", "vote"), ("vote", "join"), ("join", "answer"), ("answer", "close"), ("close", "finish"),
            ))
        )
        + "</process></definitions>"
    ).encode()  # fmt: skip


def _task(ident: str, *, more: str = "", **said: str) -> str:
    return f'<userTask id="{ident}" name="{ident}">{_said(**said)}{more}</userTask>'


def _said(**said: str) -> str:
    inner = "".join(f'<s:property name="{name}" value="{value}"/>' for name, value in said.items())
    return f"<extensionElements><s:properties>{inner}</s:properties></extensionElements>"


def enter(folder: Path) -> Cast:
    """Put people and diagram on empty tables, inside an app's context."""
    place = folder / KEY
    (place / "forms").mkdir(parents=True)
    (place / f"{KEY}.bpmn").write_bytes(drawing())
    (place / "forms" / "drill.json").write_text(json.dumps(FORM))
    commands.load_files(folder=folder, by=SYSTEM)
    password = secrets.token_urlsafe(12)
    hashed = PasswordHasher().hash(password)
    unit = Unit(name="演练单位")
    db.session.add(unit)
    db.session.flush()
    people = {
        login: User(login=login, name=login.title(), unit_id=unit.id, password_hash=hashed) for login in ROLES
    }
    db.session.add_all(people.values())
    db.session.flush()
    db.session.add_all(RoleGrant(user_id=people[n].id, role=r) for n, r in ROLES.items() if r is not None)
    db.session.commit()
    ids = {login: person.id for login, person in people.items()}
    db.session.remove()
    return Cast(ids, password)
