"""Random lawful diagrams, random acts and returns, each from the bytes that the act before left: nothing is lost,
nothing doubled, all can be finished, and what was done is told.

The model beside each drawing (see `test_tokens`) learns here to go back: in a row what comes after is new again,
beside it nothing changes. It knows nothing of tokens, joins or compaction.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.bpmn import graft, jump
from app.bpmn.expressions import Expressions
from app.bpmn.state import decode, encode
from app.bpmn.step import Run, begin, resume
from tests.bpmn.diagrams import NOW, Hands, alone, line, shape
from tests.bpmn.test_loops import many
from tests.bpmn.test_tokens import BLOCKS, Block, Model, Row, Task, drawn

Way = list[tuple[Any, int]]


def ways(model: Model, above: Way) -> Iterator[tuple[Model, Way]]:
    """Every single thing to be done (a 会签 as one), with the parts it lies in."""
    parts = getattr(model, "parts", None)
    if parts is None or is_vote(model):
        yield model, above
        return
    for number, part in enumerate(parts):
        yield from ways(part, [*above, (model, number)])


def is_vote(model: Any) -> bool:
    names = {part.ident for part in getattr(model, "parts", ()) if isinstance(part, Task)}
    return bool(model.parts) and len(names) == 1 and all(
        isinstance(p, Task) and f"i_{p.ident}" in p.numbers for p in model.parts
    ) if hasattr(model, "parts") else False  # fmt: skip


def name_of(model: Any) -> str:
    return model.parts[0].ident if hasattr(model, "parts") else model.ident


@dataclass
class Back:
    """What a return took away in the model, so that it can be put back."""

    rows: list[tuple[Row, int, list[Any]]] = field(default_factory=list[Any])
    old: Any = None
    new: Any = None


def go_back(model: Any, target: Any, way: Way, done: Counter[str]) -> Back:
    """The target waits again, and in each row that it lies in what comes after is as new."""
    back = Back(old=target, new=target.again())
    for part, number in way:
        if isinstance(part, Row):
            back.rows.append((part, part.at, list(part.parts)))
            part.parts = [*part.parts[: number + 1], *(p.again() for p in part.parts[number + 1 :])]
            part.at = number
        part.over = False
    holder, number = way[-1]
    holder.parts[number] = back.new
    back.new.start(done)
    return back


def come_back(model: Any, back: Back) -> None:
    for row, at, parts in back.rows:
        row.parts = [*row.parts[: row.at + 1], *parts[row.at + 1 :]]
        row.at = at


def round_of(way: Way) -> list[tuple[int, int]]:
    """Which round of which repeated sub-process: one does not go back from one into another."""
    return [(id(part), number) for part, number in way if getattr(part, "repeats", False)]


@settings(
    max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(block=BLOCKS, choices=st.randoms(use_true_random=False))
def test_returns_lose_no_token_and_double_none(block: Block, choices: Random):
    diagram, model = drawn(block)
    joined, done, told = alone(diagram), Counter[str](), Counter[str]()
    whole: Any = Row([model])
    whole.start(done)
    run = begin(joined, {"n": {"list": [1]}}, host=Hands(), now=NOW)
    told.update(_told(run))
    returns = 0
    straight: dict[int, tuple[Back, bytes, tuple[str, ...], str]] = {}

    for _act in range(120):
        state = run.state()
        assert encode(decode(joined, state, Expressions(Hands(), NOW))) == state
        run = resume(joined, state, host=Hands(), now=NOW)
        waiting = list(whole.open())
        could = {(k, w.token) for w in [*run.tasks(), *run.messages()] for k in [_key(run, w)]}
        assert Counter(key for key, _ in could) == Counter(task.key for task in waiting)
        assert run.finished == whole.over
        if not waiting:
            break
        task = choices.choice(waiting)
        token = next(token for key, token in could if key == task.key)
        targets = _targets(run, whole, task, token) if returns < 6 else []
        if targets and choices.random() < 0.5:
            path, target, way = choices.choice(targets)
            returns += 1
            mode = returns if choices.random() < 0.4 else None
            jumped = run.jump(path, token=token, straight=mode)
            run.settle()
            back = go_back(whole, target, way, done)
            if mode is not None:
                straight[mode] = (back, state, jumped.left, token)
        else:
            _do(run, task, token, straight, whole, done, joined)
        whole.settle(done)
        told.update(_told(run))
        assert told == done
    assert whole.over


def _do(
    run: Run, task: Task, token: str, straight: dict[int, Any], whole: Any, done: Counter[str], joined: Any
) -> None:
    marked = graft.straight(run, token)
    if task.ident.startswith("m"):
        run.deliver(token, {})
    else:
        run.complete(token, task.form)
    task.over = True
    done[task.ident] += 1
    if marked is not None:
        back, state, left, where = straight[marked[1]]
        before = resume(joined, state, host=Hands(), now=NOW)
        came = graft.come_back(run, marked[0], before, left, where)
        back.new.settle(done)
        assert bool(came) == back.new.over
        if came:
            come_back(whole, back)
    run.settle()


def _targets(run: Run, whole: Any, task: Task, token: str) -> list[tuple[Any, Any, Way]]:
    everything = list(ways(whole, []))
    here = next(w for m, w in everything if m is task or task in getattr(m, "parts", ()))
    found: list[tuple[Any, Any, Way]] = []
    for target in jump.targets(run, token):
        could = [
            (m, w) for m, w in everything
            if name_of(m) == target.node and m.over and round_of(w) == round_of(here)[: len(round_of(w))]
        ]  # fmt: skip
        if could:
            found.append((target.path, *could[-1]))
    return found


def _key(run: Any, waits: Any) -> tuple[str, str]:
    data = run._task(waits.token).data
    return waits.node.id, str(sorted((k, v) for k, v in data.items() if k.startswith("i_")))


def _told(run: Any) -> list[str]:
    return [p.node.id for p in run.trail if p.node.kind in ("userTask", "serviceTask", "receiveTask")]


@pytest.mark.parametrize("how", ["", many(times="3")])
@pytest.mark.parametrize("mode", [None, 1])
def test_a_hundred_returns_leave_the_state_as_small_as_ten(how: str, mode: int | None):
    names = ["draft", "check", "sign"]
    shapes = [shape("userTask", "draft"), shape("userTask", "check", how), shape("userTask", "sign")]
    joined = alone(line(*shapes, names=names))
    run = begin(joined, {"subject": "一枚印章" * 20}, host=Hands(), now=NOW)
    before: Run | None = None
    left: tuple[str, ...] = ()
    where, sizes = "", dict[int, int]()
    for number in range(1, 101):
        while True:
            run = resume(joined, run.state(), host=Hands(), now=NOW)
            task = run.tasks()[0]
            if task.node.id == "sign":
                break
            marked = graft.straight(run, task.token)
            run.complete(task.token, {"opinion": "fine"})
            if marked is not None and before is not None:
                assert graft.come_back(run, marked[0], before, left, where)
            run.settle()
        before, where = resume(joined, run.state(), host=Hands(), now=NOW), task.token
        left = run.jump(("draft",), token=task.token, straight=mode).left
        run.settle()
        sizes[number] = len(run.state())

    assert sizes[100] <= min(8192, sizes[10] + 8), sizes
