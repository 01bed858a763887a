"""Fourteen attacks on the stored log, by somebody with every right on the database: `yinxu audit verify` finds each.

Each attack begins from the whole log; the one who verifies has the last checkpoint that left the database, and
nothing else from before. An attack counts as found only where the verifier names the very place.
"""

import contextlib
import copy
import json
import random
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from app.actor import SYSTEM
from app.audit import archive as archives
from app.audit import checkpoint as notes
from app.audit import queries, sequencer
from app.audit.header import leaf_hash, unpack
from app.bench import stage
from app.db import db
from app.drill import forger
from app.drill.forger import Rows
from app.drill.votes import database
from app.people import commands as people
from app.settings import Settings

YINXU = Path(sys.executable).with_name("yinxu")
BETWEEN_CHECKPOINTS = 40
Verify = Callable[[Sequence[str]], dict[str, Any]]
"""`yinxu audit verify --json` with these further words: what it answers."""


@dataclass
class Log:
    """The log to be attacked. `older`: a backup of it; `other`: a shorter log that the same server wrote honestly;
    `archive`: a file with all of it. `chance` picks the places."""

    rows: Rows
    older: Rows
    other: Rows
    archive: Path
    chance: random.Random

    @property
    def size(self) -> int:
        return len(self.rows["log_leaf"])

    def places(self, count: int) -> list[int]:
        """So many places, in order, none at either end."""
        return sorted(self.chance.sample(range(2, self.size - 2), count))


@dataclass(frozen=True)
class Found:
    """What the verifier said of one attack. `expected`: the place that it must name; `kinds`: what it names there."""

    attack: str
    expected: int
    kinds: list[str]
    located: bool


def edit(log: Log) -> int:
    """the content of an entry is edited"""
    [place] = log.places(1)
    _, entry = forger.of(log.rows, place)
    entry["ciphertext"] = _flipped(entry["ciphertext"])
    forger.put(log.rows)
    return place


def delete_one(log: Log) -> int:
    """one entry is deleted, the gap closed and the tree computed anew"""
    [place] = log.places(1)
    leaf, entry = forger.of(log.rows, place)
    log.rows["log_leaf"].remove(leaf)
    log.rows["log_entry"].remove(entry)
    log.rows["log_token"] = [row for row in log.rows["log_token"] if row["seq"] != place]
    forger.renumber(log.rows, {seq: seq - 1 for seq in range(place + 1, log.size + 1)})
    forger.regrow(log.rows)
    forger.put(log.rows)
    return place


def delete_tail(log: Log) -> int:
    """the newest entries are deleted, with their checkpoints"""
    [place] = log.places(1)
    forger.cut(log.rows, place)
    forger.put(log.rows)
    return place


def delete_all(log: Log) -> int:
    """everything is deleted"""
    forger.cut(log.rows, 0)
    forger.put(log.rows)
    return 0


def reorder(log: Log) -> int:
    """two entries change places and the tree is computed anew"""
    first, second = log.places(2)
    forger.renumber(log.rows, {first: second, second: first})
    forger.regrow(log.rows)
    forger.put(log.rows)
    return first


def duplicate(log: Log) -> int:
    """an entry is told a second time, behind the last"""
    [place] = log.places(1)
    leaf, entry = forger.of(log.rows, place)
    end, ident = log.size, max(row["id"] for row in log.rows["log_entry"]) + 1
    log.rows["log_token"] += [{**row, "seq": end} for row in log.rows["log_token"] if row["seq"] == place]
    log.rows["log_entry"].append({**entry, "id": ident})
    log.rows["log_leaf"].append({**leaf, "seq": end, "entry_id": ident})
    forger.regrow(log.rows)
    forger.put(log.rows)
    return end


def swap_payloads(log: Log) -> int:
    """two entries change their payloads"""
    first, second = log.places(2)
    one, other = forger.of(log.rows, first)[1], forger.of(log.rows, second)[1]
    for name in ("nonce", "ciphertext"):
        one[name], other[name] = other[name], one[name]
    forger.put(log.rows)
    return first


def change_time(log: Log) -> int:
    """an entry is moved by an hour, in its header, its index and its hash"""
    [place] = log.places(1)
    leaf, entry = forger.of(log.rows, place)
    header = unpack(entry["header"])
    entry["header"] = replace(header, ts_us=header.ts_us - 3_600_000_000).pack()
    leaf["ts_us"] -= 3_600_000_000
    leaf["hash"] = leaf_hash(entry["header"], entry["nonce"], entry["ciphertext"])
    forger.regrow(log.rows)
    forger.put(log.rows)
    return place


def change_index(log: Log) -> int:
    """an entry is hidden from searching: only what is indexed of it changes"""
    [place] = log.places(1)
    token = next(row for row in log.rows["log_token"] if row["seq"] == place)
    token["token"] = _flipped(token["token"])
    forger.put(log.rows)
    return place


def replace_log(log: Log) -> int:
    """the whole log is replaced by a shorter one, honestly written and signed by the same server"""
    forger.put(log.other)
    return len(log.other["log_leaf"])


def roll_back(log: Log) -> int:
    """yesterday's backup is played in"""
    forger.put(log.older)
    return len(log.older["log_leaf"])


def forge_checkpoint(log: Log) -> int:
    """an entry is edited and the last checkpoint signed for it with a key of the forger's own"""
    [place] = log.places(1)
    leaf, entry = forger.of(log.rows, place)
    entry["ciphertext"] = _flipped(entry["ciphertext"])
    leaf["hash"] = leaf_hash(entry["header"], entry["nonce"], entry["ciphertext"])
    root, last = forger.regrow(log.rows), log.rows["log_checkpoint"][-1]
    old = notes.parse(last["note"])
    stated = notes.Checkpoint(old.checkpoint.origin, old.checkpoint.size, root)
    signed = ec.generate_private_key(ec.SECP256R1()).sign(stated.text().encode(), ec.ECDSA(hashes.SHA256()))
    last["note"] = notes.Note(stated, old.key_id, signed).pack()
    forger.put(log.rows)
    return log.size


def edit_archive(log: Log) -> int:
    """an archive is edited, with its tree computed anew"""
    [place] = log.places(1)
    found = archives.parse(log.archive.read_text())
    found.leaves[place - found.first] = _flipped(found.leaves[place - found.first])
    log.archive.write_text("\n".join(found.lines()) + "\n")
    return place


def drop_triggers(log: Log) -> int:
    """the triggers that make the database refuse changes are dropped"""
    forger.unguard()
    return log.size


ATTACKS: tuple[Callable[[Log], int], ...] = (
    edit, delete_one, delete_tail, delete_all, reorder, duplicate, swap_payloads, change_time, change_index,
    replace_log, roll_back, forge_checkpoint, edit_archive, drop_triggers,
)  # fmt: skip
"""Each spoils the log and answers the place that the verifier must name (the size, for what has no place)."""


def play(url: str | None, entries: int, seed: int, verify: Verify) -> list[Found]:
    """Write a log through commands, attack it in every way, and hear what the verifier says."""
    with stage.staged(url) as settings:
        other = _other(settings, entries // 2)
        with _serving():
            log = _written(settings, other, entries, random.Random(seed))  # noqa: S311 - which place is no secret
            _expect_whole(verify)
            found = [_attacked(attack, log, verify) for attack in ATTACKS]
            forger.put(log.rows)
            _expect_whole(verify)
    return found


@contextlib.contextmanager
def _serving() -> Generator[None]:
    with stage.server().app_context():
        yield
        db.session.remove()
        db.engine.dispose()


def _other(settings: Settings, entries: int) -> Rows:
    """A shorter log of the same server, which no witness has seen; the tables are empty again afterwards."""
    with _serving():
        nothing = forger.taken()
        _tell(entries, "旧单位")
        for file in _witness(settings).iterdir():
            file.unlink()
        other = forger.taken()
        forger.put(nothing)
    return other


def _written(settings: Settings, other: Rows, entries: int, chance: random.Random) -> Log:
    _tell(entries // 2 + 1, "单位")
    older = forger.taken()
    _tell(entries - entries // 2 - 1, "新单位")
    found = queries.archive(*queries.period(None, None))
    archive = _witness(settings).parent / "log.archive"
    archive.write_text("\n".join(found.lines()) + "\n")
    return Log(forger.taken(), older, other, archive, chance)


def _witness(settings: Settings) -> Path:
    assert settings.witness_dir is not None
    return settings.witness_dir


def _tell(count: int, name: str) -> None:
    for number in range(count):
        people.register_unit(f"{name} {number}", by=SYSTEM)
        if number % BETWEEN_CHECKPOINTS == BETWEEN_CHECKPOINTS - 1:
            sequencer.sequence()
    sequencer.sequence()


def _attacked(attack: Callable[[Log], int], log: Log, verify: Verify) -> Found:
    forger.put(log.rows)
    kept = log.archive.read_text()
    place = attack(replace(log, rows=copy.deepcopy(log.rows)))
    told = verify(["--archive", str(log.archive)] if attack is edit_archive else [])
    log.archive.write_text(kept)
    kinds = [one["kind"] for one in told["breaks"] if one["at"] == place]
    return Found((attack.__doc__ or "").strip(), place, kinds, told["intact"] is False and bool(kinds))


def _expect_whole(verify: Verify) -> None:
    told = verify([])
    if told["intact"] is not True:
        raise RuntimeError(f"the log was not whole to begin with: {told}")


def _flipped(data: bytes) -> bytes:
    return bytes([*data[:-1], data[-1] ^ 1])


def by_command(words: Sequence[str]) -> dict[str, Any]:
    """Ask the command, as an auditor does."""
    asked = subprocess.run(  # noqa: S603 - ourselves
        [YINXU, "audit", "verify", "--json", *words], check=False, capture_output=True, text=True
    )
    if not asked.stdout:
        raise RuntimeError(asked.stderr)
    return json.loads(asked.stdout)


@click.command()
@click.option("--db", metavar="URL", help="The database to play on; a throw-away PostgreSQL when not given.")
@click.option("--entries", type=click.IntRange(100, 20_000), default=400, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Picks the places that are attacked.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(db: str | None, entries: int, seed: int, as_json: bool) -> None:
    """Fourteen attacks on the stored log with every right on the database.

    Exit code 0: `yinxu audit verify` found each and named the place; 1 otherwise.
    """
    with database(db) as url:
        found = play(url, entries, seed, by_command)
    good = sum(one.located for one in found)
    if as_json:
        click.echo(json.dumps({"attacks": [vars(one) for one in found], "found": good, "of": len(found)}))
    else:
        for one in found:
            said = f"found at {one.expected}: {', '.join(one.kinds)}" if one.located else "NOT FOUND"
            click.echo(f"{one.attack:95} {said}")
        click.echo(f"{good} of {len(found)}")
    if good < len(found):
        raise SystemExit(1)
