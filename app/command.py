"""The gate. A command makes something true and returns the Fact.

    @command
    def suspend(impression_id: int, reason: str, *, by: Actor) -> ImpressionSuspended: ...

The outermost command is the transaction. Its Facts, and those of the commands it calls, join the log inside
it: no fact without its entry, no entry without its fact. A Refusal undoes everything and is recorded in a
transaction of its own (非法操作日志). What is neither undoes everything too, and is raised as it is.
"""

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar, overload

import sqlalchemy.exc
import structlog

from app.actor import Actor
from app.audit import log as audit_log
from app.db import begin_writing, commit, roll_back
from app.fact import Fact
from app.jobs import collecting
from app.refusal import Conflict, Invalid, Refusal

P = ParamSpec("P")
F = TypeVar("F", bound=Fact)
T = TypeVar("T")

COMMANDS: dict[str, Callable[..., Fact]] = {}
"""Every command by `house.verb`; a test proves that nothing public in a commands.py stands outside it."""

_inside: ContextVar[bool] = ContextVar("inside_command", default=False)
log = structlog.get_logger()


@overload
def command(function: Callable[P, F], /) -> Callable[P, F]: ...
@overload
def command(*, replays: int) -> Callable[[Callable[P, F]], Callable[P, F]]: ...
def command(function: Callable[P, F] | None = None, /, *, replays: int = 0) -> Any:
    """`replays`: how often the outermost command is begun anew, whole, when it waited in vain for a lock or found
    that somebody had just moved the same thing on. Only for commands that read nothing but their arguments (no open
    file) and the database: then nobody who asked for something lawful hears that the house was busy."""
    if function is None:
        return functools.partial(_gated, replays=replays)
    return _gated(function, replays=replays)


def _gated(function: Callable[P, F], *, replays: int) -> Callable[P, F]:
    @functools.wraps(function)
    def gate(*args: P.args, **kwargs: P.kwargs) -> F:
        by = kwargs.get("by")
        if not isinstance(by, Actor):
            raise TypeError(f"{function.__qualname__} needs by=Actor")
        if _inside.get():
            return _run(function, by, *args, **kwargs)
        return together(
            lambda: _run(function, by, *args, **kwargs),
            attempted=f"{house}.{function.__name__}",
            by=by,
            replays=replays,
        )

    house = function.__module__.split(".")[-2]
    COMMANDS[f"{house}.{function.__name__}"] = gate
    gate.__is_command__ = True  # type: ignore[attr-defined]
    return gate


def _run(function: Callable[P, F], by: Actor, /, *args: P.args, **kwargs: P.kwargs) -> F:
    fact = function(*args, **kwargs)
    audit_log.append(fact, by=by)
    return fact


def is_inside() -> bool:
    """Whether a command is under way, whose transaction is not ours to undo."""
    return _inside.get()


def together(work: Callable[[], T], *, attempted: str, by: Actor, replays: int = 0) -> T:
    """Do `work` as one transaction: the commands in it join it, and their Facts are all that is logged. Inside a
    command it is part of that one's. `attempted` is what the log of illegal operations calls a refusal of it."""
    if _inside.get():
        return work()
    token = _inside.set(True)
    try:
        return _outermost(work, attempted, by, replays, optimistic=replays > 0)
    finally:
        _inside.reset(token)


def _outermost(
    work: Callable[[], T], attempted: str, by: Actor, replays: int, *, optimistic: bool = False
) -> T:
    """Whoever may begin anew reads without a lock the first time: mostly nobody else is there."""
    try:
        with collecting():
            begin_writing(optimistic=optimistic)
            answer = work()
            audit_log.nudge()
            commit()
        return answer
    except Refusal as refusal:
        roll_back()
        if replays and refusal.code in IN_THE_WAY:
            return _outermost(work, attempted, by, replays - 1)
        record(refusal, attempted=attempted, by=by)
        raise
    except sqlalchemy.exc.OperationalError as error:
        roll_back()
        if not _waited_in_vain(error):
            raise  # the database is away, or lacks a table: nobody's contention
        log.warning("command.contended", command=attempted, error=str(error.orig))
        if replays:
            return _outermost(work, attempted, by, replays - 1)
        refusal = Conflict(
            "busy",
            zh="别人正在办理同一事项，请稍后再试",
            en="Someone else is working on the same thing; try again in a moment",
        )
        record(refusal, attempted=attempted, by=by)
        raise refusal from error
    except sqlalchemy.exc.DataError as error:
        roll_back()
        log.warning("command.unstorable", command=attempted, error=str(error.orig))
        refusal = unstorable()
        record(refusal, attempted=attempted, by=by)
        raise refusal from error
    except BaseException:
        roll_back()
        raise


IN_THE_WAY = frozenset({"flow.moved_on"})
"""Codes of refusals that say no more than: somebody was quicker, ask again."""

_LOCKED = frozenset({"55P03", "40P01", "40001"})
"""PostgreSQL: the lock was not to be had in time; a deadlock; two transactions that cannot stand together."""


def _waited_in_vain(error: sqlalchemy.exc.OperationalError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return state in _LOCKED if state else "is locked" in str(error.orig)


def unstorable() -> Invalid:
    """What a `DataError` means to people: the database has no room for what was sent."""
    return Invalid(
        "unstorable",
        zh="填写的内容过长或含有无法保存的字符，请缩短或更正后重新提交",
        en="Something is too long or cannot be stored; make it shorter or correct it, and send it again",
    )


def record(refusal: Refusal, *, attempted: str, by: Actor) -> None:
    """Put a Refusal into the log, in a transaction of its own. Doors (views, the agent's API) call it too."""
    with collecting():
        begin_writing()
        audit_log.append_refusal(refusal, attempted=attempted, by=by)
        audit_log.nudge()
        commit()
    refusal.recorded = True
