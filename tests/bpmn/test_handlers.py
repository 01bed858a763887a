"""Event sub-processes: what begins them, what they call off, and where the flow goes on."""

from datetime import timedelta

from app.bpmn.lint import Surroundings, lint
from app.bpmn.reading import read
from app.bpmn.rehearse import rehearse
from app.bpmn.step import Run, begin, resume
from tests.bpmn.diagrams import NOW, Hands, alone, bpmn, flow, shape
from tests.bpmn.foreign import event

KNOWN = '<bpmn:message id="m" name="M"/><bpmn:error id="er" name="E" errorCode="x"/>'


def handler(begun: str) -> str:
    """What is done when its event comes: one task of a person."""
    return shape(
        "subProcess", "handler", begun + shape("userTask", "handle") + flow("x", "handle"), triggeredByEvent="true"
    )  # fmt: skip


def working(*more: str) -> bytes:
    """begin → work → finish, and something beside it."""
    return bpmn(
        shape("startEvent", "begin"), shape("userTask", "work"), shape("endEvent", "finish"), flow("begin", "work"),
        flow("work", "finish"), *more, after=KNOWN)  # fmt: skip


class Story:
    """A flow that goes through bytes between every two acts."""

    def __init__(self, data: bytes) -> None:
        self.program, self.now = alone(data), NOW
        self.run = begin(self.program, {}, host=Hands(), now=NOW)

    def _again(self) -> Run:
        self.run = resume(self.program, self.run.state(), host=Hands(), now=self.now)
        return self.run

    def done(self, name: str) -> None:
        run = self._again()
        run.complete(next(t.token for t in run.tasks() if t.node.id == name), {})
        run.settle()

    def told(self) -> None:
        run = self._again()
        run.deliver(run.messages()[0].token, {})
        run.settle()

    def waited(self, hours: float) -> None:
        self.now += timedelta(hours=hours)
        self._again().settle()

    @property
    def asked(self) -> list[str]:
        return sorted(task.node.id for task in self.run.tasks())


def test_an_event_calls_off_the_rest_and_the_flow_ends_with_what_follows_it():
    story = Story(working(handler(event("startEvent", "x", "message", said='messageRef="m"'))))
    assert (story.asked, [m.node.id for m in story.run.messages()]) == (["work"], ["x"])

    story.told()
    assert (story.asked, story.run.messages()) == (["handle"], [])
    story.done("handle")

    assert story.run.finished


def test_one_that_never_begins_is_not_waited_for():
    story = Story(working(handler(event("startEvent", "x", "message", said='messageRef="m"'))))

    story.done("work")

    assert story.run.finished


def test_one_that_interrupts_nothing_runs_beside_as_often_as_its_event_comes():
    clock = event(
        "startEvent", "x", "timer", "<bpmn:timeCycle>R/PT1H</bpmn:timeCycle>", isInterrupting="false"
    )
    story = Story(working(handler(clock)))

    story.waited(1)
    story.waited(1)
    assert story.asked == ["handle", "handle", "work"]
    story.done("work")

    assert (story.asked, story.run.finished) == (["handle", "handle"], False)


def test_an_error_is_handled_inside_before_it_is_heard_outside():
    inside = (
        shape("startEvent", "i") + shape("userTask", "risk") + event("endEvent", "bad", "error", said='errorRef="er"')
        + flow("i", "risk") + flow("risk", "bad") + handler(event("startEvent", "x", "error", said='errorRef="er"')))  # fmt: skip
    story = Story(bpmn(
        shape("startEvent", "begin"), shape("subProcess", "sub", inside), shape("userTask", "next"),
        event("boundaryEvent", "b", "error", attachedToRef="sub"), shape("userTask", "outside"), flow("begin", "sub"),
        flow("sub", "next"), flow("b", "outside"), after=KNOWN))  # fmt: skip

    story.done("risk")
    assert story.asked == ["handle"]
    story.done("handle")

    assert story.asked == ["next"]


def test_it_is_rehearsed_and_not_published():
    data = working(handler(event("startEvent", "x", "message", said='messageRef="m"')))

    report = rehearse(alone(data).main, {}, now=NOW)["processes"][0]
    strict = {p.rule: p.element for p in lint(read(data), Surroundings(strict=True)) if p.fatal}

    assert (report["outcome"], report["never_passed"]) == ("ended", [])
    assert strict["unsupported"] == "handler"
