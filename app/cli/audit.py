"""`yinxu audit`: prove that the log is whole, or that one entry stands in it."""

import json
import sys
from pathlib import Path

import click

from app.cli.faults import unavailable
from app.cli.judging import UNAVAILABLE, Judging
from app.demo import leftover
from app.text import Text


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
def verify(as_json: bool, checkpoint: Path | None) -> None:
    """Walk the whole log. Exit code 0: intact; 1: broken, and where.

    Others say nothing about the log: 64 wrong usage, 69 the database or the token does not answer, 70 a fault of
    the command, 78 wrong settings, 130 interrupted.
    """
    from app.audit import verify as verifying
    from app.audit.sequencer import witness
    from app.factory import create_app

    named = _checkpoint(checkpoint) if checkpoint else None
    with create_app(pages=False, diagrams=False).app_context():
        try:
            report = verifying.walk(named or witness().latest())
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
    """Check PROOF offline: no database, no network, no token. Exit code 0: proven; 1: not."""
    from app.audit.proof import ProofFault, check_proof
    from app.audit.witness import KEYS

    key_file = keys or checkpoint.parent / KEYS
    if not key_file.exists():
        raise click.UsageError(f"{key_file} does not exist; name the log's public keys with --keys")
    try:
        number = check_proof(
            proof.read_text(encoding="utf-8"),
            checkpoint.read_text(encoding="utf-8"),
            key_file.read_text(encoding="utf-8").split(),
        )
    except (ProofFault, UnicodeDecodeError) as fault:
        click.echo(f"not proven 未证明: {fault}")
        sys.exit(1)
    click.echo(f"proven 已证明: entry {number} stands under this checkpoint")
