"""A seal is made again: after its card was lost, or before it ends; the former one gives way to the new (D14, A16–A19)."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app import clock
from app.cards import commands as cards
from app.db import db
from app.flows import commands as flows
from app.flows import steering
from app.flows.models import FlowTask
from app.impressions import commands as impressions
from app.seals import queries, remaking, remakings
from app.seals.models import Seal, SealMaking, SealRemaking
from tests.cards.makers import SYSTEM, World, browser
from tests.seals.conftest import refused
from tests.seals.makers import Ritual, issued_seal


@pytest.fixture
def world(world: World) -> World:
    flows.load_files(by=SYSTEM)
    return world


def task() -> FlowTask:
    return db.session.scalars(sa.select(FlowTask).where(FlowTask.status.in_(("open", "ready")))).one()


def made_on_another_card(world: World) -> None:
    """Production, issuance and authorisation as people do them."""
    world.card = world.ca.issue("预算处", role="seal")
    world.publish()
    world.register("SC2", world.card, owner_unit_id=world.finance)
    flows.complete(task().id, {"card_serial": "SC2", "station_id": str(world.station.id)}, by=world.operator)
    job_id = db.session.scalars(sa.select(SealMaking.job_id).order_by(SealMaking.job_id.desc())).first()
    ritual = Ritual(world, _newest_job())
    begun = ritual.begin(card_serial="SC2")
    ritual.report(ritual.made(begun, ritual.authorise(begun)))
    assert job_id != ritual.job_id
    said = {"collector_name": "周领", "collector_document": "工作证 0018", "on_behalf_of": "预算处"}
    flows.complete(task().id, said, by=world.office)


def _newest_job() -> int:
    from app.cards.models import CardJob

    return db.session.scalars(sa.select(CardJob.id).order_by(CardJob.id.desc())).first() or 0


def test_after_a_loss_it_is_made_again_and_the_former_one_gives_way(world: World) -> None:
    old = issued_seal(world)
    cards.report_lost("SC1", "出差遗失", by=world.manager)
    asked = remaking.ask_remaking(old, "lost", "卡已挂失", by=world.manager)
    flows.complete(task().id, {"decision": "approve", "opinion": ""}, by=world.office)
    made_on_another_card(world)

    row = remakings.remaking(asked.remaking_id)
    assert row.state == "done" and row.new_seal_id is not None
    end = queries.cancellation(old)
    assert end is not None and queries.seal(row.new_seal_id).es_id in end.reason
    assert queries.may_use(row.new_seal_id, world.user).allowed
    assert queries.may_use(old, world.user).code == "cancelled"
    assert any(e.what.zh == "接替原印章" for e in remakings.life(row.new_seal_id))
    assert any(e.detail.zh == "卡已挂失" for e in remakings.life(old))


def test_whoever_agreed_does_not_operate_and_nobody_agrees_to_their_own_wish(world: World) -> None:
    both = world.person("both", "兼任", world.bureau, "seal_office", "station_operator", "seal_manager")
    old = issued_seal(world)
    asked = remaking.ask_remaking(old, "damaged", "芯片失灵", by=both)
    with refused("flow.not_yours"):
        flows.complete(task().id, {"decision": "approve", "opinion": ""}, by=both)
    with refused("seal.own_remaking"):
        remaking.agree(asked.remaking_id, by=both)
    steering.cancel(task().instance_id, "换人申请", by=both)
    remaking.ask_remaking(old, "damaged", "芯片失灵", by=world.manager)
    flows.complete(task().id, {"decision": "approve", "opinion": ""}, by=both)

    world.register("SC2", world.ca.issue("预算处", role="seal"), owner_unit_id=world.finance)
    with refused("seal.approver_may_not_operate"):
        flows.complete(task().id, {"card_serial": "SC2", "station_id": str(world.station.id)}, by=both)


def test_a_seal_that_ends_soon_is_asked_about_once_whoever_looks_how_often(world: World) -> None:
    ends, later = issued_seal(world), 0
    assert remaking.ask_for_those_that_end() == 0  # a year is left
    db.session.execute(sa.update(Seal).values(valid_until=clock.now() + dt.timedelta(days=20)))
    db.session.commit()

    assert [remaking.ask_for_those_that_end() for _ in range(3)] == [1, 0, 0]
    row = db.session.scalars(sa.select(SealRemaking)).one()
    assert (row.seal_id, row.cause, row.asked_by_id, later) == (ends, "expiring", None, 0)
    with pytest.raises(IntegrityError):
        db.session.add(
            SealRemaking(
                seal_id=ends,
                cause="expiring",
                reason="x",
                asked_by_name="x",
                asked_at=clock.now(),
                state="refused",
            )
        )
        db.session.flush()
    db.session.rollback()

    flows.complete(task().id, {"decision": "refuse", "opinion": "项目已结束"}, by=world.office)
    assert remakings.remaking(row.id).answer == "项目已结束"
    assert remaking.ask_for_those_that_end() == 0 and queries.cancellation(ends) is None


def test_a_suspended_impression_is_asked_about_once_it_is_resumed(world: World) -> None:
    seal_id = issued_seal(world)
    impressions.suspend(queries.seal(seal_id).impression_id, "盘点", by=world.manager)
    db.session.execute(sa.update(Seal).values(valid_until=clock.now() + dt.timedelta(days=20)))
    db.session.commit()
    assert remaking.ask_for_those_that_end() == 0
    impressions.resume(queries.seal(seal_id).impression_id, "盘点完毕", by=world.manager)
    assert remaking.ask_for_those_that_end() == 1


def test_what_may_not_be_asked_is_refused(world: World) -> None:
    seal_id = issued_seal(world)
    for cause, reason, who, code in (
        ("lost", "遗失", world.stranger, "seal.may_not_ask_remaking"),
        ("bored", "遗失", world.manager, "seal.no_cause"),
        ("lost", " ", world.manager, "seal.reason_needed"),
    ):
        with refused(code):
            remaking.ask_remaking(seal_id, cause, reason, by=who)
    asked = remaking.ask_remaking(seal_id, "lost", "遗失", by=world.manager)
    with refused("seal.remaking_waits"):
        remaking.ask_remaking(seal_id, "lost", "遗失", by=world.manager)
    with refused("seal.remaking_not_agreed"):
        remaking.replace(asked.remaking_id, seal_id, by=world.office)
    remaking.agree(asked.remaking_id, by=world.office)
    with refused("seal.not_its_new_one"):
        remaking.replace(asked.remaking_id, seal_id, by=world.office)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_its_manager_asks_on_the_page_and_the_office_sees_what_it_decides_on(
    world: World, language: str
) -> None:
    seal_id = issued_seal(world)
    manager, office = browser(world, world.manager), browser(world, world.office)
    for client in (manager, office):
        client.set_cookie("language", language)
    where = f"/seals/{seal_id}/remaking"

    assert "error-remake" in manager.post(where, data={"cause": "lost", "reason": ""}).text
    assert manager.post(where, data={"cause": "lost", "reason": "出差遗失"}).status_code == 302
    assert ("正在重新制章" if language == "zh" else "being made again") in manager.get(
        f"/seals/{seal_id}"
    ).text
    page = office.get(f"/inbox/{task().id}").text
    assert "出差遗失" in page and ("卡遗失" if language == "zh" else "The card was lost") in page
