"""`yinxu keys`: create, list and rotate the server's master keys, and install its certificates. `key_ceremony.py`: their backup."""

import base64
import json
import textwrap
from pathlib import Path

import click

from app.cli import key_ceremony


@click.group()
def command() -> None:
    """The server's keys (docs/keys.md)."""


for _one in (key_ceremony.ceremony, key_ceremony.rehearse, key_ceremony.backup, key_ceremony.restore):
    command.add_command(_one)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--so-pin-file", type=click.Path(path_type=Path), help="Where to keep a new token's SO PIN.")
def init(as_json: bool, so_pin_file: Path | None) -> None:
    """Create the token if it is missing and every key that it lacks. Doing it twice changes nothing."""
    from app.crypto.first_keys import make_missing
    from app.crypto.key_backend import TokenSilent
    from app.settings import Settings

    _refuse_over_a_backup()
    try:
        made, backend = make_missing(Settings(), so_pin_file)
    except TokenSilent as error:
        raise click.ClickException(f"the token does not answer: {error}") from error
    if as_json:
        click.echo(json.dumps({"made": made, "backend": backend}))
    else:
        click.echo("made " + ", ".join(made) if made else "nothing to do: token and keys are there")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a key.")
def list_(as_json: bool) -> None:
    """Every key: purpose, version, algorithm, whether custodians could restore it, public half."""
    from app.crypto.keys import ECDSA_P256_SHA256, SIGNING_PURPOSES, ring_of
    from app.settings import Settings

    ring, backed_up = ring_of(Settings()), _backed_up()
    lines = [{"key": f"kek-v{n}", "alg": "AES-256-GCM"} for n in ring.versions("kek")]
    for purpose in SIGNING_PURPOSES:
        for n in ring.versions(purpose):
            public = base64.b64encode(ring.public_key(purpose, n)).decode()
            lines.append({"key": f"{purpose}-v{n}", "alg": ECDSA_P256_SHA256, "public_key": public})
    for line in lines:
        kept = backed_up.get(line["key"]) is not None
        if as_json:
            click.echo(json.dumps({**line, "backed_up": kept}))
        else:
            key, alg, *public = line.values()
            click.echo("  ".join([key, alg, "backed up" if kept else "NOT BACKED UP", *public]))


def _refuse_over_a_backup() -> None:
    """A token that is gone is restored, not replaced: new keys would open nothing of what is stored."""
    from app.crypto.keys import ring_of
    from app.keys import rules
    from app.settings import Settings

    if any(_backed_up().values()) and not ring_of(Settings()).backend.exists():
        raise rules.restore_first()


def _backed_up() -> dict[str, int | None]:
    """Nothing, as long as there is no database: then no ceremony was held either."""
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from app.factory import create_app
    from app.keys import queries

    with create_app(pages=False, diagrams=False).app_context():
        try:
            return queries.backed_up()
        except (OperationalError, ProgrammingError):
            return {}


@command.command()
@click.option(
    "--purpose", type=click.Choice(["kek", "order", "checkpoint"]), default="kek", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def rotate(purpose: str, as_json: bool) -> None:
    """Make a new version of a key. For the KEK, wrap every data key anew; older versions still open."""
    from app.cli.stations import administrator
    from app.factory import create_app
    from app.keys import ceremony

    with create_app(pages=False, diagrams=False).app_context():
        done = ceremony.rotate(purpose, by=administrator())
    if as_json:
        click.echo(json.dumps(done.payload()))
        return
    click.echo(
        f"{done.key} is in use" + (f"; {done.rewrapped} data keys wrapped anew" if done.rewrapped else "")
    )
    if not done.backed_up:
        click.echo("it is NOT backed up: hold a ceremony (`yinxu keys ceremony`, docs/keys.md)")


@command.command()
@click.argument("purpose", type=click.Choice(["order", "checkpoint"]))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of stdout.")
def public(purpose: str, out: Path | None) -> None:
    """The newest public key (PEM), for the authority that issues its certificate."""
    from app.crypto.keys import SigningPurpose, ring_of
    from app.settings import Settings

    named: dict[str, SigningPurpose] = {"order": "order", "checkpoint": "checkpoint"}
    encoded = base64.b64encode(ring_of(Settings()).public_key(named[purpose])).decode()
    body = "".join(f"{line}\n" for line in textwrap.wrap(encoded, 64))
    pem = f"-----BEGIN PUBLIC KEY-----\n{body}-----END PUBLIC KEY-----\n"
    if out:
        out.write_text(pem)
    else:
        click.echo(pem, nl=False)


@command.command()
@click.argument("purpose", type=click.Choice(["order"]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def certificate(purpose: str, file: Path) -> None:
    """Install the certificate (PEM or DER) that was issued for the newest key."""
    from app.crypto.keys import ring_of
    from app.refusal import Refusal
    from app.settings import Settings

    try:
        path = ring_of(Settings()).install_certificate(purpose, file.read_bytes())
    except (Refusal, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"installed as {path}")
