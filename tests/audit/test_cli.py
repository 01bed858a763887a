"""`yinxu audit`: what an auditor types, and what is answered."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from app.audit.sequencer import witness
from app.cli import audit as cli
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
