"""Once only: a request that carries a key has its effect once, however often it is sent.

    once(commands.complete, task_id, form, key=key, by=by)

Whoever sends a request makes up a key for it: a page when it is shown, a program by itself (`Idempotency-Key`).
The answer is kept under sender and key in the transaction of the effect, so there is no effect without it. The
same request again, later or at the same moment, gets that answer and does nothing; the key with anything else is
refused. What was refused is not kept: a form that is corrected may be sent under the same key.

Without a key it costs nothing; with one, a single statement.
"""

import dataclasses
import hashlib
import json
import secrets
import typing
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from flask import request

from app.actor import Actor
from app.clock import now
from app.command import is_inside, together
from app.db import begin_writing, db, insert_unless_there
from app.fact import FACTS, Fact
from app.flows.models import FlowRequest
from app.refusal import Conflict, Invalid, Refusal
from app.settings import current_settings

F = TypeVar("F", bound=Fact)

LONGEST_KEY = 120


class _Answered(Exception):
    """The request was answered before: all that was done now is undone. No refusal, so nothing is recorded."""

    def __init__(self, fact: Fact) -> None:
        super().__init__(fact.name)
        self.fact = fact


def once(
    command: Callable[..., F], *args: Any, key: str | None, by: Actor, about: Any = None, **named: Any
) -> F:
    """What the command gives, or gave when this key first came from this sender. `about`: what was asked, where the
    arguments hold something that is made anew each time it comes (the reference of an upload). Refuses what the
    command refuses; `Conflict` when the key was used for something else, `Invalid` for what can be no key."""
    if not key:
        return command(*args, by=by, **named)
    if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Invalid(
            "flow.bad_key",
            zh=f"请求标识最多 {LONGEST_KEY} 个可见的 ASCII 字符",
            en=f"a request's key is at most {LONGEST_KEY} printable ASCII characters",
        )
    if is_inside():
        raise RuntimeError("once() is for doors: a command is under way, and what was refused would undo it")
    name = f"{command.__module__.split('.')[-2]}.{command.__name__}"
    digest = _digest(name, [args, named] if about is None else about)
    try:
        return together(
            lambda: _do(lambda: command(*args, by=by, **named), name, key, digest, by), attempted=name, by=by
        )
    except _Answered as answered:
        return cast(F, answered.fact)


def _do(act: Callable[[], F], name: str, key: str, digest: str, by: Actor) -> F:
    try:
        fact = act()
    except Refusal:
        # perhaps it is refused only because it is done: then the answer of that time is the answer
        db.session.rollback()
        _give_if_answered(key, digest, by)
        raise
    kept = insert_unless_there(
        FlowRequest,
        person=_sender(by),
        key=key,
        command=name,
        digest=digest,
        fact=type(fact).name,
        response=fact.payload(),
        at=now(),
    )
    if db.session.scalar(kept.returning(FlowRequest.id)) is None:
        # an equal key came first; if that was at this very moment, the database has just waited for its commit
        db.session.rollback()
        _give_if_answered(key, digest, by)
        raise Conflict(
            "busy",
            zh="别人正在办理同一事项，请稍后再试",
            en="Someone else is working on the same thing; try again in a moment",
        )
    return fact


def _give_if_answered(key: str, digest: str, by: Actor) -> None:
    """Raises `_Answered` with the answer that is kept, if there is one; `Conflict` if it answers something else."""
    kept = db.session.scalar(
        sa.select(FlowRequest).where(FlowRequest.person == _sender(by), FlowRequest.key == key)
    )
    if kept is None:
        return
    if kept.digest != digest:
        raise Conflict(
            "flow.key_used",
            zh="这张表单已经提交过，内容与这次不同。请刷新页面，看看现在的情况再办理。",
            en="This form was sent before, with other content. Reload the page, see where it stands, and go on there.",
        )
    raise _Answered(_restored(FACTS[kept.fact], kept.response))


def _restored(kind: type[Fact], payload: dict[str, Any]) -> Fact:
    """The Fact again: its moments were kept as texts."""
    hints = typing.get_type_hints(kind)
    fields = {f.name for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    said = {name: _moment(hints[name], value) for name, value in payload.items() if name in fields}
    return kind(**said)


def _moment(hint: Any, value: Any) -> Any:
    wanted = hint is datetime or datetime in typing.get_args(hint)
    return datetime.fromisoformat(value) if wanted and isinstance(value, str) else value


def new_key() -> str:
    """A key for a form that is shown now."""
    return secrets.token_urlsafe(12)


def sent_key() -> str | None:
    """The key that came with the web's request: a program's header, or a page's hidden field."""
    return request.headers.get("Idempotency-Key") or request.form.get("request_key") or None


def _sender(by: Actor) -> str:
    ident = by.station_id if by.kind == "station" else by.id
    return by.kind if ident is None else f"{by.kind}/{ident}"


def _digest(name: str, asked: Any) -> str:
    text = json.dumps([name, asked], sort_keys=True, ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return hashlib.sha256(value).hexdigest()
    if hasattr(value, "items"):  # a form of the web: its order is no part of what was asked
        return sorted(value.items(multi=True) if hasattr(value, "getlist") else value.items())
    return str(value)


def forget_old() -> int:
    """Drop the answers that are older than the setting; gives how many. Losing this costs room, nothing else."""
    before = now() - timedelta(seconds=current_settings().request_keys_kept_s)
    begin_writing()
    gone = db.session.execute(sa.delete(FlowRequest).where(FlowRequest.at < before))
    db.session.commit()
    return cast("sa.CursorResult[Any]", gone).rowcount
