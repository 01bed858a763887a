"""Published: what runs stays on its old route, what is started takes the new one; from when on; who must agree."""

from datetime import timedelta

import pytest
from flask import Flask

from app.actor import Actor
from app.clock import now
from app.flows import commands as flows
from app.flows import engine, versions
from app.flows import queries as flow_queries
from app.flows.models import FlowDefinition
from app.refusal import Conflict, Forbidden, Invalid
from app.studio import commands, queries, releasing
from app.studio.releasing import Plan
from app.studio.rules import Stale
from tests.flows.test_views import apply
from tests.people.makers import Town
from tests.studio.edits import with_legal_review, with_threshold


def a_draft(owner: Actor, version: int | None = None, *, legal: bool = True, level: int = 1) -> int:
    ident = commands.start_draft("seal_approval", version, by=owner).draft_id
    draft = queries.draft(ident, owner)
    bpmn = with_legal_review(draft.bpmn) if legal else draft.bpmn
    tables = {"routing.dmn": with_threshold(draft.tables["routing.dmn"], level)} if level > 1 else None
    commands.save_draft(ident, 1, bpmn=bpmn, tables=tables, by=owner)
    return ident


def plan(draft_id: int, owner: Actor, **more: object) -> Plan:
    draft = queries.draft(draft_id, owner)
    newest = versions.newest(draft.key)
    return Plan(draft.revision, newest.version if newest else None, **more)  # type: ignore[arg-type]


def publish(draft_id: int, owner: Actor, **more: object) -> releasing.FlowPublished:
    return releasing.publish(draft_id, plan(draft_id, owner, **more), by=owner)


def route(people: Town, instance_id: int) -> list[str]:
    """The steps of people that it goes through when everybody agrees."""
    office, done = people.actor("office"), []
    while True:
        found = [t for t in flow_queries.inbox(office) if t.instance_id == instance_id]
        if not found or found[0].node == "assign_card":
            return done
        done.append(found[0].node)
        flows.complete(found[0].id, {"decision": "approve"}, by=office)


def test_what_runs_stays_on_its_old_route_and_what_is_started_takes_the_new_one(people_here: Town):
    owner, running = people_here.actor("owner"), apply(people_here, 7)
    draft = a_draft(owner, level=2)
    assert queries.draft(draft, owner).revision == 2

    fact = publish(draft, owner, note="法务也要看")

    assert (fact.version, fact.proposed_by_id, fact.effective_from) == (2, None, None)
    assert [said.split()[:2] for said in fact.also] == [["seal_lifecycle", "v2"]]
    made = versions.version("seal_approval", 2)
    assert (made.origin, made.note, made.published_by_name) == ("studio", "法务也要看", "流程owner")
    assert "head_decides" in made.scenarios
    started = apply(people_here, 8)
    assert route(people_here, running) == ["review"]
    assert route(people_here, started) == [
        "review",
        "legal_review",
        "head_review",
    ]  # level 2 asks the head now
    kept = queries.draft(draft, owner)
    assert (kept.state, kept.published_version) == ("published", 2)
    for again in (
        lambda: commands.save_draft(draft, 2, bpmn=kept.bpmn, by=owner),
        lambda: publish(draft, owner),
    ):
        with pytest.raises(Conflict):
            again()
    assert flows.load_files(by=owner).published == []  # the files do not take it back


def test_nothing_is_published_that_is_wrong_or_was_not_seen(people_here: Town):
    owner, other = people_here.actor("owner"), people_here.actor("other")
    first, second = a_draft(owner), a_draft(other, level=2)
    unchanged = commands.start_draft("seal_approval", by=owner).draft_id
    with pytest.raises(Conflict) as same:
        publish(unchanged, owner)
    assert same.value.code == "studio.nothing_changed"
    broken = queries.draft(unchanged, owner).bpmn.replace('value="P2D"', 'value="soon"')
    commands.save_draft(unchanged, 1, bpmn=broken, by=owner)
    with pytest.raises(Invalid) as wrong:
        publish(unchanged, owner)
    assert "还有 2 处问题" in wrong.value.text.zh
    with pytest.raises(Stale):
        releasing.publish(first, Plan(1, 1), by=owner)
    for days in (-1, 400):
        with pytest.raises(Invalid):
            publish(first, owner, effective_from=now() + timedelta(days=days))
    seen = plan(second, other)
    publish(first, owner)
    with pytest.raises(Conflict) as newer:
        releasing.publish(second, seen, by=other)
    assert newer.value.code == "studio.newer_version"
    with pytest.raises(Forbidden):
        releasing.publish(second, seen, by=people_here.actor("office"))


def test_a_second_person_agrees_where_the_setting_asks_for_one(app: Flask, people_here: Town):
    app.config["SETTINGS"].studio_second_person = True
    owner, other = people_here.actor("owner"), people_here.actor("other")
    draft = a_draft(owner)
    with pytest.raises(Forbidden):
        publish(draft, owner)
    with pytest.raises(Conflict):
        releasing.agree(draft, 2, by=other)
    releasing.propose(draft, plan(draft, owner, note="请看"), by=owner)
    with pytest.raises(Forbidden) as own:
        releasing.agree(draft, 2, by=owner)
    assert own.value.code == "studio.own_proposal"
    commands.save_draft(draft, 2, tables={"routing.dmn": None}, by=owner)
    with pytest.raises(Conflict):  # what was changed since is not what was proposed
        releasing.agree(draft, 3, by=other)
    restored = versions.version("seal_approval").tables
    commands.save_draft(draft, 3, tables=restored, by=owner)
    releasing.propose(draft, plan(draft, owner), by=owner)
    with pytest.raises(Invalid):
        releasing.decline(draft, 4, " ", by=other)
    releasing.decline(draft, 4, "再想想", by=other)
    releasing.propose(draft, plan(draft, owner, note="想过了"), by=owner)
    fact = releasing.agree(draft, 4, by=other)
    assert (fact.version, fact.note, fact.proposed_by_id) == (2, "想过了", owner.id)
    assert versions.version("seal_approval").published_by_name == "流程other"


def test_a_version_is_in_force_from_its_day_without_anybody_and_can_be_called_off_before(
    people_here: Town, monkeypatch: pytest.MonkeyPatch
):
    owner, start = people_here.actor("owner"), now() + timedelta(days=3)
    publish(a_draft(owner), owner, effective_from=start)
    assert versions.version("seal_lifecycle", 2).effective_from == start

    def at(days: float) -> list[str]:
        with monkeypatch.context() as patched:
            for module in (flow_queries, flows):
                patched.setattr(module, "now", lambda: start + timedelta(days=days))
            instance = apply(people_here, 100 + int(days * 10))
        return route(people_here, instance)

    assert at(-1) == ["review"]
    assert at(0) == ["review", "legal_review"]

    # what is published meanwhile is in force until that day; on that day the later one follows
    publish(a_draft(owner, 1, legal=False, level=2), owner)
    assert at(-2) == ["review", "head_review"]
    assert at(1) == ["review", "legal_review"]

    with pytest.raises(Conflict):
        releasing.call_off("seal_lifecycle", 2, "误发", by=owner)
    releasing.call_off("seal_approval", 2, "误发", by=owner)
    with pytest.raises(Conflict):
        releasing.call_off("seal_approval", 2, "误发", by=owner)
    assert at(2) == ["review", "head_review"]


def test_a_caller_published_meanwhile_keeps_its_own_texts_on_the_day(people_here: Town):
    owner, start = people_here.actor("owner"), now() + timedelta(days=3)
    publish(a_draft(owner), owner, effective_from=start)
    caller = commands.start_draft("seal_lifecycle", 1, by=owner).draft_id
    renamed = queries.draft(caller, owner).bpmn.replace('name="提交申请"', 'name="申请人提交"')
    commands.save_draft(caller, 1, bpmn=renamed, by=owner)
    publish(caller, owner)

    def pinned(moment_days: int) -> tuple[str, int]:
        found = versions.in_force("seal_lifecycle", start + timedelta(days=moment_days))
        assert isinstance(found, FlowDefinition)
        return found.bpmn, engine.definition_of(found.calls["seal_approval"]).version

    assert pinned(-1) == (renamed, 1)
    assert pinned(1) == (renamed, 2)
