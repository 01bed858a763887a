"""Forms offer only what can be taken: blank cards that fit, stations that live."""

from types import SimpleNamespace

import pytest

from app.cards import commands as cards
from app.cards.choices import stations
from app.seals.choices import blank_seal_cards
from tests.cards.makers import World
from tests.seals.makers import made_seal


@pytest.fixture
def world(world: World) -> World:
    """SC1 is the department's, SC2 the bureau's, SC3 Sun's own."""
    for serial, owner in (
        ("SC2", {"owner_unit_id": world.bureau}),
        ("SC3", {"owner_user_id": world.user.id, "keeping": "personal"}),
    ):
        world.register(serial, world.ca.issue(serial), **owner)
    return world


def offered(world: World, **data: object) -> list[str]:
    task = SimpleNamespace(data=data)
    return sorted(serial for serial, _ in blank_seal_cards(task, world.operator))


def test_a_units_seal_is_offered_its_units_cards(world: World) -> None:
    assert offered(world, kind="official", keeping="unit", owner_unit_id=world.finance) == ["SC1"]


def test_a_seal_in_personal_keeping_is_offered_personal_cards(world: World) -> None:
    assert offered(world, kind="official", keeping="personal", owner_unit_id=world.finance) == ["SC3"]
    assert offered(world, kind="personal_name", owner_user_id=world.user.id) == ["SC3"]
    assert offered(world, kind="personal_name", owner_user_id=999) == []


def test_occupied_and_lost_cards_are_not_offered(world: World) -> None:
    made_seal(world)
    cards.report_lost("SC2", "遗失", by=world.office)

    assert offered(world) == ["SC3"]


def test_only_operators_are_offered_anything(world: World) -> None:
    assert list(blank_seal_cards(None, world.stranger)) == []
    assert list(stations(None, world.stranger)) == []


def test_stations_are_offered_while_they_are_enrolled(world: World) -> None:
    cards.enrol_station("未连接", world.bureau, by=world.administrator)

    assert [(v, t.zh) for v, t in stations(None, world.operator)] == [
        (str(world.station.id), "三楼制章室（离线）")
    ]
