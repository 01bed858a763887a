"""A change of a seal goes through its flow; a unit that changes takes its seals with it (D1, D4)."""

import pytest
import sqlalchemy as sa

from app.actor import SYSTEM, Actor
from app.db import db
from app.flows import commands as flows
from app.flows import steering
from app.flows.models import FlowTask
from app.impressions import queries as impressions
from app.people import queries as people
from app.people import reorganising
from app.refusal import Conflict, Forbidden, Invalid
from app.seals import changing, following, queries
from app.seals.models import Seal
from tests.cards.makers import World
from tests.cards.makers import browser as browser_of
from tests.seals.conftest import refused
from tests.seals.makers import impression_of, issued_seal, ordered


@pytest.fixture
def world(world: World) -> World:
    flows.load_files(by=SYSTEM)
    return world


def decide(by: Actor, decision: str = "approve", opinion: str = "") -> None:
    task = db.session.scalars(sa.select(FlowTask).where(FlowTask.status == "open")).one()
    flows.complete(task.id, {"decision": decision, "opinion": opinion}, by=by)


def status(seal_id: int) -> str:
    return queries.status_of(queries.seal(seal_id))


def test_suspending_is_done_at_once_and_resuming_is_agreed_to(world: World) -> None:
    seal_id = issued_seal(world)
    changing.ask_change(seal_id, "suspend", "核查", by=world.manager)
    assert status(seal_id) == "suspended"

    asked = changing.ask_change(seal_id, "resume", "核查完毕", by=world.manager)
    assert status(seal_id) == "suspended"
    decide(world.office)

    assert status(seal_id) == "active"
    row = queries.change(asked.change_id)
    assert (row.state, row.agreed_by_name) == ("done", world.office.name)
    assert [e.who for e in queries.life(seal_id) if e.what.zh in ("停用", "启用")] == [world.manager.name] * 2


def test_cancelling_takes_two_whatever_a_diagram_says(world: World) -> None:
    seal_id = issued_seal(world)
    both = world.person("both", "兼任", world.bureau, "seal_manager", "seal_office")
    asked = changing.ask_change(seal_id, "cancel", "机构撤销", by=both).change_id

    with pytest.raises(Forbidden):
        decide(both)
    with refused("seal.own_change"):
        changing.agree(asked, by=both)
    with refused("seal.not_the_office"):
        changing.agree(asked, by=world.user)
    with refused("seal.change_not_agreed"):
        changing.carry_out(asked, by=world.office)
    assert status(seal_id) == "active"

    decide(world.office)
    assert status(seal_id) == "cancelled"
    with refused("seal.change_over"):
        changing.carry_out(asked, by=world.office)


def test_the_seal_office_may_ask_too(world: World) -> None:
    seal_id = issued_seal(world)
    changing.ask_change(seal_id, "suspend", "核查", by=world.office)
    assert status(seal_id) == "suspended"


def test_a_refusal_says_why_and_changes_nothing(world: World) -> None:
    seal_id = issued_seal(world)
    asked = changing.ask_change(seal_id, "cancel", "换章", by=world.manager)
    with pytest.raises(Invalid):
        decide(world.office, "refuse")
    decide(world.office, "refuse", "合同未到期")
    row = queries.change(asked.change_id)
    assert (row.state, row.answer, status(seal_id)) == ("refused", "合同未到期", "active")


def test_one_change_at_a_time_and_it_can_be_taken_back(world: World) -> None:
    seal_id = issued_seal(world)
    asked = changing.ask_change(seal_id, "cancel", "换章", by=world.manager)
    with refused("seal.change_waits"):
        changing.ask_change(seal_id, "suspend", "核查", by=world.manager)
    steering.cancel(asked.instance_id, "不换了", by=world.manager)
    assert queries.change(asked.change_id).state == "cancelled"
    changing.ask_change(seal_id, "suspend", "核查", by=world.manager)
    assert status(seal_id) == "suspended"


@pytest.mark.parametrize(
    ("verb", "reason", "code"),
    [
        ("resume", "启用", "seal.not_suspended"),
        ("burn", "试", "seal.no_such_verb"),
        ("suspend", " ", "seal.reason_needed"),
        ("suspend", "x" * 501, "seal.too_long"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(world: World, verb: str, reason: str, code: str) -> None:
    seal_id = issued_seal(world)
    with pytest.raises((Conflict, Invalid), match=code.replace(".", r"\.")):
        changing.ask_change(seal_id, verb, reason, by=world.manager)
    with refused("seal.may_not_ask_change"):
        changing.ask_change(seal_id, "suspend", "试", by=world.user)


def test_the_page_asks_and_tells(world: World) -> None:
    seal_id = issued_seal(world)
    browser = browser_of(world, world.manager)
    browser.get(f"/seals/{seal_id}")
    empty = browser.post(f"/seals/{seal_id}/cancel", data={"reason": ""})
    assert empty.status_code == 422 and "data-refused" in empty.text
    assert browser.post(f"/seals/{seal_id}/cancel", data={"reason": "换章"}).status_code == 302
    page = browser.get(f"/seals/{seal_id}").text
    assert "等待印章管理部门复核" in page and 'data-opens="suspend"' not in page


@pytest.mark.parametrize("verb", ["rename", "merge", "close"])
def test_a_unit_that_changes_takes_its_seals_with_it(world: World, verb: str) -> None:
    seal_id = issued_seal(world)
    spare = impression_of(world, name="预算处业务专用章")
    changing.ask_change(seal_id, "suspend", "核查", by=world.manager)  # a suspended one ends as well
    if verb == "close":
        for person in [one.id for one in people.people_of(world.finance)]:
            reorganising.move_user(person, world.bureau, by=world.administrator)
    acts = {
        "rename": lambda: reorganising.rename_unit(
            world.finance, "财务处", "发文 3 号", by=world.administrator
        ),
        "merge": lambda: reorganising.merge_unit(
            world.finance, world.bureau, "发文 3 号", by=world.administrator
        ),
        "close": lambda: reorganising.close_unit(world.finance, "发文 3 号", by=world.administrator),
    }
    acts[verb]()

    assert status(seal_id) == "cancelled"
    assert "发文 3 号" in next(e.detail.zh for e in queries.life(seal_id) if e.what.zh == "注销")
    assert queries.may_use(seal_id, world.user).code == "cancelled"
    for impression_id in (spare, queries.seal(seal_id).impression_id):
        assert impressions.state(impression_id).status == "suspended"
    with pytest.raises(Conflict, match=r"impression\.suspended"):
        ordered(world, spare)
    if verb != "rename":
        with pytest.raises(Conflict, match=r"people\.unit_ended"):
            impression_of(world, name="又一枚")


def test_what_is_above_and_beside_a_changed_unit_keeps_its_seals(world: World) -> None:
    seal_id = issued_seal(world)
    beside = world._unit("采购处", world.bureau)  # pyright: ignore[reportPrivateUsage]
    db.session.commit()
    reorganising.rename_unit(beside, "供应处", "发文", by=world.administrator)
    reorganising.rename_unit(world.bureau, "总局", "发文", by=world.administrator)
    assert status(seal_id) == "active"


def test_what_the_unit_refuses_ends_no_seal(world: World) -> None:
    seal_id = issued_seal(world)
    with pytest.raises(Conflict):
        reorganising.close_unit(world.finance, "撤销", by=world.administrator)
    with pytest.raises(Forbidden):
        reorganising.rename_unit(world.finance, "别名", "随意", by=world.manager)
    assert db.session.get(Seal, seal_id) is not None and status(seal_id) == "active"


def test_whoever_changes_a_unit_sees_first_what_it_touches(world: World) -> None:
    issued_seal(world)
    browser = browser_of(world, world.administrator)
    page = browser.get(f"/units/{world.finance}/change").text
    assert "预算处" in page and "SC1" in page and "/seals/" not in page


def test_only_a_change_of_the_unit_cancels_with_it(world: World) -> None:
    with pytest.raises(Forbidden):
        following.cancel_with_unit(issued_seal(world), "随意", by=world.manager)
