"""What a command depends on and does not get, as a sentence instead of a stack trace."""

import sys

from app.text import Text


def unavailable(error: BaseException) -> Text | None:
    """Why the database or the server's token could not be asked; None when the error is another."""
    # an error of theirs can only come from a library that has been imported
    if "sqlalchemy" in sys.modules and (found := _of_database(error)):
        return found
    if "app.crypto.key_backend" in sys.modules and (found := _of_token(error)):
        return found
    return None


def wrong_settings(error: BaseException) -> list[str]:
    """A sentence for each setting that does not allow a start; empty when the error is another."""
    if "pydantic" not in sys.modules:
        return []
    from pydantic import ValidationError

    if not isinstance(error, ValidationError) or error.title != "Settings":
        return []
    faults = error.errors(include_url=False, include_input=False)
    return [f"{'.'.join(map(str, fault['loc']))} {fault['msg']}".strip() for fault in faults]


def _of_database(error: BaseException) -> Text | None:
    from sqlalchemy import exc

    if not isinstance(error, exc.OperationalError | exc.ProgrammingError | exc.InterfaceError):
        return None
    cause = str(error.orig).strip().splitlines()[0] if error.orig else ""
    # SQLite has a sentence for a missing table, PostgreSQL an SQLSTATE: undefined table, undefined column
    if cause.startswith("no such ") or getattr(error.orig, "sqlstate", None) in ("42P01", "42703"):
        return Text(
            f"数据库中缺少数据表（{cause}），请先运行 `yinxu db upgrade`",
            f"The database lacks tables ({cause}); run `yinxu db upgrade` first",
        )
    if isinstance(error, exc.ProgrammingError):  # a statement of ours is wrong
        return None
    return Text(f"数据库没有应答：{cause}", f"The database does not answer: {cause}")


def _of_token(error: BaseException) -> Text | None:
    from app.crypto.key_backend import TokenSilent

    if not isinstance(error, TokenSilent):
        return None
    return Text(f"服务器的密钥令牌没有应答：{error}", f"The server's token does not answer: {error}")
