"""Roles: who may grant them, which go together, from when until when."""

from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app import clock
from app.actor import SYSTEM, Actor
from app.db import db
from app.glossary import OFFICERS, ROLES
from app.people import commands, queries, rules
from app.people.models import RoleGrant
from app.refusal import Conflict, Forbidden, Invalid, NotFound
from app.settings import Settings
from tests.conftest import settings_for
from tests.people.makers import Browser, Town, town

DAY = timedelta(days=1)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "var", database_url, login_rate="1000 per minute")


@pytest.fixture
def here(app: Flask) -> Town:
    return town()


@pytest.fixture
def officer(here: Town) -> Actor:
    return here.actor("officer")


# --- 三员分立 ---


@pytest.mark.parametrize("pair", list(combinations(sorted(OFFICERS), 2)))
def test_nobody_holds_two_of_the_three_offices(pair: tuple[str, str]) -> None:
    with pytest.raises(Conflict, match="officers_apart"):
        rules.check_roles_together([pair[0]], pair[1])


@given(st.sets(st.sampled_from(sorted(ROLES))), st.sampled_from(sorted(ROLES)))
def test_an_officer_holds_nothing_else(held: set[str], new: str) -> None:
    together = held | {new}
    lawful = not (together & OFFICERS) or len(together) == 1
    if lawful:
        rules.check_roles_together(held, new)
    else:
        with pytest.raises(Conflict):
            rules.check_roles_together(held, new)


def test_a_role_still_to_begin_counts_already(here: Town, officer: Actor) -> None:
    commands.appoint(here.people["nobody"], "applicant", valid_from=clock.now() + DAY, by=officer)
    with pytest.raises(Conflict, match="officers_apart"):
        commands.appoint(here.people["nobody"], "system_administrator", by=officer)


def test_a_role_that_ended_counts_no_more(here: Town, officer: Actor) -> None:
    grant = commands.appoint(here.people["nobody"], "applicant", by=officer)
    commands.dismiss(grant.grant_id, by=officer)
    fact = commands.appoint(here.people["nobody"], "system_administrator", by=officer)
    assert fact.role == "system_administrator"


@pytest.mark.parametrize("login", ["clerk", "office", "admin", "auditor", "nobody"])
def test_only_the_security_officer_grants(here: Town, login: str) -> None:
    with pytest.raises(Forbidden, match="may_not_appoint"):
        commands.appoint(here.people["nobody"], "applicant", by=here.actor(login))


def test_nobody_grants_to_themselves(here: Town, officer: Actor) -> None:
    with pytest.raises(Forbidden, match="not_oneself"):
        commands.appoint(here.people["officer"], "applicant", by=officer)


def test_only_the_system_administrator_registers(here: Town, officer: Actor) -> None:
    with pytest.raises(Forbidden, match="may_not_register"):
        commands.register_user("new", "新人", here.department, "a long password here", by=officer)


# --- dates and units ---


def test_a_role_holds_between_its_dates(here: Town, officer: Actor) -> None:
    user = here.people["nobody"]
    until = clock.now() + DAY
    fact = commands.appoint(user, "seal_user", here.department, valid_until=until, by=officer)
    assert fact.valid_until == until
    assert here.actor("nobody").has("seal_user", queries.unit_path(here.department))

    db.session.execute(
        sa.update(RoleGrant).where(RoleGrant.id == fact.grant_id).values(valid_until=clock.now() - DAY)
    )
    db.session.commit()
    assert not here.actor("nobody").has("seal_user")
    assert user not in [u.id for u in queries.users_with_role("seal_user", here.department)]


@pytest.mark.parametrize("until", [-1, 0])
def test_a_role_cannot_end_before_it_begins(here: Town, officer: Actor, until: int) -> None:
    with pytest.raises(Invalid, match="bad_period"):
        commands.appoint(
            here.people["nobody"], "seal_user", valid_until=clock.now() + until * DAY, by=officer
        )


def test_a_role_of_one_unit_covers_what_is_under_it_and_nothing_beside(here: Town, officer: Actor) -> None:
    other = commands.register_unit("别的公司", by=SYSTEM).unit_id
    commands.appoint(here.people["nobody"], "seal_manager", here.top, by=officer)
    actor = here.actor("nobody")
    assert actor.has("seal_manager", queries.unit_path(here.department))
    assert not actor.has("seal_manager", queries.unit_path(other))
    assert here.people["nobody"] in [u.id for u in queries.users_with_role("seal_manager", here.department)]
    assert here.people["nobody"] not in [u.id for u in queries.users_with_role("seal_manager", other)]


def test_a_unit_that_does_not_exist_is_said_so(here: Town, officer: Actor) -> None:
    with pytest.raises(NotFound):
        commands.appoint(here.people["nobody"], "seal_manager", 999, by=officer)


@given(st.datetimes(), st.one_of(st.none(), st.datetimes()), st.datetimes())
def test_the_rule_of_periods(begin: datetime, end: datetime | None, at: datetime) -> None:
    if end is None or (end > begin and end > at):
        rules.check_period(begin, end, at)
    else:
        with pytest.raises(Invalid):
            rules.check_period(begin, end, at)


# --- credit code ---


def test_the_check_character_of_a_credit_code() -> None:
    rules.check_credit_code("91350100M000100Y43")  # the example of GB 32100-2015
    for wrong in ("91350100M000100Y44", "91350100M000100Y4", "91350100M000100YI3", ""):
        with pytest.raises(Invalid):
            rules.check_credit_code(wrong)


def test_a_credit_code_belongs_to_one_unit(here: Town) -> None:
    commands.register_unit("甲", code="91350100M000100Y43", by=SYSTEM)
    with pytest.raises(Conflict, match="code_known"):
        commands.register_unit("乙", code="91350100M000100Y43", by=SYSTEM)


# --- the pages ---


def test_the_security_officer_grants_and_ends_on_the_page(app: Flask, here: Town) -> None:
    browser = Browser(app)
    browser.log_in("officer")
    browser.get("/people")
    path = f"/people/{here.people['nobody']}/roles"

    answer = browser.post(
        path, {"role": "applicant", "unit_id": here.department, "valid_until": "2999-12-31"}
    )

    assert answer.location == "/people"
    grant = queries.grants_of(here.people["nobody"])[0]
    assert (grant.role, grant.unit_id) == ("applicant", here.department)
    assert grant.valid_until is not None and grant.valid_until.isoformat() == "2999-12-31T16:00:00+00:00"
    assert "2999-12-31" not in browser.get("/people").text  # shown as the moment it ends
    assert "3000-01-01 00:00" in browser.get("/people").text

    browser.post(f"/people/roles/{grant.id}/end")
    assert list(queries.grants_of(here.people["nobody"])) == []


@pytest.mark.parametrize("until", ["31.12.2999", "2020-01-01"])
def test_a_bad_date_is_said_on_the_page(app: Flask, here: Town, until: str) -> None:
    browser = Browser(app)
    browser.log_in("officer")
    browser.get("/people")
    answer = browser.post(
        f"/people/{here.people['nobody']}/roles", {"role": "applicant", "valid_until": until}
    )
    assert answer.status_code == 422
    assert 'class="errors"' in answer.text


def test_the_administrator_registers_on_the_page_and_values_stay_after_a_mistake(
    app: Flask, here: Town
) -> None:
    browser = Browser(app)
    browser.log_in("admin")
    browser.get("/people")
    form = {
        "login": "clerk",
        "name": "另一人",
        "unit_id": here.department,
        "password": "a long password here",
    }
    answer = browser.post("/people", form)
    assert answer.status_code == 409
    assert "另一人" in answer.text
    assert browser.post("/people", {**form, "login": "second"}).location == "/people"
    assert queries.user_by_login("second") is not None


def test_first_appointments_are_made_once(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from app.cli import people

    monkeypatch.setattr("app.factory.create_app", lambda **_: app)
    words = ["init", "示例公司", "--person", "wu", "吴桐", "system_administrator"]
    done = CliRunner().invoke(people.command, words, input="a long password\na long password\n")
    assert done.exit_code == 0, done.output
    again = CliRunner().invoke(people.command, words, input="a long password\na long password\n")
    assert isinstance(again.exception, Conflict)
    listed = CliRunner().invoke(people.command, ["list", "--json"])
    assert '"roles": ["system_administrator"]' in listed.output
