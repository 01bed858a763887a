"""State as bytes: what is saved is what is restored, small, and whatever keys people use."""

from pathlib import Path

import orjson
import pytest
from SpiffWorkflow.util.task import TaskState

from app.bpmn.expressions import Expressions
from app.bpmn.state import CODEC, compact, decode, encode, walk
from app.bpmn.step import begin, resume
from tests.bpmn.diagrams import NOW, Hands, action, alone, bpmn, flow, line, shape

REVIEW = shape("userTask", "review")


REMINDER = shape(
    "boundaryEvent",
    "late",
    "<bpmn:timerEventDefinition><bpmn:timeCycle>R/PT4H</bpmn:timeCycle></bpmn:timerEventDefinition>",
    attachedToRef="review",
    cancelActivity="false",
)


def loop() -> bytes:
    """review → gateway → (back through an action) or end."""
    return bpmn(
        shape("startEvent", "begin"), REVIEW, shape("exclusiveGateway", "which", default="which_back"),
        action("back", "a/back"), shape("userTask", "correct"), shape("endEvent", "finish"),
        flow("begin", "review"), flow("review", "which"), flow("which", "finish", "review.ok"),
        flow("which", "back"), flow("back", "correct"), flow("correct", "review"),
    )  # fmt: skip


def shown(workflow: object) -> list[tuple[str, int, dict[str, object], dict[str, object]]]:
    """What still matters of each task: nobody reads a finished one's bookkeeping."""
    return [
        (t.task_spec.name, int(t.state), t.data, {} if t.state & TaskState.FINISHED_MASK else t.internal_data)
        for t in walk(workflow)
    ]


def test_what_is_restored_is_what_was_saved():
    joined = alone(loop())
    run = begin(joined, {"a": {"b": [1, 2.5, None, True, "字"]}}, host=Hands(), now=NOW)

    again = decode(joined, run.state(), Expressions(Hands(), NOW))

    compact(run.workflow)
    assert shown(again) == shown(run.workflow)
    assert encode(again) == run.state()


@pytest.mark.parametrize("key", ["typename", "__class__", "v", "", "data_objects.x", "名称"])
def test_any_key_of_a_form_survives(key: str):
    joined = alone(line(REVIEW, shape("userTask", "then"), names=["review", "then"]))
    run = begin(joined, {key: {"typename": "x", key: 1}}, host=Hands(), now=NOW)
    run.complete(run.tasks()[0].token, {key: ["typename"]})
    run.settle()

    again = resume(joined, run.state(), host=Hands(), now=NOW)

    data = again.tasks()[0].data
    assert data[key] == {"typename": "x", key: 1}
    assert data["review"] == {key: ["typename"]}


def test_the_order_of_keys_in_the_stored_json_does_not_matter():
    joined = alone(loop())
    state = begin(joined, {"b": 1, "a": 2}, host=Hands(), now=NOW).state()

    sorted_keys = orjson.dumps(orjson.loads(state), option=orjson.OPT_SORT_KEYS)

    assert resume(joined, sorted_keys, host=Hands(), now=NOW).tasks()[0].data == {"a": 2, "b": 1}


def test_the_state_says_its_version_and_an_unknown_one_is_refused():
    joined = alone(loop())
    said = orjson.loads(begin(joined, {}, host=Hands(), now=NOW).state())
    assert said["v"] == CODEC == 2

    with pytest.raises(ValueError, match="unknown version"):
        resume(joined, orjson.dumps({**said, "v": 99}), host=Hands(), now=NOW)


def test_a_return_loop_never_grows_and_never_gets_stuck():
    """Stock SpiffWorkflow loses sight of its own tasks after 500 rounds of a loop like this."""
    joined = alone(loop())
    state, sizes = begin(joined, {"form": "x" * 300}, host=Hands(), now=NOW).state(), []

    for _round in range(600):
        for name, form in (("review", {"ok": False}), ("correct", {})):
            run = resume(joined, state, host=Hands(), now=NOW)
            run.complete(next(t.token for t in run.tasks() if t.node.id == name), form)
            run.settle()
            state = run.state()
        sizes.append(len(state))

    assert max(sizes[1:]) - min(sizes[1:]) < 64
    assert sizes[-1] < 8 * 1024
    run = resume(joined, state, host=Hands(), now=NOW)
    run.complete(run.tasks()[0].token, {"ok": True})
    run.settle()
    assert run.finished


@pytest.mark.parametrize("border", ["", REMINDER], ids=["plain", "with a reminder on each round"])
def test_a_return_loop_beside_a_branch_that_waits_never_grows_either(border: str):
    joined = alone(
        bpmn(
            shape("startEvent", "begin"), shape("parallelGateway", "fork"), shape("userTask", "other"), REVIEW, border,
            shape("exclusiveGateway", "which", default="which_correct"), shape("userTask", "correct"),
            shape("parallelGateway", "join"), shape("endEvent", "finish"),
            flow("begin", "fork"), flow("fork", "other"), flow("fork", "review"), flow("review", "which"),
            flow("which", "join", "review.ok"), flow("which", "correct"), flow("correct", "review"),
            flow("other", "join"), flow("join", "finish"),
        )
    )  # fmt: skip
    state, sizes = begin(joined, {}, host=Hands(), now=NOW).state(), list[int]()

    def do(name: str, form: dict[str, bool]) -> None:
        nonlocal state
        run = resume(joined, state, host=Hands(), now=NOW)
        run.complete(next(t.token for t in run.tasks() if t.node.id == name), form)
        run.settle()
        state = run.state()

    for _round in range(60):
        do("review", {"ok": False})
        do("correct", {})
        sizes.append(len(state))

    assert max(sizes[1:]) - min(sizes[1:]) < 64
    do("other", {})
    do("review", {"ok": True})
    assert resume(joined, state, host=Hands(), now=NOW).finished


def test_tasks_that_share_data_do_not_share_what_they_may_change():
    joined = alone(line(REVIEW, names=["review"]))
    run = resume(joined, begin(joined, {"a": {"b": 1}}, host=Hands(), now=NOW).state(), host=Hands(), now=NOW)
    holders = [t for t in walk(run.workflow) if t.data.get("a")]
    assert len(holders) > 1

    holders[0].data["a"]["b"] = 2

    assert all(t.data["a"]["b"] == 1 for t in holders[1:])


STATES = Path(__file__).parent / "states"


@pytest.mark.parametrize("file", sorted(STATES.glob("v*.json")), ids=lambda f: f.stem)
def test_an_instance_that_an_earlier_release_stored_is_restored_and_finished(file: Path):
    """These files are never written again: what they hold lies in somebody's database."""
    joined, hands = alone((STATES / "flow.bpmn").read_bytes()), Hands(do={"ok": True})
    state = file.read_bytes()

    for _step in range(4):
        run = resume(joined, state, host=hands, now=NOW)
        if run.finished:
            break
        for task in run.tasks()[:1]:
            run.complete(task.token, {"decision": "approve"})
        for waited in run.messages():
            assert waited.correlation == "12"
            run.deliver(waited.token, {"status": "made"})
        run.settle()
        state = run.state()

    assert run.finished
    assert hands.asked == [("a/do", {"x": "made"})]
    assert run.data["form"] == {"typename": "任意键", "lines": [{"n": 1.5}, None]}
