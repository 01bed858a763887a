"""A seal's structure taken out: whoever may do so gets it byte for byte, OpenSSL alone confirms it, and the log knows who."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from app.audit.models import LogEntry
from app.cli import main
from app.db import db
from app.people.models import User
from app.seals import queries
from tests.cards.makers import World
from tests.people.makers import PASSWORD
from tests.seals.makers import made_seal

PAGE = Path("docs/seal-structure.md")


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """The command line on the test's own app."""
    import app.factory

    monkeypatch.setattr(app.factory, "create_app", lambda **_: world.app)

    def invoke(*arguments: str, **more: str):  # type: ignore[no-untyped-def]
        return CliRunner().invoke(main, ["seal", "export", *arguments], **more)

    return invoke


def documented_lines() -> list[str]:
    """The shell lines of the page's last chapter, as they stand there."""
    chapter = PAGE.read_text().partition("## Taking one out")[2]
    return re.findall(r"```sh\n(.*?)```", chapter, re.DOTALL)


def test_the_structure_is_taken_out_and_the_documented_lines_confirm_it(
    world: World,
    run,
    tmp_path: Path,  # type: ignore[no-untyped-def]
) -> None:
    seal_id = made_seal(world)
    file = tmp_path / "seal.der"

    told = json.loads(run("SC1", "--out", str(file), "--json").output)

    found = queries.seal(seal_id)
    assert (told["seal_id"], told["es_id"], told["sha256"]) == (seal_id, found.es_id, found.seal_sha256)
    assert file.read_bytes() == queries.seal_der(seal_id) == run(found.es_id).stdout_bytes
    assert run(str(seal_id)).stdout_bytes == file.read_bytes()
    done = subprocess.run(
        ["sh", "-euc", "\n".join(documented_lines())],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Verified OK"), done.stderr
    inspected = CliRunner().invoke(main, ["seal", "inspect", "--json", str(file)])
    assert (inspected.exit_code, json.loads(inspected.output)["signature"]) == (0, "good")


def test_only_the_seals_management_takes_it_out_and_every_attempt_is_logged(world: World, run) -> None:  # type: ignore[no-untyped-def]
    from app.people.passwords import hasher

    made_seal(world)
    for login in ("li", "sun", "qian"):
        user = db.session.query(User).filter_by(login=login).one()
        user.password_hash, user.password_is_first = hasher.hash(PASSWORD), False
    db.session.commit()

    def count() -> int:
        db.session.rollback()  # what the command wrote in a session of its own
        return db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0

    before = count()
    refused = {login: run("SC1", "--as", login, input=f"{PASSWORD}\n") for login in ("sun", "qian")}
    wrong = run("SC1", "--as", "li", input="a wrong password\n")
    good = run("SC1", "--as", "li", input=f"{PASSWORD}\n")

    assert {login: answer.exit_code for login, answer in refused.items()} == {"sun": 1, "qian": 1}
    assert all("印章管理部门" in answer.stderr for answer in refused.values())
    assert wrong.exit_code == 1 and "wrong" in wrong.stderr and wrong.stdout_bytes == b""
    assert good.exit_code == 0 and good.stdout_bytes[:1] == b"\x30"
    # three logins with their ends and what came of each, and the login that failed
    assert count() - before == 3 * 3 + 1
