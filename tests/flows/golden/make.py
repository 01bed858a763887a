"""Makes the stored instances of a release: `python -m tests.flows.golden.make 0.1`. Never writes over one that is there.

A story is a diagram (with those it calls), what had happened when it was stored, and what happens afterwards. What
comes of it is written down with it, as this release sees it; later ones are held to it.
"""

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from app.bpmn.step import begin
from tests.bpmn.diagrams import NOW, Hands, action, bpmn, extensions, flow, line, properties, shape
from tests.flows.golden.play import Act, joined, play

HERE = Path(__file__).parent


@dataclass
class Story:
    name: str
    about: str
    diagrams: Sequence[bytes]
    before: Sequence[Act]
    after: Sequence[Act]
    data: dict[str, Any] = field(default_factory=lambda: {"form": {"typename": "任意键", "n": [1.5, None]}})


def user(ident: str, inside: str = "", **more: str) -> str:
    return shape("userTask", ident, inside, **more)


def timed(kind: str, ident: str, how: str, text: str, **more: str) -> str:
    return shape(
        kind,
        ident,
        f"<bpmn:timerEventDefinition><bpmn:{how}>{text}</bpmn:{how}></bpmn:timerEventDefinition>",
        **more,
    )


def received(kind: str, ident: str, **more: str) -> str:
    said = extensions(
        properties(correlation="job.id")
        + "<spiffworkflow:messageVariable>report</spiffworkflow:messageVariable>"
    )
    if kind == "receiveTask":
        return shape(kind, ident, said, messageRef="m", **more)
    return shape(kind, ident, said + '<bpmn:messageEventDefinition messageRef="m" />', **more)


MESSAGE = '<bpmn:message id="m" name="reported" />'


def many(sequential: bool, until: str = "") -> str:
    done = f"<bpmn:completionCondition>{until}</bpmn:completionCondition>" if until else ""
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        f'<bpmn:loopDataInputRef>people</bpmn:loopDataInputRef><bpmn:inputDataItem id="who" name="who" />{done}'
        "</bpmn:multiInstanceLoopCharacteristics>"
    )


def sub(ident: str, *inside: str) -> str:
    return shape("subProcess", ident, "".join(inside))


def calling(ident: str, key: str) -> str:
    return shape("callActivity", ident, calledElement=key)


def process(key: str, *names: str, middle: Sequence[str]) -> bytes:
    chain = ["begin", *names, "finish"]
    flows = [flow(a, b) for a, b in itertools.pairwise(chain)]
    return bpmn(shape("startEvent", "begin"), *middle, shape("endEvent", "finish"), *flows, key=key)


LOOP = bpmn(
    shape("startEvent", "begin"), user("review"), timed("boundaryEvent", "late", "timeCycle", "R/PT4H", attachedToRef="review", cancelActivity="false"),
    shape("exclusiveGateway", "which", default="which_back"), action("back", "a/back", "returned"), user("correct"),
    action("remind", "a/remind"), shape("endEvent", "told"), shape("endEvent", "finish"),
    flow("begin", "review"), flow("review", "which"), flow("which", "finish", "review.ok"), flow("which", "back"),
    flow("back", "correct"), flow("correct", "review"), flow("late", "remind"), flow("remind", "told"),
)  # fmt: skip
FORK = bpmn(
    shape("startEvent", "begin"), shape("inclusiveGateway", "fork", default="fork_c"), user("a"), user("b"), user("c"),
    shape("inclusiveGateway", "join"), user("after"), shape("endEvent", "finish"),
    flow("begin", "fork"), flow("fork", "a", "x = 1"), flow("fork", "b", "y = 1"), flow("fork", "c"),
    flow("a", "join"), flow("b", "join"), flow("c", "join"), flow("join", "after"), flow("after", "finish"),
)  # fmt: skip
BOTH = bpmn(
    shape("startEvent", "begin"), shape("parallelGateway", "fork"), user("a"), user("b"), shape("parallelGateway", "join"),
    user("after"), shape("endEvent", "finish"),
    flow("begin", "fork"), flow("fork", "a"), flow("fork", "b"), flow("a", "join"), flow("b", "join"),
    flow("join", "after"), flow("after", "finish"),
)  # fmt: skip
RACE = bpmn(
    shape("startEvent", "begin"), shape("eventBasedGateway", "first"), received("intermediateCatchEvent", "came"),
    timed("intermediateCatchEvent", "late", "timeDuration", "P1D"), user("good"), user("bad"), shape("endEvent", "finish"),
    flow("begin", "first"), flow("first", "came"), flow("first", "late"), flow("came", "good"), flow("late", "bad"),
    flow("good", "finish"), flow("bad", "finish"), after=MESSAGE,
)  # fmt: skip
WAITING = bpmn(
    shape("startEvent", "begin"), received("receiveTask", "wait"), user("after"), shape("endEvent", "finish"),
    flow("begin", "wait"), flow("wait", "after"), flow("after", "finish"), after=MESSAGE,
)  # fmt: skip
DEADLINE = bpmn(
    shape("startEvent", "begin"), user("review"), timed("boundaryEvent", "late", "timeDuration", "P1D", attachedToRef="review"),
    user("escalated"), shape("endEvent", "finish"),
    flow("begin", "review"), flow("review", "finish"), flow("late", "escalated"), flow("escalated", "finish"),
)  # fmt: skip
INNER = sub("part", shape("startEvent", "in"), user("inside"), user("inside_too"), shape("endEvent", "out"),
            flow("in", "inside"), flow("inside", "inside_too"), flow("inside_too", "out"))  # fmt: skip
AGAIN = "<bpmn:standardLoopCharacteristics><bpmn:loopCondition>not(fill.enough)</bpmn:loopCondition></bpmn:standardLoopCharacteristics>"
PEOPLE: dict[str, Any] = {"people": ["甲", "乙", "丙"]}
TWICE = [
    process("outer", "call_middle", "last", middle=[calling("call_middle", "middle"), user("last")]),
    process("middle", "call_inner", "check", middle=[calling("call_inner", "inner"), user("check")]),
    process("inner", "deep", middle=[user("deep")]),
]
JOB = {"job": {"id": "12"}}

STORIES = [
    Story("user-task", "a person is waited for", [line(user("review"), user("then"), names=["review", "then"])],
          [], [{"do": "review", "form": {"ok": True}}, {"do": "then"}]),
    Story("votes-half", "会签: one of three has voted, two thirds are asked for",
          [line(user("vote", many(False, "nrOfCompletedInstances / nrOfInstances >= 2/3")), user("then"), names=["vote", "then"])],
          [{"do": "vote", "item": 1, "form": {"decision": "approve"}}],
          [{"do": "vote", "item": 0, "form": {"decision": "reject"}}, {"do": "then"}], PEOPLE),
    Story("one-by-one-middle", "one after another: the second of three",
          [line(user("vote", many(True)), user("then"), names=["vote", "then"])],
          [{"do": "vote", "form": {"decision": "approve"}}],
          [{"do": "vote", "form": {"n": 2}}, {"do": "vote", "form": {"n": 3}}, {"do": "then"}], PEOPLE),
    Story("standard-loop", "a standard loop in its second round", [line(user("fill", AGAIN), names=["fill"])],
          [{"do": "fill", "form": {"enough": False}}], [{"do": "fill", "form": {"enough": True}}]),
    Story("timer-boundary", "a person with a deadline, which passes", [DEADLINE], [], [{"hours": 25}, {"do": "escalated"}]),
    Story("timer-boundary-in-time", "a person with a deadline, who is in time", [DEADLINE], [], [{"do": "review"}]),
    Story("timer-intermediate", "a day is waited for",
          [line(timed("intermediateCatchEvent", "pause", "timeDuration", "P1D"), user("then"), names=["pause", "then"])],
          [], [{"hours": 12}, {"hours": 13}, {"do": "then"}]),
    Story("timer-repeating", "a reminder that has come once", [LOOP], [{"hours": 5}], [{"hours": 4}, {"do": "review", "form": {"ok": True}}]),
    Story("message", "a message about one thing", [WAITING], [], [{"message": "wait", "payload": {"status": "made"}}, {"do": "after"}], JOB),
    Story("event-gateway-message", "two events race, the message wins", [RACE], [],
          [{"message": "came", "payload": {"status": "made"}}, {"do": "good"}], JOB),
    Story("event-gateway-timer", "two events race, time wins", [RACE], [], [{"hours": 25}, {"do": "bad"}], JOB),
    Story("called-twice", "a called flow inside a called flow", TWICE, [], [{"do": "deep", "form": {"x": 1}}, {"do": "check"}, {"do": "last"}]),
    Story("called-once-left", "the inner called flow is over, the outer goes on", TWICE, [{"do": "deep", "form": {"x": 1}}],
          [{"do": "check"}, {"do": "last"}]),
    Story("sub-process", "in the middle of an embedded sub-process", [line(INNER, user("then"), names=["part", "then"])],
          [{"do": "inside", "form": {"x": 1}}], [{"do": "inside_too"}, {"do": "then"}]),
    Story("inclusive-join", "one of two branches waits at an inclusive join", [FORK], [{"do": "a", "form": {"v": 1}}],
          [{"do": "b", "form": {"v": 2}}, {"do": "after"}], {"x": 1, "y": 1}),
    Story("parallel-join", "one of two branches waits at a parallel join", [BOTH], [{"do": "b", "form": {"v": 2}}],
          [{"do": "a", "form": {"v": 1}}, {"do": "after"}]),
    Story("returned", "sent back once, with the reminder armed anew", [LOOP], [{"do": "review", "form": {"ok": False}}],
          [{"do": "correct"}, {"do": "review", "form": {"ok": True}}]),
    Story("returned-often", "after forty returns, compacted", [LOOP],
          [{"do": "review", "form": {"ok": False}}, {"do": "correct"}] * 40, [{"do": "review", "form": {"ok": True}}]),
]  # fmt: skip


def write(story: Story, release: str) -> bool:
    """Whether it was new."""
    target = HERE / f"{story.name}.{release}.json"
    if target.exists():
        return False
    files = [f"{story.name}.{release}{f'.{n}' if n else ''}.bpmn" for n in range(len(story.diagrams))]
    for file, diagram in zip(files, story.diagrams, strict=True):
        (HERE / file).write_bytes(diagram)
    flows = joined(*story.diagrams)
    first = begin(flows, story.data, host=Hands(back={"n": 1}), now=NOW)
    stored, at = play(flows, first.state(), story.before, NOW, Hands(back={"n": 1}))
    state, hands = stored.state(), Hands(back={"n": 1})
    ended, _ = play(flows, state, story.after, at, hands)
    assert ended.finished, story.name
    said = {
        "about": story.about,
        "release": release,
        "diagrams": files,
        "at": at.isoformat(),
        "state": orjson.loads(state),
        "after": list(story.after),
        "end": {"data": ended.data, "asked": [name for name, _ in hands.asked]},
    }
    target.write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return True


if __name__ == "__main__":
    for one_story in STORIES:
        print(f"{one_story.name}: {'written' if write(one_story, sys.argv[1]) else 'is there already'}")
