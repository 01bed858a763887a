"""The people and the diagrams of the drill that kills: four kinds of waiting, a fork, a vote, a call on the world, two
automatic steps with an effect of their own, and a diagram that is called."""

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
PART = "drill_part"
"""The diagram that is called."""
EFFECTS = 2
"""Automatic steps of each instance; each leaves a reminder in the history and in the log, so a double shows. One is
done when the timer is fired by the worker, one when the last task is done on the web."""
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
    ("passed", "pause"): 1, ("passed", "by_worker"): 1, ("done", "vote"): 2, ("counted", "vote"): 1, ("passed", "join"): 1,
    ("passed", "answer"): 1, ("passed", "called"): 1, ("passed", "inside"): 1, ("done", "part"): 1,
    ("passed", "outside"): 1, ("done", "close"): 1, ("passed", "by_web"): 1, ("reminded", ""): EFFECTS,
    ("passed", "finish"): 1, ("finished", ""): 1,
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
        f'</timerEventDefinition></intermediateCatchEvent>{_effect("by_worker")}'
        f'{_task("vote", more="<multiInstanceLoopCharacteristics/>", vote="all", voters="voters", form="drill")}'
        '<parallelGateway id="join"/>'
        f'<intermediateCatchEvent id="answer">{_said(correlation="number")}'
        '<messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
        f'<callActivity id="called" name="called" calledElement="{PART}"/>'
        f'{_effect("by_web")}{_task("close", role="seal_office", form="drill")}<endEvent id="finish"/>'
        + "".join(
            f'<sequenceFlow id="f{n}" sourceRef="{a}" targetRef="{b}"/>'
            for n, (a, b) in enumerate((
                ("begin", ONE), (ONE, "fork"), ("fork", "head"), ("head", "pause"), ("pause", "by_worker"), ("by_worker", "join"),
                ("fork", "vote"), ("vote", "join"), ("join", "answer"), ("answer", "called"),
                ("called", "close"), ("close", "by_web"), ("by_web", "finish"),
            ))
        )
        + "</process></definitions>"
    ).encode()  # fmt: skip


def part() -> bytes:
    """The diagram that is called: one task of the unit's head."""
    return (
        f'<definitions xmlns="{MODEL}" xmlns:s="{EXTENSION}" id="d" targetNamespace="urn:drill">'
        f'<process id="{PART}" name="演练的一段" isExecutable="true"><startEvent id="inside"/>'
        f'{_task("part", role="unit_head", form="drill")}<endEvent id="outside"/>'
        '<sequenceFlow id="a" sourceRef="inside" targetRef="part"/>'
        '<sequenceFlow id="b" sourceRef="part" targetRef="outside"/></process></definitions>'
    ).encode()


def _effect(ident: str) -> str:
    """A step that calls an action of the product: its effect is a row of the history and an entry of the log."""
    return (
        f'<serviceTask id="{ident}" name="{ident}"><extensionElements>'
        '<s:serviceTaskOperator id="seal_production/remind_operator"><s:parameters>'
        '<s:parameter id="business_key" type="any" value="&quot;drill/&quot; + string(number)"/>'
        '<s:parameter id="job_id" type="any" value="number"/>'
        "</s:parameters></s:serviceTaskOperator></extensionElements></serviceTask>"
    )


def _task(ident: str, *, more: str = "", **said: str) -> str:
    return f'<userTask id="{ident}" name="{ident}">{_said(**said)}{more}</userTask>'


def _said(**said: str) -> str:
    inner = "".join(f'<s:property name="{name}" value="{value}"/>' for name, value in said.items())
    return f"<extensionElements><s:properties>{inner}</s:properties></extensionElements>"


def enter(folder: Path) -> Cast:
    """Put people and diagram on empty tables, inside an app's context."""
    for key, drawn in ((KEY, drawing()), (PART, part())):
        (folder / key / "forms").mkdir(parents=True)
        (folder / key / f"{key}.bpmn").write_bytes(drawn)
        (folder / key / "forms" / "drill.json").write_text(json.dumps(FORM))
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
