"""`yinxu audit`: prove that the log is whole, or that one entry stands in it."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.faults import unavailable
from app.cli.judging import UNAVAILABLE, Judging
from app.demo import leftover
from app.text import Text

if TYPE_CHECKING:
    from app.audit.archive import Archive


@click.group()
def command() -> None:
    """Prove that the log is whole."""
    leftover.take_up()


@command.command(cls=Judging)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint kept outside the database. Default: the latest in the witness folder.",
)
@click.option(
    "--archive",
    "archives",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An archive to hold against the log; may be given several times.",
)
def verify(as_json: bool, checkpoint: Path | None, archives: tuple[Path, ...]) -> None:
    """Walk the whole log. Exit code 0: intact; 1: broken, and where.

    Others say nothing about the log: 64 wrong usage, 69 the database or the token does not answer, 70 a fault of
    the command, 78 wrong settings, 130 interrupted.
    """
    from app.audit import verify as verifying
    from app.audit.sequencer import witness
    from app.factory import create_app

    named = _checkpoint(checkpoint) if checkpoint else None
    kept = [_archive(file) for file in archives]
    with create_app(pages=False, diagrams=False).app_context():
        try:
            report = verifying.walk(named or witness().latest(), archives=kept)
        except Exception as error:
            why = unavailable(error)
            if why is None:
                raise
            click.echo(json.dumps(_unknown(why), ensure_ascii=False)) if as_json else click.echo(
                why.en, err=True
            )
            sys.exit(UNAVAILABLE)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print(report.as_json())
    sys.exit(0 if report.intact else 1)


def _checkpoint(file: Path) -> str:
    """What the file says, once it is a checkpoint at all; whose it is the walk will judge."""
    from app.audit import checkpoint as notes

    try:
        text = file.read_text(encoding="utf-8")
        notes.parse(text)
    except (notes.NoteFault, OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} is no checkpoint of a log: {error}") from error
    return text


def _archive(file: Path) -> "Archive":
    from app.audit import archive

    try:
        return archive.parse(file.read_text(encoding="utf-8"))
    except (archive.ArchiveFault, OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} is no archive of a log: {error}") from error


def _unknown(why: Text) -> dict[str, object]:
    """`intact` is null: the log could not be read, so neither is said of it."""
    return {"intact": None, "error": {"zh": why.zh, "en": why.en}}


def _print(report: dict[str, object]) -> None:
    witnessed = report["witnessed"]
    click.echo(f"{report['entries']} entries, {report['tree_size']} in the tree, root {report['root']}")
    click.echo(
        "no witnessed checkpoint" if witnessed is None else f"witnessed checkpoint: {witnessed} entries"
    )
    breaks = report["breaks"]
    assert isinstance(breaks, list)
    for one in breaks:  # pyright: ignore[reportUnknownVariableType]
        click.echo(f"BROKEN at {one['at']} ({one['kind']}): {one['en']} / {one['zh']}")
    click.echo("intact 完整" if report["intact"] else "not intact 不完整")


@command.command()
@click.argument("number", type=click.IntRange(0))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of stdout.")
def prove(number: int, out: Path | None) -> None:
    """A proof (C2SP .tlog-proof) that entry NUMBER stands under the last checkpoint."""
    from app.audit import queries
    from app.factory import create_app
    from app.refusal import Refusal

    with create_app(pages=False, diagrams=False).app_context():
        try:
            proof = queries.proof(number)
        except Refusal as refusal:
            raise click.ClickException(f"{refusal.text.en} / {refusal.text.zh}") from refusal
    if out:
        out.write_text(proof, encoding="utf-8")
    else:
        click.echo(proof, nl=False)


@command.command()
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC). Default: from the beginning."
)
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="The day after the last. Default: to the end."
)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file; never written over.",
)
def archive(since: datetime | None, until: datetime | None, out: Path) -> None:
    """Put a period of the log into a file, with its proof. Entries stay encrypted; nothing leaves the log."""
    from app.actor import SYSTEM
    from app.factory import create_app
    from app.oversight import commands
    from app.refusal import Refusal

    def write(data: bytes) -> None:
        with out.open("xb") as file:
            file.write(data)

    with create_app(pages=False, diagrams=False).app_context():
        try:
            fact = commands.archive_log(_utc(since), _utc(until), write, by=SYSTEM)
        except Refusal as refusal:
            raise click.ClickException(f"{refusal.text.en} / {refusal.text.zh}") from refusal
        except OSError as error:
            raise click.ClickException(f"{out}: {error.strerror}") from error
    click.echo(f"entries {fact.first} to {fact.until - 1} in {out}, SHA-256 {fact.digest}")


def _utc(day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) if day else None


@command.command()
@click.argument("proof", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--checkpoint",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The checkpoint that you trust; the proof must lead to its root.",
)
@click.option(
    "--keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The log's public keys (log.vkey). Default: beside the checkpoint.",
)
def check(proof: Path, checkpoint: Path, keys: Path | None) -> None:
    """Check PROOF, of one entry or an archive, offline: no database, no network, no token. Exit code 0: proven; 1: not."""
    from app.audit import archive as archives
    from app.audit.proof import ProofFault, check_proof
    from app.audit.witness import KEYS

    key_file = keys or checkpoint.parent / KEYS
    if not key_file.exists():
        raise click.UsageError(f"{key_file} does not exist; name the log's public keys with --keys")
    try:
        said, note = proof.read_text(encoding="utf-8"), checkpoint.read_text(encoding="utf-8")
        keys_known = key_file.read_text(encoding="utf-8").split()
        if said.startswith(archives.FIRST_LINE):
            count = archives.check(archives.parse(said), note, keys_known)
            click.echo(f"proven 已证明: {count} entries stand under this checkpoint")
            return
        number = check_proof(said, note, keys_known)
    except (ProofFault, archives.ArchiveFault, UnicodeDecodeError) as fault:
        click.echo(f"not proven 未证明: {fault}")
        sys.exit(1)
    click.echo(f"proven 已证明: entry {number} stands under this checkpoint")
