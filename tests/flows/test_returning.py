"""退回, 撤回, 拿回: who may, where to, how it goes on, and what forbids it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask

from app.db import db
from app.flows import action as registry
from app.flows import commands, queries, returning, ways_back
from app.flows.action import Action
from app.flows.models import FlowReturn, FlowTask
from app.refusal import Conflict, Forbidden, Invalid, NotFound, Refusal
from app.text import Text
from tests.bpmn.diagrams import action, bpmn, extensions, flow, line, properties, shape
from tests.bpmn.test_loops import many
from tests.flows.returns import Office, office, task


@pytest.fixture
def desk(app: Flask) -> Office:
    return office()


def a_line(*names: str, **said: str) -> bytes:
    """draft (the applicant's) and then the office's tasks; `said` about the process."""
    made = line(
        task("draft", role="applicant", merge="true"), *(task(n) for n in names), names=["draft", *names]
    )
    return made.replace(
        b'isExecutable="true">', f'isExecutable="true">{extensions(properties(**said))}'.encode(), 1
    )


def test_a_return_wants_a_reason_the_holder_and_a_place_that_was_really_done(desk: Office):
    desk.begin(a_line("check", "sign"))
    desk.do("draft", desk.applicant)
    check = desk.only("check").id

    for reason in ("", "   ", "x" * 2001, "a\u202eb"):
        with pytest.raises(Invalid) as refused:
            returning.send_back(check, "draft", reason=reason, by=desk.one)
        assert set(refused.value.fields) == {"reason"}
    with pytest.raises(Invalid, match="mode"):
        returning.send_back(check, "draft", reason="r", mode="around", by=desk.one)
    with pytest.raises(Forbidden):
        returning.send_back(check, "draft", reason="r", by=desk.applicant)
    with pytest.raises(NotFound):
        returning.send_back(999, "draft", reason="r", by=desk.one)
    for nowhere in ("sign", "check", "start", "no/such", ""):
        with pytest.raises(Conflict, match="no_way_back"):
            returning.send_back(check, nowhere, reason="r", by=desk.one)
    assert desk.open == ["check"] and desk.offered("check", desk.applicant) == []

    fact = desk.back("check", "draft")

    assert (fact.node, fact.to, fact.reason, fact.mode) == ("check", "draft", "金额不对", "through")
    draft = desk.only("draft")
    assert (draft.assignee_id, draft.notice_zh) == (desk.applicant.id, "金额不对")
    gone = db.session.get_one(FlowTask, check)
    assert (gone.status, gone.done_by_id, gone.outcome, gone.opinion) == (
        "returned",
        desk.one.id,
        "return",
        "金额不对",
    )
    with pytest.raises(Conflict):
        returning.send_back(check, "draft", reason="r", by=desk.one)
    told = queries.history(desk.instance_id)[-1]
    assert (told.kind, told.actor, told.did["zh"]) == ("returned", "王敏", "退回到「draft」：金额不对")
    desk.nothing_is_left_over()


def test_through_goes_all_the_way_again_and_what_is_undone_is_offered_no_more(desk: Office):
    desk.begin(a_line("check", "sign", "file"), amount=1)
    desk.do("draft", desk.applicant)
    desk.do("check", desk.two)
    desk.do("sign")
    assert desk.offered("file") == ["sign", "check", "draft"]

    desk.back("file", "check")
    assert desk.only("check").assignee_id == desk.two.id, "whoever did it is asked again"
    assert desk.offered("check", desk.two) == ["draft"]
    desk.do("check", desk.two)
    assert desk.open == ["sign"]
    assert desk.offered("sign") == ["check", "draft"]


def test_straight_goes_back_to_the_same_step_and_person_with_what_was_corrected(desk: Office):
    desk.begin(a_line("check", "sign", "file"), opinion="wrong", amount=1)
    desk.do("draft", desk.applicant)
    desk.do("check", desk.two, opinion="fine")
    sign = desk.only("sign")

    desk.back("sign", "draft", desk.three, mode="straight")
    assert desk.open == ["draft"]
    desk.do("draft", desk.applicant, opinion="right")

    assert desk.open == ["sign"]
    again = desk.only("sign")
    assert (again.assignee_id, again.token != sign.token) == (desk.three.id, True)
    known = desk.known("sign")
    assert (known["opinion"], known["amount"], known["check"]) == ("right", 1, {"opinion": "fine"})
    assert desk.offered("sign", desk.three) == ["draft", "check"], "check was not undone"
    kept = db.session.scalars(sa.select(FlowReturn)).one()
    assert kept.kept is None and kept.came_back_at is not None
    desk.do("sign", desk.three)
    desk.do("file")
    assert desk.instance.status == "finished"
    assert desk.told().count("check") == 1


FORKED = bpmn(
    shape("startEvent", "s"), shape("parallelGateway", "fork"), shape("parallelGateway", "join"),
    task("draft", role="applicant", merge="true"), task("vote", many(times="3")), task("b1"), task("b2"),
    task("last"), shape("endEvent", "e"),
    *(flow(*pair.split()) for pair in (
        "s draft", "draft fork", "fork vote", "vote join", "fork b1", "b1 b2", "b2 join", "join last", "last e",
    )),
)  # fmt: skip


def test_straight_puts_back_what_the_return_called_off_votes_and_branches_too(desk: Office):
    desk.begin(FORKED)
    desk.do("draft", desk.applicant)
    desk.do("vote", desk.one, opinion="yes")
    desk.do("b1", desk.two)
    before = desk.open

    desk.back("vote", "draft", desk.three, which=1, mode="straight")
    assert desk.open == ["draft"]
    desk.do("draft", desk.applicant, opinion="right")

    assert desk.open == before == ["b2", "vote", "vote"]
    assert [t.assignee_id for t in desk.tasks(node="vote")].count(desk.three.id) == 1
    desk.nothing_is_left_over()
    desk.do("vote", desk.two, which=0, opinion="no") if desk.only("vote").assignee_id is None else desk.do(
        "vote", desk.three, which=0, opinion="no"
    )
    desk.do("b2")
    desk.do("vote", desk.three if desk.only("vote").assignee_id else desk.two, opinion="no")
    votes = desk.known("last")["vote"]
    assert sorted(v["opinion"] for v in votes) == ["no", "no", "yes"], (
        "the vote that was given still counts, once"
    )
    assert desk.known("last")["opinion"] == "right"


CALLED = line(task("inner1"), task("inner2"), names=["inner1", "inner2"]).replace(b'"p"', b'"inside"')
CALLER = line(
    task("draft", role="applicant", merge="true"), task("check"),
    shape("callActivity", "call", calledElement="inside"), task("sign"),
    names=["draft", "check", "call", "sign"],
)  # fmt: skip


def test_out_of_a_called_flow_and_into_it_again(desk: Office):
    desk.begin(CALLER, CALLED)
    desk.do("draft", desk.applicant)
    desk.do("check")
    desk.do("inner1")
    assert desk.offered("inner2") == ["call/inner1", "check", "draft"]

    desk.back("inner2", "draft", mode="straight")
    assert desk.open == ["draft"]
    desk.nothing_is_left_over()
    desk.do("draft", desk.applicant, opinion="right")
    assert desk.open == ["inner2"] and desk.known("inner2")["opinion"] == "right"
    desk.do("inner2")
    assert desk.offered("sign") == ["call/inner2", "draft", "call/inner1", "check"]
    desk.back("sign", "call/inner2", mode="straight")
    assert desk.open == ["inner2"], "into the middle of a flow that was over"
    desk.do("inner2")
    assert desk.open == ["sign"]
    desk.back("sign", "call/inner1")
    for node in ("inner1", "inner2", "sign"):
        desk.do(node)
    desk.nothing_is_left_over()
    assert desk.instance.status == "finished"


def test_nobody_goes_back_into_the_middle_of_what_is_done_several_times_and_is_told_so(desk: Office):
    inner = [shape("startEvent", "in"), task("each"), task("again"), shape("endEvent", "out"),
             flow("in", "each"), flow("each", "again"), flow("again", "out")]  # fmt: skip
    body = many(times="1") + "".join(inner)
    desk.begin(line(task("draft", role="applicant"), shape("subProcess", "files_one_by_one", body), task("sign"),
                    names=["draft", "files_one_by_one", "sign"]))  # fmt: skip
    desk.do("draft", desk.applicant)
    desk.do("each")
    assert desk.offered("again") == ["files_one_by_one/each", "draft"], "within its round one may"
    desk.do("again")

    sign = desk.only("sign").id
    assert desk.offered("sign") == ["draft"]
    with pytest.raises(Conflict, match="in_repeated") as refused:
        returning.send_back(sign, "files_one_by_one/each", reason="r", by=desk.one)

    assert "「each」" in refused.value.text.zh and "「files_one_by_one」" in refused.value.text.zh
    assert [c.node for c in ways_back.closed_of_task(sign)] == ["each", "again"]


def test_the_diagram_may_fix_the_mode_and_name_the_start(desk: Office):
    desk.begin(a_line("check", "sign", resubmit="straight", start_task="draft"))
    desk.do("draft", desk.applicant)
    desk.do("check")
    assert desk.offered("sign") == ["check", "start"]

    with pytest.raises(Invalid, match="mode"):
        desk.back("sign", "start", mode="through")
    assert desk.back("sign", "start").mode == "straight"
    desk.do("draft", desk.applicant)
    assert desk.open == ["sign"]


SEALED = line(
    task("draft", role="applicant"), task("check"), action("seal", "test/seal"), task("sign"), task("file"),
    names=["draft", "check", "seal", "sign", "file"],
)  # fmt: skip


@pytest.mark.parametrize("mark", ["irreversible=true", "return=never"])
def test_nobody_goes_back_over_what_cannot_be_undone(
    desk: Office, monkeypatch: pytest.MonkeyPatch, mark: str
):
    def seal(**_given: object) -> None: ...

    monkeypatch.setitem(
        registry.ACTIONS, "test/seal", Action("test/seal", Text("", ""), seal, frozenset(), frozenset())
    )
    name, value = mark.split("=")
    found = f'<spiffworkflow:property name="{name}" value="{value}" />'.encode()
    head = b'<spiffworkflow:serviceTaskOperator id="test/seal"'
    desk.begin(
        SEALED.replace(head, b"<spiffworkflow:properties>" + found + b"</spiffworkflow:properties>" + head)
    )
    desk.do("draft", desk.applicant)
    assert desk.offered("check") == ["draft"]
    desk.do("check")
    desk.do("sign")

    assert desk.offered("file") == ["sign"]
    with pytest.raises(Conflict, match="irreversible") as refused:
        desk.back("file", "check")
    assert "seal" in refused.value.text.zh
    with pytest.raises(Conflict, match="irreversible"):
        returning.withdraw(desk.instance_id, by=desk.applicant)
    desk.back("file", "sign")


def test_the_applicant_withdraws_until_somebody_has_decided(desk: Office):
    desk.begin(a_line("check", "sign"))
    with pytest.raises(Conflict):
        returning.withdraw(desk.instance_id, by=desk.applicant)
    desk.do("draft", desk.applicant)
    with pytest.raises(Forbidden):
        returning.withdraw(desk.instance_id, by=desk.one)
    assert ways_back.may_withdraw(desk.instance_id, desk.applicant)
    assert not ways_back.may_withdraw(desk.instance_id, desk.one)

    fact = returning.withdraw(desk.instance_id, reason="金额写错了", by=desk.applicant)
    assert (fact.to, fact.reason, desk.open) == ("draft", "金额写错了", ["draft"])
    assert desk.only("draft").assignee_id == desk.applicant.id
    with pytest.raises(Conflict, match="already_there"):
        returning.withdraw(desk.instance_id, by=desk.applicant)
    desk.do("draft", desk.applicant)
    desk.do("check", desk.two)

    with pytest.raises(Conflict, match="decided") as refused:
        returning.withdraw(desk.instance_id, by=desk.applicant)
    assert "周宁" in refused.value.text.zh and "周宁" in refused.value.text.en
    assert desk.open == ["sign"]
    desk.nothing_is_left_over()


def test_the_diagram_says_when_a_flow_may_be_withdrawn(desk: Office):
    desk.begin(a_line("check", "sign", withdraw="always"))
    desk.do("draft", desk.applicant)
    desk.do("check")
    returning.withdraw(desk.instance_id, by=desk.applicant)
    assert desk.open == ["draft"]
    desk.begin(a_line("check", withdraw="never").replace(b'"p"', b'"q"'))
    desk.do("draft", desk.applicant)
    with pytest.raises(Conflict, match="no_withdrawing"):
        returning.withdraw(desk.instance_id, by=desk.applicant)


def test_whoever_did_a_step_takes_it_back_until_the_next_has_decided(desk: Office):
    desk.begin(FORKED)
    desk.do("draft", desk.applicant)
    desk.do("vote", desk.one, opinion="yes")
    desk.do("b1", desk.two)
    b1, vote = (next(t.id for t in desk.tasks("done", node)) for node in ("b1", "vote"))
    with pytest.raises(Forbidden):
        returning.take_back(b1, by=desk.three)
    draft = desk.tasks("done", "draft")[0].id
    with pytest.raises(Conflict, match="decided") as refused:
        returning.take_back(draft, by=desk.applicant)
    assert "王敏" in refused.value.text.zh

    returning.take_back(b1, by=desk.two)
    assert desk.open == ["b1", "vote", "vote"], "the votes of the other branch are left alone"
    assert desk.only("b1").assignee_id == desk.two.id
    returning.take_back(vote, by=desk.one)
    assert desk.open == ["b1", "vote", "vote", "vote"]
    with pytest.raises(Conflict, match="nothing_to_take_back"):
        returning.take_back(b1, by=desk.two)
    own = next(i for i, t in enumerate(desk.tasks(node="vote")) if t.assignee_id == desk.one.id)
    desk.do("vote", desk.one, which=own, opinion="no")
    for voter in (desk.two, desk.three):
        desk.do("vote", voter, opinion="yes")
    last = next(t.id for t in desk.tasks("done", "vote") if t.done_by_id == desk.three.id)
    with pytest.raises(Conflict) as refused:
        returning.take_back(last, by=desk.three)
    assert refused.value.code in ("flow.vote_is_over", "flow.nothing_to_take_back")
    for node in ("b1", "b2"):
        desk.do(node, desk.two)
    assert [v["opinion"] for v in desk.known("last")["vote"]] == ["no", "yes", "yes"]
    desk.nothing_is_left_over()


def test_a_return_on_the_way_of_a_return_comes_straight_back_twice(desk: Office):
    desk.begin(a_line("check", "sign", "file"))
    desk.do("draft", desk.applicant)
    desk.do("check")
    desk.do("sign", desk.two)
    desk.back("file", "sign", desk.three, mode="straight")
    desk.back("sign", "draft", desk.two, mode="straight")

    desk.do("draft", desk.applicant, opinion="right")
    assert desk.open == ["sign"] and desk.only("sign").assignee_id == desk.two.id
    desk.do("sign", desk.two)
    assert desk.open == ["file"] and desk.only("file").assignee_id == desk.three.id
    assert desk.known("file")["opinion"] == "right"
    desk.nothing_is_left_over()


def test_of_a_return_and_a_completion_at_the_same_moment_one_has_its_way(app: Flask, desk: Office):
    desk.begin(a_line("check", "sign"))
    desk.do("draft", desk.applicant)
    ident = desk.only("check").id
    db.session.remove()
    together = threading.Barrier(4)

    def act(number: int) -> str:
        with app.app_context():
            together.wait()
            try:
                if number % 2:
                    commands.complete(ident, {}, by=desk.one)
                else:
                    returning.send_back(ident, "draft", reason="r", by=desk.two)
                return "done"
            except Refusal as refusal:
                return refusal.code
            finally:
                db.session.remove()

    with ThreadPoolExecutor(4) as pool:
        ends = sorted(pool.map(act, range(4)))

    assert ends[0] == "done" and set(ends[1:]) <= {"flow.task_done", "flow.task_gone"}
    assert desk.open in (["draft"], ["sign"])
    desk.nothing_is_left_over()
