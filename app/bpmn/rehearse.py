"""Run a diagram by itself: no people, no houses, no tables, everything it asks for made up.

Each process of the file is played several times. Whatever the data decide is done as they say; what they leave
open (conditions over data that nobody entered, the number of a list, a missing time) is decided so that ways not
yet taken come first. What waits is answered in the same spirit: tasks done, messages and signals delivered,
timers let fire, boundary events in their turn. The state goes through bytes between every two acts.

The report is plain data: for each process how each round ended (`ended`, `stuck` where a token waits for what
can never come, `bounded` where it would have gone on, `fault` with its reason), what was passed, what never was.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import quoteattr

from app.bpmn.decision import DecisionError, DecisionResult, Decisions
from app.bpmn.expressions import Expressions, Way, computed
from app.bpmn.fault import Fault
from app.bpmn.moments import Duration, Repetition
from app.bpmn.parse import Diagram, Program, parse, program
from app.bpmn.reading import BPMN
from app.bpmn.step import OpenTask, Run, begin, resume
from app.bpmn.voters import items
from app.bpmn.votes import YES
from app.refusal import Refusal

ACTS = 1_200
"""Acts of one round; more is a flow that goes on, unless there are as many shapes."""

THROUGH_BYTES = 50
"""So many acts of a round begin with the state read back from bytes; a long round then goes on in memory."""

THRONG = 40
"""So does one with more tasks at once than this: each act would read and write all of them."""

ROUNDS = 8
"""Rounds of one process, at most; fewer when they find nothing new."""

STEPS = 1_000
"""Automatic steps between two acts; or twice as many as there are shapes."""

UNKNOWN_ITEMS = 2
"""How many instances a multi-instance activity has when nobody says."""

KNOWN_ITEMS = 20
"""How many of them are played at most, however many are said: a further one shows nothing that these did not."""


@dataclass
class Memory:
    """What was chosen how often, over all rounds of one file."""

    taken: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])
    made_up: Counter[str] = field(default_factory=Counter[str])

    def least(self, among: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        chosen = min(among, key=lambda key: self.taken[key])
        self.taken[chosen] += 1
        return chosen


class _Nobody:
    """Stands where the houses stand: every action answers with nothing in particular."""

    def act(self, operator: str, parameters: dict[str, Any]) -> Any:
        return {}


class Rehearsing(Expressions):
    """Expressions that never fail for want of data: what cannot be known is made up."""

    def __init__(self, now: datetime, memory: Memory) -> None:
        super().__init__(_Nobody(), now)
        self.memory = memory

    def _known(self, text: str, data: Mapping[str, Any]) -> bool | None:
        try:
            answer = computed(text, data)
        except Exception:  # an expression that fails on made-up data says nothing about the diagram
            return None
        return answer if isinstance(answer, bool) else None

    def one_way(self, task: Any, ways: Sequence[Way]) -> Way:
        open_ways: list[Way] = []
        for way in ways:
            known = None if way.condition is None else self._known(way.condition, task.data)
            if known is True and self.memory.taken[self._key(task, way)] < 3:
                return self._go(task, way)
            if known is None:
                open_ways.append(way)
        # what the data rule out round after round is tried as well, or a return loop would never be left
        return self._least(task, open_ways if len(open_ways) > 1 else list(ways))

    def all_ways(self, task: Any, ways: Sequence[Way]) -> list[Way]:
        held = [w for w in ways if w.condition is not None and self._known(w.condition, task.data) is True]
        fresh = [w for w in ways if w.condition is not None and not self.memory.taken[self._key(task, w)]]
        chosen = held or (fresh if len(fresh) > 1 else [self._least(task, ways)])
        return [self._go(task, way) for way in chosen]

    def _key(self, task: Any, way: Way) -> tuple[str, ...]:
        return (str(task.task_spec.name), way.target)

    def _go(self, task: Any, way: Way) -> Way:
        self.memory.taken[self._key(task, way)] += 1
        return way

    def _least(self, task: Any, ways: Sequence[Way]) -> Way:
        key = self.memory.least([self._key(task, way) for way in ways])
        self.memory.made_up[str(task.task_spec.name)] += 1
        return next(way for way in ways if self._key(task, way) == key)

    def truth(self, task: Any, expression: str, data: Mapping[str, Any]) -> bool:
        """Only loops ask: go on for a second round, and do not end a multi-instance activity early."""
        known = self._known(expression, data)
        if known is not None and data.get("loopCounter", 0) < 10:
            return known
        return "nrOfInstances" not in data and data.get("loopCounter", 0) < 2

    def items(self, task: Any, collection: str | None, cardinality: str | None) -> list[Any]:
        try:
            return super().items(task, collection, cardinality)[:KNOWN_ITEMS]
        except Fault as fault:
            if fault.code == "flow.endless":
                raise
            return list(range(1, UNKNOWN_ITEMS + 1))

    def voters(self, task: Any, said: Mapping[str, str]) -> list[dict[str, Any]]:
        try:
            return super().voters(task, said)
        except Fault as fault:
            if fault.code == "flow.endless":
                raise
            return items(range(1, UNKNOWN_ITEMS + 1))

    def value(self, task: Any, expression: str, data: Mapping[str, Any] | None = None) -> Any:
        try:
            return super().value(task, expression, data)
        except Fault:
            return None

    def due(self, task: Any, text: str) -> datetime:
        try:
            return super().due(task, text)
        except Fault:
            return self.now + timedelta(minutes=1)

    def repetition(self, task: Any, text: str) -> Repetition:
        try:
            return super().repetition(task, text)
        except Fault:
            return Repetition(1, self.now + timedelta(minutes=1), Duration(0, timedelta(minutes=1)))

    def act(self, task: Any, operator: str, parameters: Mapping[str, str]) -> Any:
        return {} if not operator else super().act(task, operator, parameters)

    def decide(self, task: Any, tables: Decisions | None, decision: str) -> DecisionResult:
        try:
            if tables is not None:
                return tables.decide(decision, task.data, now=self.now)
        except DecisionError:
            pass  # made-up data need not fit a table
        return DecisionResult(
            decision=decision or str(task.task_spec.name), value=None, outputs=None, matched=()
        )


def rehearse(
    main: Diagram,
    called: Mapping[str, Diagram],
    *,
    now: datetime,
    patient: Callable[[], bool] = lambda: True,
) -> dict[str, Any]:
    """Every process of the file, played. `patient` is asked before each act: False ends it all as `bounded`."""
    absent = strangers(main, called)
    others = {**called, **absent}
    inside = {spec for p in main.processes for spec in _called_here(main, p)}
    tops = [key for key in main.processes if key not in inside or key == main.key]
    played = [_process(program(replace(main, key=key), others), now, patient) for key in tops]
    worst = min((p["outcome"] for p in played), key=_ORDER.index, default="ended")
    return {"outcome": worst, "processes": played, "stood_in_for": sorted(absent)}


_ORDER = ("fault", "stuck", "bounded", "ended")


def strangers(main: Diagram, called: Mapping[str, Diagram]) -> dict[str, Diagram]:
    """Stand-ins for the called processes that are nowhere to be had: each begins and ends."""
    diagrams = [main, *called.values()]
    absent = {key for diagram in diagrams for key in diagram.calls} - set(called)
    return {key: _stranger(key) for key in sorted(absent)}


def _called_here(main: Diagram, key: str) -> set[str]:
    """The processes of the file that a process calls."""
    names = {str(getattr(spec, "spec", "")) for spec in main.specs[key].task_specs.values()}
    return (names & set(main.processes)) - {key}


def _stranger(key: str) -> Diagram:
    return parse(
        f'<definitions xmlns="{BPMN}"><process id={quoteattr(key)}><startEvent id="begin"/><endEvent id="finish"/>'
        '<sequenceFlow id="on" sourceRef="begin" targetRef="finish"/></process></definitions>'.encode()
    )


def _process(joined: Program, now: datetime, patient: Callable[[], bool]) -> dict[str, Any]:
    memory, rounds, seen = Memory(), list[dict[str, Any]](), Counter[str]()
    starts = [s for s in _starts(joined) if s] or [None]
    barren = 0
    for number in range(max(ROUNDS, len(starts))):
        if number and not patient():
            break
        told = _round(joined, starts[number % len(starts)], now, memory, patient)
        fresh = set(told["passed"]) - set(seen)
        seen.update(told["passed"])
        rounds.append(told)
        barren = 0 if fresh else barren + 1
        if number + 1 >= len(starts) and (barren >= 2 or not memory.taken or set(_ids(joined)) <= set(seen)):
            break
    outcomes = [told["outcome"] for told in rounds]
    best = "ended" if "ended" in outcomes and "fault" not in outcomes else min(outcomes, key=_ORDER.index)
    return {
        "process": joined.main.key,
        "outcome": best,
        "rounds": rounds,
        "passed": sorted(seen),
        "never_passed": sorted(set(_ids(joined)) - set(seen)),
    }


def _starts(joined: Program) -> list[str | None]:
    spec = joined.main.specs[joined.main.key]
    found = [made.bpmn_id for made in spec.bpmn_start_events]
    return found if len(found) > 1 else [None]


def _ids(joined: Program) -> list[str]:
    """The shapes of this process, those in its sub-processes included."""
    wanted, waiting = set[str](), [joined.main.key]
    seen: set[str] = set()
    while waiting:
        key = waiting.pop()
        if key in seen or key not in joined.main.specs:
            continue
        seen.add(key)
        for made in joined.main.specs[key].task_specs.values():
            if made.bpmn_id in joined.main.nodes:
                wanted.add(str(made.bpmn_id))
            if not isinstance(getattr(made, "spec", None), type(None)):
                waiting.append(str(made.spec))
    return sorted(wanted)


def _round(
    joined: Program, start: str | None, now: datetime, memory: Memory, patient: Callable[[], bool]
) -> dict[str, Any]:
    told: dict[str, Any] = {"start": start, "outcome": "bounded", "acts": [], "passed": []}
    twice = 2 * len(joined.main.nodes)
    steps, acts = max(STEPS, twice), max(ACTS, twice)
    try:
        speech = Rehearsing(now, memory)
        run = begin(joined, {}, host=speech.host, now=now, start=start, expressions=speech, at_most=steps)
        told["passed"] += [passed.node.id for passed in run.trail]
        throng = len(run.tasks())
        for number in range(acts):
            if run.finished:
                told["outcome"] = "ended"
                return told
            if not patient():
                return told
            speech = Rehearsing(now, memory)
            if number < THROUGH_BYTES and throng <= THRONG:
                run = resume(joined, run.state(), host=speech.host, now=now, expressions=speech)
            else:
                run.trail.clear()
                if number % 50 == 0:
                    run.state()  # what is over is cut away
            tasks = {task.token: task for task in run.tasks()}
            throng = len(tasks)
            act = _next(run, list(tasks.values()), memory)
            if act is None:
                told["outcome"], told["stands_at"] = "stuck", run.stands_at()
                return told
            kind, node, token = act
            told["acts"].append({"act": kind, "element": node})
            if kind == "timer":
                due = next(t.due for t in run.timers() if t.token == token)
                now = max(now, due)
                run.expressions.now = now
            elif kind == "task":
                run.complete(token, _said(tasks[token], memory))
            else:
                run.deliver(token, {})
            run.settle(at_most=steps)
            told["passed"] += [passed.node.id for passed in run.trail]
        told["stands_at"] = run.stands_at()
    except Refusal as refusal:
        told["fault"] = {
            "code": refusal.code,
            "element": str(refusal.details.get("node_id") or refusal.details.get("node") or ""),
            "message": refusal.text.en,
            "message_zh": refusal.text.zh,
        }
        told["outcome"] = "bounded" if refusal.code == "flow.endless" else "fault"
    return told


def _said(task: OpenTask, memory: Memory) -> dict[str, Any]:
    """What a person answers: nothing in particular, but a vote goes the one way and the other."""
    if task.voter is None:
        return {}
    agrees = memory.least([("vote", task.node.id, "yes"), ("vote", task.node.id, "no")])[2] == "yes"
    return {"decision": (task.node.properties.get("yes") or YES) if agrees else f"not {YES}"}


def _next(run: Run, tasks: Sequence[OpenTask], memory: Memory) -> tuple[str, str, str] | None:
    """What happens next: of all that could, what was done least often; people before machines before the clock."""
    could = [
        *(("task", t.node.id, t.token) for t in tasks),
        *(("message", m.node.id, m.token) for m in run.messages()),
        *((e.kind, e.node.id, e.token) for e in run.events()),
        *(("timer", t.node.id, t.token) for t in run.timers()),
    ]
    if not could:
        return None
    kind, node = memory.least([(kind, node) for kind, node, _token in could])
    return next(act for act in could if act[:2] == (kind, node))
