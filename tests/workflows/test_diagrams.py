"""The shipped diagrams agree with everything they name, and their stories come true."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

import workflows
from app.bpmn.parse import Diagram, program
from app.bpmn.simulate import play
from app.flows import publishing
from app.flows.action import ACTIONS
from app.flows.forms import fill, form_of
from app.glossary import role_of_lane
from tests.bpmn.diagrams import NOW, WORKFLOWS, shipped

STORIES = sorted(WORKFLOWS.glob("*/scenarios/*.yaml"))


@pytest.fixture(scope="module")
def diagrams() -> dict[str, Diagram]:
    return shipped()


def test_the_table_of_contents_is_the_folders(diagrams: dict[str, Diagram]):
    assert set(workflows.FLOWS) == set(diagrams)


def test_what_the_diagrams_ask_for_is_what_is_registered(app: Flask, diagrams: dict[str, Diagram]):
    asked = {name: names for d in diagrams.values() for name, names in d.operators.items()}

    assert set(asked) == {name for name in ACTIONS if name.partition("/")[0] in workflows.FLOWS}
    for name, given in asked.items():
        assert ACTIONS[name].needed <= given <= ACTIONS[name].allowed, name
        assert ACTIONS[name].label.zh != ACTIONS[name].label.en, name


def test_an_action_stands_in_the_folder_of_its_name(app: Flask):
    for name, action in ACTIONS.items():
        if name.startswith("bench/"):
            continue  # what a bench registers to measure on
        assert action.function.__module__ == f"workflows.{name.partition('/')[0]}.actions"


def test_every_flow_passes_the_house_lint(app: Flask):
    for said in publishing.read_folder():
        problems = publishing.check(said.bpmn, said.tables, frozenset(said.forms), frozenset(workflows.FLOWS))
        assert problems == [], said.key


def test_every_shape_and_form_speaks_both_languages(diagrams: dict[str, Diagram]):
    for diagram in diagrams.values():
        for node in diagram.nodes.values():
            assert node.label.zh == "" or (node.label.en and node.label.en != node.label.zh), node.id
            assert node.lane is None or role_of_lane(node.lane), node.id


def test_every_form_that_has_a_task_is_used_and_readable():
    for said in publishing.read_folder():
        used = {n.properties.get("form", n.id) for n in said.diagram.nodes.values() if n.kind == "userTask"}
        assert used == set(said.forms), said.key


@pytest.mark.parametrize("file", STORIES, ids=lambda f: f"{f.parent.parent.name}/{f.stem}")
def test_a_story_comes_true(file: Path, diagrams: dict[str, Diagram]):
    story = yaml.safe_load(file.read_text("utf-8"))

    played = play(
        program(diagrams[file.parent.parent.name], diagrams), story, now=NOW, role_of_lane=role_of_lane
    )

    assert played.problems == []
    assert set(story["title"]) == {"zh", "en"}


@pytest.mark.parametrize("file", STORIES, ids=lambda f: f"{f.parent.parent.name}/{f.stem}")
def test_what_a_story_fills_in_is_what_the_forms_accept(file: Path):
    folder = file.parent.parent
    ours = [folder, *(WORKFLOWS / called for called in workflows.FLOWS if called != folder.name)]
    forms: dict[str, Any] = {}
    for place in ours:  # a story's own forms come before those of the flows it calls
        for path in sorted(place.glob("forms/*.json")):
            forms.setdefault(path.stem, form_of(path.stem, yaml.safe_load(path.read_text())))
    for step in yaml.safe_load(file.read_text("utf-8")).get("story", []):
        if "task" in step:
            form = forms[step["task"]]
            free: dict[str, Any] = {f.name: [_choice(step["form"][f.name])] for f in form.fields if f.source}
            assert fill(form, step["form"], offered=free)


def _choice(value: Any) -> Any:
    from app.flows.forms import Choice
    from app.text import Text

    return Choice(str(value), Text("", ""))


def test_a_story_that_goes_another_way_says_where(diagrams: dict[str, Diagram]):
    story = {
        "data": {"kind": "official", "unit_level": 2, "application_id": 1},
        "story": [{"task": "review", "as": "applicant"}, {"task": "nowhere"}],
        "then": {"finished": True},
    }

    problems = play(
        program(diagrams["seal_approval"], diagrams), story, now=NOW, role_of_lane=role_of_lane
    ).problems

    assert problems == [
        "step 1: review is for seal_office, not for applicant",
        "finished: expected True, came False",
    ]
