"""`yinxu keys ceremony|rehearse|backup|restore`: the master keys' backup in the hands of custodians (docs/keys.md)."""

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.keys.ceremony import Prepared
    from app.keys.restoring import Opened

WORDS_A_LINE = 6
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_share = click.option(
    "--share", "files", multiple=True, type=_FILE, help="A share's file; without any, they are asked for."
)
_source = click.option("--from", "source", type=_FILE, help="A file of `keys backup`; else the database.")
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.command()
@click.option("--custodian", "custodians", multiple=True, required=True, help="A name; once for each share.")
@click.option("--needed", type=int, required=True, help="How many of them open the backup.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write each share into a file of this new folder, instead of showing them one after another.",
)
@_json
def ceremony(custodians: tuple[str, ...], needed: int, out: Path | None, as_json: bool) -> None:
    """Split the backup of the master keys among custodians, and make every master key anew, backed up.

    Afterwards a new certificate is needed for the order key: `keys public order`, `keys certificate order`.
    """
    from app.cli.stations import administrator
    from app.factory import create_app
    from app.keys import ceremony as order

    with create_app(pages=False, diagrams=False).app_context():
        prepared = order.prepare(custodians, needed)
        if out is not None:
            order.check(prepared, _read_files(_write(prepared, out)))
        else:
            _show(prepared)
            order.check(prepared, _asked(needed))
        made = order.hold(prepared, by=administrator())
    if as_json:
        told = {"keys": [m.key for m in made], "needed": needed, "custodians": list(custodians)}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(
        f"{', '.join(m.key for m in made)} are in use and backed up: any {needed} of {len(custodians)} restore them"
    )
    click.echo("next: `yinxu keys public order` to the authority, then `yinxu keys certificate order FILE`")


@click.command()
@_share
@_source
@_json
def rehearse(files: tuple[Path, ...], source: Path | None, as_json: bool) -> None:
    """Try whether these shares open the backup. Changes nothing; goes on record."""
    from app.cli.stations import administrator
    from app.factory import create_app
    from app.keys import restoring

    with create_app(pages=False, diagrams=False).app_context():
        done = restoring.rehearse(_opened(files, source), by=administrator())
    if as_json:
        click.echo(json.dumps({"keys": done.keys, "shares": done.share_numbers}))
    else:
        click.echo(f"shares {_numbers(done.share_numbers)} open {', '.join(done.keys)}")


@click.command()
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write."
)
def backup(out: Path) -> None:
    """Write the sealed keys into a file. It opens nothing without the custodians; a backup of the database holds the same."""
    from app.factory import create_app
    from app.keys import queries, rules

    with create_app(pages=False, diagrams=False).app_context():
        found = queries.backup()
    if not found.ceremonies:
        raise rules.nothing_backed_up()
    out.write_text(queries.written(found), encoding="utf-8")
    sealed = [k.label for k in found.keys if k.sealed is not None]
    click.echo(f"{', '.join(sealed)} as {out}")


@click.command()
@_share
@_source
@click.option("--so-pin-file", type=click.Path(path_type=Path), help="Where to keep a new token's SO PIN.")
@_json
def restore(files: tuple[Path, ...], source: Path | None, so_pin_file: Path | None, as_json: bool) -> None:
    """Bring the master keys back into an empty token by the custodians' shares. The token is made if it is missing.

    Exit code 0: every data key of the database opens; 1: some do not, or it was refused.
    """
    from app.cli.stations import administrator
    from app.crypto.first_keys import make_token
    from app.factory import create_app
    from app.keys import restoring
    from app.settings import Settings

    with create_app(pages=False, diagrams=False).app_context():
        opened = _opened(files, source)
        make_token(Settings(), so_pin_file)
        done = restoring.bring_back(opened, by=administrator())
    if as_json:
        click.echo(json.dumps(done.payload()))
    else:
        click.echo(f"in the token: {', '.join(done.keys)}")
        if done.public_only:
            click.echo(f"lost, their signatures stay verifiable: {', '.join(done.public_only)}")
        click.echo(f"{done.data_keys - done.unopened} of {done.data_keys} data keys open")
    raise SystemExit(1 if done.unopened else 0)


def _opened(files: tuple[Path, ...], source: Path | None) -> "Opened":
    from app.keys import queries, restoring, rules

    found = queries.read(source.read_text(encoding="utf-8")) if source else queries.backup()
    if not found.ceremonies:
        raise rules.nothing_backed_up()
    if files:
        given = [(str(path), words) for path, words in zip(files, _read_files(files), strict=True)]
    else:
        newest = found.ceremonies[-1]
        click.echo(f"{newest.needed} of: {', '.join(newest.custodians)}")
        given = [(f"{number}", words) for number, words in enumerate(_asked(newest.needed), start=1)]
    return restoring.open_backup(found, given)


def _show(prepared: "Prepared") -> None:
    """One custodian after another sees their share, and nobody else's."""
    for name, words in zip(prepared.custodians, prepared.shares, strict=True):
        click.clear()
        click.pause(f"{name}: only you look at the screen now. Press a key.")
        click.echo(_page(words))
        click.pause("Written down, and compared word by word? Press a key.")
        click.clear()


def _asked(needed: int) -> list[str]:
    """Shares typed by their custodians, unseen."""
    from app.crypto import shares

    given: list[str] = []
    while len(given) < needed:
        words = click.prompt(f"Share {len(given) + 1} of {needed}", hide_input=True)
        try:
            shares.face(words)
        except shares.ShareFault:
            click.echo("a word is wrong or missing; once more")
            continue
        given.append(words)
    return given


def _write(prepared: "Prepared", folder: Path) -> list[Path]:
    """One file a custodian, for our eyes only; the folder must be new."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        raise click.ClickException(f"{folder} is there already; name a new folder") from error
    written: list[Path] = []
    for number, words in enumerate(prepared.shares, start=1):
        path = folder / f"share-{number}-of-{len(prepared.shares)}-{secrets.token_hex(2)}.txt"
        path.touch(mode=0o600)
        path.write_text(words + "\n", encoding="ascii")
        written.append(path)
        click.echo(f"{prepared.custodians[number - 1]}: {path}", err=True)
    return written


def _read_files(files: list[Path] | tuple[Path, ...]) -> list[str]:
    return [path.read_text(encoding="utf-8", errors="replace") for path in files]


def _page(words: str) -> str:
    """The words, numbered, six a line."""
    numbered = [f"{n:2} {word:9}" for n, word in enumerate(words.split(), start=1)]
    lines = [numbered[at : at + WORDS_A_LINE] for at in range(0, len(numbered), WORDS_A_LINE)]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _numbers(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
