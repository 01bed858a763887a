"""The server's token is destroyed; M of N custodians restore it on an empty machine, M−1 cannot (D9).

The work before and after goes through the commands, the ceremony and the restoring through `yinxu keys`; what can be
read is asked by a process of its own, which has nothing in its memory.
"""

import contextlib
import io
import itertools
import json
import multiprocessing
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from PIL import Image, ImageDraw
from shamir_mnemonic import Share

from app.actor import SYSTEM
from app.audit import queries as audit
from app.audit import sequencer
from app.audit.models import LogLeaf
from app.bench import stage
from app.crypto import shares
from app.crypto.key_backend import KeyFault
from app.crypto.keys import keyring, verify
from app.crypto.vault import VaultError
from app.db import db
from app.drill.votes import database
from app.impressions import commands as impressions
from app.impressions import queries as library
from app.impressions.models import Impression
from app.keys import queries, restoring
from app.people import commands as people
from app.refusal import Refusal
from app.settings import Settings

YINXU = Path(sys.executable).with_name("yinxu")
CUSTODIANS, NEEDED = ("张三", "李四", "王五", "赵六", "孙七"), 3


@dataclass(frozen=True)
class Seen:
    """What a fresh process can read: impressions and log entries, how many there are and how many open. `signs`: whether
    the order key signs and its signature is good."""

    impressions: int
    opened: int
    entries: int
    read: int
    signs: bool

    @property
    def whole(self) -> bool:
        return self.opened == self.impressions > 0 and self.read == self.entries > 0 and self.signs

    @property
    def nothing(self) -> bool:
        return self.opened == self.read == 0 and not self.signs


@dataclass(frozen=True)
class Outcome:
    """`before`, `destroyed`, `restored`: what could be read. `fewer_refused`: of the sets of M−1 shares. `enough_open`:
    of the sets of M. `named`: kinds of wrong share that the refusal pointed at. `log_intact`, `goes_on`: afterwards."""

    before: Seen
    destroyed: Seen
    restored: Seen
    fewer_refused: tuple[int, int]
    enough_open: tuple[int, int]
    named: list[str]
    log_intact: bool
    goes_on: bool

    @property
    def held(self) -> bool:
        """Nothing was lost, and nothing opened to fewer."""
        return (
            self.before.whole
            and self.destroyed.nothing
            and self.restored == self.before
            and self.fewer_refused[0] == self.fewer_refused[1] > 0
            and self.enough_open[0] == self.enough_open[1] > 0
            and len(self.named) == len(WRONG)
            and self.log_intact
            and self.goes_on
        )


WRONG = ("misspelt", "another_set", "twice", "altered")


def play(url: str | None, count: int, seed: int) -> Outcome:
    """Write, split, write on, rotate, destroy, try with too few, restore elsewhere, read everything, write on."""
    chance = random.Random(seed)  # noqa: S311 - which shares come is no secret
    with stage.staged(url) as settings, tempfile.TemporaryDirectory(prefix="yinxu-empty-") as empty:
        files = _written(settings, count)
        kept = [Path(shutil.copy(path, empty)) for path in files]
        before = _seen()
        assert settings.softhsm2_conf is not None
        shutil.rmtree(settings.softhsm2_conf.parent)
        destroyed = _seen()
        words = [path.read_text() for path in files]
        with _serving():
            backup = queries.backup()
        fewer = [_opens(backup, some) for some in itertools.combinations(words, NEEDED - 1)]
        enough = [_opens(backup, some) for some in itertools.combinations(words, NEEDED)]
        named = [kind for kind in WRONG if _names(backup, words, kind)]
        with _on_an_empty_machine(settings, Path(empty)):
            _yinxu("restore", *_given(chance.sample(kept, NEEDED)), "--json")
            restored = _seen()
            intact = _yinxu_json("audit", "verify", "--json")["intact"] is True
            _write(1, "恢复之后")
            goes_on = _seen().whole
    return Outcome(
        before, destroyed, restored,
        (fewer.count(False), len(fewer)), (enough.count(True), len(enough)),
        named, intact, goes_on,
    )  # fmt: skip


def _written(settings: Settings, count: int) -> list[Path]:
    """Impressions and entries before the ceremony, after it, and after a rotation; the shares' files."""
    folder = settings.var_dir / "shares"
    _write(count - 2 * (count // 3), "仪式之前")
    names = [word for name in CUSTODIANS for word in ("--custodian", name)]
    _yinxu("ceremony", *names, "--needed", str(NEEDED), "--out", str(folder))
    _write(count // 3, "仪式之后")
    _yinxu("rotate")
    _write(count // 3, "轮换之后")
    return sorted(folder.iterdir())


def _write(count: int, name: str) -> None:
    with _serving():
        for number in range(count):
            unit = people.register_unit(f"{name}{number}", by=SYSTEM)
            impressions.register(
                owner_unit_id=unit.unit_id, kind="official", name=f"{name}印章{number}", png=_ring(f"{name}{number}"),
                width_mm=40, height_mm=40, by=SYSTEM,
            )  # fmt: skip
        sequencer.sequence()


def _ring(mark: str) -> bytes:
    image = Image.new("RGBA", (240, 240), (196, 22, 28, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((4, 4, 235, 235), outline=(196, 22, 28, 255), width=8)
    draw.text((60, 110), mark.encode().hex()[:24], fill=(196, 22, 28, 255))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@contextlib.contextmanager
def _serving() -> Generator[None]:
    with stage.server().app_context():
        yield
        db.session.remove()
        db.engine.dispose()


@contextlib.contextmanager
def _on_an_empty_machine(settings: Settings, folder: Path) -> Generator[None]:
    """Another machine: the database and the stored objects are there, restored from their backups; no token, another PIN."""
    shutil.copytree(settings.var_dir, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("redis"))
    shutil.rmtree(settings.var_dir)
    changed = {"YINXU_VAR_DIR": str(folder), "YINXU_SERVER_TOKEN_PIN": secrets.token_hex(8)}
    if "sqlite" in os.environ["DATABASE_URL"]:
        changed["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite"
    before = {name: os.environ[name] for name in [*changed, "DATABASE_URL"]}
    os.environ.update(changed)
    try:
        yield
    finally:
        settings.var_dir.mkdir(exist_ok=True)
        os.environ.update(before)


# --- what can be read ---


def _seen() -> Seen:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_look)


def _look() -> Seen:
    with _serving():
        ids = db.session.scalars(sa.select(Impression.id)).all()
        numbers = db.session.scalars(sa.select(LogLeaf.seq)).all()
        opened = sum(_holds(one) for one in ids)
        read = sum(_reads(number) for number in numbers)
        return Seen(len(ids), opened, len(numbers), read, _signs())


def _holds(impression_id: int) -> bool:
    """Whether the picture opens, and is the one that was registered."""
    try:
        return bool(library.clear_png(impression_id))
    except (VaultError, Refusal, KeyFault):
        return False


def _reads(number: int) -> bool:
    try:
        return audit.entry(number).payload is not None
    except (Refusal, KeyFault):
        return False


def _signs() -> bool:
    try:
        ring = keyring()
        return verify(ring.public_key("order"), ring.sign("order", b"drill").signature, b"drill")
    except (Refusal, KeyFault):
        return False


# --- shares ---


def _opens(backup: queries.Backup, words: Sequence[str]) -> bool:
    """Whether these shares give the keys back. Any other refusal than for too few is a fault of the drill."""
    try:
        restoring.open_backup(backup, [(str(n), w) for n, w in enumerate(words, start=1)])
    except Refusal as refusal:
        if refusal.code != "keys.too_few_shares":
            raise
        return False
    return True


def _names(backup: queries.Backup, words: list[str], kind: str) -> bool:
    """Whether the refusal points at the one wrong share among enough good ones."""
    bad, good = _spoilt(words, kind), [("good", w) for w in words[:NEEDED]]
    try:
        restoring.open_backup(backup, [*good, ("bad", bad)])
    except Refusal as refusal:
        return refusal.code == f"keys.share_{kind}" and "“bad”" in refusal.text.en
    return False


def _spoilt(words: list[str], kind: str) -> str:
    last = words[NEEDED]
    if kind == "misspelt":
        first, *rest = last.split()
        return " ".join([*rest, first])
    if kind == "another_set":
        return shares.split(os.urandom(32), needed=NEEDED, shares=len(words))[NEEDED]
    if kind == "twice":
        return words[0]
    return _altered(last)


def _altered(words: str) -> str:
    """A share that is spelt well and is not what was handed out: its custodian made it up."""
    share = Share.from_mnemonic(words)
    return replace(share, value=bytes([share.value[0] ^ 1]) + share.value[1:]).mnemonic()


def _given(files: Sequence[Path]) -> list[str]:
    return [word for path in files for word in ("--share", str(path))]


def _yinxu(*words: str) -> str:
    return _run("keys", *words)


def _yinxu_json(*words: str) -> dict[str, Any]:
    return json.loads(_run(*words))


def _run(*words: str) -> str:
    done = subprocess.run([YINXU, *words], check=False, capture_output=True, text=True)  # noqa: S603 - ourselves
    if done.returncode != 0:
        raise RuntimeError(f"yinxu {' '.join(words[:2])}: {done.stderr[-800:]}")
    return done.stdout


@click.command()
@click.option("--db", metavar="URL", help="The database to play on; a throw-away PostgreSQL when not given.")
@click.option("--impressions", "count", type=click.IntRange(3, 2000), default=30, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Picks who of the custodians comes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(db: str | None, count: int, seed: int, as_json: bool) -> None:
    """The server's token is destroyed and restored from 3 of 5 shares on an empty machine.

    Exit code 0: every impression and log entry opens again, and 2 shares open nothing; 1 otherwise.
    """
    with database(db) as url:
        outcome = play(url, count, seed)
    if as_json:
        click.echo(json.dumps({**asdict(outcome), "held": outcome.held}))
    else:
        for step in ("before", "destroyed", "restored"):
            seen: Seen = getattr(outcome, step)
            click.echo(
                f"{step:10} {seen.opened} of {seen.impressions} impressions open, {seen.read} of {seen.entries} "
                f"log entries, orders {'are' if seen.signs else 'cannot be'} signed"
            )
        click.echo("{} of {} sets of 2 shares refused".format(*outcome.fewer_refused))
        click.echo("{} of {} sets of 3 shares open the backup".format(*outcome.enough_open))
        click.echo(f"wrong shares pointed at: {', '.join(outcome.named)}")
        click.echo(f"log intact: {outcome.log_intact}; new seals and entries afterwards: {outcome.goes_on}")
        click.echo("held" if outcome.held else "NOT HELD")
    if not outcome.held:
        raise SystemExit(1)
