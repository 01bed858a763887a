"""Stepping: what waits, what runs, and that nothing a diagram says is ever executed."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.bpmn import expressions
from app.bpmn.fault import Fault
from app.bpmn.parse import program
from app.bpmn.step import Run, begin, resume
from app.refusal import Conflict, Invalid, Refusal
from tests.bpmn.diagrams import (
    NOW,
    Hands,
    action,
    alone,
    bpmn,
    extensions,
    flow,
    line,
    properties,
    shape,
    shipped,
)

REVIEW = shape("userTask", "review")


def choose(condition: str) -> bytes:
    return bpmn(
        shape("startEvent", "begin"),
        shape("exclusiveGateway", "which", default="which_no"),
        shape("userTask", "yes"),
        shape("userTask", "no"),
        flow("begin", "which"),
        flow("which", "yes", condition),
        flow("which", "no"),
    )


def waiting(run: Run) -> list[str]:
    return sorted(task.node.id for task in run.tasks())


@pytest.mark.parametrize(
    "attack",
    [
        '__import__("os").system("touch {file}")',
        "().__class__.__base__.__subclasses__()",
        '[c for c in ().__class__.__base__.__subclasses__()][0]("touch {file}")',
        'open("{file}", "w")',
    ],
)
def test_a_condition_that_is_python_never_runs(attack: str, tmp_path: Path):
    file = tmp_path / "touched"

    with pytest.raises((Invalid, Fault)):
        begin(alone(choose(attack.format(file=file))), {}, host=Hands(), now=NOW)

    assert not file.exists()


def test_names_with_blanks_are_known_from_the_data():
    data = choose("Requested Amount > 1000 and order.total sum = 3").replace(
        b"<bpmn:startEvent", b'<bpmn:property id="q" name="Requested Amount" /><bpmn:startEvent', 1
    )

    run = begin(alone(data), {"Requested Amount": 2000, "order": {"total sum": 3}}, host=Hands(), now=NOW)

    assert waiting(run) == ["yes"]


@pytest.mark.parametrize("tag", ["timeDuration", "timeDate", "timeCycle"])
def test_a_timer_that_is_python_never_runs(tag: str, tmp_path: Path):
    file = tmp_path / "touched"
    timer = f'<bpmn:timerEventDefinition id="t"><bpmn:{tag}>__import__("os").system("touch {file}")</bpmn:{tag}></bpmn:timerEventDefinition>'

    with pytest.raises((Invalid, Fault)):
        begin(
            alone(line(shape("intermediateCatchEvent", "pause", timer), names=["pause"])),
            {},
            host=Hands(),
            now=NOW,
        )

    assert not file.exists()


def test_the_engine_itself_runs_no_script_and_calls_no_service(monkeypatch: pytest.MonkeyPatch):
    run = begin(alone(line(REVIEW, names=["review"])), {}, host=Hands(), now=NOW)
    engine: expressions.Expressions = run.workflow.script_engine
    task = run.workflow.task_tree

    with pytest.raises(Fault, match="script"):
        engine.execute(task, "x = 1")
    with pytest.raises(Fault, match="service"):
        engine.call_service(task, operation_name="x")


@pytest.mark.parametrize(("amount", "expected"), [(10, "yes"), (3, "no")])
def test_a_condition_chooses_the_way(amount: int, expected: str):
    run = begin(alone(choose("amount > 5")), {"amount": amount}, host=Hands(), now=NOW)

    assert waiting(run) == [expected]


def test_a_condition_that_says_neither_yes_nor_no_is_a_fault_at_the_gateway():
    with pytest.raises(Fault) as fault:
        begin(alone(choose("amount > 5")), {}, host=Hands(), now=NOW)

    assert fault.value.details["node_id"] == "which"
    assert "amount > 5" in fault.value.text.zh


def test_an_action_gets_its_parameters_and_its_result_is_kept():
    hands = Hands(do={"id": 7})
    diagram = line(action("do", "a/do", "done", x="n + 1", y='"text"'), REVIEW, names=["do", "review"])

    run = begin(alone(diagram), {"n": 1}, host=hands, now=NOW)

    assert hands.asked == [("a/do", {"x": 2, "y": "text"})]
    assert run.data["done"] == {"id": 7}


def test_a_refusal_of_an_action_passes_through_intact():
    refusal = Conflict("seal.suspended", zh="印模已停用", en="suspended")

    def refuse() -> None:
        raise refusal

    with pytest.raises(Refusal) as raised:
        begin(alone(line(action("do", "a/do"), names=["do"])), {}, host=Hands(do=refuse), now=NOW)

    assert raised.value is refusal


def test_a_form_is_copied_into_the_data_under_the_tasks_name():
    run = begin(
        alone(line(REVIEW, shape("userTask", "then"), names=["review", "then"])), {}, host=Hands(), now=NOW
    )
    form = {"decision": "approve", "list": [1, {"typename": "x"}]}

    run.complete(run.tasks()[0].token, form)
    form["list"][1]["typename"] = "changed"
    run.settle()

    assert run.tasks()[0].data["review"] == {"decision": "approve", "list": [1, {"typename": "x"}]}


def test_a_task_is_done_once():
    run = begin(alone(line(REVIEW, names=["review"])), {}, host=Hands(), now=NOW)
    token = run.tasks()[0].token
    run.complete(token, {})

    for gone in (token, "not-a-token", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(Conflict):
            run.complete(gone, {})


WAIT = shape(
    "receiveTask",
    "wait",
    extensions(
        properties(correlation="job.id")
        + "<spiffworkflow:messageVariable>report</spiffworkflow:messageVariable>"
    ),
    messageRef="m",
)
REMIND = shape(
    "boundaryEvent",
    "late",
    '<bpmn:timerEventDefinition id="t"><bpmn:timeCycle>R2/PT4H</bpmn:timeCycle></bpmn:timerEventDefinition>',
    attachedToRef="wait",
    cancelActivity="false",
)


def waiting_diagram() -> bytes:
    return bpmn(
        shape("startEvent", "begin"), WAIT, REMIND, action("remind", "a/remind"), shape("endEvent", "told"),
        REVIEW, shape("endEvent", "finish"),
        flow("begin", "wait"), flow("wait", "review"), flow("review", "finish"),
        flow("late", "remind"), flow("remind", "told"),
        after='<bpmn:message id="m" name="reported" />',
    )  # fmt: skip


def test_a_message_reaches_who_waits_for_it_and_its_payload_is_kept():
    run = begin(alone(waiting_diagram()), {"job": {"id": 12}}, host=Hands(), now=NOW)
    waited = run.messages()[0]
    assert (waited.message, waited.correlation, waiting(run)) == ("reported", "12", [])

    run.deliver(waited.token, {"status": "made"})
    run.settle()

    assert waiting(run) == ["review"]
    assert run.tasks()[0].data["report"] == {"status": "made"}


def test_a_repeating_timer_reminds_as_often_as_it_says_and_leaves_the_wait_alone():
    hands = Hands()
    joined = alone(waiting_diagram())
    state = begin(joined, {"job": {"id": 1}}, host=hands, now=NOW).state()

    def wake(hours: float) -> Run:
        nonlocal state
        run = resume(joined, state, host=hands, now=NOW + timedelta(hours=hours))
        run.settle()
        state = run.state()
        return run

    assert wake(3.9).timers()[0].due == NOW + timedelta(hours=4)
    assert len(hands.asked) == 0
    wake(4)
    assert len(hands.asked) == 1
    late = wake(30)  # several rounds were missed: made up for by one
    assert len(hands.asked) == 2
    assert late.timers() == []
    assert wake(99).messages() and len(hands.asked) == 2


@pytest.mark.parametrize("rival", ["", "R1/PT4H"])
def test_what_a_repeating_timer_set_off_outlives_the_wait(rival: str):
    """Somebody was given a task by a reminder: it is theirs, also when what they were reminded of is over."""
    given = shape("userTask", "look")
    hurry = shape(
        "boundaryEvent", "hurry",
        f'<bpmn:timerEventDefinition id="t2"><bpmn:timeCycle>{rival}</bpmn:timeCycle></bpmn:timerEventDefinition>',
        attachedToRef="wait")  # fmt: skip
    joined = alone(bpmn(
        shape("startEvent", "begin"), shape("userTask", "wait"), REMIND, given, shape("endEvent", "told"),
        shape("endEvent", "finish"), flow("begin", "wait"), flow("wait", "finish"), flow("late", "look"),
        flow("look", "told"), *((hurry, flow("hurry", "finish")) if rival else ())))  # fmt: skip
    state = begin(joined, {}, host=Hands(), now=NOW).state()

    run = resume(joined, state, host=Hands(), now=NOW + timedelta(hours=4))
    run.settle()
    if not rival:
        run = resume(joined, run.state(), host=Hands(), now=NOW + timedelta(hours=5))
        run.complete(next(t.token for t in run.tasks() if t.node.id == "wait"), {})
        run.settle()

    assert waiting(run) == ["look"]
    assert waiting(resume(joined, run.state(), host=Hands(), now=NOW + timedelta(hours=5))) == ["look"]


def test_an_interrupting_timer_moves_the_flow_on():
    hurry = shape(
        "boundaryEvent",
        "late",
        '<bpmn:timerEventDefinition id="t"><bpmn:timeDuration>P1D</bpmn:timeDuration></bpmn:timerEventDefinition>',
        attachedToRef="review",
    )
    joined = alone(
        bpmn(
            shape("startEvent", "begin"), REVIEW, hurry, shape("userTask", "escalate"), shape("endEvent", "finish"),
            flow("begin", "review"), flow("review", "finish"), flow("late", "escalate"),
        )
    )  # fmt: skip
    state = begin(joined, {}, host=Hands(), now=NOW).state()

    run = resume(joined, state, host=Hands(), now=NOW + timedelta(days=1))
    run.settle()

    assert waiting(run) == ["escalate"]


def test_parallel_branches_do_not_see_each_others_forms():
    joined = alone(
        bpmn(
            shape("startEvent", "begin"), shape("parallelGateway", "fork"), shape("userTask", "a"),
            shape("userTask", "b"), shape("parallelGateway", "join"), shape("userTask", "last"),
            flow("begin", "fork"), flow("fork", "a"), flow("fork", "b"), flow("a", "join"), flow("b", "join"),
            flow("join", "last"),
        )
    )  # fmt: skip
    run = begin(joined, {"form": {"lines": [{"n": 1}]}}, host=Hands(), now=NOW)
    first, second = sorted(run.tasks(), key=lambda t: t.node.id)

    run.complete(first.token, {"vote": "yes"})
    run.settle()
    again = resume(joined, run.state(), host=Hands(), now=NOW)
    assert waiting(again) == ["b"] and "a" not in again.tasks()[0].data
    again.complete(second.token, {"vote": "no"})
    again.settle()

    data = again.tasks()[0].data
    assert (data["a"], data["b"]) == ({"vote": "yes"}, {"vote": "no"})


def test_an_endless_loop_of_automatic_steps_is_a_fault_and_not_a_hung_worker():
    joined = alone(
        bpmn(
            shape("startEvent", "begin"), action("do", "a/do"), shape("exclusiveGateway", "again", default="again_do"),
            shape("endEvent", "finish"),
            flow("begin", "do"), flow("do", "again"), flow("again", "do"), flow("again", "finish", "false"),
        )
    )  # fmt: skip

    with pytest.raises(Fault) as fault:
        begin(joined, {}, host=Hands(), now=NOW)

    assert fault.value.code in ("flow.endless", "flow.engine")


def test_the_life_of_a_seal_runs_through_every_called_diagram():
    diagrams = shipped()
    hands = Hands(
        register_impression={"impression_id": 5}, order_seal={"job_id": "J1"}, record_made={"seal_id": 9}
    )
    data = {"application_id": 7, "kind": "official", "seal_name": "财务专用章", "unit_level": 2}
    joined = program(diagrams["seal_lifecycle"], diagrams)
    state = begin(joined, data, host=hands, now=NOW).state()

    for task, form in (
        ("review", {"decision": "approve"}),
        ("assign_card", {"card_serial": "C1", "station_id": 1}),
        (None, {"status": "made"}),
        ("hand_over", {"collector_name": "李", "collector_document": "1", "on_behalf_of": "x"}),
    ):
        run = resume(joined, state, host=hands, now=NOW)
        if task is None:
            run.deliver(run.messages()[0].token, form)
        else:
            run.complete(next(t.token for t in run.tasks() if t.node.id == task), form)
        run.settle()
        state = run.state()

    assert run.finished
    assert [name for name, _ in hands.asked] == [
        "seal_approval/approve_application",
        "seal_approval/register_impression",
        "seal_production/order_seal",
        "seal_production/record_made",
        "seal_issuance/issue_seal",
        "seal_authorization/authorize_by_keeping",
    ]
