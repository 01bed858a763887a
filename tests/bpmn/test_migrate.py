"""An instance under another version: what may change under its feet, and what stands in the way."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.bpmn.differing import differences
from app.bpmn.migrate import Moved, move
from app.bpmn.parse import Program, parse, program
from app.bpmn.step import Run, begin, resume
from tests.bpmn.diagrams import NOW, Hands, action, alone, bpmn, flow, line, shape
from tests.flows.golden.make import many, process, received, sub, timed, user

PEOPLE = {"people": ["甲", "乙", "丙"]}


def at(old: Program, *done: str, data: Mapping[str, Any] | None = None) -> Run:
    """An instance of the old version once these tasks are done."""
    run = begin(old, data or {}, host=Hands(), now=NOW)
    for node in done:
        run.complete(next(t.token for t in run.tasks() if t.node.id == node), {"by": node})
        run.settle()
    return run


def moved(run: Run, new: Program, passed: tuple[str, ...] = (), **mapping: str) -> Moved:
    gone = [(run.program.main.key, ident) for ident in passed]
    return move(run.program, new, run.state(), mapping, passed=gone, host=Hands(), now=NOW)


def goes_on(found: Moved, *do: str) -> Run:
    assert found.blockers == []
    assert found.run is not None
    run = resume(found.run.program, found.run.state(), host=Hands(), now=NOW)
    for node in do:
        run.complete(next(t.token for t in run.tasks() if t.node.id == node), {})
        run.settle()
    return run


def rules(found: Moved) -> list[tuple[str, str]]:
    assert found.run is None
    assert all(b.text.zh and b.text.en for b in found.blockers)
    return [(b.rule, b.element) for b in found.blockers]


def steps(*names: str) -> Program:
    return alone(line(*(user(n) for n in names), names=list(names)))


def test_what_lies_behind_may_be_gone_and_what_lies_ahead_may_be_new():
    run = at(steps("one", "two", "three"), "one", data={"a": 1})
    token = run.tasks()[0].token

    found = moved(run, steps("two", "extra", "three"), passed=("begin", "one"))

    after = goes_on(found)
    assert (after.tasks()[0].token, after.data) == (token, {"a": 1, "one": {"by": "one"}})
    assert [t.node.id for t in goes_on(found, "two").tasks()] == ["extra"]
    assert goes_on(found, "two", "extra", "three").finished


def test_a_shape_may_have_another_id_if_somebody_says_which():
    run = at(steps("one", "two"), "one")
    new = steps("one", "second")

    assert rules(moved(run, new)) == [("stands_at_removed", "two")]
    assert "two" in moved(run, new).blockers[0].text.zh
    assert goes_on(moved(run, new, two="second"), "second").finished


def test_a_vote_that_is_half_done_goes_on_under_another_name_with_what_was_said():
    old = alone(line(user("vote", many(False)), names=["vote"]))
    run = at(old, "vote", data=PEOPLE)

    after = goes_on(
        moved(run, alone(line(user("ballot", many(False)), names=["ballot"])), vote="ballot"),
        "ballot",
        "ballot",
    )

    assert after.finished
    one_by_one = alone(line(user("vote", many(True)), names=["vote"]))
    assert rules(moved(run, one_by_one)) == [("stands_at_changed", "vote")]


def test_border_events_that_are_new_begin_to_wait_and_those_that_are_gone_do_not():
    late = timed("boundaryEvent", "late", "timeDuration", "P1D", attachedToRef="review")
    news = received("boundaryEvent", "news", attachedToRef="review", cancelActivity="false")
    parts = (
        shape("startEvent", "begin"),
        user("review"),
        shape("endEvent", "finish"),
        flow("begin", "review"),
        flow("review", "finish"),
    )
    plain, both = bpmn(*parts), bpmn(*parts, late, news, user("escalated"), flow("late", "escalated"), flow("news", "finish"),
                                     after='<bpmn:message id="m" name="reported" />')  # fmt: skip
    run = at(alone(plain), data={"job": {"id": "12"}})

    found = moved(run, alone(both))

    armed = goes_on(found)
    assert [(t.node.id, (t.due - NOW).days) for t in armed.timers()] == [("late", 1)]
    assert [(m.node.id, m.correlation) for m in armed.messages()] == [("news", "12")]
    assert goes_on(found, "review").finished
    back = moved(armed, alone(plain))
    assert [n.en for n in back.notes] == [
        'the border event "late" waits no longer',
        'the border event "news" waits no longer',
    ]
    assert goes_on(back, "review").finished


def test_a_join_that_could_never_be_passed_stands_in_the_way():
    def forked(*branches: str) -> Program:
        return alone(
            bpmn(
                shape("startEvent", "begin"), shape("parallelGateway", "fork"), *(user(b) for b in branches),
                shape("parallelGateway", "join"), shape("endEvent", "finish"), flow("begin", "fork"), flow("join", "finish"),
                *(flow("fork", b) for b in branches), *(flow(b, "join") for b in branches),
            )
        )  # fmt: skip

    run = at(forked("a", "b"), "a")

    found = moved(run, forked("a", "b", "c"))

    assert rules(found) == [("join_starves", "join")]
    assert "“c”" in found.blockers[0].text.en or '"c"' in found.blockers[0].text.en
    assert rules(moved(run, forked("b", "c"))) != []
    assert goes_on(moved(run, forked("a", "b")), "b").finished


@pytest.mark.parametrize(
    ("becomes", "rule"),
    [
        (action("one", "a/do"), "stands_at_changed"),
        (timed("intermediateCatchEvent", "one", "timeDuration", "P1D"), "stands_at_changed"),
        (sub("one", shape("startEvent", "s"), shape("endEvent", "e"), flow("s", "e")), "stands_at_changed"),
    ],
)
def test_a_shape_that_is_something_else_now_stands_in_the_way(becomes: str, rule: str):
    new = alone(line(becomes, user("two"), names=["one", "two"]))

    assert rules(moved(at(steps("one", "two")), new)) == [(rule, "one")]
    assert rules(moved(at(steps("one", "two"), "one"), new, passed=("one",))) == [("passed_changed", "one")]


def test_called_flows_and_sub_processes_go_to_their_new_versions_or_stand_in_the_way():
    def calling(inner: bytes, key: str = "inner") -> Program:
        outer = process(
            "p", "call", "last", middle=[shape("callActivity", "call", calledElement=key), user("last")]
        )
        return program(parse(outer), {key: parse(inner)})

    run = at(calling(process("inner", "deep", middle=[user("deep")])))

    deeper = calling(process("inner", "deep", "deeper", middle=[user("deep"), user("deeper")]))
    assert goes_on(moved(run, deeper), "deep", "deeper", "last").finished
    other = calling(process("other", "deep", middle=[user("deep")]), "other")
    assert {rule for rule, _ in rules(moved(run, other))} == {"stands_at_changed", "process_gone"}


def test_the_difference_names_each_shape_once_and_what_of_it_differs():
    old = alone(line(user("one"), user("two"), names=["one", "two"]))
    new = alone(line(user("one"), shape("manualTask", "two"), user("three"), names=["one", "two", "three"]))

    found = {(c.kind, c.element): c.aspects for c in differences(old, new)}

    assert found == {("changed", "two"): ("kind", "ways"), ("added", "three"): ()}
    assert differences(old, old) == []
    assert [c.kind for c in differences(old, steps("one", "second"), {"two": "second"})] == ["changed"]


NAMES = ["a", "b", "c", "d", "e"]


@st.composite
def drawings(draw: st.DrawFn) -> Program:
    """Tasks in a row, some of them with a deadline; and two rows beside each other somewhere in it."""
    names = draw(st.permutations(NAMES))[: draw(st.integers(1, 5))]
    late = {n for n in names if draw(st.booleans())}
    split = draw(st.integers(0, len(names)))
    parts = [shape("startEvent", "begin"), shape("endEvent", "finish"), *(user(n) for n in names)]
    for name in late:
        parts.append(timed("boundaryEvent", f"late_{name}", "timeDuration", "P1D", attachedToRef=name))
        parts.append(flow(f"late_{name}", "finish"))
    before, one = names[:split], names[split:]
    if len(one) < 2 or not draw(st.booleans()):
        chain = ["begin", *names, "finish"]
        return alone(bpmn(*parts, *itertools.starmap(flow, itertools.pairwise(chain))))
    middle = len(one) // 2
    parts += [shape("parallelGateway", "fork"), shape("parallelGateway", "join")]
    chains = [
        ["begin", *before, "fork"],
        ["fork", *one[:middle], "join"],
        ["fork", *one[middle:], "join"],
        ["join", "finish"],
    ]
    return alone(bpmn(*parts, *(flow(x, y) for chain in chains for x, y in itertools.pairwise(chain))))


@hypothesis_settings(max_examples=50)
@given(drawings(), drawings(), st.integers(0, 4), st.data())
def test_what_is_moved_keeps_its_tasks_and_can_be_finished_and_what_cannot_says_why(
    old: Program, new: Program, done: int, data: st.DataObject
):
    run = begin(old, {"x": 1}, host=Hands(), now=NOW)
    for _ in range(done):
        if run.tasks():
            task = data.draw(st.sampled_from(run.tasks()))
            run.complete(task.token, {"done": task.node.id})
            run.settle()
            run = resume(old, run.state(), host=Hands(), now=NOW)
    passed = [(p.process, p.node.id) for p in run.trail]
    tokens = {t.token: t.node.id for t in run.tasks()}

    found = move(old, new, run.state(), {}, passed=passed, host=Hands(), now=NOW)

    if found.run is None:
        assert found.blockers and all(b.text.zh and b.text.en for b in found.blockers)
        return
    again = resume(new, found.run.state(), host=Hands(), now=NOW)
    assert {t.token: t.node.id for t in again.tasks()} == tokens
    assert all(t.data["x"] == 1 for t in again.tasks())
    assert {t.node.id for t in again.timers()} == {
        f"late_{n}" for n in tokens.values() if f"late_{n}" in new.main.nodes
    }
    for _ in range(20):
        if again.finished:
            break
        again.complete(data.draw(st.sampled_from(again.tasks())).token, {})
        again.settle()
        again = resume(new, again.state(), host=Hands(), now=NOW)
    assert again.finished
