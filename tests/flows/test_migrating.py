"""Running instances go on by another version: same tasks, new words; what cannot be moved says why; it can be undone."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from app.actor import SYSTEM, Actor, Grant
from app.cli import flow_migration
from app.clock import now
from app.db import db
from app.flows import commands, jobs, migrating, queries
from app.flows.models import FlowInstance, FlowMigration, FlowTask, FlowTimer, MessageSubscription
from app.flows.publishing import FOLDER
from app.refusal import Conflict, Forbidden, Invalid
from tests.flows.makers import Hands, Town
from tests.flows.test_steering import ordered

OWNER = Actor(id=901, name="流程管理员", grants=frozenset({Grant(role="process_owner")}))
REPORTED = "seal_production.reported"
KEY = "seal_lifecycle"


def publish(tmp_path: Path, name: str, *changes: tuple[str, str]) -> None:
    """A new version of a flow, and of what calls it, with these texts of its drawing replaced."""
    copy = tmp_path / f"workflows{len(list(tmp_path.iterdir()))}"
    shutil.copytree(FOLDER, copy)
    file = copy / name / f"{name}.bpmn"
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    form = copy / "seal_approval" / "forms" / "review.json"
    form.write_text(form.read_text().replace("同意", "核准"))
    commands.load_files(folder=copy, by=SYSTEM)


def task(instance_id: int) -> FlowTask:
    return db.session.scalars(
        sa.select(FlowTask)
        .where(FlowTask.instance_id == instance_id, FlowTask.status == "open")
        .execution_options(populate_existing=True)
    ).one()


def test_an_open_task_keeps_its_row_and_gets_the_words_and_the_role_of_the_new_version(
    town: Town, tmp_path: Path
):
    instance_id = town.apply()
    before = task(instance_id)
    ident, token, came, state = (
        before.id,
        before.token,
        before.created_at,
        db.session.get_one(FlowInstance, instance_id).state,
    )
    commands.claim(ident, by=town.office)
    publish(
        tmp_path, "seal_approval",
        ('id="review" name="印章管理部门审核"', 'id="examine" name="负责人审核"'),
        ("<bpmn:flowNodeRef>review<", "<bpmn:flowNodeRef>examine<"),
        ('targetRef="review"', 'targetRef="examine"'), ('sourceRef="review"', 'sourceRef="examine"'),
        ('bpmnElement="review"', 'bpmnElement="examine"'), ("review.", "examine."),
    )  # fmt: skip
    with pytest.raises(Forbidden):
        migrating.migrate(instance_id, 2, by=town.office)

    dry = migrating.batch(KEY, [instance_id], 2, {}, dry_run=True, by=OWNER)

    assert [o.outcome for o in dry] == ["blocked"]
    assert dry[0].blockers[0]["rule"] == "stands_at_removed"
    assert "印章管理部门审核" in dry[0].blockers[0]["zh"] and dry[0].blockers[0]["element"] == "review"
    with pytest.raises(Invalid, match="bad_mapping"):
        migrating.migrate(instance_id, 2, mapping={"review": "nowhere"}, by=OWNER)
    assert (
        migrating.batch(KEY, [instance_id], 2, {"review": "examine"}, dry_run=True, by=OWNER)[0].outcome
        == "would move"
    )
    assert db.session.get_one(FlowInstance, instance_id).state == state, "trying it has changed nothing"

    with pytest.raises(Conflict, match="own_hand"):
        migrating.migrate(instance_id, 2, mapping={"review": "correct"}, by=OWNER)
    before.notice_zh, before.own_hand = "金额不对", False
    db.session.commit()

    fact = migrating.migrate(instance_id, 2, mapping={"review": "examine"}, by=OWNER)

    assert (fact.from_version, fact.to_version) == (1, 2)
    after = task(instance_id)
    assert (after.id, after.token, after.created_at) == (ident, token, came)
    assert (after.node, after.label_zh, after.assignee_id) == ("examine", "负责人审核", town.office.id)
    assert (after.notice_zh, after.own_hand) == ("金额不对", True), (
        "why it came back stays; whose hand, the version says"
    )
    assert queries.history(instance_id)[-1].did["zh"].startswith("第 1 版 → 第 2 版")
    with pytest.raises(Conflict, match="there_already"):
        migrating.migrate(instance_id, 2, by=OWNER)

    migrating.undo(instance_id, by=OWNER)

    assert (task(instance_id).node, task(instance_id).id) == ("review", ident)
    assert db.session.get_one(FlowInstance, instance_id).state == state
    with pytest.raises(Conflict, match="not_migrated"):
        migrating.undo(instance_id, by=OWNER)
    migrating.migrate(instance_id, 2, mapping={"review": "examine"}, by=OWNER)
    commands.complete(ident, {"decision": "approve"}, by=town.office)
    assert [r.node for r in queries.inbox(town.operator)] == ["assign_card"]
    with pytest.raises(Conflict, match="moved_on_since"):
        migrating.undo(instance_id, by=OWNER)
    assert migrating.forget_old() == 1
    assert set(db.session.scalars(sa.select(FlowMigration.state))) == {None}


def test_what_is_waited_for_follows_and_new_deadlines_begin(
    town: Town, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    waiting, asked = ordered(town), town.apply(application_id=8)
    subscription = db.session.scalars(sa.select(MessageSubscription)).one()
    kept = (subscription.id, subscription.token)
    publish(
        tmp_path, "seal_production",
        ('name="seal_production.reported"', 'name="station.reported"'),
        (">R5/PT4H<", ">R5/PT2H<"),
    )  # fmt: skip

    told = migrating.batch(KEY, migrating.movable(KEY, 2), 2, {}, dry_run=False, by=OWNER)

    assert [(o.instance_id, o.outcome) for o in told] == [(waiting, "moved"), (asked, "moved")]
    db.session.expire_all()
    subscription = db.session.scalars(sa.select(MessageSubscription)).one()
    assert (subscription.id, subscription.token) == kept and subscription.name == "station.reported"
    assert commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM).early, (
        "nobody waits by the old name"
    )
    moment = now() + timedelta(hours=5)
    for module in (commands, jobs):
        monkeypatch.setattr(module, "now", lambda: moment)
    assert jobs.sweep() == 1
    due = db.session.scalars(sa.select(FlowTimer.due_at)).one()
    assert timedelta(0) < due - moment <= timedelta(hours=2), (
        "from its next round on, it goes by the new version"
    )
    assert not commands.deliver("station.reported", "41", {"status": "made"}, by=SYSTEM).stopped
    assert "hand_over" in [r.node for r in queries.inbox(town.office)]


def test_the_command_line_tells_the_difference_and_moves_what_it_can(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: object
):
    stays, goes = ordered(town), town.apply(application_id=8)
    publish(
        tmp_path, "seal_production",
        ('"wait_report"', '"await_station"'), (">wait_report<", ">await_station<"),
    )  # fmt: skip
    monkeypatch.setattr("app.factory.create_app", lambda: app)

    def yinxu(*said: str) -> tuple[int, list[dict[str, object]]]:
        verb, *rest = said
        done = CliRunner().invoke(getattr(flow_migration, verb), [*rest, "--json"])
        return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]

    code, lines = yinxu("diff", "seal_lifecycle", "--from", "1", "--to", "2")
    assert code == 0
    assert {(x["change"], x["element"]) for x in lines} >= {
        ("added", "await_station"),
        ("removed", "wait_report"),
    }
    code, lines = yinxu("migrate", "seal_lifecycle", "--to", "2", "--dry-run")
    assert (code, [x["outcome"] for x in lines]) == (1, ["blocked", "would move"])
    code, lines = yinxu("migrate", "seal_lifecycle", "--to", "2")
    assert (code, [(x["instance"], x["outcome"]) for x in lines]) == (
        1,
        [(stays, "blocked"), (goes, "moved")],
    )
    code, lines = yinxu("migrate", "seal_issuance", "--to", "1", "--instance", str(stays), "--dry-run")
    assert (code, lines[0]["blockers"]) == (1, [{"rule": "flow.no_such_instance"}])
    code, lines = yinxu("migrate", "seal_lifecycle", "--to", "2", "--map", "wait_report=await_station")
    assert (code, [(x["instance"], x["outcome"]) for x in lines]) == (0, [(stays, "moved")])
    code, lines = yinxu("migrate", "seal_lifecycle", "--undo")
    assert (code, [(x["instance"], x["outcome"]) for x in lines]) == (
        0,
        [(stays, "put back"), (goes, "put back")],
    )
