"""The drill's judge sees what it is there for: a step or an entry that is doubled, or not there."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.actor import SYSTEM
from app.audit import sequencer
from app.clock import now
from app.db import begin_writing, db
from app.drill import cast, judge
from app.drill.judge import Counted
from app.flows import commands, jobs, queries
from app.flows.models import FlowEvent, FlowTask
from app.people import queries as people


def walked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """One instance of the drill's flow at its end, with nobody killed; gives its id."""
    who = cast.enter(folder)
    by = {login: people.actor_of(ident) for login, ident in who.people.items()}

    def do(login: str) -> None:
        waiting = queries.inbox(by[login])
        assert waiting, login
        commands.complete(waiting[0].id, {"decision": "approve"}, by=by[login])

    started = commands.start(
        cast.KEY, {"number": 0, "voters": [who.people["dou"], who.people["eve"]]}, business_key="drill/0",
        by=by["ann"],
    )  # fmt: skip
    for login in ("ann", "cai", "dou", "eve"):
        do(login)
    later = now() + timedelta(seconds=5)
    for module in (commands, jobs):
        monkeypatch.setattr(module, "now", lambda: later)
    assert jobs.sweep() == 1
    for _ in range(2):
        commands.deliver(cast.MESSAGE, "0", {"ok": True}, message_id="m0", by=SYSTEM)
    do("cai")
    do("ben")
    assert sequencer.sequence() > 0
    return started.instance_id


def test_what_is_whole_is_found_whole_and_each_double_and_gap_is_seen(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ident = walked(tmp_path / "flows", monkeypatch)
    assert (judge.history([ident]), judge.entries([ident])) == (Counted(0, 0), Counted(0, 0))

    begin_writing()
    effect = db.session.scalars(sa.select(FlowEvent).where(FlowEvent.kind == "reminded")).first()
    assert effect is not None
    db.session.execute(sa.update(FlowEvent).where(FlowEvent.id == effect.id).values(kind="passed"))
    assert judge.history([ident]) == Counted(twice=1, missing=1)  # one kind too many, the other too few
    db.session.rollback()

    begin_writing()
    tasks = sa.update(FlowTask).where(FlowTask.instance_id == ident, FlowTask.node == "close")
    db.session.execute(tasks.values(status="cancelled"))
    assert judge.entries([ident]) == Counted(twice=1, missing=0)  # the log tells of what no table holds
    db.session.rollback()
    assert judge.entries([ident, ident + 1]) == Counted(
        twice=0, missing=1 + cast.EFFECTS
    )  # one that never began
