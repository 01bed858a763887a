"""One office for all stories of a file, served as it is, and windows of its people."""

import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page
from werkzeug.serving import make_server

from app.actor import Actor
from app.db import db
from app.factory import create_app
from app.people import queries as people
from app.people.models import LoginSession
from tests.cards.makers import World
from tests.conftest import settings_for
from tests.journeys.office import Office
from tests.web.test_browser import chromium

__all__ = ["chromium"]
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An organisation with its people, its flows, a seal that may be used and a station."""
    folder = tmp_path_factory.mktemp("office")
    settings = settings_for(
        folder / "var", f"sqlite:///{folder}/office.sqlite", REDIS_URL="redis://127.0.0.1:1/0"
    )
    app = create_app(settings)
    with app.app_context():
        db.create_all()
        yield Office(World(app), folder)
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def address(office: Office) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, office.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


Opens = Callable[..., Page]


@pytest.fixture
def opens(chromium: Chromium, office: Office, address: str) -> Iterator[Opens]:
    """`opens(who, path, width=…)`: the page, in a window of this person's own."""
    contexts: list[BrowserContext] = []

    def open_page(who: Actor, path: str, **window: Any) -> Page:
        assert who.id is not None
        token = secrets.token_urlsafe(32)
        db.session.add(LoginSession(token_hash=people.token_hash(token), user_id=who.id))
        db.session.commit()
        context = chromium.new_context(locale="zh-CN", base_url=address, **{"viewport": PHONE, **window})
        context.set_default_timeout(15_000)
        context.add_cookies([{"name": "yinxu", "value": token, "url": address}])
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    db.session.rollback()
