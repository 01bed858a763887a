"""`yinxu decide` and `yinxu bench`: what they print, and how they end."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.bench.measure import Measure
from app.cli import bench, main
from tests.bpmn.makers import literal, model, one_table


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
    assert run(risk, "--input", '{"x": null}').stdout.strip() == "null"
    strict = run(risk, "--input", '{"x": null}', "--strict", "--json")
    assert strict.exit_code == 1
    assert "no rule applies" in json.loads(strict.stdout)["error"]["en"]


def test_two_rules_of_a_unique_table_are_an_error_however_one_asks(risk: str) -> None:
    for words in ((), ("--strict",)):
        answer = run(risk, "--input", '{"x": 500}', "--json", *words)
        assert answer.exit_code == 1
        assert "rules 2, 3" in json.loads(answer.stdout)["error"]["en"]


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


def asked(cases: list[Any], tmp_path: Path) -> list[Any]:
    """The answers to a batch that lies in `tmp_path`, line by line."""
    batch = tmp_path / "cases.jsonl"
    batch.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in cases))
    answer = run("--batch", str(batch))
    assert (answer.exit_code, answer.exception) == (0, None)
    return [json.loads(line) for line in answer.stdout.splitlines()]


def raw(file: str, x: str) -> str:
    """A line whose input is written as it stands."""
    return f'{{"file": "{file}", "input": {{"x": {x}}}}}'


def test_a_batch_names_files_from_where_it_lies(risk: str, tmp_path: Path) -> None:
    case = {"file": Path(risk).name, "decision": "d", "input": {"x": 3}}
    assert asked([case], tmp_path) == [{"result": "low"}]


@pytest.mark.parametrize(
    ("tagged", "answer"),
    [
        ({"type": "date", "value": "2025-01-31"}, "2025-01-31"),
        ({"type": "xsd:date", "value": "2025-01-31"}, "2025-01-31"),
        ({"@type": "feel:dateTime", "@value": "2025-01-31T10:00:00Z"}, "2025-01-31T10:00:00Z"),
        ({"kind": "date and time", "text": "2025-01-31T10:00:00"}, "2025-01-31T10:00:00"),
        ({"type": "time", "value": "10:00:00+08:00"}, "10:00:00+08:00"),
        ({"$type": "xs:dateTime", "#text": "2025-01-31T10:00:00"}, "2025-01-31T10:00:00"),
        ({"$date": "2025-01-31"}, "2025-01-31"),
        ({"xsi:type": "xsd:duration", "value": "PT36H"}, "P1DT12H"),
        ({"type": "years and months duration", "value": "P14M"}, "P1Y2M"),
        ({"type": "days_and_time_duration", "value": "P1D"}, "P1D"),
    ],
)
def test_moments_may_be_tagged(tagged: dict[str, str], answer: str, tmp_path: Path) -> None:
    (tmp_path / "echo.dmn").write_bytes(one_table([("-", "if x instance of string then null else x")]))
    cases = [{"file": "echo.dmn", "input": {"x": tagged}}, {"file": "echo.dmn", "input": {"x": [tagged]}}]
    assert asked(cases, tmp_path) == [{"result": answer}, {"result": [answer]}]


def test_a_context_that_only_looks_tagged_stays_one(tmp_path: Path) -> None:
    (tmp_path / "echo.dmn").write_bytes(one_table([("-", "x")]))
    given = [
        *({"type": "seal", "value": "official"}, {"type": "date", "value": 3}, {"type": "date"}),
        *({"date": "2025-01-31"}, {"$seal": "official"}, {"type": "date", "value": "2025-01-31", "by": "me"}),
    ]
    cases = [{"file": "echo.dmn", "input": {"x": value}} for value in given]
    assert asked(cases, tmp_path) == [{"result": value} for value in given]


IMPORT = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def knowing(number: str, inside: str = "") -> bytes:
    """A model with one piece of business knowledge, `b`."""
    logic = f"<encapsulatedLogic>{literal(number)}</encapsulatedLogic>"
    said = model(f'{inside}<businessKnowledgeModel id="b" name="b">{logic}</businessKnowledgeModel>')
    return said.replace(b"urn:test", b"urn:other")


def importing(location: str) -> bytes:
    needs = '<knowledgeRequirement><requiredKnowledge href="urn:other#b"/></knowledgeRequirement>'
    found = f'<import namespace="urn:other" name="o" importType="{IMPORT}"{location}/>'
    return model(f'{found}<decision id="d" name="d">{needs}{literal("o.b()")}</decision>')


def test_a_model_finds_what_it_imports_beside_it_or_below(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "other.dmn").write_bytes(knowing("42"))
    (tmp_path / "below" / "other.dmn").write_bytes(knowing("43"))
    places = ("other.dmn", "../elsewhere/other.dmn", "below/other.dmn")
    for number, place in enumerate(places):
        (tmp_path / f"m{number}.dmn").write_bytes(importing(f' locationURI="{place}"'))
    answers = asked([{"file": f"m{number}.dmn"} for number in range(len(places))], tmp_path)
    assert answers == [{"result": 42}, {"result": 42}, {"result": 43}]


def test_a_model_without_a_place_is_found_by_its_namespace(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "any name.dmn").write_bytes(knowing("42"))
    (tmp_path / "m.dmn").write_bytes(importing(""))
    assert asked([{"file": "m.dmn"}], tmp_path) == [{"result": 42}]


def test_no_import_reaches_outside_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.dmn").write_bytes(knowing("42"))
    (inside / "link.dmn").symlink_to(tmp_path / "secret.dmn")
    for number, place in enumerate(("../secret.dmn", str(tmp_path / "secret.dmn"), "link.dmn")):
        (inside / f"m{number}.dmn").write_bytes(importing(f' locationURI="{place}"'))
    answers = asked([{"file": f"inside/m{number}.dmn"} for number in range(3)], tmp_path)
    assert answers == [{"result": None}] * 3


def test_a_decision_that_cannot_be_read_is_an_error_of_its_own(tmp_path: Path) -> None:
    parts = f'<decision id="a" name="a">{literal("1")}</decision><decision id="b" name="b">{literal("1 +")}</decision>'
    (tmp_path / "m.dmn").write_bytes(model(parts))
    good, bad = asked([{"file": "m.dmn", "decision": "a"}, {"file": "m.dmn", "decision": "b"}], tmp_path)
    assert good == {"result": 1}
    assert "incomplete" in bad["error"] and "不完整" in bad["zh"]


HOSTILE = {
    "loop": "for i in 1..1e12 return i",
    "some": "some i in 1..1e12 satisfies i < 0",
    "nested": "for a in 1..1000, b in 1..1000, c in 1..1000 return a",
    "string": '{f: function(s, n) if n = 0 then s else f(s + s, n - 1), r: f("aaaaaaaaaa", 40)}.r',
    "endless": "{f: function(n) f(n + 1), r: f(1)}.r",
    "mutual": "{f: function(n) g(n), g: function(n) f(n), r: f(1)}.r",
    "flatten": "flatten(for i in 1..1000 return for j in 1..1000 return j)",
    "shared": "{a: [1], "
    + ", ".join(f"b{i}: [{'a' if i == 0 else f'b{i - 1}'}, 1]" for i in range(150))
    + "}",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_what_would_never_end_is_stopped_and_says_so(name: str, tmp_path: Path) -> None:
    (tmp_path / "h.dmn").write_bytes(model(f'<decision id="d" name="d">{literal(HOSTILE[name])}</decision>'))
    (answer,) = asked([{"file": "h.dmn"}], tmp_path)
    assert "too" in answer["error"]


def test_no_line_of_a_batch_stops_it(risk: str, tmp_path: Path) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    (tmp_path / "bomb.dmn").write_text('<!DOCTYPE d [<!ENTITY a "aa">]><definitions>&a;</definitions>')
    (tmp_path / "big.dmn").write_bytes(b"<definitions>" + b" " * 5_000_000 + b"</definitions>")
    (tmp_path / "deep.dmn").write_bytes(model("<list>" * 5_000 + "</list>" * 5_000))
    (tmp_path / "folder.dmn").mkdir()
    bad = [
        *({"file": f"{name}.dmn"} for name in ("bomb", "big", "deep", "folder", "nowhere", "a\x00b")),
        *({"file": value} for value in (None, 3, [risk], "")),
        {"file": risk, "decision": "d", "input": [1]},
        {"file": risk, "decision": ["d"]},
        raw(risk, deep),
        raw(risk, "9" * 10_000),
        raw(risk, '"' + "a" * 9_000_000 + '"'),
        "[1]", "null", "{", "\x00",
    ]  # fmt: skip
    *answers, last = asked([*bad, {"file": risk, "input": {"x": 3}}], tmp_path)
    assert len(answers) == len(bad)
    assert [answer for answer in answers if not answer.get("error")] == []
    assert last == {"result": "low"}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e99999999999", "-0.0", "1E+400"])
def test_numbers_that_are_none_are_null(number: str, risk: str, tmp_path: Path) -> None:
    (answer,) = asked([raw(risk, number)], tmp_path)
    assert "rules 2, 3" in answer.get("error", "") or answer["result"] in (None, "low")


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
