"""The ledger and a seal's page."""

import pytest

from app.cards import commands as cards
from app.seals import commands, queries
from tests.cards.makers import SYSTEM, World, browser
from tests.seals.makers import issued_seal


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_empty_ledger_says_what_will_come(world: World, language: str) -> None:
    client = browser(world, world.office)
    client.set_cookie("language", language)

    answer = client.get("/seals")

    assert answer.status_code == 200
    assert ("台帐还是空的" if language == "zh" else "The ledger is empty") in answer.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_ledger_leads_to_a_seals_whole_life(world: World, language: str) -> None:
    seal_id = issued_seal(world)
    commands.authorize_by_keeping(seal_id, by=SYSTEM)
    client = browser(world, world.manager)
    client.set_cookie("language", language)

    ledger, page = client.get("/seals?status=active&q=预算"), client.get(f"/seals/{seal_id}")

    assert f"/seals/{seal_id}" in ledger.text
    assert "SC1" in page.text and "周领" in page.text
    said = "没有符合条件的印章" if language == "zh" else "No seal fits"
    assert said in client.get("/seals?q=没有这个").text


def test_a_user_is_told_why_the_seal_may_be_used(world: World) -> None:
    seal_id = issued_seal(world)
    commands.authorize_by_keeping(seal_id, by=SYSTEM)

    page = browser(world, world.user).get(f"/seals/{seal_id}").text

    assert "您可以使用" in page and "印章使用者" in page


def test_the_ledger_speaks_json_too(world: World) -> None:
    seal_id = issued_seal(world)

    told = browser(world, world.office).get("/seals", headers={"Accept": "application/json"}).get_json()

    assert [(s["seal_id"], s["status"]) for s in told["seals"]] == [(seal_id, "active")]


def test_without_a_reason_the_page_comes_back(world: World) -> None:
    seal_id = issued_seal(world)

    answer = browser(world, world.manager).post(f"/seals/{seal_id}/suspend", data={"reason": ""})

    assert answer.status_code == 422 and "请填写原因" in answer.text


def test_a_manager_authorises_and_withdraws(world: World) -> None:
    seal_id = issued_seal(world)
    client = browser(world, world.manager)
    form = {"user_id": str(world.stranger.id), "functions": ["pdf"], "valid_until": "2099-01-31"}

    assert client.post(f"/seals/{seal_id}/grants", data=form).status_code == 302
    grant = queries.grants(seal_id)[0].grant
    assert queries.may_use(seal_id, world.stranger).allowed
    client.post(f"/seals/{seal_id}/grants/{grant.id}/withdraw", data={"reason": "完成"})

    assert not queries.may_use(seal_id, world.stranger).allowed


@pytest.mark.parametrize("form", [{}, {"functions": ["pdf"], "valid_until": "someday", "user_id": "1"}])
def test_a_wrong_authorisation_comes_back_with_the_fault(world: World, form: dict[str, object]) -> None:
    answer = browser(world, world.manager).post(f"/seals/{issued_seal(world)}/grants", data=form)

    assert answer.status_code == 422


@pytest.mark.parametrize(
    "person", ["²", "x", "9" * 5000, str(2**31), str(2**63), "-1"], ids=lambda said: said[:10]
)
def test_a_misspelt_person_authorises_nobody(world: World, person: str) -> None:
    seal_id = issued_seal(world)
    form = {"user_id": person, "functions": ["pdf"]}

    answer = browser(world, world.manager).post(f"/seals/{seal_id}/grants", data=form)

    assert answer.status_code == 404 and "没有这个人员" in answer.text
    assert queries.grants(seal_id) == []


@pytest.mark.parametrize(
    ("field", "said"),
    [("valid_until", "9999-12-31"), ("valid_until", "0001-01-01"), ("because", "长" * 301)],
)
def test_what_no_authorisation_can_hold_is_said(world: World, field: str, said: str) -> None:
    form = {"user_id": str(world.stranger.id), "functions": ["pdf"], field: said}

    answer = browser(world, world.manager).post(f"/seals/{issued_seal(world)}/grants", data=form)

    assert answer.status_code == 422


def test_a_reason_has_an_end(world: World) -> None:
    seal_id = issued_seal(world)

    answer = browser(world, world.manager).post(f"/seals/{seal_id}/suspend", data={"reason": "长" * 501})

    assert answer.status_code == 422 and "不超过 500 个字符" in answer.text


def test_whoever_may_not_see_a_seal_gets_no_page(world: World) -> None:
    seal_id = issued_seal(world)
    outside = world._unit("审计处", world.bureau)
    stranger = world.person("chen", "陈某", outside, "applicant", unit=outside)

    assert browser(world, stranger).get(f"/seals/{seal_id}").status_code == 404
    assert browser(world, stranger).post(f"/seals/{seal_id}/suspend", data={"reason": "x"}).status_code == 403


def test_the_page_before_a_card_is_destroyed_names_the_seal_on_it(world: World) -> None:
    seal_id = issued_seal(world)
    commands.authorize_by_keeping(seal_id, by=SYSTEM)
    cards.take_back("SC1", "部门撤并", by=world.office)
    office, operator = browser(world, world.office), browser(world, world.operator)

    page = office.get("/cards/SC1/destruction").text

    assert f"/seals/{seal_id}" in page and "印章使用者" in page
    assert f"/seals/{seal_id}" in office.get("/cards/SC1").text
    assert f"/seals/{seal_id}" not in operator.get("/cards/SC1").text
    assert operator.get("/cards/SC1/destruction").status_code == 403
    office.set_cookie("language", "en")
    assert "What this touches" in office.get("/cards/SC1/destruction").text
