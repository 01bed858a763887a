"""The one door of the command line: what it leaves on the disk, what it imports, and its JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from app.cli import main
from card_agent.__main__ import main as agent
from tests.signing.examples import FOLDER

HEAVY = ("flask", "sqlalchemy", "SpiffWorkflow", "pydantic", "rq", "redis", "openpyxl", "pkcs11", "reportlab")


@pytest.fixture
def masks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What was asked of the operating system; the test's own process keeps its mask."""
    asked: list[int] = []
    monkeypatch.setattr(os, "umask", asked.append)
    return asked


@pytest.mark.parametrize("name", ["demo", "serve", "worker", "scheduler", "db", "keys", "people"])
def test_what_our_processes_create_only_we_may_read(masks: list[int], name: str) -> None:
    CliRunner().invoke(main, [name, "--no-such-option"])

    assert masks == [0o077]


def test_what_the_agent_creates_only_it_may_read(
    masks: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("YINXU_AGENT_STATE_DIR", str(tmp_path))
    agent(["status"])

    assert masks == [0o077]


def test_a_verification_leaves_the_mask_as_it_was(masks: list[int]) -> None:
    CliRunner().invoke(main, ["verify", "--no-such-option"])

    assert masks == []


def test_a_verification_imports_nothing_of_the_server(tmp_path: Path) -> None:
    """It is typed by people who wait: only the press and the seals are loaded."""
    program = (
        "import sys\nfrom app.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n"
        f"    print([name for name in {HEAVY!r} if name in sys.modules], end.code)"
    )
    words = [
        "verify",
        str(FOLDER / "genuine.pdf"),
        "--trust",
        str(FOLDER / "trust"),
        "--at",
        "2026-06-01T09:00:00",
    ]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())}

    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stdout.splitlines()[-1] == "[] 0", done.stdout + done.stderr


def test_the_shape_of_the_database_is_told_as_json(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.factory.create_app", lambda **_: app)

    told = json.loads(CliRunner().invoke(main, ["db", "current", "--json"]).stdout)

    assert told["current"] is None and told["newest"]


def test_a_rotated_key_is_told_as_json(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.factory.create_app", lambda **_: app)

    first, second = (
        json.loads(CliRunner().invoke(main, ["keys", "rotate", "--json"]).stdout) for _ in range(2)
    )

    assert [first["key"][:5], second["key"][:5]] == ["kek-v", "kek-v"]
    assert first["key"] != second["key"]
