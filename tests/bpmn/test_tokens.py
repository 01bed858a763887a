"""Random lawful diagrams, random acts: nothing is lost, nothing doubled, all of it told, whatever was saved between.

Beside each drawing stands a model of a few lines that knows nothing of tokens: what is open, what was done.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.bpmn.expressions import Expressions
from app.bpmn.state import decode, encode
from app.bpmn.step import begin, resume
from tests.bpmn.diagrams import NOW, Hands, action, alone, bpmn, flow, shape

# what is drawn


@dataclass(frozen=True)
class Block:
    """A piece of a diagram with one way in and one way out. `kind` says what it is made of."""

    kind: str
    parts: tuple["Block", ...] = ()
    number: int = 0
    chosen: tuple[bool, ...] = ()


def _of(kind: str, parts: Any, **more: Any) -> Any:
    return st.builds(Block, kind=st.just(kind), parts=parts, **more)


def _larger(inner: Any) -> Any:
    some = st.lists(inner, min_size=2, max_size=3).map(tuple)
    alone_ = inner.map(lambda b: (b,))
    return st.one_of(
        _of("row", some),
        _of("all", some),
        _of("one", some, number=st.integers(0, 2)),
        _of("some", some, chosen=st.lists(st.booleans(), min_size=3, max_size=3).map(tuple)),
        _of("inside", alone_),
        _of("again", alone_, number=st.integers(0, 2)),
        _of("rounds", alone_, number=st.integers(1, 3)),
        _of("each", alone_, number=st.integers(0, 3)),
    )


LEAF = st.one_of(
    st.just(Block("person")), st.just(Block("machine")),
    st.builds(Block, kind=st.just("voters"), number=st.integers(0, 3)),
    st.builds(Block, kind=st.just("in turn"), number=st.integers(1, 3)),
    st.just(Block("message")),
)  # fmt: skip
BLOCKS = st.recursive(LEAF, _larger, max_leaves=7)


@dataclass
class Drawing:
    shapes: list[str] = field(default_factory=list[str])
    count: int = 0

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def add(self, block: Block) -> tuple[str, str, "Model"]:
        """Draw it; its first and last shape, and its model."""
        return getattr(self, f"_{block.kind.replace(' ', '_')}")(block)

    def put(self, kind: str, made: str, ident: str) -> str:
        self.shapes.append(made)
        return ident

    def gateway(self, kind: str, default: str = "") -> str:
        ident = self.name("g")
        more = {"default": default} if default else {}
        self.shapes.append(shape(f"{kind}Gateway", ident, **more))
        return ident

    def flow(self, source: str, target: str, condition: str | None = None) -> None:
        self.shapes.append(flow(source, target, condition))

    def _person(self, _block: Block) -> tuple[str, str, "Model"]:
        ident = self.name("t")
        self.shapes.append(shape("userTask", ident))
        return ident, ident, Task(ident)

    def _message(self, _block: Block) -> tuple[str, str, "Model"]:
        ident = self.name("m")
        self.shapes.append(shape("receiveTask", ident))
        return ident, ident, Task(ident)

    def _machine(self, _block: Block) -> tuple[str, str, "Model"]:
        ident = self.name("a")
        self.shapes.append(action(ident, "a/do"))
        return ident, ident, Machine(ident)

    def _many(self, block: Block, sequential: str) -> tuple[str, str, "Model"]:
        ident = self.name("v")
        times = _times(ident, block.number)
        inside = f'<bpmn:multiInstanceLoopCharacteristics isSequential="{sequential}">{times}</bpmn:multiInstanceLoopCharacteristics>'
        self.shapes.append(shape("userTask", ident, inside))
        tasks = _numbered(ident, Task(ident), block.number)
        return ident, ident, Row(tasks) if sequential == "true" else All(tasks)

    def _voters(self, block: Block) -> tuple[str, str, "Model"]:
        return self._many(block, "false")

    def _in_turn(self, block: Block) -> tuple[str, str, "Model"]:
        return self._many(block, "true")

    def _row(self, block: Block) -> tuple[str, str, "Model"]:
        drawn = [self.add(part) for part in block.parts]
        for (_, last, _), (first, _, _) in itertools.pairwise(drawn):
            self.flow(last, first)
        return drawn[0][0], drawn[-1][1], Row([model for _, _, model in drawn])

    def _between(
        self, block: Block, kind: str, join: str, said: list[str | None]
    ) -> tuple[str, str, list["Model"]]:
        drawn = [self.add(part) for part in block.parts]
        after = self.gateway(join)
        before = self.name("g")
        default = next(
            (f"{before}_{first}" for (first, _, _), c in zip(drawn, said, strict=False) if c is None), ""
        )
        more = {"default": default} if default and kind != "parallel" else {}
        self.shapes.append(shape(f"{kind}Gateway", before, **more))
        for (first, last, _), condition in zip(drawn, said, strict=False):
            self.flow(before, first, condition)
            self.flow(last, after)
        return before, after, [model for _, _, model in drawn]

    def _all(self, block: Block) -> tuple[str, str, "Model"]:
        before, after, models = self._between(block, "parallel", "parallel", [None] * len(block.parts))
        return before, after, All(models)

    def _one(self, block: Block) -> tuple[str, str, "Model"]:
        chosen = block.number % len(block.parts)
        said: list[str | None] = ["true" if i == chosen else "false" for i in range(len(block.parts) - 1)]
        before, after, models = self._between(block, "exclusive", "exclusive", [*said, None])
        return before, after, models[chosen]

    def _some(self, block: Block) -> tuple[str, str, "Model"]:
        held = block.chosen[: len(block.parts) - 1]
        said: list[str | None] = ["true" if h else "false" for h in held]
        before, after, models = self._between(block, "inclusive", "inclusive", [*said, None])
        return before, after, All([m for m, h in zip(models, held, strict=False) if h] or [models[-1]])

    def _wrapped(self, block: Block, loop: str) -> tuple[str, "Model"]:
        ident, inner = self.name("s"), Drawing(count=self.count)
        first, last, model = inner.add(block.parts[0])
        self.count = inner.count
        body = [loop, shape("startEvent", f"{ident}i"), shape("endEvent", f"{ident}o"), *inner.shapes,
                flow(f"{ident}i", first), flow(last, f"{ident}o")]  # fmt: skip
        self.shapes.append(shape("subProcess", ident, "".join(body)))
        return ident, model

    def _inside(self, block: Block) -> tuple[str, str, "Model"]:
        ident, model = self._wrapped(block, "")
        return ident, ident, model

    def _rounds(self, block: Block) -> tuple[str, str, "Model"]:
        loop = f'<bpmn:standardLoopCharacteristics loopMaximum="{block.number}"/>'
        ident, model = self._wrapped(block, loop)
        return ident, ident, Rounds([model.again() for _ in range(block.number)])

    def _each(self, block: Block) -> tuple[str, str, "Model"]:
        times = _times(f"s{self.count + 1}", block.number)
        loop = f"<bpmn:multiInstanceLoopCharacteristics>{times}</bpmn:multiInstanceLoopCharacteristics>"
        ident, model = self._wrapped(block, loop)
        return ident, ident, Each(_numbered(ident, model, block.number))

    def _again(self, block: Block) -> tuple[str, str, "Model"]:
        """The part, then a person who sends it back so many times."""
        first, last, model = self.add(block.parts[0])
        ask, back, on = self.name("q"), self.gateway("exclusive"), self.name("g")
        self.shapes += [shape("userTask", ask), shape("exclusiveGateway", on, default=f"{on}_{back}")]
        out = self.name("a")
        self.shapes.append(action(out, "a/do"))
        for pair in ((back, first), (last, ask), (ask, on)):
            self.flow(*pair)
        self.flow(on, out, f"{ask}.ok")
        self.flow(on, back)
        rounds = [Row([model.again(), Task(ask, {"ok": n == block.number})]) for n in range(block.number + 1)]
        return back, out, Row([*rounds, Machine(out)])


def _times(ident: str, number: int) -> str:
    """So many instances, each of which knows its number under a name of its own."""
    return f'<bpmn:loopCardinality>{number}</bpmn:loopCardinality><bpmn:inputDataItem name="i_{ident}"/>'


def _numbered(ident: str, model: Any, times: int) -> list[Any]:
    return [model.again().within(f"i_{ident}", number + 1) for number in range(times)]


# what must come of it


class Model:
    """Something to be done. `open()`: what waits now, with the form that it wants. `done`: the ids that were."""

    over = False

    def start(self, done: Counter[str]) -> None: ...

    def open(self) -> Iterator["Task"]:
        return iter(())

    def settle(self, done: Counter[str]) -> None: ...

    def again(self) -> "Model":
        raise NotImplementedError

    def within(self, name: str, number: int) -> "Model":
        raise NotImplementedError


class Task(Model):
    def __init__(self, ident: str, form: dict[str, Any] | None = None) -> None:
        self.ident, self.form, self.started = ident, form or {}, False
        self.numbers: dict[str, int] = {}
        """Which instance of which multi-instance activity it stands in."""

    def start(self, done: Counter[str]) -> None:
        self.started = True

    def open(self) -> Iterator["Task"]:
        if self.started and not self.over:
            yield self

    def again(self) -> Model:
        copy = type(self)(self.ident, self.form)
        copy.numbers = dict(self.numbers)
        return copy

    def within(self, name: str, number: int) -> Model:
        self.numbers[name] = number
        return self

    @property
    def key(self) -> tuple[str, str]:
        return self.ident, str(sorted(self.numbers.items()))


class Machine(Task):
    def start(self, done: Counter[str]) -> None:
        done[self.ident] += 1
        self.over = True


class All(Model):
    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts

    def start(self, done: Counter[str]) -> None:
        for part in self.parts:
            part.start(done)
        self.settle(done)

    def open(self) -> Iterator[Task]:
        for part in self.parts:
            yield from part.open()

    def settle(self, done: Counter[str]) -> None:
        for part in self.parts:
            part.settle(done)
        self.over = all(part.over for part in self.parts)

    def again(self) -> Model:
        return type(self)([part.again() for part in self.parts])

    def within(self, name: str, number: int) -> Model:
        for part in self.parts:
            part.within(name, number)
        return self


class Row(All):
    at = -1

    def start(self, done: Counter[str]) -> None:
        self._on(done)

    def _on(self, done: Counter[str]) -> None:
        while self.at < 0 or self.parts[self.at].over:
            self.at += 1
            if self.at >= len(self.parts):
                self.at, self.over = len(self.parts) - 1, True
                return
            self.parts[self.at].start(done)

    def settle(self, done: Counter[str]) -> None:
        if self.at >= 0 and not self.over:
            self.parts[self.at].settle(done)
            self._on(done)


class Each(All):
    """A repeated sub-process; each part is one instance."""

    repeats = True


class Rounds(Row):
    repeats = True


def drawn(block: Block) -> tuple[bytes, Model]:
    paper = Drawing()
    first, last, model = paper.add(block)
    return (
        bpmn(shape("startEvent", "begin"), *paper.shapes, shape("endEvent", "finish"),
             flow("begin", first), flow(last, "finish")),
        model,
    )  # fmt: skip


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(block=BLOCKS, choices=st.randoms(use_true_random=False))
def test_no_token_is_lost_or_doubled_and_all_is_told(block: Block, choices: Random):
    diagram, model = drawn(block)
    joined, done, told = alone(diagram), Counter[str](), Counter[str]()
    model.start(done)
    run = begin(joined, {"n": {"list": [1, "二"]}}, host=Hands(), now=NOW)
    told.update(_told(run))

    for _act in range(80):
        state = run.state()
        assert encode(decode(joined, state, Expressions(Hands(), NOW))) == state
        run = resume(joined, state, host=Hands(), now=NOW)

        waiting = list(model.open())
        could = [(_key(run, w), w.token) for w in [*run.tasks(), *run.messages()]]
        assert Counter(key for key, _ in could) == Counter(task.key for task in waiting)
        assert run.finished == model.over
        if not waiting:
            break
        task = choices.choice(waiting)
        token = next(token for key, token in could if key == task.key)
        if task.ident.startswith("m"):
            run.deliver(token, {})
        else:
            run.complete(token, task.form)
        run.settle()
        task.over = True
        done[task.ident] += 1
        model.settle(done)
        told.update(_told(run))
        assert told == done


def _key(run: Any, waits: Any) -> tuple[str, str]:
    data = run._task(waits.token).data
    return waits.node.id, str(sorted((k, v) for k, v in data.items() if k.startswith("i_")))


def _told(run: Any) -> list[str]:
    return [p.node.id for p in run.trail if p.node.kind in ("userTask", "serviceTask", "receiveTask")]
