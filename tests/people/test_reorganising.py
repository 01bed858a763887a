"""Units that are renamed, merged or closed, people who change units (D1)."""

from pathlib import Path

import pytest
from flask import Flask

from app.actor import SYSTEM
from app.clock import now
from app.people import commands, queries, reorganising
from app.refusal import Conflict, Forbidden, Invalid
from app.settings import Settings
from tests.conftest import settings_for
from tests.people.makers import Browser, Town, town


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


@pytest.fixture
def here(app: Flask) -> Town:
    return town()


def test_a_renamed_unit_keeps_what_it_was_called(here: Town) -> None:
    fact = reorganising.rename_unit(here.department, " 供应中心 ", "董事会决议 7 号", by=here.actor("admin"))

    assert (fact.former_name, fact.unit_name) == ("供应链中心", "供应中心")
    assert queries.unit(here.department).name == "供应中心"
    assert [one.name for one in queries.former_names()[here.department]] == ["供应链中心"]


def test_a_merged_unit_hands_over_its_people_and_what_is_below_it_but_no_roles(here: Town) -> None:
    team = commands.register_unit("采购组", parent_id=here.department, by=SYSTEM).unit_id
    desk = commands.register_unit("比价岗", parent_id=team, by=SYSTEM).unit_id
    other = commands.register_unit("运营部", parent_id=here.top, by=SYSTEM).unit_id
    held = commands.appoint(here.people["nobody"], "seal_user", here.department, by=SYSTEM).grant_id

    fact = reorganising.merge_unit(here.department, other, "机构调整", by=here.actor("admin"))

    assert set(fact.user_ids) == set(here.people.values()) and fact.unit_ids == [team]
    assert fact.grant_ids == [held]
    assert {one.id for one in queries.people_of(other)} == set(here.people.values())
    assert (queries.unit(team).parent_id, queries.unit(desk).level) == (other, 4)
    assert not queries.actor_of(here.people["nobody"]).has("seal_user")
    gone = queries.unit(here.department)
    assert gone.merged_into_id == other and gone.ended_at is not None
    assert here.department not in [one.id for one in queries.living_units()]


def test_a_role_that_is_still_to_begin_ends_with_its_unit(here: Town) -> None:
    empty = commands.register_unit("筹备组", parent_id=here.top, by=SYSTEM).unit_id
    later = now().replace(year=now().year + 1)
    commands.appoint(here.people["nobody"], "seal_user", empty, valid_from=later, by=SYSTEM)

    reorganising.close_unit(empty, "不再筹备", by=here.actor("admin"))

    assert not queries.grants_to_come(here.people["nobody"])


def test_only_an_empty_unit_is_closed(here: Town) -> None:
    with pytest.raises(Conflict, match=r"people\.unit_not_empty") as refused:
        reorganising.close_unit(here.department, "撤销", by=here.actor("admin"))
    assert "6" in refused.value.text.zh and "合并" in refused.value.text.zh

    for user_id in here.people.values():
        reorganising.move_user(user_id, here.top, by=here.actor("admin"))
    reorganising.close_unit(here.department, "撤销", by=here.actor("admin"))

    for act in (
        lambda: reorganising.rename_unit(here.department, "别名", "再来", by=SYSTEM),
        lambda: reorganising.move_user(here.people["clerk"], here.department, by=SYSTEM),
        lambda: commands.register_unit("下级", parent_id=here.department, by=SYSTEM),
        lambda: commands.register_user("x1", "新人", here.department, "a long first one", by=SYSTEM),
        lambda: commands.appoint(here.people["clerk"], "seal_manager", here.department, by=SYSTEM),
    ):
        with pytest.raises(Conflict, match=r"people\.unit_ended"):
            act()


def test_a_unit_goes_neither_into_itself_nor_below_itself(here: Town) -> None:
    for into in (here.top, here.department):
        with pytest.raises(Invalid, match=r"people\.merged_into_itself"):
            reorganising.merge_unit(here.top, into, "调整", by=SYSTEM)


@pytest.mark.parametrize("who", ["clerk", "office", "officer", "auditor", "nobody"])
def test_nobody_but_the_system_administrator_changes_units(here: Town, who: str) -> None:
    by = here.actor(who)
    for act in (
        lambda: reorganising.rename_unit(here.department, "别名", "原因", by=by),
        lambda: reorganising.merge_unit(here.department, here.top, "原因", by=by),
        lambda: reorganising.close_unit(here.department, "原因", by=by),
        lambda: reorganising.move_user(here.people["clerk"], here.top, by=by),
    ):
        with pytest.raises(Forbidden):
            act()


@pytest.mark.parametrize(
    ("name", "reason"), [("", "决议"), ("供应链中心", "决议"), ("x" * 201, "决议"), ("新名", " ")]
)
def test_a_change_says_what_and_on_which_decision(here: Town, name: str, reason: str) -> None:
    with pytest.raises(Invalid):
        reorganising.rename_unit(here.department, name, reason, by=SYSTEM)
    assert queries.unit(here.department).name == "供应链中心" and not queries.former_names()


def test_the_pages_of_units(app: Flask, here: Town) -> None:
    browser = Browser(app)
    browser.log_in("admin")
    page = browser.get("/units").text
    assert "供应链中心" in page and f"/units/{here.department}/change" in page

    browser.get(f"/units/{here.department}/change")
    answer = browser.post(f"/units/{here.department}/rename", {"name": "供应中心", "reason": ""})
    assert answer.status_code == 422 and 'value="供应中心"' in answer.text and "请填写依据" in answer.text
    assert (
        browser.post(f"/units/{here.department}/rename", {"name": "供应中心", "reason": "决议"}).status_code
        == 302
    )
    assert "曾用名：供应链中心" in browser.get("/units").text

    assert browser.post("/units", {"name": "法务部", "parent_id": str(here.top)}).status_code == 302
    assert browser.post("/units", {"name": "", "parent_id": ""}).status_code == 422
    moved = browser.post(f"/people/{here.people['clerk']}/unit", {"unit_id": str(here.top)})
    assert moved.status_code == 302 and queries.user(here.people["clerk"]).unit_id == here.top
    assert browser.get("/units/999/change").status_code == 404


def test_the_security_officer_sees_units_and_changes_none(app: Flask, here: Town) -> None:
    browser = Browser(app)
    browser.log_in("officer")
    assert "/change" not in browser.get("/units").text
    assert browser.get(f"/units/{here.department}/change").status_code == 403
