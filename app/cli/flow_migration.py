"""`yinxu flows diff` and `yinxu flows migrate`: what differs between two versions, and who goes on by the newer."""

import json
from collections.abc import Sequence

import click

from app.actor import SYSTEM


def _mapping(_context: click.Context, _parameter: click.Parameter, said: Sequence[str]) -> dict[str, str]:
    """`old=new` each; a wrong one is a usage error."""
    found: dict[str, str] = {}
    for pair in said:
        old, equals, new = pair.partition("=")
        if not (old and equals and new):
            raise click.BadParameter(f"{pair!r}: old=new expected")
        found[old] = new
    return found


mapped = click.option(
    "--map", "mapping", multiple=True, callback=_mapping, help="old=new: a shape that has another id now."
)


@click.command()
@click.argument("key")
@click.option("--from", "from_version", type=int, required=True, help="The older version.")
@click.option("--to", "to_version", type=int, required=True, help="The newer version.")
@mapped
@click.option("--json", "as_json", is_flag=True, help="One JSON line a difference.")
def diff(key: str, from_version: int, to_version: int, mapping: dict[str, str], as_json: bool) -> None:
    """What differs between two versions of a flow, and of the flows it calls: shapes added, removed, changed."""
    from app.factory import create_app
    from app.flows import migrating

    with create_app().app_context():
        found = migrating.changes(key, from_version, to_version, mapping)
    for change in found:
        words = f"{change.kind:8} {change.process:24} {change.text.zh} · {change.text.en}"
        click.echo(json.dumps(change.as_json(), ensure_ascii=False) if as_json else words)
    if not found and not as_json:
        click.echo("nothing differs")


@click.command()
@click.argument("key")
@click.option("--to", "to_version", type=int, help="The version they go on by.")
@click.option("--instance", "instances", type=int, multiple=True, help="Only this instance; may be repeated.")
@mapped
@click.option("--dry-run", is_flag=True, help="Try it on copies and say what would block; write nothing.")
@click.option("--undo", is_flag=True, help="Put back those that have not gone on since they were moved.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line an instance.")
def migrate(
    key: str,
    to_version: int | None,
    instances: tuple[int, ...],
    mapping: dict[str, str],
    dry_run: bool,
    undo: bool,
    as_json: bool,
) -> None:
    """Let running instances go on by another version of their flow. Each is a transaction of its own: those that
    cannot be moved stay as they are, and the report says why, with the shape.

    Exit code 0: all could be moved (or put back), 1: at least one could not.
    """
    from app.factory import create_app
    from app.flows import migrating

    if undo == (to_version is not None) or (undo and dry_run):
        raise click.UsageError("give either --to VERSION (with --dry-run or without) or --undo")
    with create_app().app_context():
        if undo:
            told = migrating.undo_batch(key, instances or migrating.undoable(key), by=SYSTEM)
        else:
            assert to_version is not None
            chosen = instances or migrating.movable(key, to_version)
            told = migrating.batch(key, chosen, to_version, mapping, dry_run=dry_run, by=SYSTEM)
    for one in told:
        if as_json:
            click.echo(json.dumps(one.as_json(), ensure_ascii=False))
            continue
        click.echo(
            f"{one.instance_id:>8}  {one.outcome}" + (f"  {one.text.zh} · {one.text.en}" if one.text else "")
        )
        for blocker in list(one.blockers)[1:]:
            click.echo(f"{'':10}{blocker.get('zh')} · {blocker.get('en')}")
        for note in one.notes:
            click.echo(f"{'':10}{note.zh} · {note.en}")
    if not told and not as_json:
        click.echo("no instance to move")
    if any(one.outcome == "blocked" for one in told):
        raise SystemExit(1)
