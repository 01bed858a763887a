"""Roles: who may grant them, which go together, from when until when."""

import dataclasses
import json
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app import clock
from app.actor import SYSTEM, Actor
from app.cli import main
from app.db import db
from app.glossary import OFFICERS, ROLES
from app.people import commands, queries, rules
from app.people.models import RoleGrant
from app.refusal import Conflict, Forbidden, Invalid, NotFound, Refusal
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


FIRST = {
    "wu": ("吴桐", "system_administrator"),
    "zheng": ("郑安", "security_officer"),
    "qian": ("钱正", "security_auditor"),
}
PASSWORDS = "a long password\na long password\n"


def ceremony(app: Flask, monkeypatch: pytest.MonkeyPatch, said: str, **people: tuple[str, str]) -> Result:
    """`yinxu people init` for these people, with `said` on its standard input."""
    monkeypatch.setattr("app.factory.create_app", lambda **_: app)
    persons = [word for login, (name, role) in people.items() for word in ("--person", login, name, role)]
    return CliRunner().invoke(main, ["people", "init", "示例公司", "--json", *persons], input=said)


def test_first_appointments_are_made_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    done = ceremony(app, monkeypatch, PASSWORDS * 3, **FIRST)

    assert done.exit_code == 0, done.output
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert {t["login"]: t["roles"] for t in told} == {k: [role] for k, (_, role) in FIRST.items()}
    again = ceremony(app, monkeypatch, PASSWORDS * 3, **FIRST)
    assert again.exit_code == 1 and "already" in again.stderr and "Traceback" not in again.stderr
    listed = CliRunner().invoke(main, ["people", "list", "--json"])
    assert [json.loads(line)["roles"] for line in listed.stdout.splitlines()].count(["security_officer"]) == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"qian": ("钱正", "applicant")}, "Only the three officers"),
        ({"qian": ("钱正", "nonsense")}, "Only the three officers"),
        ({"qian": ("钱正", "security_officer")}, "missing: security_auditor"),
        ({"QIAN": ("钱正", "security_auditor")}, "A login starts with"),
    ],
)
def test_a_ceremony_that_appoints_wrongly_asks_no_password_and_leaves_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, tuple[str, str]], sentence: str
) -> None:
    people = {k: v for k, v in FIRST.items() if k not in {key.lower() for key in wrong}} | wrong

    done = ceremony(app, monkeypatch, "", **people)

    assert done.exit_code == 1 and sentence in done.stderr
    assert not queries.people() and not queries.units()


def test_an_interrupted_ceremony_leaves_nothing_and_can_be_held_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted = ceremony(app, monkeypatch, PASSWORDS * 2 + "short\nshort\n", **FIRST)

    assert interrupted.exit_code == 1 and "10 to 128 characters" in interrupted.stderr
    assert not queries.people() and not queries.units()
    assert ceremony(app, monkeypatch, PASSWORDS * 3, **FIRST).exit_code == 0


def test_the_officers_are_appointed_all_together_or_not_at_all(app: Flask) -> None:
    """D6: the command itself insists, whoever calls it."""
    good = "a long password"
    people = [
        rules.FirstPerson(login=login, name=name, role=role, password=good)
        for login, (name, role) in FIRST.items()
    ]
    last_is_weak = [*people[:2], dataclasses.replace(people[2], password="short")]
    one_holds_two = [*people[:2], dataclasses.replace(people[2], login="wu")]

    for wrong in (last_is_weak, one_holds_two, people[:2]):
        with pytest.raises(Refusal):
            commands.appoint_officers("示例公司", wrong, by=SYSTEM)
        assert not queries.people() and not queries.units()
    assert len(commands.appoint_officers("示例公司", people, by=SYSTEM).user_ids) == 3
