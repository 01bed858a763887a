"""`yinxu trust`: the authorities that are believed, and what they say of their certificates."""

import json
import sys
from pathlib import Path

import click

ONE_RUN_S = 600.0


@click.group()
def command() -> None:
    """The certificate authorities that are believed here (docs/trust.md)."""


@command.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--yes", is_flag=True, help="Do not ask: the fingerprints were compared already.")
def import_(files: tuple[Path, ...], yes: bool) -> None:
    """Believe these authorities: roots, and issuing ones below them (PEM, DER or PKCS#7)."""
    from app.cards import believing, commands, queries
    from app.cli.stations import administrator
    from app.clock import now
    from app.factory import create_app
    from app.settings import current_settings

    with create_app(pages=False, diagrams=False).app_context():
        found = [one for path in files for one in believing.read_authorities(path.read_bytes(), at=now())]
        believing.check_issued(found, queries.trust())
        for one in found:
            click.echo(f"{'root' if one.is_root else 'issuing'}  {one.subject}")
            click.echo(f"  until {one.certificate.not_valid_after_utc:%Y-%m-%d}, SHA-256 {one.fingerprint}")
        if not yes:
            click.confirm(
                "Compare the fingerprints with what the authority publishes. Believe them?", abort=True
            )
        folder = current_settings().trust_dir
        assert folder is not None
        for one in found:
            commands.believe(one, by=administrator())
            believing.lay_down(one, folder)
    click.echo(f"{len(found)} believed; `yinxu trust refresh` fetches what they say of their certificates")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_(as_json: bool) -> None:
    """Authorities with their dates, lists with when the next is due, and how many answers are kept."""
    from app.cards import queries
    from app.clock import now
    from app.crypto.certificates import Encoding, fingerprint
    from app.factory import create_app

    with create_app(pages=False, diagrams=False).app_context():
        trust, at = queries.trust(), now()
    authorities = [
        {
            "kind": kind,
            "subject": c.subject.rfc4514_string(),
            "until": c.not_valid_after_utc.isoformat(),
            "holds": c.not_valid_before_utc <= at <= c.not_valid_after_utc,
            "sha256": fingerprint(c.public_bytes(Encoding.DER)),
        }
        for kind, some in (("root", trust.roots), ("issuing", trust.intermediates))
        for c in some
    ]
    lists = [
        {
            "issuer": c.issuer.rfc4514_string(),
            "revoked": len(c),
            "until": c.next_update_utc.isoformat() if c.next_update_utc else None,
            "fresh": c.next_update_utc is None or at <= c.next_update_utc,
        }
        for c in trust.crls
    ]
    answers = len(list(trust.answers.glob("*.der"))) if trust.answers else 0
    if as_json:
        told = {"authorities": authorities, "lists": lists, "answers": answers}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for row in authorities:
        click.echo(
            f"{row['kind']:8} {row['subject']}, until {str(row['until'])[:10]}{'' if row['holds'] else '  HOLDS NOT'}"
        )
    for one in lists:
        state = "fresh" if one["fresh"] else "OUT OF DATE: its certificates are refused"
        click.echo(f"list     {one['issuer']}: {one['revoked']} revoked, until {one['until']}  {state}")
    click.echo(f"answers  {answers}")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object an address.")
def refresh(as_json: bool) -> None:
    """Fetch every list and answer now, due or not. Exit code 1 when any could not be had."""
    from app.cards import believing
    from app.clock import now
    from app.factory import create_app

    with create_app(pages=False, diagrams=False).app_context():
        done = believing.refresh(believing.keeper(), at=now(), seconds=ONE_RUN_S, all_of_it=True)
    for one in done:
        until = one.good_until.isoformat() if one.good_until else None
        if as_json:
            told = {"url": one.url, "kind": one.kind, "about": one.about, "why": one.why, "good_until": until}
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            click.echo(f"{one.kind:7} {one.url}  {one.about}: {one.why or f'good until {until}'}")
    if not done and not as_json:
        click.echo("no certificate here names an address of a list or a responder")
    sys.exit(1 if any(one.why for one in done) else 0)
