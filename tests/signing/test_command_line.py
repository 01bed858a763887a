"""`yinxu verify`: verdicts, exit codes, and the golden examples of its JSON. No server, no database."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.cli.verify import _database_url
from tests.signing.examples import AT, FOLDER

EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.pdf"))
KNOWING = [
    "--trust",
    str(FOLDER / "trust"),
    "--at",
    AT.isoformat(),
    "--register",
    str(FOLDER / "register.jsonl"),
]
EXIT = {"genuine": 0, "altered": 1, "indeterminate": 2, "unsigned": 3, "unreadable": 4, "withdrawn": 5}


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "YINXU_DATABASE_URL", "YINXU_TRUST_DIR", "YINXU_VAR_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)


def yinxu(*words: str) -> Result:
    return CliRunner().invoke(main, ["verify", *words])


def example(name: str) -> str:
    return str(FOLDER / f"{name}.pdf")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_golden_examples_say_what_they_always_said(name: str) -> None:
    expected = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))

    result = yinxu(example(name), "--json", *KNOWING)

    said = json.loads(result.stdout)
    assert Path(said.pop("file")).name == expected.pop("file")
    assert said == expected
    assert result.exit_code == EXIT[expected["verdict"]]


def test_the_examples_show_every_kind_of_answer() -> None:
    verdicts = {json.loads((FOLDER / f"{n}.json").read_text(encoding="utf-8"))["verdict"] for n in EXAMPLES}

    assert verdicts == set(EXIT) - {"indeterminate"}


def test_without_roots_it_is_indeterminate() -> None:
    result = yinxu(example("genuine"), "--json")

    assert result.exit_code == 2
    assert json.loads(result.stdout)["problems"][0]["code"] == "no_roots"


def test_several_files_give_a_line_each_and_the_highest_code() -> None:
    result = yinxu(example("unsigned"), example("genuine"), example("altered"), "--json", *KNOWING)

    assert [json.loads(line)["verdict"] for line in result.stdout.splitlines()] == [
        "unsigned",
        "genuine",
        "altered",
    ]
    assert result.exit_code == 3


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["none.pdf"],
        ["--at", "noon", example("genuine")],
        ["--trust", "nowhere", example("genuine")],
        ["-x"],
    ],
)
def test_wrong_usage_is_64(words: list[str]) -> None:
    assert yinxu(*words).exit_code == 64


def test_people_get_words() -> None:
    result = yinxu(example("altered"), *KNOWING)

    assert "ALTERED 已被改动" in result.stdout
    assert "内容被改动" in result.stdout


def test_a_register_that_cannot_be_read_leaves_nothing_genuine(tmp_path: Path) -> None:
    (tmp_path / "register.jsonl").write_text("not json\n")

    result = yinxu(example("genuine"), "--json", *KNOWING[:4], "--register", str(tmp_path / "register.jsonl"))

    assert result.exit_code == 2
    assert json.loads(result.stdout)["problems"][0]["code"] == "register_unavailable"


def register_of(tmp_path: Path, *lines: object) -> list[str]:
    """KNOWING, with these lines as the register."""
    file = tmp_path / "register.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return [*KNOWING[:-1], str(file)]


HEAD = {"register": "yinxu-withdrawals/1", "entries": 1}
ENTRY = {"id": "sha256:1", "at": "2026-06-01T08:30:00+00:00", "reason": ""}


@pytest.mark.parametrize(
    "lines", [[], [HEAD], [ENTRY], [{**HEAD, "entries": 2}, ENTRY], [HEAD, ENTRY, ENTRY]]
)
def test_a_register_that_is_empty_or_cut_short_leaves_nothing_genuine(
    tmp_path: Path, lines: list[object]
) -> None:
    result = yinxu(example("genuine"), "--json", *register_of(tmp_path, *lines))

    assert result.exit_code == 2
    assert [p["code"] for p in json.loads(result.stdout)["problems"]] == ["register_incomplete"]


def test_a_register_that_knows_of_no_withdrawal_says_so(tmp_path: Path) -> None:
    register = register_of(tmp_path, {**HEAD, "entries": 0})

    assert yinxu(example("genuine"), "--json", *register).exit_code == 0
    assert yinxu(example("genuine"), "--json", *KNOWING[:-1], "/dev/null").exit_code == 2


def test_a_withdrawal_counts_even_in_a_register_that_was_cut_short(tmp_path: Path) -> None:
    _head, entry = (FOLDER / "register.jsonl").read_text(encoding="utf-8").splitlines()

    result = yinxu(example("withdrawn"), "--json", *register_of(tmp_path, json.loads(entry)))

    assert json.loads(result.stdout)["verdict"] == "withdrawn"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty_file"), (bytes(range(256)), "not_a_pdf"), (b"%PDF-1.7\n", "pdf_broken")],
)
def test_what_cannot_be_read_is_said_with_its_reason(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "file.pdf").write_bytes(content)

    result = yinxu(str(tmp_path / "file.pdf"), "--json", *KNOWING)

    [problem] = json.loads(result.stdout)["problems"]
    assert (result.exit_code, problem["code"]) == (4, code)
    assert problem["zh"] and problem["en"]


@pytest.mark.parametrize("name", ["DATABASE_URL_FILE", "YINXU_DATABASE_URL_FILE"])
def test_a_database_that_is_named_by_a_missing_file_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "/nonexist")

    result = yinxu(example("genuine"), "--json", *KNOWING[:4])

    assert result.exit_code == 64
    assert name in result.stderr and "/nonexist" in result.stderr and result.stdout == ""


@pytest.mark.parametrize(("raised", "code"), [(RuntimeError("oops"), 70), (KeyboardInterrupt(), 130)])
def test_a_command_that_fails_by_itself_never_says_altered(
    monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr("app.signing.verifying.verify", broken)

    assert yinxu(example("genuine"), *KNOWING).exit_code == code


def test_the_database_is_asked_when_one_is_configured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert _database_url() is None
    (tmp_path / "var" / "demo").mkdir(parents=True)
    (tmp_path / "var" / "demo" / ".made-by-yinxu-demo").touch()
    (tmp_path / "var" / "demo" / "yinxu.sqlite").touch()
    assert _database_url() == f"sqlite:///{tmp_path}/var/demo/yinxu.sqlite"
    (tmp_path / "var" / "trust").mkdir()
    (tmp_path / "var" / "yinxu.sqlite").touch()
    assert _database_url() == f"sqlite:///{tmp_path}/var/yinxu.sqlite"
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")
    assert _database_url() == "postgresql://somewhere/else"
