"""A lost card: its uses between loss and report are told apart, and whoever verifies one of them is warned (D14)."""

import datetime as dt
import io

import pytest

from app import clock
from app.cards import commands as cards
from app.refusal import Invalid
from app.signing import losses, queries
from tests.cards.makers import World, browser
from tests.signing.makers import sealed

HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(("hours", "listed"), [(-2, True), (None, True)])
def test_what_was_sealed_while_nobody_knew_where_it_was_is_listed_and_warned_of(
    world: World, hours: int | None, listed: bool
) -> None:
    ritual = sealed(world)
    since = None if hours is None else clock.now() + hours * HOUR
    cards.report_lost("SC1", "出差遗失", since=since, by=world.manager)

    page = browser(world, world.manager).get("/cards/SC1").text
    assert ("孙用" in page) is listed and "station-1" in page
    [loss] = losses.of_report(queries.report_on(ritual.document()))
    assert loss.doubtful
    answer = browser(world, world.stranger).post(
        "/verify", data={"document": (io.BytesIO(ritual.document()), "来文.pdf")}
    )
    assert "已于" in answer.text and "下落不明" in answer.text


def test_what_was_sealed_before_the_loss_is_told_as_that(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ritual = sealed(world)
    later = clock.now() + 3 * HOUR
    monkeypatch.setattr("app.clock.now", lambda: later)
    cards.report_lost("SC1", "出差遗失", since=later - HOUR, by=world.manager)

    [loss] = losses.of_report(queries.report_on(ritual.document()))
    assert not loss.doubtful
    page = browser(world, world.manager).get("/cards/SC1").text
    assert "其间没有用印记录" in page


def test_a_loss_that_is_still_to_come_is_refused_and_one_said_badly_too(world: World) -> None:
    with pytest.raises(Invalid, match=r"card\.lost_in_future"):
        cards.report_lost("SC1", "遗失", since=clock.now() + HOUR, by=world.manager)
    client = browser(world, world.manager)
    assert client.post("/cards/SC1/lost", data={"reason": "遗失", "since": "gestern"}).status_code == 422
    assert (
        client.post("/cards/SC1/lost", data={"reason": "遗失", "since": "2026-01-01T08:00"}).status_code
        == 302
    )
