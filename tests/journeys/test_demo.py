"""`yinxu demo --once` from nothing to a document that anyone can verify, and what it leaves behind."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from app.audit.models import APPEND_ONLY
from app.cli import demo as command
from app.demo import leftover, run
from app.demo.cast import SEAL_NAME
from app.demo.pdf import contract
from app.demo.pdfsig import PdfsigVerdict
from app.demo.stage import Stage
from app.demo.story import Told
from app.servers import free_port
from app.supervisor import Supervisor
from tests.journeys.played import Demo, bare_environment, lines, yinxu
from tests.pdf import makers as pdf_makers

pytestmark = [
    pytest.mark.journey,
    pytest.mark.softhsm,
    pytest.mark.slow,
]


@dataclass
class Played:
    """A demo that has ended: what it printed, what still ran and listened a moment later."""

    demo: Demo
    done: "subprocess.CompletedProcess[str]"
    told: dict[str, Any]
    left_running: list[str]
    left_open: list[int]

    @property
    def sealed(self) -> Path:
        return Path(self.told["sealed_pdf"])

    @property
    def database(self) -> Path:
        return self.demo.folder / "yinxu.sqlite"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Once for all tests of this module: on SQLite and an embedded Redis, on free ports."""
    demo = Demo(tmp_path_factory.mktemp("demo"))
    done = demo.yinxu(*demo.words, "--once")
    assert done.returncode == 0, done.stderr[-3000:]
    found = Played(demo, done, json.loads(done.stdout), demo.own_processes(), demo.open_ports())
    with closing(sqlite3.connect(found.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(found.database, f"{found.database}.whole")
    return found


# --- the story (Shows 2) ---


def test_the_seal_made_on_real_tokens_is_taken_out_and_openssl_alone_confirms_it(played: Played) -> None:
    """The lines of docs/seal-structure.md, on a seal whose maker's key never left its token."""
    taken = played.demo.yinxu("seal", "export", "1", "--out", "seal.der")
    assert taken.returncode == 0, taken.stderr
    page = (Path(__file__).parents[2] / "docs" / "seal-structure.md").read_text()
    lines = "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))

    done = subprocess.run(
        ["sh", "-euc", lines], cwd=played.demo.cwd, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Verified OK"), done.stderr
    inspected = played.demo.yinxu("seal", "inspect", "--json", "seal.der")
    said = json.loads(inspected.stdout)
    assert (inspected.returncode, said["signature"], said["version"]) == (0, "good", 4)


def test_the_story_holds_and_is_told_as_one_json_object(played: Played) -> None:
    told = played.told

    assert set(told) >= {"steps", "sealed_pdf", "verdicts", "audit"}
    assert all(set(step) == {"name", "actor", "ms"} and step["ms"] >= 0 for step in told["steps"])
    assert {"李航", "王敏", "刘可", "周宁", "anyone"} <= {step["actor"] for step in told["steps"]}
    assert told["verdicts"] == {"own": "genuine", "pdfsig": "genuine"}
    assert told["audit"]["intact"] and told["audit"]["entries"] >= len(told["steps"])
    assert told["problems"] == []


def test_each_step_is_a_line_for_people_with_who_what_and_milliseconds(played: Played) -> None:
    said = re.findall(r"^ *\d+ ms +(\S+) +(.+?)(?:  \(.*)?$", played.done.stderr, re.MULTILINE)

    assert [(who, what) for who, what in said] == [(s["actor"], s["name"]) for s in played.told["steps"]]


def test_when_it_has_ended_nothing_is_left_running(played: Played) -> None:
    assert played.left_running == []
    assert played.left_open == []


def test_no_password_and_no_pin_is_left_in_what_it_wrote(played: Played) -> None:
    """PINs go to the agent only, passwords nowhere."""
    written = [p for name in ("logs", "agent") for p in (played.demo.folder / name).rglob("*") if p.is_file()]

    assert any(p.suffix == ".log" for p in written)
    for path in written:
        assert not re.search(rb"\b(271828|314159)\b", path.read_bytes()), path


# --- verifying (Shows 4) ---


def edited(path: Path, change: Callable[[bytes], bytes], to: Path) -> Path:
    to.write_bytes(change(path.read_bytes()))
    return to


def flipped(data: bytes) -> bytes:
    """One bit of one byte inside the signed range: in the contract's own text stream."""
    at = data.index(b"stream") + 20
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def added_to(data: bytes) -> bytes:
    """A line drawn on the page after it was sealed, as an editor saves it: the signed bytes are untouched."""
    writer = IncrementalPdfFileWriter(BytesIO(data))
    line = generic.StreamObject(stream_data=b"q 3 w 80 400 m 500 400 l S Q")
    writer.add_stream_to_page(0, writer.add_object(line))
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.fixture(scope="module")
def papers(played: Played, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("papers")
    (folder / "unsigned.pdf").write_bytes(contract())
    (folder / "noise.pdf").write_bytes(os.urandom(4096))
    return {
        "sealed": played.sealed,
        "altered": edited(played.sealed, flipped, folder / "altered.pdf"),
        "added": edited(played.sealed, added_to, folder / "added.pdf"),
        "unsigned": folder / "unsigned.pdf",
        "noise": folder / "noise.pdf",
    }


@pytest.mark.parametrize(
    ("names", "verdicts", "code"),
    [
        (["sealed"], ["genuine"], 0),
        (["altered"], ["altered"], 1),
        (["added"], ["altered"], 1),
        (["unsigned"], ["unsigned"], 3),
        (["noise"], ["unreadable"], 4),
        (["unsigned", "sealed", "added"], ["unsigned", "genuine", "altered"], 3),
    ],
)
def test_anyone_can_verify_it_without_settings(
    played: Played, papers: dict[str, Path], names: list[str], verdicts: list[str], code: int
) -> None:
    done = played.demo.yinxu("verify", "--json", *(str(papers[name]) for name in names))

    assert [line["verdict"] for line in lines(done.stdout)] == verdicts
    assert done.returncode == code, done.stderr


def test_the_report_names_the_signer_and_the_seal(played: Played) -> None:
    done = played.demo.yinxu("verify", "--json", str(played.sealed))

    (report,) = lines(done.stdout)
    (signature,) = report["signatures"]
    assert report["format"] == "pdf" and report["problems"] == []
    assert {
        "field",
        "signer",
        "time",
        "intact",
        "valid",
        "trusted",
        "coverage",
        "modification",
        "seal",
    } <= set(signature)
    assert signature["signer"] == signature["seal"]["name"] == SEAL_NAME
    assert signature["intact"] and signature["valid"] and signature["trusted"]


def test_wrong_usage_is_no_verdict(played: Played) -> None:
    assert played.demo.yinxu("verify", "--json", str(played.sealed), "--at", "soon").returncode == 64


# --- proving the log (Shows 5) ---


@pytest.fixture
def spoil(played: Played) -> Iterator[Callable[..., None]]:
    """Change the database behind the log's back; the whole one comes back afterwards."""

    def act(*statements: str, triggers: bool = False) -> None:
        with closing(sqlite3.connect(played.database)) as connection:
            if not triggers:
                names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
                for (name,) in names:
                    connection.execute(f"DROP TRIGGER {name}")
            connection.create_function("flipped", 1, lambda data: bytes([data[0] ^ 1]) + data[1:])
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    yield act
    for suffix in ("-wal", "-shm"):
        Path(f"{played.database}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(f"{played.database}.whole", played.database)


def test_the_log_is_intact(played: Played) -> None:
    code, report = played.demo.audit()

    assert (code, report["intact"], report["breaks"]) == (0, True, [])
    assert report["tree_size"] == report["witnessed"] >= played.told["audit"]["entries"]
    assert (
        report["entries"] == report["tree_size"] + report["pending"]
    )  # another test's act may wait for its place


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_database_itself_refuses_to_change_the_log(
    played: Played, spoil: Callable[..., None], table: str
) -> None:
    with closing(sqlite3.connect(played.database)) as connection:
        if not connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
            return  # no subtree is complete yet
    for statement in (f"UPDATE {table} SET rowid = rowid + 1000000", f"DELETE FROM {table}"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            spoil(statement, triggers=True)


CUT_AT = 30
BEHIND_ITS_BACK: dict[str, tuple[list[str], int, str]] = {
    "one byte edited": (
        ["UPDATE log_entry SET ciphertext = flipped(ciphertext)"
         " WHERE id = (SELECT entry_id FROM log_leaf WHERE seq = 7)"],
        7,
        "edited",
    ),
    "deleted": (
        ["DELETE FROM log_token WHERE seq = 9",
         "DELETE FROM log_entry WHERE id = (SELECT entry_id FROM log_leaf WHERE seq = 9)",
         "DELETE FROM log_leaf WHERE seq = 9"],
        9,
        "deleted",
    ),
    "reordered": (
        [f"UPDATE {table} SET seq = {new} WHERE seq = {old}"
         for old, new in ((11, -1), (14, 11), (-1, 14))
         for table in ("log_leaf", "log_token")],
        11,
        "writer",
    ),
    "truncated": (
        [f"DELETE FROM log_token WHERE seq >= {CUT_AT}",
         f"DELETE FROM log_entry WHERE id IN (SELECT entry_id FROM log_leaf WHERE seq >= {CUT_AT})",
         f"DELETE FROM log_leaf WHERE seq >= {CUT_AT}",
         f"DELETE FROM log_checkpoint WHERE size > {CUT_AT}"],
        CUT_AT,
        "truncated",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BEHIND_ITS_BACK)
def test_what_was_changed_behind_its_back_is_found_and_where(
    played: Played, spoil: Callable[..., None], what: str
) -> None:
    statements, at, kind = BEHIND_ITS_BACK[what]
    spoil(*statements)

    code, report = played.demo.audit()

    assert (code, report["intact"]) == (1, False)
    found = [(b["at"], b["kind"]) for b in report["breaks"]]
    assert (at, kind) in found
    assert all(b["zh"] and b["en"] for b in report["breaks"])


# --- the demo can fail ---


SWAPS: dict[str, Callable[[bytes], bytes]] = {
    "altered": flipped,
    "added": added_to,
    "unsigned": lambda sealed: contract(),
    "of another root": lambda sealed: pdf_makers.sealed(
        original(sealed), by=pdf_makers.authority("Another root").card(SEAL_NAME)
    ),
}


def original(sealed: bytes) -> bytes:
    """The contract as it was uploaded: sealing only adds to it."""
    return sealed[: sealed.index(b"%%EOF") + len(b"%%EOF\n")]


def judged(played: Played, found: Path, uploaded: bytes, monkeypatch: pytest.MonkeyPatch) -> run.Result:
    """What the demo says at its end of the document that it finds."""
    environment = {**bare_environment(), **json.loads((played.demo.folder / leftover.FILE).read_text())}
    stage = Stage(
        played.demo.folder, played.demo.port, played.demo.agent_port, environment, Supervisor(found.parent)
    )
    monkeypatch.setattr(run, "_proved_log", lambda stage: {"entries": 1, "intact": True, "breaks": []})
    told = Told(sealed_pdf=found, contract=uploaded)
    return run._judge(stage, told, lambda step: None)


@pytest.mark.parametrize("swap", SWAPS)
def test_a_document_swapped_on_the_way_makes_the_demo_fail(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: str
) -> None:
    swapped = edited(played.sealed, SWAPS[swap], tmp_path / "sealed.pdf")

    result = judged(played, swapped, original(played.sealed.read_bytes()), monkeypatch)

    assert not result.held
    assert not result.poppler.good and result.own["verdict"] != "genuine"


def test_a_good_seal_on_another_document_makes_the_demo_fail_too(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    (problem,) = judged(played, played.sealed, contract() + b" ", monkeypatch).problems

    assert "not the contract" in problem


def test_a_story_that_did_not_hold_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = run.Result(
        Told(),
        own={"verdict": "altered", "problems": []},
        poppler=PdfsigVerdict(signatures=(), said=""),
        audit={"entries": 60, "intact": True},
        problems=["our verifier says altered"],
    )
    monkeypatch.setattr(run, "staged", lambda *_: nullcontext())
    monkeypatch.setattr(run, "story", lambda *_: broken)
    monkeypatch.setattr(command, "_stop_on_sigterm", lambda: None)

    said = CliRunner().invoke(command.command, ["--once", "--json"])

    assert said.exit_code == 1
    assert json.loads(said.stdout)["verdicts"] == {"own": "altered", "pdfsig": "unsigned"}
    assert "PROBLEM" in said.stderr


def test_a_taken_port_is_said_plainly_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        words = ("--port", str(free_port()), "--agent-port", str(port))
        done = yinxu(tmp_path, "demo", "--once", *words)

    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"demo: port {port} is taken by another program. Stop it, or choose another port with --agent-port."
    )
    assert list(tmp_path.iterdir()) == []
