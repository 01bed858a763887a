"""Who hears an error or an escalation: the first activity around it that listens, and nobody else."""

from app.bpmn.step import Run, begin, resume
from tests.bpmn.diagrams import NOW, Hands, action, alone, bpmn, flow, shape

ERRORS = '<bpmn:error id="er" name="E" errorCode="x"/><bpmn:error id="other" name="O" errorCode="y"/>'


def told(kind: str, ident: str, what: str, ref: str = "", **attributes: str) -> str:
    said = f'{what}Ref="{ref}"' if ref else ""
    return shape(kind, ident, f"<bpmn:{what}EventDefinition {said}/>", **attributes)


def failing(name: str, ref: str, *more: str) -> str:
    """A sub-process whose one task ends in an error."""
    start, work, bad = f"i_{name}", f"work_{name}", f"bad_{name}"
    return shape(
        "subProcess", name, shape("startEvent", start) + shape("userTask", work) + told("endEvent", bad, "error", ref)
        + flow(start, work) + flow(work, bad) + "".join(more))  # fmt: skip


def border(ident: str, on: str, ref: str = "") -> str:
    """An event on the border, and the task that follows it."""
    after = shape("userTask", f"after_{ident}") + flow(ident, f"after_{ident}")
    return told("boundaryEvent", ident, "error", ref, attachedToRef=on) + after


def done(data: bytes, *names: str, hands: Hands | None = None) -> list[str]:
    """What people are asked for once these tasks are done."""
    joined, hands = alone(data), hands or Hands()
    run = begin(joined, {}, host=hands, now=NOW)
    for name in names:
        run = resume(joined, run.state(), host=hands, now=NOW)
        run.complete(_token(run, name), {})
        run.settle()
    return sorted(task.node.id for task in run.tasks())


def _token(run: Run, name: str) -> str:
    return next(task.token for task in run.tasks() if task.node.id == name)


def around(*parts: str, enter: str) -> bytes:
    return bpmn(shape("startEvent", "begin"), *parts, flow("begin", enter), after=ERRORS)


def test_the_innermost_activity_that_listens_takes_an_error():
    inside = failing("inner", "er") + border("near", "inner", "er")
    outer = shape("subProcess", "outer", inside) + border("far", "outer", "er")

    assert done(around(outer, enter="outer"), "work_inner") == ["after_near"]


def test_an_error_of_another_name_goes_on_outwards():
    inside = failing("inner", "other") + border("near", "inner", "er")
    outer = shape("subProcess", "outer", inside) + border("far", "outer", "other")

    assert done(around(outer, enter="outer"), "work_inner") == ["after_far"]


def test_who_names_the_error_comes_before_who_takes_any():
    data = around(
        failing("sub", "er"), border("wrong", "sub", "other"), border("any", "sub"), border("named", "sub", "er"),
        enter="sub")  # fmt: skip

    assert done(data, "work_sub") == ["after_named"]


def test_an_error_is_not_heard_beside_where_it_happened():
    data = around(
        shape("parallelGateway", "g"), failing("one", "er"), border("b1", "one", "er"), failing("two", "er"),
        border("b2", "two", "er"), flow("g", "one"), flow("g", "two"), enter="g")  # fmt: skip

    assert done(data, "work_one") == ["after_b1", "work_two"]


def test_an_activity_done_several_times_takes_the_error_of_any():
    many = "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>2</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>"
    data = around(failing("sub", "er", many), border("b", "sub", "er"), enter="sub")

    assert done(data, "work_sub") == ["after_b"]


def test_after_an_error_nothing_more_is_done_inside():
    inside = (
        shape("startEvent", "i") + shape("userTask", "work") + shape("parallelGateway", "g")
        + told("endEvent", "bad", "error", "er") + "".join(action(f"do{n}", f"a/do{n}") for n in range(3))
        + flow("i", "work") + flow("work", "g") + flow("g", "bad") + flow("g", "do0") + flow("do0", "do1")
        + flow("do1", "do2"))  # fmt: skip
    hands = Hands()

    left = done(
        around(shape("subProcess", "sub", inside), border("b", "sub", "er"), enter="sub"), "work", hands=hands
    )

    assert (left, [name for name, _ in hands.asked]) == (["after_b"], ["a/do0"])
