"""A bureau and two offices below it, the people who look after impressions, and impressions for tests."""

import io
import secrets
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageDraw

from app.actor import Actor
from app.db import db
from app.impressions import commands
from app.impressions.facts import ImpressionRegistered
from app.people import queries as people
from app.people.models import LoginSession, RoleGrant, Unit, User
from tests.people.makers import forget_request


def png(mark: str = "") -> bytes:
    """A small red ring; `mark` makes it another one."""
    image = Image.new("RGBA", (200, 200), (196, 22, 28, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((0, 0, 199, 199), outline=(196, 22, 28, 255), width=8)
    draw.text((80, 90), mark, fill=(196, 22, 28, 255))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


class Browser(FlaskClient):
    """Every request stands alone, though the test lives inside one application context."""

    def open(self, *args: Any, **more: Any) -> Any:
        forget_request()
        return super().open(*args, **more)


@dataclass
class Bureau:
    """`office` works for all units; `manager` for `finance` alone, `neighbour` for `tax` alone."""

    app: Flask

    def __post_init__(self) -> None:
        self.top = self.unit("某市财政局", None)
        self.finance = self.unit("预算处", self.top)
        self.tax = self.unit("税政处", self.top)
        self.office = self.person("李主任", self.top, "seal_office")
        self.manager = self.person("赵管", self.finance, "seal_manager", over=self.finance)
        self.neighbour = self.person("孙管", self.tax, "seal_manager", over=self.tax)
        self.overseer = self.person("何督", self.top, "overseer")
        self.clerk = self.person("钱某", self.finance, "applicant", over=self.finance)

    def unit(self, name: str, parent: int | None) -> int:
        made = Unit(name=name, parent_id=parent, level=1 if parent is None else 2)
        db.session.add(made)
        db.session.commit()
        return made.id

    def person(self, name: str, unit_id: int, *roles: str, over: int | None = None) -> Actor:
        user = User(login=secrets.token_hex(4), name=name, unit_id=unit_id, password_hash="-")
        db.session.add(user)
        db.session.flush()
        for role in roles:
            db.session.add(RoleGrant(user_id=user.id, role=role, unit_id=over))
        db.session.commit()
        return people.actor_of(user.id)

    def register(self, mark: str = "", *, by: Actor | None = None, **changes: object) -> ImpressionRegistered:
        """The finance office's contract seal, unless said otherwise."""
        values: dict[str, object] = {
            "owner_unit_id": self.finance,
            "kind": "official",
            "name": "合同专用章",
            "png": png(mark),
            "width_mm": 42,
            "height_mm": 42,
            **changes,
        }
        return commands.register(**values, by=by or self.office)  # type: ignore[arg-type]

    def browser(self, who: Actor | None = None) -> FlaskClient:
        """This person's browser, logged in; a stranger's when None."""
        self.app.config["WTF_CSRF_ENABLED"] = False
        client = Browser(self.app, self.app.response_class)
        if who is None:
            return client
        assert who.id is not None
        token = secrets.token_urlsafe(32)
        db.session.add(LoginSession(token_hash=people.token_hash(token), user_id=who.id))
        db.session.commit()
        client.set_cookie("yinxu", token)
        return client
