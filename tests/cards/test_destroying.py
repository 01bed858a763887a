"""监销: a card is destroyed by two people of the seal office, and the page before says what it touches."""

import pytest

from app.actor import SYSTEM, Actor
from app.audit import queries as audit
from app.audit import sequencer
from app.audit.models import LogLeaf
from app.cards import commands, destroying, queries
from app.cards.models import CardDestruction
from app.db import db
from app.flows import commands as flows
from app.flows import queries as inbox
from app.flows import steering
from app.refusal import Conflict, Forbidden, Invalid, NotFound
from tests.cards.makers import World, browser


@pytest.fixture
def second(world: World) -> Actor:
    """A colleague of the seal office; the cards are registered, the flows loaded."""
    world.register_cards()
    flows.load_files(by=SYSTEM)
    return world.person("hu", "胡副", world.bureau, "seal_office")


def state(serial: str) -> str:
    db.session.expire_all()
    return queries.card_row(serial).card.state


def witness(by: Actor, decision: str = "approve", opinion: str = "") -> None:
    task = next(row for row in inbox.inbox(by) if row.node == "witness_card")
    flows.complete(task.id, {"decision": decision, "opinion": opinion}, by=by)


def told() -> list[str]:
    sequencer.sequence()
    seqs = db.session.query(LogLeaf.seq).order_by(LogLeaf.seq)
    return [action for (n,) in seqs if (action := audit.entry(n).action).startswith("card.destr")]


def test_two_people_destroy_a_card_and_both_are_on_record(world: World, second: Actor) -> None:
    commands.take_back("SC1", "部门撤并", by=world.office)
    client = browser(world, world.office)
    first = client.get("/cards/SC1/destruction").text
    assert "卡上没有在用的印章" in first and "印章管理部门另一人在场监销" in first
    assert client.post("/cards/SC1/destruction", data={"reason": " "}).status_code == 422
    assert client.post("/cards/SC1/destruction", data={"reason": "部门撤并"}).status_code == 302

    asked = next(iter(db.session.query(CardDestruction)))
    assert state("SC1") == "returned"
    assert "等待监销人确认" in client.get("/cards/SC1").text and "待监销" in client.get("/cards").text
    assert client.post("/cards/SC1/destruction", data={"reason": "再来"}).status_code == 409
    assert not [row for row in inbox.inbox(world.office) if row.node == "witness_card"]
    with pytest.raises(Forbidden, match=r"^card\.own_destruction:"):
        destroying.destroy(asked.id, by=world.office)
    task = next(row for row in inbox.inbox(second) if row.node == "witness_card")
    shown = browser(world, second).get(f"/inbox/{task.id}").text
    assert "SC1" in shown and "部门撤并" in shown and "李主任" in shown

    witness(second)

    assert state("SC1") == "destroyed"
    card = queries.card_row("SC1").card
    found = queries.destruction_of(card.id)
    assert found is not None and (found.asked_by_name, found.witness_name) == ("李主任", "胡副")
    assert next((m.after, m.by_name) for m in queries.moves_of(card.id)) == ("destroyed", "李主任")
    assert "胡副 监销" in client.get("/cards/SC1").text
    assert "此卡已销毁" in client.get("/cards/SC1/destruction").text
    assert told() == ["card.destruction_asked", "card.destroyed"]
    with pytest.raises(Conflict):
        destroying.ask_destruction("SC1", "再次", by=second)


def test_it_is_taken_back_refused_or_overtaken(world: World, second: Actor) -> None:
    commands.take_back("SC1", "部门撤并", by=world.office)
    one = destroying.ask_destruction("SC1", "部门撤并", by=world.office)
    client = browser(world, world.office)
    where = f"/cards/SC1/destruction/{one.destruction_id}/take-back"
    assert client.post(where, data={"reason": ""}).status_code == 422
    assert client.post(where, data={"reason": "还要用"}).status_code == 302
    assert queries.destruction(one.destruction_id).answer == "李主任：还要用"
    assert inbox.inbox(second) == [] and client.post(where, data={"reason": "又"}).status_code == 409

    two = destroying.ask_destruction("SC1", "部门撤并", by=world.office)
    witness(second, "refuse", "序列号不符")
    found = queries.destruction(two.destruction_id)
    assert (found.state, found.answer, found.witness_name) == ("refused", "序列号不符", "胡副")

    three = destroying.ask_destruction("SC1", "部门撤并", by=world.office)
    steering.cancel(three.instance_id, "流程有误", by=SYSTEM)
    assert queries.destruction(three.destruction_id).state == "cancelled"

    destroying.ask_destruction("SC1", "部门撤并", by=world.office)
    commands.take_up("SC1", "重新发出", by=world.office)
    commands.report_lost("SC1", "又丢了", by=world.office)
    witness(second)
    assert state("SC1") == "destroyed"


def test_an_overseer_may_be_the_witness_where_a_diagram_says_so(world: World, second: Actor) -> None:
    overseer = world.person("he", "何督", world.bureau, "overseer")
    asked = destroying.ask_destruction("MK1", "旧卡", by=world.office)

    with pytest.raises(Forbidden, match=r"^card\.not_the_witness:"):
        destroying.destroy(asked.destruction_id, by=world.stranger)
    assert destroying.destroy(asked.destruction_id, by=overseer).witness == "何督"


def test_who_may_ask_and_for_which_card(world: World, second: Actor) -> None:
    for by in (world.operator, world.manager, world.stranger):
        with pytest.raises(Forbidden):
            destroying.ask_destruction("SC1", "试", by=by)
    with pytest.raises(Invalid):
        destroying.ask_destruction("SC1", "  ", by=world.office)
    with pytest.raises(NotFound):
        destroying.ask_destruction("不存在", "试", by=world.office)
    commands.hand_over("MK1", world.operator.id or 0, by=world.office)
    with pytest.raises(Conflict, match=r"^card\.no_such_move:"):
        destroying.ask_destruction("MK1", "试", by=world.office)

    commands.report_lost("MK1", "遗失", by=world.office)
    destroying.ask_destruction("MK1", "已找回", by=world.office)
    witness(second)

    assert (state("MK1"), queries.keeper_of(queries.card_row("MK1").card.id)) == ("destroyed", None)


def test_a_card_that_came_back_into_use_is_not_destroyed_by_an_old_asking(
    world: World, second: Actor
) -> None:
    asked = destroying.ask_destruction("MK1", "旧卡", by=world.office)
    commands.hand_over("MK1", world.operator.id or 0, by=world.office)

    with pytest.raises(Conflict, match=r"^card\.no_such_move:"):
        witness(second)

    assert (state("MK1"), queries.destruction(asked.destruction_id).state) == ("assigned", "open")
