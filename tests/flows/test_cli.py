"""`yinxu flows`: what it prints and how it ends."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

import app.factory
from app.cli import main
from app.flows.publishing import FOLDER
from tests.bpmn.diagrams import WORKFLOWS, bpmn, flow, shape
from tests.flows.makers import Town


def run(*arguments: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(main, ["flows", *arguments], catch_exceptions=False)
    return result.exit_code, result.output.strip().splitlines()


def test_the_shipped_files_are_accepted():
    code, lines = run("check")

    assert code == 0
    assert len(lines) == 6
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
