"""`yinxu seal`: look into an electronic seal made anywhere, and take one's own out. docs/seal-structure.md."""

import getpass
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any

import click

from app.actor import Actor
from app.cli.judging import Judging
from app.demo import leftover

EXIT_CODES = {"good": 0, "bad": 1, "unknown": 2}
UNREADABLE = 4


@click.group()
def command() -> None:
    """The structure of electronic seals (docs/seal-structure.md)."""


@command.command(cls=Judging)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one line a file.")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the picture of the one FILE here.",
)
def inspect(files: tuple[Path, ...], as_json: bool, picture: Path | None) -> None:
    """What stands in a seal (v1, v4, v5; DER, PEM or base64), and whether its maker's signature holds.

    Exit code: the signature is good 0, bad 1, cannot be judged 2; no seal that can be read 4; several files: the
    highest. Nobody asks here whether the maker is to be trusted. Others are no verdicts: 64 usage, 70 a fault of
    the command, 130 interrupted.
    """
    from app.clock import now
    from app.crypto import seal_report
    from app.crypto.seal_reading import Problem, Reading, read_seal
    from app.imaging.header import pixels

    if picture and len(files) > 1:
        raise click.UsageError("--picture takes the picture of one FILE")
    highest = 0
    for file in files:
        content = _content(file)
        reading = (
            Reading(problems=[Problem(code=content)]) if isinstance(content, str) else read_seal(content)
        )
        size = pixels(reading.picture) if reading.picture is not None else None
        shown = os.fsencode(file).decode("utf-8", "replace")
        found = {"file": shown, **seal_report.as_json(reading, at=now(), pixels=size)}
        click.echo(_line(found) if as_json else seal_report.in_words(found))
        highest = max(highest, UNREADABLE if reading.version is None else EXIT_CODES[reading.signature])
        if picture and reading.picture is not None:
            _save(picture, reading.picture)
        elif picture:
            click.echo("没有可保存的印模\nThere is no picture to save", err=True)
    raise SystemExit(highest)


def _content(file: Path) -> bytes | str:
    """The file's bytes, never more than a seal can have; or the code of what is wrong."""
    from app.crypto.seal_reading import FILE_LIMIT_BYTES

    try:
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as opened:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return "not_a_file"
            return opened.read(FILE_LIMIT_BYTES + 1)
    except IsADirectoryError:
        return "not_a_file"
    except (OSError, ValueError):
        return "cannot_open"


def _line(found: dict[str, Any]) -> str:
    """One line for whoever splits lines, whatever characters a seal's name holds."""
    said = json.dumps(found, ensure_ascii=False)
    for code in (0x85, 0x2028, 0x2029):
        said = said.replace(chr(code), f"\\u{code:04x}")
    return said


def _save(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise click.UsageError(f"cannot be written: {error}") from error


@command.command()
@click.argument("serial")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of stdout.")
@click.option(
    "--as", "login", metavar="LOGIN", help="The person who takes it out; the password is asked for."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Tell what was written as one JSON object; needs --out."
)
def export(serial: str, out: Path | None, login: str | None, as_json: bool) -> None:
    """The structure (SESeal, DER) of the seal SERIAL: its card's serial, its esID, or its number in the ledger.

    With --as, a person of the seal office or the seal's manager does it. Without, whoever may open the server's
    token on its own machine; the log names the account. Refusals exit with 1 and a sentence; both stand in the log.
    """
    from app.crypto.seal_reading import sha256
    from app.factory import create_app
    from app.seals import exporting, queries

    leftover.take_up()
    if as_json and not out:
        raise click.UsageError("--json needs --out")
    with create_app(pages=False, diagrams=False).app_context():
        by = _person(login) if login else Actor(kind="system", name=f"cli:{getpass.getuser()}")
        fact = exporting.export(serial, by=by)
        der = queries.seal_der(fact.seal_id)
    if out is None:
        click.echo(der, nl=False)
        return
    _save(out, der)
    told = {
        "seal_id": fact.seal_id,
        "es_id": fact.es_id,
        "card_serial": fact.card_serial,
        "out": str(out),
        "bytes": len(der),
        "sha256": sha256(der),
    }
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else f"{fact.es_id}: {len(der)} bytes → {out}")


def _person(login: str) -> Actor:
    """Whoever knows this login's password; a failed attempt is counted and logged as on the page."""
    from app.actor import Origin
    from app.people import commands, queries
    from app.people.facts import LoginFailed, LoginHalf
    from app.refusal import Forbidden

    password: str = click.prompt(f"{login} 的密码 password", hide_input=True, err=True)
    origin = Origin(host=os.uname().nodename)
    fact = commands.log_in(
        login.strip().lower(), password, token=secrets.token_urlsafe(32), by=Actor(origin=origin)
    )
    if isinstance(fact, LoginHalf):
        code: str = click.prompt("验证码 code", err=True)
        token = secrets.token_urlsafe(32)
        fact = commands.log_in_with_code(fact.user_id, code, token=token, by=Actor(origin=origin))
    if isinstance(fact, LoginFailed):
        raise Forbidden(
            "people.login_failed",
            zh="登录名或密码不正确，或该登录名暂停使用",
            en="Login or password is wrong, or this login is held off for a while",
        )
    actor = queries.actor_of(fact.user_id, origin)
    commands.log_out(fact.session_id, by=actor)
    if queries.user(fact.user_id).password_is_first:
        raise Forbidden(
            "people.change_password_first",
            zh="您的密码是他人设定的初始密码，请先在网页“我的账号”修改密码",
            en="Your password was chosen by someone else; change it under “My account” first",
        )
    return actor
