"""`yinxu decide` and `yinxu bench`: what they print, and how they end."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.bench.measure import Measure
from app.cli import bench, main
from tests.bpmn.makers import one_table


@pytest.fixture
def risk(tmp_path: Path) -> str:
    file = tmp_path / "risk.dmn"
    rules = [("< 10", '"low"'), (">= 10", '"high"'), (">= 100", '"extreme"')]
    file.write_bytes(one_table(rules, outputs=("risk",), input_types=("number",)))
    return str(file)


def run(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["decide", *words], input=stdin)


def test_it_prints_the_result_as_json(risk: str) -> None:
    answer = run(risk, "--decision", "Decision", "--input", '{"x": 3}')
    assert (answer.exit_code, json.loads(answer.stdout)) == (0, "low")


def test_it_tells_which_rule_answered(risk: str) -> None:
    told = json.loads(run(risk, "--input", '{"x": 3}', "--json").stdout)
    assert told["outputs"] == {"risk": "low"}
    assert [(rule["index"], rule["description"]) for rule in told["matched"]] == [(1, "row 1")]


def test_without_an_answer_it_is_null_and_strictly_an_error(risk: str) -> None:
    assert run(risk, "--input", '{"x": 500}').stdout.strip() == "null"
    strict = run(risk, "--input", '{"x": 500}', "--strict", "--json")
    assert strict.exit_code == 1
    assert "rules 2, 3" in json.loads(strict.stdout)["error"]["en"]


@pytest.mark.parametrize("words", [("--input", "["), ("--input", "[1]"), ("--nonsense",)])
def test_a_wrong_question_is_told_apart_from_no_answer(risk: str, words: tuple[str, ...]) -> None:
    assert run(risk, *words).exit_code not in (0, 1)


def test_a_file_that_is_no_model_is_told_in_both_languages(tmp_path: Path) -> None:
    file = tmp_path / "x.dmn"
    file.write_text("hello")
    answer = run(str(file))
    assert answer.exit_code == 1
    assert "无法读取" in answer.stderr and "cannot be read" in answer.stderr
    assert run(str(tmp_path / "none.dmn")).exit_code == 1


def test_a_batch_answers_line_by_line_and_survives_bad_lines(risk: str, tmp_path: Path) -> None:
    dates = tmp_path / "dates.dmn"
    dates.write_bytes(one_table([('< @"2025-06-01"', 'x + @"P1D"')]))
    cases = [
        {"file": risk, "decision": "d", "input": {"x": 20.5}},
        {"file": str(dates), "decision": "d", "input": {"x": {"type": "date", "value": "2025-01-31"}}},
        {"file": risk, "decision": "nobody", "input": {}},
        {"file": "/nowhere.dmn"},
    ]
    answer = run("--batch", "-", stdin="\n".join([*map(json.dumps, cases), "{oops", ""]))
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.exit_code == 0
    assert lines[:2] == [{"result": "high"}, {"result": "2025-02-01"}]
    assert all("error" in line for line in lines[2:]) and len(lines) == 5


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    file = tmp_path / "sum.dmn"
    file.write_bytes(one_table([("-", "x + 0.1")]))
    answer = run(str(file), "--input", '{"x": 0.20000000000000000000001}')
    assert answer.stdout.strip() == "0.30000000000000000000001"


def test_benches_are_listed_by_name() -> None:
    listed = CliRunner().invoke(main, ["bench"]).stdout
    assert "feel" in listed and "decision" in listed
    assert CliRunner().invoke(main, ["bench", "nothing"]).exit_code == 64


def test_a_bench_prints_one_line_a_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    measure = Measure(name="a.b", ours=10, unit="things/s", baseline=5, ratio=2, goal=3)
    monkeypatch.setattr(bench, "_measures", lambda name, db: iter([measure]))
    answer = CliRunner().invoke(main, ["bench", "feel", "--json"])
    assert json.loads(answer.stdout) == {
        "name": "a.b", "ours": 10, "unit": "things/s", "baseline": 5, "ratio": 2, "goal": 3,
    }  # fmt: skip
    assert answer.exit_code == 0
    assert CliRunner().invoke(main, ["bench", "feel", "--check"]).exit_code == 1
