"""The list of steps and the diagram are one thing: what is done to the list is drawn, wired, and can be undone."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bpmn import step_list
from app.bpmn.parse import parse
from app.bpmn.reading import read
from app.bpmn.step_list import NoRoom
from app.text import Text

FOLDER = Path(__file__).resolve().parents[2] / "workflows" / "seal_approval"
BPMN = (FOLDER / "seal_approval.bpmn").read_bytes()
TABLES = {"routing.dmn": (FOLDER / "routing.dmn").read_bytes()}
LEGAL = Text("法务审核", "Legal review")
SAID = {"role": "seal_office_head", "form": "review", "dueIn": "P2WD"}


def order(root: object) -> list[str]:
    return [step.id for step in step_list.steps(root)]


def ways(text: str) -> set[tuple[str | None, str | None]]:
    root = read(text.encode())
    return {(f.get("sourceRef"), f.get("targetRef")) for f in root.iter("{*}sequenceFlow")}


def test_a_step_put_in_is_wired_drawn_and_told():
    root = read(BPMN)
    before = order(root)
    ident = step_list.insert_after(root, "review", LEGAL, SAID)

    at = before.index("review") + 1
    assert order(root) == [*before[:at], ident, *before[at:]]
    made = next(step for step in step_list.steps(root) if step.id == ident)
    assert (made.name, dict(made.settings)) == (LEGAL, {**SAID, "en": "Legal review"})
    diagram = parse(step_list.written(root).encode(), TABLES)
    drawn = {shape.id: shape for shape in diagram.picture.shapes}
    assert drawn["review"].x + drawn["review"].width < drawn[ident].x
    assert drawn[ident].x + drawn[ident].width < drawn["reviewed"].x
    assert {("review", ident), (ident, "reviewed")} <= ways(step_list.written(root))


def test_what_was_put_in_and_taken_out_leaves_the_ways_as_they_were():
    root = read(BPMN)
    ident = step_list.insert_after(root, "review", LEGAL, SAID)
    step_list.remove(root, ident)
    assert ways(step_list.written(root)) == ways(BPMN.decode())
    assert ident not in step_list.written(root)


def test_a_step_moves_past_the_one_beside_it_and_back():
    root = read(BPMN)
    ident = step_list.insert_after(root, "review", LEGAL, SAID)
    there = ways(step_list.written(root))
    step_list.move(root, ident, -1)
    assert order(root).index(ident) == order(root).index("review") - 1
    parse(step_list.written(root).encode(), TABLES)
    step_list.move(root, ident, 1)
    assert ways(step_list.written(root)) == there


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda root: step_list.insert_after(root, "nothing", LEGAL, {}), "no longer"),
        (lambda root: step_list.insert_after(root, "reviewed", LEGAL, {}), "several ways"),
        (lambda root: step_list.move(root, "review", 1), "right beside"),
        (lambda root: step_list.remove(root, "done"), "nothing leads"),
    ],
)
def test_what_cannot_be_done_to_the_list_is_said(act, why: str):  # type: ignore[no-untyped-def]
    with pytest.raises(NoRoom, match=why):
        act(read(BPMN))


@given(
    st.lists(st.tuples(st.sampled_from(["insert", "remove", "up", "down"]), st.integers(0, 30)), max_size=8)
)
@settings(max_examples=25, deadline=None)
def test_whatever_is_done_to_the_list_the_flow_can_be_run(acts: list[tuple[str, int]]):
    root = read(BPMN)
    for verb, number in acts:
        found = order(root)
        ident = found[number % len(found)]
        try:
            if verb == "insert":
                step_list.insert_after(root, ident, LEGAL, SAID)
            elif verb == "remove":
                step_list.remove(root, ident)
            else:
                step_list.move(root, ident, -1 if verb == "up" else 1)
        except NoRoom:
            continue
        if not order(root):
            return
    diagram = parse(step_list.written(root).encode(), TABLES)
    assert {shape.id for shape in diagram.picture.shapes} >= set(order(root))
