"""A login that was proved, however: the session that follows. Who may, has been asked before."""

from app.actor import Actor
from app.db import db
from app.people import queries
from app.people.models import LoginSession


def open_session(user_id: int, token: str, by: Actor) -> int:
    """The id of a session for the cookie's `token`, in the caller's transaction; only the token's hash is kept."""
    session = LoginSession(
        token_hash=queries.token_hash(token),
        user_id=user_id,
        ip=by.origin.ip,
        user_agent=(by.origin.user_agent or "")[:300] or None,
    )
    db.session.add(session)
    db.session.flush()
    return session.id
