"""会签, 加签, 减签 and what passes by itself, through the commands and the tables, on both databases."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.actor import SYSTEM, Actor
from app.bpmn.fault import Fault
from app.db import db
from app.flows import commands, queries, signers, steering, timeline, voting
from app.flows.models import FlowTask, FlowTaskCandidate
from app.people import commands as people_commands
from app.people import queries as people
from app.people.models import RoleGrant, Unit
from app.refusal import Conflict, Forbidden, Invalid, Refusal
from tests.bpmn.diagrams import bpmn, extensions, flow, properties, shape
from tests.flows import makers
from tests.people.makers import PASSWORD, Browser

YES, NO = {"decision": "approve"}, {"decision": "send_back", "opinion": "金额有误"}
MANY = "<bpmn:multiInstanceLoopCharacteristics/>"
FORM = {
    "title": {"zh": "审核", "en": "Review"},
    "fields": [
        {"name": "decision", "type": "choice", "widget": "buttons", "required": True,
         "label": {"zh": "结论", "en": "Decision"},
         "choices": [{"value": "approve", "label": {"zh": "同意", "en": "Approve"}, "tone": "primary"},
                     {"value": "send_back", "label": {"zh": "退回", "en": "Send back"}}]},
        {"name": "opinion", "type": "textarea", "label": {"zh": "意见", "en": "Opinion"},
         "required": 'decision = "send_back"'},
    ],
}  # fmt: skip


class Place:
    """A unit below another, people in it, and a way to publish a drawing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.head_office = makers.unit("总公司")
        self.unit = makers.unit("财务部", self.head_office)
        self.a, self.b, self.c, self.d = (self.person(n, self.unit) for n in "甲乙丙丁")
        self.owner = self.person("流程管理员", self.head_office, "process_owner")

    def person(self, name: str, where: Unit, *roles: str) -> Actor:
        made = makers.person(name, where, *roles)
        db.session.add_all(RoleGrant(user_id=made.id, role=r) for r in roles)
        db.session.commit()
        return made

    def publish(self, *tasks: tuple[str, dict[str, str], str]) -> None:
        """start → the tasks in a row → after, for whoever started it → end."""
        steps = [*tasks, ("after", {"role": "applicant"}, "")]
        drawn = [
            shape("userTask", ident, extensions(properties(**{"form": "review", **said})) + inside)
            for ident, said, inside in steps
        ]
        ids = ["begin", *(ident for ident, _, _ in steps), "finish"]
        data = bpmn(
            shape("startEvent", "begin"), *drawn, shape("endEvent", "finish"),
            *(flow(x, y) for x, y in itertools.pairwise(ids)), key="voted",
        )  # fmt: skip
        place = self.folder / "voted"
        (place / "forms").mkdir(parents=True, exist_ok=True)
        (place / "voted.bpmn").write_bytes(data)
        (place / "forms" / "review.json").write_text(json.dumps(FORM))
        commands.load_files(folder=self.folder, by=SYSTEM)

    def start(self, by: Actor, **data: Any) -> int:
        return commands.start("voted", data, business_key="x/1", by=by).instance_id

    def sees(self, who: Actor) -> list[str]:
        return [row.node for row in queries.inbox(who)]

    def task(self, who: Actor, node: str = "sign") -> int:
        return next(row.id for row in queries.inbox(who) if row.node == node)

    def says(self, who: Actor, form: dict[str, Any], node: str = "sign") -> Any:
        return commands.complete(self.task(who, node), form, by=who)

    def data(self, who: Actor) -> Any:
        """What the flow knows once `after` is asked for."""
        return queries.task(self.task(who, "after"), who).data


@pytest.fixture
def place(app: Flask, tmp_path: Path) -> Place:
    return Place(tmp_path / "flows")


def kinds(instance_id: int) -> list[str]:
    return [row.kind for row in queries.history(instance_id) if row.kind not in ("passed", "started")]


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as refusal:
        act()
    assert refusal.value.text.zh and refusal.value.text.en
    return refusal.value.code


def test_a_vote_is_asked_of_each_by_name_counted_and_told(place: Place):
    place.publish(("sign", {"vote": "ratio", "share": "2/3", "voters": "who"}, MANY))
    ident = place.start(place.a, who=[place.a.id, place.b.id, place.c.id])
    of_b, of_c = place.task(place.b), place.task(place.c)
    assert place.sees(place.d) == [] and queries.counts(place.b) == {"inbox": 1, "claimable": 0}

    assert refused(lambda: commands.complete(of_b, YES, by=place.c)) == "flow.not_yours"
    assert refused(lambda: commands.release(of_b, by=place.b)) == "flow.asked_by_name"
    place.says(place.b, {**YES, "opinion": "可以"})
    assert refused(lambda: commands.complete(of_b, YES, by=place.b)) == "flow.task_done"
    place.says(place.a, YES)

    sign = place.data(place.a)["sign"]
    assert (sign["result"], sign["yes"], sign["no"], sign["open"]) == ("approved", 2, 0, 1)
    assert [(v["person"], v["name"], v["opinion"]) for v in sign["votes"]] == [
        (place.a.id, "甲", None), (place.b.id, "乙", "可以"), (None, None, None),
    ]  # fmt: skip
    assert refused(lambda: commands.complete(of_c, YES, by=place.c)) == "flow.task_gone"
    assert kinds(ident) == ["done", "done", "counted"]
    words = [e.detail for e in timeline.entries(queries.history(ident)) if e.detail]
    assert any("3 人中同意 2" in w.zh and "2 agreed" in w.en for w in words)
    open_now = sa.select(FlowTask.id).where(FlowTask.status == "open")
    assert db.session.scalar(
        sa.select(sa.func.count()).where(FlowTaskCandidate.task_id.not_in(open_now))
    ) == 0  # fmt: skip


def test_the_holders_of_a_role_vote_and_nobody_is_an_incident(place: Place):
    head = place.person("负责人", place.head_office, "unit_head")
    place.publish(("sign", {"vote": "all", "voterRole": "unit_head"}, MANY))

    place.start(place.a)
    assert place.sees(head) == ["sign"]

    place.publish(("sign", {"vote": "all", "voterRole": "seal_manager"}, MANY))
    with pytest.raises(Fault, match="nobody"):
        place.start(place.a)


def test_nobody_is_asked_and_nobody_taken_off_while_the_flow_is_held(place: Place):
    manager = place.person("经理", place.unit, "seal_manager")
    place.publish(("sign", {"role": "seal_manager"}, ""))
    ident = place.start(place.a)
    mine = place.task(manager)
    voting.add_signers(mine, [place.d.id], "before", by=manager)
    steering.suspend(ident, "等补充材料", by=SYSTEM)

    assert refused(lambda: voting.add_signers(mine, [place.c.id], "before", by=manager)) == "flow.suspended"
    assert refused(lambda: voting.take_off(mine, place.d.id or 0, "出差", by=manager)) == "flow.suspended"


def test_a_further_voter_counts_and_is_taken_off_by_whoever_added_them_only(place: Place):
    place.publish(("sign", {"vote": "all", "voters": "who"}, MANY))
    ident = place.start(place.a, who=[place.a.id, place.b.id])
    mine = place.task(place.a)

    for who, where, code in (
        ([place.d.id], "before", "flow.wrong_place"), ([place.d.id], "beside", "flow.no_such_place"),
        ([], "into", "flow.added_how_many"), ([999], "into", "flow.added_who"),
        ([place.a.id], "into", "flow.added_who"), ([place.b.id], "into", "flow.votes_already"),
    ):  # fmt: skip
        assert refused(lambda w=who, p=where: voting.add_signers(mine, w, p, by=place.a)) == code
    assert refused(lambda: voting.add_signers(mine, [place.d.id], "into", by=place.c)) == "flow.not_yours"
    fact = voting.add_signers(mine, [place.c.id, place.d.id], "into", reason="涉及财务", by=place.a)
    assert fact.people == [place.c.id, place.d.id]
    assert place.sees(place.c) == place.sees(place.d) == ["sign"]

    of_d = place.task(place.d)
    of_b = place.task(place.b)
    off = voting.take_off
    assert refused(lambda: off(mine, place.b.id or 0, "不相干", by=place.a)) == "flow.may_not_take_off"
    assert refused(lambda: off(of_b, place.c.id or 0, "不相干", by=place.b)) == "flow.may_not_take_off"
    assert refused(lambda: off(mine, place.c.id or 0, "不相干", by=place.b)) == "flow.not_yours"
    assert refused(lambda: voting.take_off(mine, place.d.id, " ", by=place.a)) == "flow.reason_needed"
    voting.take_off(mine, place.d.id, "出差", by=place.a)
    assert place.sees(place.d) == [] and refused(
        lambda: commands.complete(of_d, YES, by=place.d)
    ) == "flow.task_gone"  # fmt: skip
    voting.take_off(mine, place.b.id, "回避", by=place.owner)
    place.says(place.c, YES)
    assert refused(lambda: voting.take_off(mine, place.c.id, "已表决", by=place.a)) == "flow.has_voted"
    place.says(place.a, YES)

    sign = place.data(place.a)["sign"]
    assert [v["voter"] for v in sign["votes"]] == [place.a.id, place.c.id] and sign["result"] == "approved"
    assert kinds(ident) == [
        "signer_added", "signer_taken_off", "signer_taken_off", "done", "done", "counted",
    ]  # fmt: skip


def test_taking_off_the_last_who_has_not_said_decides_it(place: Place):
    place.publish(("sign", {"vote": "all", "voters": "who"}, MANY))
    place.start(place.a, who=[place.a.id, place.b.id])
    of_b = place.task(place.b)
    place.says(place.a, YES)

    voting.take_off(of_b, place.b.id, "回避", by=place.b)

    assert place.data(place.a)["sign"]["result"] == "approved"


def test_who_is_added_before_answers_first_and_their_word_reaches_the_flow(place: Place):
    manager = place.person("经理", place.unit, "seal_manager")
    place.publish(("sign", {"role": "seal_manager"}, ""))
    ident = place.start(place.a)
    mine = place.task(manager)

    voting.add_signers(mine, [place.b.id, place.c.id], "before", by=manager)
    assert (
        refused(lambda: voting.add_signers(mine, [place.b.id], "after", by=manager)) == "flow.asked_already"
    )
    assert refused(lambda: voting.add_signers(mine, [place.b.id], "into", by=manager)) == "flow.wrong_place"
    assert refused(lambda: commands.complete(mine, YES, by=manager)) == "flow.waits_for_added"
    view = queries.task(place.task(place.b), place.b)
    assert view.form is not None and [f.name for f in view.form.fields] == ["decision", "opinion"]
    assert refused(lambda: voting.take_off(mine, place.c.id, "不用了", by=place.b)) == "flow.not_yours"
    place.says(place.b, NO)
    assert refused(lambda: voting.take_off(mine, place.b.id, "不用了", by=manager)) == "flow.has_answered"
    voting.take_off(mine, place.c.id, "不用了", by=manager)
    assert place.sees(place.c) == []
    commands.complete(mine, YES, by=manager)

    sign = place.data(place.a)["sign"]
    assert sign["decision"] == "approve"  # theirs is advice
    assert [(s["person"], s["place"], s["outcome"]) for s in sign["added"]] == [
        (place.b.id, "before", "send_back")
    ]
    assert kinds(ident) == ["signer_added", "signer_answered", "signer_taken_off", "done"]


def test_who_is_added_after_must_agree_and_whoever_does_not_decides_instead(place: Place):
    manager = place.person("经理", place.unit, "seal_manager")
    place.publish(("sign", {"role": "seal_manager"}, ""))
    ident = place.start(place.a)
    mine = place.task(manager)
    voting.add_signers(mine, [place.b.id, place.c.id], "after", by=manager)

    commands.complete(mine, YES, by=manager)
    assert place.sees(place.a) == [] and place.sees(manager) == []
    assert refused(lambda: commands.complete(mine, YES, by=manager)) == "flow.held"
    voting.add_signers(place.task(place.b), [place.d.id], "before", by=place.b)  # added by who was added
    assert refused(lambda: place.says(place.b, YES)) == "flow.waits_for_added"
    place.says(place.d, YES)
    place.says(place.b, YES)
    assert place.sees(place.a) == []
    place.says(place.c, NO)

    sign = place.data(place.a)["sign"]
    assert (sign["decision"], sign["opinion"]) == ("send_back", "金额有误")
    assert [(s["person"], s["outcome"]) for s in sign["added"]] == [
        (place.b.id, "approve"), (place.c.id, "send_back"),
    ]  # fmt: skip
    assert kinds(ident)[-1] == "done"
    done = [row for row in queries.history(ident) if row.kind == "done"][-1]
    assert done.actor == "经理"


def test_taking_off_the_last_who_was_added_after_lets_the_decision_through(place: Place):
    manager = place.person("经理", place.unit, "seal_manager")
    place.publish(("sign", {"role": "seal_manager"}, ""))
    place.start(place.a)
    mine = place.task(manager)
    voting.add_signers(mine, [place.b.id], "after", by=manager)
    commands.complete(mine, YES, by=manager)

    voting.take_off(mine, place.b.id, "已电话确认", by=manager)

    assert place.data(place.a)["sign"]["decision"] == "approve"


def test_when_the_task_goes_away_so_do_those_who_were_added(place: Place):
    """A timer on the task's border takes it away; nobody is asked for it any more."""
    from app.bpmn.step import Run
    from app.clock import now
    from app.flows import engine
    from app.flows.models import FlowInstance

    manager = place.person("经理", place.unit, "seal_manager")
    place.publish(("sign", {"role": "seal_manager"}, ""))
    ident = place.start(place.a)
    voting.add_signers(place.task(manager), [place.b.id], "before", by=manager)
    voting.add_signers(place.task(place.b), [place.c.id], "after", by=place.b)

    def call_off(run: Run) -> None:
        run._task(run.tasks()[0].token).cancel()  # pyright: ignore[reportPrivateUsage]

    engine.advance(db.session.get_one(FlowInstance, ident), call_off, by=SYSTEM, now=now())
    db.session.commit()

    assert place.sees(place.b) == place.sees(place.c) == place.sees(manager) == []
    assert set(db.session.scalars(sa.select(FlowTask.status))) == {"cancelled"}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(FlowTaskCandidate)) == 0


def test_added_by_who_was_added_ends_somewhere(place: Place):
    manager = place.person("经理", place.unit, "seal_manager")
    place.publish(("sign", {"role": "seal_manager"}, ""))
    place.start(place.a)
    chain = [manager, place.b, place.c, place.d]
    for one, following in itertools.pairwise(chain):
        voting.add_signers(place.task(one), [following.id or 0], "before", by=one)

    with pytest.raises(Conflict, match="added_too_deep"):
        voting.add_signers(place.task(place.d), [place.a.id or 0], "before", by=place.d)
    with pytest.raises(Invalid, match="added_how_many"):
        voting.add_signers(place.task(place.d), list(range(100, 121)), "before", by=place.d)


def test_who_has_agreed_passes_once_in_their_name_but_never_by_another_hand(place: Place):
    manager = place.person("经理", place.unit, "seal_manager")
    place.publish(
        ("first", {"role": "seal_manager"}, ""),
        ("second", {"role": "seal_manager", "repeat": "pass"}, ""),
        ("votes", {"vote": "all", "voters": "who", "repeat": "pass"}, MANY),
        ("third", {"role": "seal_manager", "repeat": "ask", "ownHand": "true"}, ""),
    )
    ident = place.start(place.a, who=[manager.id, place.b.id])

    place.says(manager, YES, "first")
    assert place.sees(place.b) == ["votes"] and place.sees(manager) == []
    place.says(place.b, YES, "votes")

    assert place.sees(manager) == ["third"]
    told = [(r.kind, r.node, r.actor, r.outcome) for r in queries.history(ident) if r.kind == "by_itself"]
    assert told == [("by_itself", "second", "经理", "approve"), ("by_itself", "votes", "经理", "approve")]
    votes = queries.task(place.task(manager, "third"), manager).data["votes"]["votes"]
    assert [(v["person"], v["outcome"]) for v in votes] == [(manager.id, "approve"), (place.b.id, "approve")]


def test_who_sent_it_back_or_is_one_of_several_is_asked(place: Place):
    manager = place.person("经理", place.unit, "seal_manager")
    place.publish(
        ("first", {"role": "seal_manager"}, ""), ("second", {"role": "seal_manager", "repeat": "pass"}, "")
    )
    place.start(place.a)
    place.says(manager, NO, "first")
    assert place.sees(manager) == ["second"]

    place.start(place.a)
    place.person("另一位", place.unit, "seal_manager")
    place.says(manager, YES, "first")
    assert place.sees(manager).count("second") == 2


def test_ones_own_application_passes_or_goes_to_the_head_above_as_the_shape_says(place: Place):
    manager = place.person("经理", place.unit, "seal_manager")
    head = place.person("负责人", place.head_office)
    head_office = RoleGrant(user_id=head.id or 0, role="unit_head", unit_id=place.head_office.id)
    db.session.add(head_office)
    db.session.commit()

    place.publish(("sign", {"role": "seal_manager", "own": "superior"}, ""))
    place.start(manager)
    assert (place.sees(head), place.sees(manager)) == (["sign"], [])

    place.publish(("sign", {"role": "seal_manager", "own": "pass"}, ""))
    ident = place.start(manager)
    assert place.sees(manager) == ["after"]
    assert "by_itself" in kinds(ident)


@pytest.mark.parametrize(("nobody", "seen"), [("wait", []), ("pass", ["after"]), ("admin", [])])
def test_nobody_found_waits_passes_or_asks_the_administrators(place: Place, nobody: str, seen: list[str]):
    place.publish(("sign", {"role": "seal_manager", "nobody": nobody}, ""))
    place.start(place.a)

    assert place.sees(place.a) == seen
    assert place.sees(place.owner) == (["sign"] if nobody == "admin" else [])
    place.publish(("sign", {"role": "seal_manager", "nobody": "incident"}, ""))
    assert refused(lambda: place.start(place.a)) == "flow.nobody"


def test_the_diagram_may_keep_a_step_to_those_whom_it_names(place: Place):
    fixed = {"vote": "all", "voters": "who", "addSigners": "false"}
    place.publish(("sign", fixed, MANY))
    place.start(place.owner, who=[place.a.id, place.b.id])
    mine = place.task(place.a)

    assert refused(lambda: voting.add_signers(mine, [place.c.id], "into", by=place.a)) == "flow.nobody_added"
    shown = signers.beside(queries.task(mine, place.a), place.a)
    assert shown is not None and shown.places == [] and len(shown.signers) == 2


def test_only_those_asked_may_add_and_a_stranger_learns_nothing(place: Place):
    manager = place.person("经理", place.unit, "seal_manager")
    place.publish(("sign", {"role": "seal_manager"}, ""))
    place.start(place.a)

    with pytest.raises(Forbidden):
        voting.add_signers(place.task(manager), [place.c.id or 0], "before", by=place.b)
    with pytest.raises(Forbidden):
        voting.take_off(place.task(manager), place.c.id or 0, "不相干", by=place.b)


def test_the_page_offers_adding_and_taking_off_and_does_it(place: Place, app: Flask):
    registered = people_commands.register_user("jia", "贾工", place.unit.id, PASSWORD, by=SYSTEM)
    me = people.actor_of(registered.user_id)
    place.publish(("sign", {"role": "applicant"}, ""), ("vote", {"vote": "all", "voters": "who"}, MANY))
    place.start(me, who=[me.id, place.b.id])
    browser = Browser(app)
    browser.client.set_cookie("language", "zh")
    browser.log_in("jia")
    mine, login = place.task(me), f"乙-{place.unit.id}"

    page = browser.get(f"/inbox/{mine}").text
    assert "前加签" in page and "后加签" in page and login in page
    for said in ({"login": "nobody", "place": "before"}, {"login": login, "place": "x"}):
        assert browser.post(f"/inbox/{mine}/signers", dict(said)).status_code == 422
    browser.post(f"/inbox/{mine}/signers", {"login": login, "place": "before"})
    page = browser.get(f"/inbox/{mine}").text
    assert "待表态" in page and f"/inbox/{mine}/signers/{place.b.id}/off" in page
    browser.post(f"/inbox/{mine}/signers/{place.b.id}/off", {"reason": "不用了"})
    assert place.sees(place.b) == []
    browser.post(f"/inbox/{mine}/complete", dict(YES))

    seat = place.task(me, "vote")
    page = browser.get(f"/inbox/{seat}").text
    assert "会签人员" in page and "乙" in page and "/release" not in page
    browser.post(f"/inbox/{seat}/signers", {"login": f"丙-{place.unit.id}", "place": "into"})
    assert place.sees(place.c) == ["vote"]
