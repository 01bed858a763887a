"""`yinxu flows`: what it prints and how it ends."""

import contextlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

import app.factory
from app.cli import flow_files, main
from app.flows.publishing import FOLDER
from tests.bpmn.diagrams import WORKFLOWS, bpmn, flow, shape
from tests.bpmn.foreign import ACCEPTED, START, arrows, one, process
from tests.bpmn.foreign import file as file_of
from tests.flows.makers import Town


def run(*arguments: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(main, ["flows", *arguments], catch_exceptions=False)
    return result.exit_code, result.output.strip().splitlines()


def test_the_shipped_files_are_accepted():
    code, lines = run("check")

    assert code == 0
    assert len(lines) == len([*WORKFLOWS.glob("*/*.bpmn"), *WORKFLOWS.glob("*/*.dmn")])
    assert all(json.loads(line)["verdict"] == "accepted" for line in lines)


def test_a_rejected_file_names_rule_element_line_and_message(tmp_path: Path):
    evil = tmp_path / "evil.bpmn"
    evil.write_bytes(
        bpmn(
            shape("startEvent", "begin"),
            shape("scriptTask", "evil", "<bpmn:script>import os</bpmn:script>"),
            shape("endEvent", "finish"),
            flow("begin", "evil"),
            flow("evil", "finish"),
        )
    )

    code, lines = run("check", str(evil))

    said = json.loads(lines[0])
    assert (code, said["verdict"]) == (1, "rejected")
    problem = said["problems"][0]
    assert (problem["rule"], problem["element"], problem["line"]) == ("unsupported", "evil", 1)
    assert "scriptTask" in problem["message"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.bpmn", b""),
        ("b.bpmn", b"\x00" * 50),
        ("c.bpmn", b"<definitions/>"),
        ("d.dmn", b"<a/>"),
        ("e.dmn", b"not xml"),
        ("f.bpmn", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'),
    ],
)
def test_no_file_gets_a_traceback(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)

    code, lines = run("check", str(tmp_path / name), str(tmp_path / "missing.bpmn"))

    assert code == 1
    assert [json.loads(line)["verdict"] for line in lines] == ["rejected", "rejected"]
    assert all(json.loads(line)["problems"][0]["message"] for line in lines)


def test_a_table_is_known_by_what_it_says_and_a_file_by_its_name(tmp_path: Path):
    table = tmp_path / "dish.dmn.xml"
    table.write_bytes(
        b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" name="m" namespace="n">'
        b'<decision id="d" name="d"><literalExpression><text>1 +</text></literalExpression></decision></definitions>'
    )
    broken = tmp_path / "cut off.bpmn"
    broken.write_bytes(b"<definitions")

    said = [json.loads(line)["problems"][0] for line in run("check", str(table), str(broken))[1]]

    assert [(p["rule"], p["element"]) for p in said] == [("table", "d"), ("not_xml", "cut off.bpmn")]


def test_a_story_is_played_without_a_database():
    folder = WORKFLOWS / "seal_lifecycle"

    code, lines = run(
        "run",
        str(folder / "seal_lifecycle.bpmn"),
        "--story",
        str(folder / "scenarios" / "whole_life.yaml"),
        "--json",
    )

    assert code == 0
    assert json.loads(lines[0])["finished"] is True


def test_a_diagram_of_another_tool_is_run_by_itself(tmp_path: Path):
    file = tmp_path / "from elsewhere.bpmn"
    file.write_bytes(ACCEPTED["events on borders"])

    code, lines = run("run", str(file), "--auto")

    said = json.loads(lines[0])
    assert (code, said["verdict"], said["outcome"]) == (0, "accepted", "ended")
    assert said["processes"][0]["never_passed"] == []


def test_what_never_rests_is_bounded_and_what_is_rejected_says_why(tmp_path: Path):
    circle, evil = tmp_path / "circle.bpmn", tmp_path / "evil.bpmn"
    circle.write_bytes(file_of(process(START, shape("serviceTask", "t"), shape("exclusiveGateway", "x"),
                                       arrows("s>t", "t>x", "x>t"))))  # fmt: skip
    evil.write_bytes(one(shape("scriptTask", "evil"), names="evil"))

    code, lines = run("run", str(circle), "--auto")
    assert (code, json.loads(lines[0])["outcome"]) == (0, "bounded")

    code, lines = run("run", str(evil), "--auto")
    said = json.loads(lines[0])
    assert (code, said["verdict"]) == (1, "rejected")
    assert "evil" in [p["element"] for p in said["problems"]]


def test_a_file_larger_than_any_diagram_is_not_read_to_its_end(tmp_path: Path):
    big = tmp_path / "big.bpmn"
    with big.open("wb") as opened:
        opened.truncate(100 * 1024 * 1024)

    code, lines = run("check", str(big), str(tmp_path))

    assert code == 1
    assert [json.loads(line)["problems"][0]["rule"] for line in lines] == ["too_large", "unreadable"]


def test_nothing_on_the_way_swallows_the_end_of_patience():
    with pytest.raises(flow_files.TooSlow), flow_files.within(0.05):
        while True:
            with contextlib.suppress(Exception):
                sum(range(1_000))


def test_a_broken_table_beside_a_diagram_is_no_fault_of_the_diagram(tmp_path: Path):
    file = tmp_path / "flow.bpmn"
    file.write_bytes(ACCEPTED["every task"])
    (tmp_path / "broken.dmn").write_bytes(b"<a/>")

    assert run("check", str(file))[0] == 0


def test_a_story_may_be_told_of_any_diagram(tmp_path: Path):
    file, story = tmp_path / "flow.bpmn", tmp_path / "story.yaml"
    file.write_bytes(ACCEPTED["an event-based gateway"])
    story.write_text("story: [{signal: n}]\nthen: {finished: true}", "utf-8")

    assert run("run", str(file), "--story", str(story))[0] == 0
    story.write_text("story: [{signal: other}]", "utf-8")
    assert run("run", str(file), "--story", str(story)) == (
        1,
        ["s → g", "step 1: nobody listens for the signal other"],
    )


@pytest.fixture
def same_app(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.factory.create_app", lambda: app)


def test_what_is_published_is_listed(town: Town, same_app: None):
    town.apply()

    _, lines = run("list", "--json")

    rows = {row["key"]: row for row in map(json.loads, lines)}
    assert (rows["seal_lifecycle"]["version"], rows["seal_lifecycle"]["running"]) == (1, 1)
    assert run("load")[1] == ["nothing new"]


def test_a_version_is_written_back_as_the_files_it_came_from(town: Town, same_app: None, tmp_path: Path):
    code, _ = run("export", "seal_approval", "--to", str(tmp_path))

    assert code == 0
    for name in ("seal_approval.bpmn", "routing.dmn"):
        assert (tmp_path / "seal_approval" / name).read_bytes() == (
            FOLDER / "seal_approval" / name
        ).read_bytes()
    assert json.loads((tmp_path / "seal_approval/forms/review.json").read_text()) == json.loads(
        (FOLDER / "seal_approval/forms/review.json").read_text()
    )
    assert run("export", "nothing")[0] == 1


assert app.factory
