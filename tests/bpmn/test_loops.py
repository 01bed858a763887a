"""Activities done several times, and tokens that meet: whatever is saved and restored in between."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.bpmn.fault import Fault
from app.bpmn.parse import Program
from app.bpmn.step import Run, begin, resume
from app.refusal import Conflict
from tests.bpmn.diagrams import NOW, Hands, action, alone, bpmn, flow, line, shape
from tests.bpmn.foreign import END, START, arrows, file, process

MANY = "multiInstanceLoopCharacteristics"


def many(
    *, over: str = "", times: str = "", until: str = "", sequential: bool = False, more: str = ""
) -> str:
    parts = (
        (f"<bpmn:loopCardinality>{times}</bpmn:loopCardinality>" if times else "")
        + (f"<bpmn:loopDataInputRef>{over}</bpmn:loopDataInputRef>" if over else "")
        + more
        + (f"<bpmn:completionCondition>{until}</bpmn:completionCondition>" if until else "")
    )
    return f'<bpmn:{MANY} isSequential="{str(sequential).lower()}">{parts}</bpmn:{MANY}>'


def countersigning(**said: Any) -> Program:
    return alone(
        line(shape("userTask", "vote", many(**said)), shape("userTask", "after"), names=["vote", "after"])
    )


class Story:
    """Plays act after act, each from the bytes that the one before left."""

    def __init__(self, joined: Program, data: Mapping[str, Any]) -> None:
        self.joined = joined
        self.state = begin(joined, data, host=Hands(), now=NOW).state()

    @property
    def run(self) -> Run:
        return resume(self.joined, self.state, host=Hands(), now=NOW)

    def open(self) -> list[str]:
        return sorted(task.node.id for task in self.run.tasks())

    def vote(self, item: int, form: Mapping[str, Any]) -> None:
        run = self.run
        run.complete(next(t.token for t in run.tasks() if t.item == item), form)
        self._keep(run)

    def do(self, node: str, form: Mapping[str, Any] | None = None) -> None:
        run = self.run
        run.complete(next(t.token for t in run.tasks() if t.node.id == node), form or {})
        self._keep(run)

    def call_off(self, item: int) -> None:
        run = self.run
        run.drop(next(t.token for t in run.tasks() if t.item == item))
        self._keep(run)

    def _keep(self, run: Run) -> None:
        run.settle()
        self.state = run.state()

    @property
    def data(self) -> dict[str, Any]:
        return self.run.tasks()[0].data


def test_the_outcomes_stand_in_the_order_of_the_inputs_and_not_of_their_coming():
    story = Story(countersigning(over="people"), {"people": ["a", "b", "c"]})

    for item in (2, 0, 1):
        story.vote(item, {"vote": f"of {item}"})

    assert story.open() == ["after"]
    assert story.data["vote"] == [{"vote": "of 0"}, {"vote": "of 1"}, {"vote": "of 2"}]


def test_two_thirds_are_enough_and_the_rest_is_called_off():
    enough = 'count(vote[item.vote = "yes"]) / nrOfInstances &gt;= 2/3'
    story = Story(countersigning(times="6", until=enough), {})

    for item in (5, 0, 3):
        story.vote(item, {"vote": "yes"})
    story.vote(1, {"vote": "no"})
    assert story.open() == ["vote", "vote"]
    story.vote(4, {"vote": "yes"})

    assert story.open() == ["after"]
    assert [v and v["vote"] for v in story.data["vote"]] == ["yes", "no", None, "yes", "yes", "yes"]


@pytest.mark.parametrize(
    ("until", "after"),
    [
        ("nrOfCompletedInstances &gt;= 2", 2),
        ("nrOfActiveInstances = 1", 3),
        ("loopCounter = 3", 3),
        ("nrOfCompletedInstances / nrOfInstances &gt; 0.5", 3),
        ("false", 4),
    ],
)
def test_a_condition_may_ask_for_each_counter(until: str, after: int):
    story = Story(countersigning(times="4", until=until), {})

    for item in range(after):
        assert "vote" in story.open()
        story.vote(item, {})

    assert story.open() == ["after"]


def test_one_after_another_each_sees_its_item_and_the_results_are_kept_in_order():
    item = '<bpmn:inputDataItem id="i" name="who"/>'
    story = Story(
        countersigning(over="people", sequential=True, more=item), {"people": ["a", {"n": "b"}, None]}
    )
    seen: list[Any] = []

    for index in range(3):
        assert len(story.open()) == 1
        seen.append(story.data["who"])
        story.vote(index, {"n": index})

    assert seen == ["a", {"n": "b"}, None]
    assert story.data["vote"] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert "who" not in story.data and "loopCounter" not in story.data


def test_an_output_collection_takes_the_place_of_the_activitys_own_name():
    more = (
        '<bpmn:loopDataOutputRef>opinions</bpmn:loopDataOutputRef><bpmn:outputDataItem id="o" name="vote"/>'
    )
    story = Story(countersigning(times="2", more=more), {})

    story.vote(1, {"x": 1})
    story.vote(0, {"x": 0})

    assert story.data["opinions"] == [{"x": 0}, {"x": 1}]
    assert "vote" not in story.data


@pytest.mark.parametrize("sequential", [False, True])
def test_calling_off_one_instance_leaves_the_others_and_counts_one_less(sequential: bool):
    until = "nrOfCompletedInstances = nrOfInstances"
    story = Story(countersigning(times="3", until=until, sequential=sequential), {})

    story.vote(0, {"ok": True})
    story.call_off(1)
    assert story.open() == ["vote"]
    story.vote(2, {"ok": True})

    assert story.open() == ["after"]
    assert story.data["vote"] == [{"ok": True}, None, {"ok": True}]


def test_when_all_are_called_off_the_flow_goes_on():
    story = Story(countersigning(times="2"), {})

    story.call_off(0)
    story.call_off(1)

    assert story.open() == ["after"]


def test_only_an_instance_of_many_can_be_called_off():
    story = Story(countersigning(times="0"), {})
    run = story.run
    assert story.open() == ["after"]

    with pytest.raises(Conflict):
        run.drop(run.tasks()[0].token)


def test_many_sub_processes_end_early_without_leaving_ghosts():
    inner = (
        shape("startEvent", "i")
        + shape("userTask", "ask")
        + shape("endEvent", "o")
        + arrows("i>ask", "ask>o")
    )
    body = many(times="3", until="nrOfCompletedInstances = 1") + inner
    joined = alone(line(shape("subProcess", "sub", body), shape("userTask", "after"), names=["sub", "after"]))
    story = Story(joined, {})
    assert story.open() == ["ask", "ask", "ask"]

    story.do("ask", {"said": 1})

    assert story.open() == ["after"]
    assert [r and r["ask"] for r in story.data["sub"]].count({"said": 1}) == 1


def test_an_interrupted_multi_instance_leaves_no_ghosts():
    inner = shape("userTask", "ask")
    timer = (
        "<bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
    )
    joined = alone(file(process(
        START, shape("subProcess", "sub", many(times="2") + inner), END, shape("userTask", "late"),
        shape("boundaryEvent", "clock", timer, attachedToRef="sub"), arrows("s>sub", "sub>e", "clock>late"))))  # fmt: skip
    run = begin(joined, {}, host=Hands(), now=NOW)

    again = resume(joined, run.state(), host=Hands(), now=NOW.replace(hour=11))
    again.settle()

    assert [t.node.id for t in again.tasks()] == ["late"]
    assert [t.node.id for t in resume(joined, again.state(), host=Hands(), now=NOW).tasks()] == ["late"]


@pytest.mark.parametrize("times", ["1001", "1000000000", "-1", '"many"', "null", "0.5"])
def test_a_number_that_nobody_could_mean_is_a_fault_at_the_activity(times: str):
    with pytest.raises(Fault) as fault:
        begin(countersigning(times=times), {}, host=Hands(), now=NOW)

    assert fault.value.details["node_id"] == "vote"


def test_a_standard_loop_goes_on_while_its_condition_holds_and_hands_its_data_on():
    again = "<bpmn:standardLoopCharacteristics><bpmn:loopCondition>not(draft.ready)</bpmn:loopCondition></bpmn:standardLoopCharacteristics>"
    story = Story(
        alone(line(shape("userTask", "draft", again), shape("userTask", "after"), names=["draft", "after"])),
        {},
    )

    for ready in (False, False, True):
        assert story.open() == ["draft"]
        story.do("draft", {"ready": ready})

    assert story.open() == ["after"]
    assert story.data["draft"] == {"ready": True}


def test_a_loop_that_would_never_end_is_a_fault():
    end = "</bpmn:serviceTask>"
    again = "<bpmn:standardLoopCharacteristics><bpmn:loopCondition>true</bpmn:loopCondition></bpmn:standardLoopCharacteristics>"

    with pytest.raises(Fault, match="endless"):
        begin(
            alone(line(action("x", "a/do").replace(end, again + end), names=["x"])), {}, host=Hands(), now=NOW
        )


def forks() -> Program:
    """a and then, inside a second fork, b and c; all three meet at one join."""
    return alone(bpmn(
        shape("startEvent", "begin"), shape("parallelGateway", "one"), shape("parallelGateway", "two"),
        shape("userTask", "a"), shape("userTask", "b"), shape("userTask", "c"), shape("parallelGateway", "join"),
        shape("userTask", "after"),
        flow("begin", "one"), flow("one", "a"), flow("one", "two"), flow("two", "b"), flow("two", "c"),
        flow("a", "join"), flow("b", "join"), flow("c", "join"), flow("join", "after"),
    ))  # fmt: skip


def test_a_token_that_waits_at_a_join_survives_the_cutting_away_of_what_is_over():
    """Stock SpiffWorkflow cancels it when the next one comes; compaction then lost it, and the join never fired."""
    story = Story(forks(), {})

    for node in ("a", "b", "c"):
        story.do(node, {"by": node})

    assert story.open() == ["after"]
    assert [story.data[n] for n in "abc"] == [{"by": n} for n in "abc"]


def test_what_branches_add_to_one_list_is_all_there():
    """Stock SpiffWorkflow merges lists by their length, and keeps one branch's."""
    story = Story(forks(), {"votes": [{"n": 0}]})

    for node in ("c", "a", "b"):
        run = story.run
        task = next(t for t in run.tasks() if t.node.id == node)
        run._task(task.token).data["votes"] = [*task.data["votes"], {"n": node}]  # pyright: ignore[reportPrivateUsage]
        run.complete(task.token, {})
        story._keep(run)  # pyright: ignore[reportPrivateUsage]

    assert story.data["votes"] == [{"n": 0}, {"n": "a"}, {"n": "b"}, {"n": "c"}]


def test_what_an_ended_branch_knew_is_known_after_the_sub_process():
    inner = (
        shape("startEvent", "i") + shape("parallelGateway", "g") + shape("userTask", "a") + shape("userTask", "b")
        + shape("userTask", "b2") + shape("endEvent", "x") + shape("endEvent", "y")
        + arrows("i>g", "g>a", "g>b", "a>x", "b>b2", "b2>y")
    )  # fmt: skip
    story = Story(
        alone(line(shape("subProcess", "sub", inner), shape("userTask", "after"), names=["sub", "after"])), {}
    )

    for node in ("a", "b", "b2"):
        story.do(node, {"by": node})

    assert story.open() == ["after"]
    assert [story.data[n] for n in ("a", "b", "b2")] == [{"by": n} for n in ("a", "b", "b2")]
