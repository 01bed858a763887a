"""Cards enter the register only with a certificate that is good today (A11)."""

import pytest

from app.cards import commands, queries
from app.refusal import Refusal
from tests.cards.makers import DAY, World


def refused(code: str):
    return pytest.raises(Refusal, match=f"^{code}:")


def test_a_card_is_registered_with_its_certificate(world: World) -> None:
    fact = commands.register_card("SC1", "seal", world.card.der, owner_unit_id=world.finance, by=world.office)

    assert (fact.card_serial, fact.role, fact.subject) == ("SC1", "seal", "CN=预算处")
    row = queries.card_row("SC1")
    assert row.lost is None and row.days_left > 300


def test_a_seal_certificate_makes_no_maker_card(world: World) -> None:
    with refused("certificate.wrong_usage"):
        world.register("MK1", world.card, role="maker", owner_unit_id=world.bureau)


def test_an_expired_certificate_is_refused(world: World) -> None:
    old = world.ca.issue("旧卡", end=world.ca.start + DAY)

    with refused("certificate.expired"):
        world.register("SC9", old, owner_unit_id=world.finance)


def test_a_revoked_certificate_is_refused(world: World) -> None:
    world.publish(world.card)

    with refused("certificate.revoked"):
        world.register("SC1", world.card, owner_unit_id=world.finance)


def test_one_serial_and_one_certificate_are_registered_once(world: World) -> None:
    world.register("SC1", world.card, owner_unit_id=world.finance)

    with refused("card.known_already"):
        world.register("SC2", world.card, owner_unit_id=world.finance)


def test_only_the_seal_office_and_operators_register_cards(world: World) -> None:
    with refused("card.role_needed"):
        commands.register_card("SC1", "seal", world.card.der, owner_unit_id=world.finance, by=world.stranger)


def test_a_maker_card_passes_from_hand_to_hand_and_stays_the_institutions(world: World) -> None:
    """D2."""
    world.register_cards()
    assert world.operator.id is not None and world.office.id is not None
    commands.hand_over("MK1", world.operator.id, by=world.office)

    fact = commands.hand_over("MK1", world.office.id, by=world.office)

    assert fact.previous_keeper_id == world.operator.id
    row = queries.card_row("MK1")
    assert (row.keeper_id, row.card.owner_unit_id) == (world.office.id, world.bureau)


def test_a_lost_card_is_lost_for_everybody(world: World) -> None:
    world.register_cards()

    commands.report_lost("SC1", "出差遗失", by=world.manager)

    with refused("card.lost"):
        queries.check_registered_card("SC1", "seal", at=world.ca.start + 40 * DAY)
    with refused("card.lost"):
        commands.report_lost("SC1", "再报一次", by=world.manager)


def test_a_role_for_one_unit_does_not_reach_the_cards_of_another(world: World) -> None:
    """D6: whoever keeps the cards of one department keeps those of no other."""
    world.register_cards()
    elsewhere = world._unit("人事处", world.bureau)
    roles = ("seal_office", "seal_manager", "station_operator")
    stranger = world.person("wei", "卫某", elsewhere, *roles, unit=elsewhere)
    other = world.ca.issue("预算处二", role="seal")
    assert stranger.id is not None

    for act in (
        lambda: commands.register_card("SC2", "seal", other.der, owner_unit_id=world.finance, by=stranger),
        lambda: commands.register_card(
            "SC2", "seal", other.der, owner_user_id=world.user.id, keeping="personal", by=stranger
        ),
        lambda: commands.hand_over("MK1", stranger.id or 0, by=stranger),
        lambda: commands.report_lost("SC1", "听说丢了", by=stranger),
    ):
        with refused("card.role_needed"):
            act()
    commands.register_card("SC2", "seal", other.der, owner_unit_id=elsewhere, by=stranger)
    commands.report_lost("SC2", "出差遗失", by=stranger)


def test_a_job_is_cancelled_by_the_office_of_the_cards_unit(world: World, echo_kind: str) -> None:
    world.register_cards()
    elsewhere = world._unit("人事处", world.bureau)
    stranger = world.person("wei", "卫某", elsewhere, "seal_office", unit=elsewhere)
    job = commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)

    with refused("card.role_needed"):
        commands.cancel_job(job.job_id, "不用了", by=stranger)
    commands.cancel_job(job.job_id, "不用了", by=world.office)


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_station_is_revoked_for_a_reason(world: World, reason: str) -> None:
    with refused("station.reason_needed"):
        commands.revoke_station(world.station.id, reason, by=world.administrator)

    assert queries.station(world.station.id).state != "revoked"


def test_a_job_is_opened_by_a_person_and_one_card_at_a_time(world: World, echo_kind: str) -> None:
    world.register_cards()
    commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)

    with refused("card.busy"):
        commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)
    with refused("card_job.person_needed"):
        commands.open_job(echo_kind, world.station.id, "MK1", {}, by=world.station_actor())
