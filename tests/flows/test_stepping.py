"""Mending without tables: the one step that is stepped over, and data corrected in every branch."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.bpmn.editing import edit
from app.bpmn.parse import Program
from app.bpmn.step import Run, begin, resume
from app.flows.stepping import SteppingOver
from app.refusal import Conflict
from tests.bpmn.diagrams import NOW, Hands, action, alone, line
from tests.flows.golden.make import BOTH, PEOPLE, many, user


def doing(sequential: bool) -> Program:
    """ask → do, once for each of the people → after."""
    told = action("do", "a/do", "told", who="who").replace(
        "</bpmn:serviceTask>", many(sequential) + "</bpmn:serviceTask>"
    )
    return alone(line(user("ask"), told, user("after"), names=["ask", "do", "after"]))


def complete(run: Run, node: str, form: Mapping[str, Any] | None = None) -> None:
    run.complete(next(t.token for t in run.tasks() if t.node.id == node), form or {})
    run.settle()


@pytest.mark.parametrize("sequential", [True, False])
def test_of_many_only_the_one_that_failed_is_stepped_over(sequential: bool):
    def refuse_the_second(who: str) -> dict[str, str]:
        if who == "乙":
            raise Conflict("card.gone", zh="卡不在位", en="no card")
        return {"to": who}

    joined = doing(sequential)
    hands = Hands(do=refuse_the_second)
    state = begin(joined, PEOPLE, host=hands, now=NOW).state()
    run = resume(joined, state, host=hands, now=NOW)
    with pytest.raises(Conflict, match=r"card\.gone"):
        complete(run, "ask")
    where = run.where()
    assert where is not None and where.node.id == "do"
    visit = 1 + sum(p.node.id == "do" for p in run.trail)
    assert visit == 2

    run = resume(joined, state, host=hands, now=NOW)
    run.speak_with(SteppingOver(hands, NOW, node="do", visit=visit, outputs={"to": "by hand"}))
    complete(run, "ask")

    assert [t.node.id for t in run.tasks()] == ["after"]
    assert [said["told"]["to"] for said in run.data["do"]] == ["甲", "by hand", "丙"]


def test_what_is_corrected_is_no_change_of_one_branch_and_survives_the_join():
    joined = alone(BOTH)
    run = begin(joined, {"name": "错", "kept": 1}, host=Hands(), now=NOW)
    complete(run, "b", {"v": 2})
    run = resume(joined, run.state(), host=Hands(), now=NOW)

    told = edit(run, {"name": "对", "added": [1]})

    assert told == [{"name": "name", "old": "错", "new": "对"}, {"name": "added", "old": None, "new": [1]}]
    run = resume(joined, run.state(), host=Hands(), now=NOW)
    complete(run, "a", {"v": 1})
    assert run.data == {"name": "对", "added": [1], "kept": 1, "a": {"v": 1}, "b": {"v": 2}}
