"""A card stands somewhere, and comes elsewhere only as the inventory allows (issue of cards, loss, return, destruction)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cards import commands, queries, standing
from app.db import db
from app.refusal import Conflict, Forbidden, Invalid, Refusal
from tests.cards.makers import World

STATES = sorted(standing.WORDS)


@given(st.lists(st.sampled_from(STATES), max_size=12))
def test_what_is_lost_or_destroyed_never_comes_back_into_use(tried: list[str]) -> None:
    now, seen = "enrolled", ["enrolled"]
    for to in tried:
        try:
            standing.check_move(now, to, "SC1")
        except Conflict:
            continue
        now = to
        seen.append(now)

    for end in ("lost", "destroyed"):
        if end in seen:
            assert not set(seen[seen.index(end) :]) & standing.USABLE
    assert seen.count("destroyed") <= 1


def state(serial: str) -> str:
    db.session.expire_all()
    card = queries.card(serial)
    assert card is not None
    return card.state


def test_a_card_is_suspended_taken_up_and_returned(world: World, echo_kind: str) -> None:
    world.register_cards()
    office = world.office

    commands.suspend_card("SC1", "盘点", by=office)
    assert state("SC1") == "suspended"
    with pytest.raises(Conflict) as refused:
        commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)
    assert refused.value.code == "card.suspended" and "恢复使用" in refused.value.text.zh
    commands.take_up("SC1", "盘点完毕", by=office)
    assert state("SC1") == "enrolled"
    commands.hand_over("MK1", world.operator.id or 0, by=office)
    assert state("MK1") == "assigned"
    fact = commands.take_back("MK1", "换人", by=office)
    assert (fact.before, fact.after, queries.keeper_of(queries.card_row("MK1").card.id)) == (
        "assigned", "returned", None,
    )  # fmt: skip
    commands.take_up("MK1", "重新发出", by=office)
    assert state("MK1") == "enrolled"
    commands.take_back("SC1", "停用此章", by=office)
    moves = [(m.before, m.after, m.reason) for m in queries.moves_of(queries.card_row("SC1").card.id)]
    assert moves[0] == ("enrolled", "returned", "停用此章") and len(moves) == 3


def test_who_may_and_what_for(world: World) -> None:
    world.register_cards()

    for by in (world.operator, world.manager, world.stranger):
        with pytest.raises(Forbidden):
            commands.suspend_card("SC1", "试", by=by)
    with pytest.raises(Invalid):
        commands.suspend_card("SC1", "  ", by=world.office)
    with pytest.raises(Refusal):
        commands.suspend_card("不存在", "试", by=world.office)
    assert state("SC1") == "enrolled"


def test_a_production_moves_the_card_and_a_loss_meanwhile_stands(
    world: World, echo_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.register_cards()
    monkeypatch.setattr(commands, "PRODUCTIONS", {echo_kind})

    job = commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)
    assert state("SC1") == "in_production"
    with pytest.raises(Conflict):
        commands.suspend_card("SC1", "试", by=world.office)
    commands.cancel_job(job.job_id, "点错", by=world.operator)
    assert state("SC1") == "enrolled"

    job = commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)
    commands.report_lost("SC1", "丢失", by=world.office)
    commands.cancel_job(job.job_id, "卡已丢失", by=world.operator)
    assert state("SC1") == "lost"
