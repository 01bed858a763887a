"""Goes on with an instance from its stored bytes, act after act, each from what the one before left."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.bpmn.parse import Program, parse, program
from app.bpmn.step import Run, resume
from tests.bpmn.diagrams import Hands

Act = Mapping[str, Any]
"""`{"do": node, "item": …, "form": {…}}`, `{"message": node, "payload": {…}}`, or `{"hours": 25}`: time passes."""


def joined(main: bytes, *called: bytes) -> Program:
    others = [parse(c) for c in called]
    return program(parse(main), {o.key: o for o in others})


def play(
    flows: Program, state: bytes, acts: Sequence[Act], at: datetime, hands: Hands
) -> tuple[Run, datetime]:
    run = resume(flows, state, host=hands, now=at)
    for act in acts:
        at += timedelta(hours=float(act.get("hours", 0)))
        run = resume(flows, state, host=hands, now=at)
        one(run, act)
        run.settle()
        state = run.state()
    return run, at


def one(run: Run, act: Act) -> None:
    if "do" in act:
        waiting = [t for t in run.tasks() if t.node.id == act["do"] and act.get("item") in (None, t.item)]
        run.complete(waiting[0].token, act.get("form", {}))
    elif "message" in act:
        token = next(m.token for m in run.messages() if m.node.id == act["message"])
        run.deliver(token, act.get("payload", {}))
