"""Play a story through a diagram without tables, houses or people: which way it goes, what it asks for.

A story (`scenarios/*.yaml` of a flow) says what the flow is about, what the houses would answer, who fills in
what, and what must be true then:

    title: {zh, en}
    data: {…}                                   answers: {register_impression: {impression_id: 5}}
    people: {seal_office: [11, 12]}             (who holds a role that votes)
    story:
      - {task: review, as: seal_office, form: {decision: approve}}
      - {task: countersign, voter: 12, form: {decision: approve}}
      - {message: seal_production.reported, about: "41", payload: {status: made}}
      - {wait: PT4H}
      - {signal: the_house_is_closed}           (also error, escalation: the first that listens hears it)
    then: {finished: true, did: [seal_approval/approve_application, …], rules: [routing 2], stands_at: [review]}

The state goes through bytes between every two steps, as it does in the database.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.bpmn import moments
from app.bpmn.parse import Program
from app.bpmn.step import OpenTask, Passed, Run, begin, resume
from app.refusal import Refusal
from app.text import Text


@dataclass
class Played:
    """What came of a story. `problems` are sentences; none means that it went as it says."""

    passed: list[str] = field(default_factory=list[str])
    did: list[str] = field(default_factory=list[str])
    rules: list[str] = field(default_factory=list[str])
    stands_at: list[str] = field(default_factory=list[str])
    finished: bool = False
    problems: list[str] = field(default_factory=list[str])
    route: list[tuple[str, tuple[str, ...]]] = field(default_factory=list[tuple[str, tuple[str, ...]]])
    """Each shape that was passed, with the rules that applied there."""
    stuck: int | None = None
    """Which line of the story, from 0, could not be done."""
    fault: Text | None = None
    """What an automatic step, or the end, failed of."""

    def report(self) -> dict[str, Any]:
        """As JSON, for programs."""
        return {k: v for k, v in vars(self).items() if k not in ("route", "stuck", "fault")}


class _Houses:
    """Answers as the story says the houses would."""

    def __init__(
        self, answers: Mapping[str, Any], played: Played, people: Mapping[str, Sequence[int]]
    ) -> None:
        self.answers = answers
        self.played = played
        self.people = people
        self.unit_id = None

    def holders(self, role: str, unit_id: int | None) -> Sequence[int]:
        return self.people.get(role, ())

    def able(self, ids: Sequence[int]) -> Sequence[int]:
        return ids

    def act(self, operator: str, parameters: dict[str, Any]) -> Any:
        self.played.did.append(operator)
        return self.answers.get(operator.rpartition("/")[2], {})


def play(
    program: Program,
    story: Mapping[str, Any],
    *,
    now: datetime,
    role_of_lane: Callable[[str], str | None] | None = None,
) -> Played:
    """Play it to its end, or to the first step that cannot be done."""
    played = Played()
    houses = _Houses(story.get("answers") or {}, played, story.get("people") or {})
    try:
        run = begin(program, story.get("data") or {}, host=houses, now=now)
        _note(run, played)
        for number, said in enumerate(story.get("story") or [], 1):
            if "wait" in said:
                now = moments.duration(str(said["wait"])).after(now)
            run = resume(program, run.state(), host=houses, now=now)
            problem = _do(run, said, role_of_lane)
            if problem:
                played.problems.append(f"step {number}: {problem}")
                played.stuck = number - 1
                break
            run.settle()
            _note(run, played)
        played.finished = run.finished
        played.stands_at = sorted({w.node.id for w in [*run.tasks(), *run.messages(), *run.events()]})
    except Refusal as refusal:
        played.problems.append(refusal.text.en)
        played.fault = refusal.text
    played.problems += _against(story.get("then") or {}, played)
    return played


def _do(run: Run, said: Mapping[str, Any], role_of_lane: Callable[[str], str | None] | None) -> str | None:
    """One line of the story; a sentence when it cannot be done."""
    if "task" in said:
        task = next((t for t in run.tasks() if _is_meant(t, said)), None)
        if task is None:
            return (
                f"nobody is asked for {said['task']}; the flow stands at {[t.node.id for t in run.tasks()]}"
            )
        role = task.node.properties.get("role") or (
            role_of_lane(task.node.lane or "") if role_of_lane else None
        )
        if role_of_lane is not None and said.get("as") and said["as"] != role:
            return f"{said['task']} is for {role}, not for {said['as']}"
        who = (task.voter, f"person {task.voter}") if task.voter is not None else None
        run.complete(task.token, said.get("form") or {}, by=who)
    elif "message" in said:
        waited = next(
            (
                m
                for m in run.messages()
                if m.message == said["message"] and m.correlation == str(said.get("about", ""))
            ),
            None,
        )
        if waited is None:
            return f"nobody waits for {said['message']} about {said.get('about', '')}"
        run.deliver(waited.token, said.get("payload") or {})
    for kind in ("signal", "error", "escalation"):
        if kind in said:
            heard = next((e for e in run.events() if (e.kind, e.name) == (kind, said[kind])), None)
            if heard is None:
                return f"nobody listens for the {kind} {said[kind]}"
            run.deliver(heard.token, said.get("payload") or {})
    return None


def _is_meant(task: OpenTask, said: Mapping[str, Any]) -> bool:
    """The task of that id; of a vote, the one of that voter where the story names one."""
    return task.node.id == said["task"] and said.get("voter") in (None, task.voter)


def _note(run: Run, played: Played) -> None:
    for passed in run.trail:
        played.passed.append(passed.node.id)
        rules = _rules(passed)
        played.rules += rules
        played.route.append((passed.node.id, tuple(rules)))


def _rules(passed: Passed) -> Sequence[str]:
    return [f"{passed.did['decision']} {rule['index']}" for rule in passed.did.get("rules", ())]


def _against(then: Mapping[str, Any], played: Played) -> list[str]:
    """Where what came differs from what the story says must be true."""
    problems: list[str] = []
    for name in ("finished", "did", "rules", "stands_at"):
        came = getattr(played, name)
        if name in then and then[name] != came:
            problems.append(f"{name}: expected {then[name]}, came {came}")
    return problems
