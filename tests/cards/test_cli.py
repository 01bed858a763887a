"""`yinxu stations`."""

import json

import pytest
from click.testing import CliRunner

from app.cards import queries
from app.cli import main
from tests.cards.makers import World


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """The command line on the test's own app."""
    import app.factory

    monkeypatch.setattr(app.factory, "create_app", lambda **_: world.app)

    def invoke(*arguments: str):  # type: ignore[no-untyped-def]
        return CliRunner().invoke(main, ["stations", *arguments])

    return invoke


def test_enrol_prints_a_one_time_code(world: World, run) -> None:  # type: ignore[no-untyped-def]
    told = json.loads(run("enrol", "二号", "--unit", "某市财政局", "--json").output)

    assert told["name"] == "二号" and len(told["code"]) == 39
    assert queries.station(told["station_id"]).state == "announced"


def test_list_says_who_is_connected(world: World, run) -> None:  # type: ignore[no-untyped-def]
    told = [json.loads(line) for line in run("list", "--json").output.splitlines()]

    assert [(t["name"], t["state"], t["waiting"]) for t in told] == [("三楼制章室", "silent", 0)]
    assert "三楼制章室" in run("list").output


def test_revoke_ends_a_station(world: World, run) -> None:  # type: ignore[no-untyped-def]
    assert run("revoke", str(world.station.id), "--reason", "报废").exit_code == 0

    assert queries.station(world.station.id).state == "revoked"
    again = run("revoke", str(world.station.id), "--reason", "报废")
    assert again.exit_code == 1 and "已停用" in again.output


def test_a_unit_that_does_not_exist_is_said_plainly(run) -> None:  # type: ignore[no-untyped-def]
    answer = run("enrol", "四号", "--unit", "没有")

    assert answer.exit_code == 1 and "there is no unit" in answer.output
