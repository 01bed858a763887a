"""`yinxu keys`: create, list and rotate the server's master keys, and install its certificates."""

import base64
import json
import textwrap
from pathlib import Path

import click


@click.group()
def command() -> None:
    """The server's keys (docs/keys.md)."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--so-pin-file", type=click.Path(path_type=Path), help="Where to keep a new token's SO PIN.")
def init(as_json: bool, so_pin_file: Path | None) -> None:
    """Create the token if it is missing and every key that it lacks. Doing it twice changes nothing."""
    from app.crypto.first_keys import make_missing
    from app.crypto.key_backend import TokenSilent
    from app.settings import Settings

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
    """Every key: purpose, version, algorithm, public half."""
    from app.crypto.keys import ECDSA_P256_SHA256, SIGNING_PURPOSES, ring_of
    from app.settings import Settings

    ring = ring_of(Settings())
    lines = [{"key": f"kek-v{n}", "alg": "AES-256-GCM"} for n in ring.versions("kek")]
    for purpose in SIGNING_PURPOSES:
        for n in ring.versions(purpose):
            public = base64.b64encode(ring.public_key(purpose, n)).decode()
            lines.append({"key": f"{purpose}-v{n}", "alg": ECDSA_P256_SHA256, "public_key": public})
    for line in lines:
        click.echo(json.dumps(line) if as_json else "  ".join(line.values()))


@command.command()
@click.option(
    "--purpose", type=click.Choice(["kek", "order", "checkpoint"]), default="kek", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def rotate(purpose: str, as_json: bool) -> None:
    """Make a new version of a key. For the KEK, wrap every data key anew; older versions still open."""
    from app.crypto.keys import keyring
    from app.db import begin_writing, db
    from app.factory import create_app

    with create_app(pages=False, diagrams=False).app_context():
        ring = keyring()
        version = ring.newest(purpose) + 1
        ring.make(purpose, version)
        changed = 0
        if purpose == "kek":
            begin_writing()
            changed = ring.data_keys.rewrap(version)
            db.session.commit()
    if as_json:
        click.echo(json.dumps({"key": f"{purpose}-v{version}", "rewrapped": changed}))
        return
    click.echo(f"{purpose}-v{version} is in use" + (f"; {changed} data keys wrapped anew" if changed else ""))


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
