"""`yinxu verify`: is this sealed document genuine? Needs no database and no server. The JSON: docs/verify.md."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from app.clock import now

USAGE = 64
"""sysexits.h: the command was used incorrectly. (click's own 2 means indeterminate here.)"""


class _Command(click.Command):
    """Usage errors exit with 64, since 0 to 5 are verdicts."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            _usage(error)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            _usage(error)


def _usage(error: click.UsageError) -> NoReturn:
    error.exit_code = USAGE  # pyright: ignore[reportAttributeAccessIssue] - click reads it from the instance
    raise error


class _Moment(click.ParamType[datetime]):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time in ISO 8601, as 2026-11-22T08:00:00Z or 2026-11-22", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command(cls=_Command)
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one line a file.")
@click.option(
    "--trust",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the roots you trust. Default: YINXU_TRUST_DIR, else trust/ in YINXU_VAR_DIR (var, or what `yinxu demo` left).",
)
@click.option(
    "--at",
    type=_Moment(),
    help="The moment at which certificates are judged (UTC unless it says). Default: now.",
)
@click.option(
    "--register",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A published register of withdrawals. Default: the database, when DATABASE_URL names one.",
)
def command(
    files: tuple[Path, ...], as_json: bool, trust: Path | None, at: datetime | None, register: Path | None
) -> None:
    """Is this sealed document genuine?

    Exit code: genuine 0, altered 1, indeterminate 2, unsigned 3, unreadable 4, withdrawn 5, usage 64;
    several files: the highest.
    """
    from app.pdf.confined import forking_directly
    from app.pdf.verifying import EXIT_CODES
    from app.pdf.verifying import as_json as report_json
    from app.signing.trust import NOTHING, read_trust
    from app.signing.verifying import verify

    folder = trust or _default_trust()
    believed = read_trust(folder) if folder.is_dir() else NOTHING
    moment = at or now()
    highest = 0
    for file in files:
        with forking_directly():
            report = verify(file.read_bytes(), believed, at=moment, register=_register(register))
        highest = max(highest, EXIT_CODES[report.verdict])
        found = {"file": str(file), **report_json(report)}
        click.echo(json.dumps(found, ensure_ascii=False) if as_json else _words(found))
    raise SystemExit(highest)


def _var_dir() -> Path:
    """As the settings have it; where nothing has been set up, what a demo in this folder left."""
    named = os.environ.get("YINXU_VAR_DIR")
    if named:
        return Path(named)
    demo = Path("var/demo")
    is_demo = not Path("var/trust").is_dir() and (demo / ".made-by-yinxu-demo").is_file()
    return demo if is_demo else Path("var")


def _default_trust() -> Path:
    named = os.environ.get("YINXU_TRUST_DIR")
    return Path(named) if named else _var_dir() / "trust"


def _database_url() -> str | None:
    """The database that is configured, or the embedded one when it exists; else there is none to ask."""
    for name in ("DATABASE_URL", "YINXU_DATABASE_URL"):
        if os.environ.get(name):
            return os.environ[name]
        if os.environ.get(f"{name}_FILE"):
            return Path(os.environ[f"{name}_FILE"]).read_text().strip()
    embedded = _var_dir() / "yinxu.sqlite"
    return f"sqlite:///{embedded.resolve()}" if embedded.exists() else None


def _register(file: Path | None) -> Any:
    from app.signing import register

    url = None if file else _database_url()

    def ask(ids: list[str]) -> Mapping[str, register.Withdrawal]:
        if file is not None:
            return register.from_file(file)
        return register.from_database(url, ids) if url else {}

    return ask if file or url else None


_VERDICTS = {
    "genuine": "genuine 真实有效",
    "altered": "ALTERED 已被改动",
    "withdrawn": "WITHDRAWN 已撤章",
    "indeterminate": "indeterminate 无法判断",
    "unsigned": "unsigned 未签章",
    "unreadable": "unreadable 无法读取",
}


def _words(found: dict[str, Any]) -> str:
    """The same for people: the verdict, who sealed it, and what is wrong."""
    lines = [f"{found['file']}: {_VERDICTS[found['verdict']]}"]
    for one in found["signatures"]:
        seal = f", seal {one['seal']['name']}" if one["seal"] else ""
        lines.append(
            f"  {one['field'] or '(no field)'}: {one['signer'] or '(unknown)'}, {one['time'] or ''}{seal}"
        )
        if one["withdrawn"]:
            lines.append(f"    withdrawn {one['withdrawn']['at']}: {one['withdrawn']['reason']}")
    lines += [f"  - {p['en']} / {p['zh']}" for p in found["problems"]]
    return "\n".join(lines)
