"""`yinxu verify`: is this sealed document genuine? Needs no database and no server. The JSON: docs/verify.md."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app.cli.judging import Judging
from app.clock import now


class _Moment(click.ParamType[datetime]):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time in ISO 8601, as 2026-11-22T08:00:00Z or 2026-11-22", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command(cls=Judging)
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

    Exit code: genuine 0, altered 1, indeterminate 2, unsigned 3, unreadable 4, withdrawn 5;
    several files: the highest. Others are no verdicts: 64 usage, 70 a fault of the command, 130 interrupted.
    """
    from app.pdf.confined import forking_directly
    from app.pdf.verifying import EXIT_CODES
    from app.pdf.verifying import as_json as report_json
    from app.signing.trust import NOTHING, read_trust
    from app.signing.verifying import verify

    folder = trust or _default_trust()
    try:
        believed = read_trust(folder) if folder.is_dir() else NOTHING
    except OSError as error:
        raise click.UsageError(f"the folder of trusted roots cannot be read: {error}") from error
    ask = _register(register)
    moment = at or now()
    highest = 0
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise click.UsageError(f"the file cannot be read: {error}") from error
        with forking_directly():
            report = verify(content, believed, at=moment, register=ask)
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
            try:
                return Path(os.environ[f"{name}_FILE"]).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise click.UsageError(
                    f"{name}_FILE names the database that holds the register, and cannot be read: {error}"
                ) from error
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
