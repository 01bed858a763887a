"""`yinxu audit`: what an auditor types, and what is answered."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from app.audit.sequencer import witness
from app.cli import audit as cli
from app.cli import main
from app.db import db
from app.settings import Settings
from tests.audit.makers import forge, write


@pytest.fixture
def env(settings: Settings, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in {
        "YINXU_ENVIRONMENT": "test",
        "YINXU_VAR_DIR": str(settings.var_dir),
        "YINXU_SECRET_KEY": "x" * 40,
        "YINXU_KEY_BACKEND": "software",
        "DATABASE_URL": settings.database_url,
    }.items():
        monkeypatch.setenv(name, value)
    return settings


def run(*words: str) -> Result:
    db.session.remove()
    return CliRunner().invoke(cli.command, list(words))


def test_an_intact_log_is_said_to_be_intact(env: Settings) -> None:
    write(5)
    answer = run("verify", "--json")
    told = json.loads(answer.output)
    assert answer.exit_code == 0
    assert told["intact"] and told["entries"] == told["tree_size"] == told["witnessed"] == 5
    assert "intact" in run("verify").output


def test_a_broken_log_is_said_to_be_broken_and_where(env: Settings) -> None:
    write(5)
    forge("UPDATE log_leaf SET unit_id = 99 WHERE seq = 2")
    answer = run("verify", "--json")
    told = json.loads(answer.output)
    assert answer.exit_code == 1
    assert [(b["at"], b["kind"]) for b in told["breaks"]] == [(2, "index")]
    assert told["breaks"][0]["zh"] and told["breaks"][0]["en"]
    assert "BROKEN at 2" in run("verify").output


def test_a_checkpoint_of_the_auditors_own_is_demanded(env: Settings, tmp_path: Path) -> None:
    write(5, batch=3)
    kept = tmp_path / "mine.checkpoint"
    kept.write_text((witness().folder / "000000000003.checkpoint").read_text())
    assert run("verify", "--checkpoint", str(kept)).exit_code == 0
    forge(*(f"DELETE FROM {t}" for t in ("log_token", "log_leaf", "log_entry", "log_checkpoint")))
    answer = run("verify", "--json", "--checkpoint", str(kept))
    assert answer.exit_code == 1
    assert [b["kind"] for b in json.loads(answer.output)["breaks"]] == ["truncated"]


def test_a_proof_is_checked_without_database_or_token(env: Settings, tmp_path: Path) -> None:
    write(9, batch=4)
    proof, checkpoint = tmp_path / "p.tlog-proof", witness().folder / "latest.checkpoint"
    assert run("prove", "3", "--out", str(proof)).exit_code == 0
    good = run("check", str(proof), "--checkpoint", str(checkpoint))
    assert (good.exit_code, "entry 3" in good.output) == (0, True)

    whole = proof.read_text()
    older = witness().folder / "000000000004.checkpoint"
    forgeries = {
        "another position": (whole.replace("index 3", "index 4"), checkpoint),
        "another entry": (whole.replace("extra AAAA", "extra AAAB", 1), checkpoint),
        "another checkpoint": (whole, older),
        "a path cut short": ("\n".join(whole.split("\n")[:3] + whole.split("\n")[4:]), checkpoint),
        "junk": ("junk", checkpoint),
    }
    for name, (text, trusted) in forgeries.items():
        proof.write_text(text)
        answer = run("check", str(proof), "--checkpoint", str(trusted))
        assert answer.exit_code == 1, name
        assert "not proven" in answer.output

    lied = tmp_path / "lied.checkpoint"
    lied.write_text(checkpoint.read_text().replace("\n9\n", "\n8\n"))
    proof.write_text(whole)
    keys = ["--keys", str(witness().folder / "log.vkey")]
    assert run("check", str(proof), "--checkpoint", str(lied), *keys).exit_code == 1


def test_an_entry_that_is_not_there_is_not_proven(env: Settings) -> None:
    write(1)
    answer = run("prove", "7")
    assert answer.exit_code == 1
    assert "There is no log entry 7" in answer.output


def told_of_silence(env_url: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("DATABASE_URL", env_url)
    return CliRunner().invoke(main, ["audit", "verify", "--json"])


def test_a_database_that_does_not_answer_is_not_a_broken_log(
    env: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = told_of_silence("postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=2", monkeypatch)

    told = json.loads(answer.stdout)
    assert (answer.exit_code, told["intact"]) == (69, None)
    assert "does not answer" in told["error"]["en"] and "没有应答" in told["error"]["zh"]
    assert "Traceback" not in answer.stderr


def test_a_database_without_tables_says_how_to_make_them(
    env: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer = told_of_silence(f"sqlite:///{tmp_path}/empty.sqlite", monkeypatch)

    assert answer.exit_code == 69 and "yinxu db upgrade" in json.loads(answer.stdout)["error"]["en"]


@pytest.mark.parametrize("words", [["people", "list"], ["stations", "list"], ["flows", "list"]])
def test_every_command_says_so_before_the_first_upgrade(
    env: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/empty.sqlite")

    answer = CliRunner().invoke(main, words)

    assert answer.exit_code == 69
    assert "yinxu db upgrade" in answer.stderr and "Traceback" not in answer.stderr


@pytest.mark.parametrize("content", [b"", b"a shopping list\n", b"\xff\xfe"])
def test_a_file_that_is_no_checkpoint_is_wrong_usage(env: Settings, tmp_path: Path, content: bytes) -> None:
    write(1)
    (tmp_path / "list").write_bytes(content)

    answer = run("verify", "--json", "--checkpoint", str(tmp_path / "list"))

    assert answer.exit_code == 64 and answer.stdout == ""
    assert "no checkpoint" in answer.stderr


def test_a_fault_of_the_command_is_not_a_broken_log(env: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_witnessed: str | None) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr("app.audit.verify.walk", broken)

    assert run("verify").exit_code == 70
