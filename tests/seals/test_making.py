"""The making of a seal: the server and the maker card agree, each step may be repeated, one job makes one seal."""

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa

from app import clock, store
from app.cards import commands as cards
from app.cards import queries as card_queries
from app.cards.models import CardJob
from app.crypto import vault
from app.crypto.seal_verdict import verify_seal
from app.db import db
from app.flows import commands as flows
from app.impressions import commands as impressions
from app.impressions import moving
from app.seals import commands, making, queries
from app.seals.models import SealMaking
from card_agent.protocol.outcomes import Failed
from card_agent.protocol.statements import CardSignature, Order, open_statement
from tests.cards.makers import DAY, World
from tests.seals.conftest import refused
from tests.seals.makers import PNG, impression_of, issued_seal, made_seal, ordered, signature_of

FAILED = Failed(
    code="card_full", zh="卡空间不足", en="The card is full", card_changed=False, host="h", mac="m"
)


def test_the_ritual_ends_with_a_seal_that_any_verifier_accepts(world: World) -> None:
    seal_id = made_seal(world)

    seal = queries.seal(seal_id)
    verdict = verify_seal(
        queries.seal_der(seal_id),
        card_queries.trust(),
        at=clock.now(),
        signer_certificate=world.card.der,
    )
    assert verdict.acceptable and verdict.order is not None
    assert (seal.name, seal.card_serial, seal.maker_name) == ("预算处", "SC1", "某市公章制作中心")
    assert (verdict.order.operator.name, verdict.order.es_id) == ("王工", seal.es_id)
    assert verdict.seal is not None and verdict.seal.info.picture.data == PNG
    assert seal.valid_until == card_queries.card_row("SC1").card.valid_until


def test_the_card_gets_ciphertext_that_opens_here_and_for_this_card_only(world: World) -> None:
    """A10, A15."""
    ritual = ordered(world)

    begun = ritual.begin()
    envelope = ritual.authorise(begun).envelope

    making_row = queries.making_of_job(ritual.job_id)
    assert making_row is not None
    context = queries.envelope_context(making_row)
    assert PNG not in envelope
    assert PNG in vault.open(envelope, context=context)
    with pytest.raises(vault.VaultError):
        vault.open(envelope, context={**context, "card_serial": "SC2"})


def test_the_clear_seal_lies_nowhere_in_the_store(world: World) -> None:
    seal = queries.seal(made_seal(world))

    assert PNG not in store.get(seal.seal_object)


# --- repeating ---


def test_every_step_repeated_gives_the_same(world: World) -> None:
    ritual = ordered(world)
    begun = [ritual.begin() for _ in range(3)]
    authorised = [ritual.authorise(begun[0]) for _ in range(3)]
    message = ritual.made(begun[0], authorised[0])
    states = [ritual.report(message) for _ in range(3)]
    seals = [commands.record_made(ritual.job_id, by=world.operator).seal_id for _ in range(3)]

    assert len({b.seal_info for b in begun}) == len({a.envelope for a in authorised}) == 1
    assert states == ["done"] * 3
    assert len(set(seals)) == 1


def test_a_station_that_lost_power_after_authorisation_gets_the_same_order_again(world: World) -> None:
    ritual = ordered(world)
    begun = ritual.begin()
    ritual.authorise(begun)

    again = ritual.begin()

    assert again.seal_info == begun.seal_info


def _expire(job_id: int) -> None:
    past = clock.now() - dt.timedelta(seconds=1)
    db.session.execute(sa.update(SealMaking).where(SealMaking.job_id == job_id).values(expires_at=past))
    db.session.commit()


def test_an_order_that_expired_is_replaced_and_keeps_the_seals_id(world: World) -> None:
    ritual = ordered(world)
    old = ritual.begin()
    _expire(ritual.job_id)

    new = ritual.begin()

    first, second = open_statement(Order, old.order), open_statement(Order, new.order)
    assert first.order_id != second.order_id and first.es_id == second.es_id
    with refused("seal.replayed_order"):
        ritual.authorise(old)


def test_an_expired_order_authorises_nothing(world: World) -> None:
    ritual = ordered(world)
    begun = ritual.begin()
    _expire(ritual.job_id)

    with refused("seal.order_expired"):
        ritual.authorise(begun)


def test_an_expired_write_token_is_issued_anew_for_the_same_envelope(world: World) -> None:
    ritual = ordered(world)
    begun = ritual.begin()
    first = ritual.authorise(begun)
    past = clock.now() - dt.timedelta(seconds=1)
    db.session.execute(sa.update(SealMaking).values(token_expires_at=past, expires_at=past))
    db.session.commit()

    second = ritual.authorise(begun)

    assert first.envelope == second.envelope
    assert second.token.statement["envelope_sha256"] == first.token.statement["envelope_sha256"]


# --- two-party control ---


def test_without_the_maker_cards_signature_nothing_is_authorised(world: World) -> None:
    """Whoever has the server but no maker card makes no seal."""
    ritual = ordered(world)
    begun = ritual.begin()

    with refused("seal.maker_signature_bad"):
        ritual.authorise(begun, maker_signature=signature_of(world.card, begun.seal_info))
    assert queries.seal_of_job(ritual.job_id) is None


def test_without_the_servers_order_no_maker_makes_a_seal(world: World) -> None:
    """The maker's signature over anything but what was ordered is worth nothing here."""
    ritual = ordered(world)
    begun = ritual.begin()

    with refused("seal.maker_signature_bad"):
        ritual.authorise(begun, maker_signature=signature_of(world.maker, begun.seal_info[:-1] + b"x"))


@pytest.mark.parametrize("role", ["maker", "seal"])
def test_a_card_that_does_not_prove_its_key_gets_nothing(world: World, role: str) -> None:
    """A13: both cards present, each proving its key."""
    ritual = ordered(world)
    begun = ritual.begin()
    field = "maker_proof" if role == "maker" else "card_proof"

    with refused(f"seal.{role}_proof_bad"):
        ritual.authorise(begun, **{field: CardSignature(alg="ecdsa-sha256", value=b"0" * 70)})


def test_the_proof_of_one_order_serves_for_no_other(world: World) -> None:
    """A recorded conversation cannot be replayed."""
    ritual = ordered(world)
    recorded = ritual.authorisation(ritual.begin())
    _expire(ritual.job_id)
    new = open_statement(Order, ritual.begin().order)

    with refused("seal.maker_proof_bad"):
        cards.authorise(ritual.job_id, replace(recorded, order_id=new.order_id), by=world.station_actor())


def test_an_algorithm_we_never_named_is_no_signature(world: World) -> None:
    ritual = ordered(world)
    begun = ritual.begin()
    good = ritual.authorisation(begun).card_proof

    with refused("seal.seal_proof_bad"):
        ritual.authorise(begun, card_proof=CardSignature(alg="none", value=good.value))


def test_the_approver_of_an_application_may_not_operate(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "approvers_of", lambda _id: frozenset({world.operator.id}))

    with refused("seal.approver_may_not_operate"):
        commands.order_making(impression_of(world), "SC1", world.station.id, 1, by=world.operator)


def test_only_an_operator_orders_a_making(world: World) -> None:
    with refused("seal.role_needed"):
        commands.order_making(impression_of(world), "SC1", world.station.id, by=world.manager)


def test_an_operator_for_one_unit_makes_no_seal_of_another(world: World) -> None:
    elsewhere = world._unit("人事处", world.bureau)
    stranger = world.person("wei", "卫某", elsewhere, "station_operator", unit=elsewhere)
    own = world.person("han", "韩某", world.finance, "station_operator", unit=world.finance)

    with refused("seal.role_needed"):
        commands.order_making(impression_of(world), "SC1", world.station.id, by=stranger)
    assert commands.order_making(impression_of(world, name="第二枚"), "SC1", world.station.id, by=own).job_id


# --- what is refused at the station ---


def test_without_a_maker_card_nothing_begins(world: World) -> None:
    with refused("card.no_maker_card"):
        ordered(world).begin(maker_serial=None, maker_certificate=None)


def test_a_seal_card_is_no_maker_card(world: World) -> None:
    with refused("card.not_a_maker_card"):
        ordered(world).begin(maker_serial="SC1", maker_certificate=world.card.der)


def test_another_card_than_the_one_ordered_is_refused(world: World) -> None:
    other = world.ca.issue("别的卡", role="seal")
    world.register("SC2", other, owner_unit_id=world.finance)

    with refused("card.wrong_card"):
        ordered(world).begin(card_serial="SC2", card_certificate=other.der)


def test_a_card_with_another_certificate_is_another_card(world: World) -> None:
    other = world.ca.issue("预算处", role="seal")

    with refused("card.other_certificate"):
        ordered(world).begin(card_certificate=other.der)


def test_an_unknown_maker_card_is_refused(world: World) -> None:
    with refused("card.unknown"):
        ordered(world).begin(maker_serial="MK9", maker_certificate=world.maker.der)


@pytest.mark.parametrize("which", ["maker", "card"])
def test_a_certificate_revoked_meanwhile_stops_each_step(world: World, which: str) -> None:
    ritual = ordered(world)
    begun = ritual.begin()
    world.publish(getattr(world, which))

    with refused("certificate.revoked"):
        ritual.begin()
    with refused("certificate.revoked"):
        ritual.authorise(begun)


def test_a_certificate_revoked_before_the_receipt_keeps_the_seal_out_of_the_ledger(world: World) -> None:
    ritual = ordered(world)
    begun = ritual.begin()
    message = ritual.made(begun, ritual.authorise(begun))
    world.publish(world.card)

    state = ritual.report(message)

    assert state == "failed"
    with refused("seal.not_made"):
        commands.record_made(ritual.job_id, by=world.operator)


@pytest.mark.parametrize("verb", ["suspend", "destroy"])
def test_a_suspended_or_destroyed_impression_makes_no_seal(world: World, verb: str) -> None:
    """A8: neither a new job nor one already given."""
    impression_id = impression_of(world)
    ritual = ordered(world, impression_id)
    begun = ritual.begin()
    manager = world.person("mgr", "印管", world.bureau, "seal_manager")
    if verb == "suspend":
        impressions.suspend(impression_id, "机构调整", by=manager)
    else:
        moving.destroy(impression_id, "机构调整", manager, witness="监销人甲")
        db.session.commit()

    expected = "impression.suspended" if verb == "suspend" else "impression.destroyed"
    with refused(expected):
        ritual.authorise(begun)
    cards.cancel_job(ritual.job_id, "印模停用", by=world.operator)
    with refused(expected):
        ordered(world, impression_id)


def test_a_station_does_no_job_of_another(world: World) -> None:
    ritual = ordered(world)
    world.station = world.enrolled("二号")

    with refused("card_job.other_station"):
        ritual.begin()


def test_a_card_of_another_owner_is_refused(world: World) -> None:
    impression = impression_of(world, owner_unit_id=world.bureau, name="某市财政局")

    with refused("seal.card_of_another"):
        ordered(world, impression)


def test_a_card_carries_one_living_seal(world: World) -> None:
    first = issued_seal(world)
    with refused("seal.card_occupied"):
        ordered(world)
    office = world.person("head", "印管", world.bureau, "seal_manager", "station_operator")

    commands.cancel(first, "换章", by=office)

    second = ordered(world).run()
    assert queries.making_of_seal(second).seq == 2


# --- outcomes ---


def test_what_was_read_back_must_be_what_was_given(world: World) -> None:
    ritual = ordered(world)
    begun = ritual.begin()
    authorised = ritual.authorise(begun)

    with refused("seal.read_back_differs"):
        ritual.report(ritual.made(begun, authorised, envelope_sha256="0" * 64))
    with refused("seal.receipt_bad"):
        ritual.report(
            ritual.made(begun, authorised, card_receipt=CardSignature(alg="ecdsa-sha256", value=b"x"))
        )
    with refused("seal.receipt_bad"):
        receipt = ritual.made(begun, authorised).card_receipt
        ritual.report(ritual.made(begun, authorised, maker_receipt=receipt))


def test_nothing_is_reported_made_before_it_was_authorised(world: World) -> None:
    ritual = ordered(world)
    begun = ritual.begin()
    other = ordered_on_another_card(world)
    other_begun = other.begin(card_serial="SC2", card_certificate=other.card.der)
    stolen = other.made(other_begun, other.authorise(other_begun))

    with refused("seal.replayed_order"):
        ritual.report(stolen)
    assert begun.seal_info


def ordered_on_another_card(world: World):  # type: ignore[no-untyped-def]
    from tests.seals.makers import Ritual

    other = world.ca.issue("预算处二", role="seal")
    world.register("SC2", other, owner_unit_id=world.finance)
    fact = commands.order_making(
        impression_of(world, name="预算处业务章"), "SC2", world.station.id, by=world.operator
    )
    ritual = Ritual(world, fact.job_id)
    ritual.card = other
    return ritual


def test_the_diagram_hears_of_success_and_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, str, str]] = []
    real = flows.deliver

    def listen(message, correlation, payload, **more):  # type: ignore[no-untyped-def]
        heard.append((message, correlation, payload["status"]))
        return real(message, correlation, payload, **more)

    monkeypatch.setattr(making.flows, "deliver", listen)
    first = ordered(world)
    first.begin()
    cards.accept_outcome(first.job_id, FAILED, by=world.station_actor())
    second = ordered(world)
    second.run()

    assert heard == [
        ("seal_production.reported", str(first.job_id), "failed"),
        ("seal_production.reported", str(second.job_id), "made"),
    ]


def test_a_failed_job_leaves_the_card_free_for_another_try(world: World) -> None:
    ritual = ordered(world)
    ritual.begin()
    cards.accept_outcome(ritual.job_id, FAILED, by=world.station_actor())

    seal_id = ordered(world).run()

    assert queries.seal(seal_id).name == "预算处"
    assert card_queries.job(ritual.job_id).reason_en == "The card is full"


def test_an_authorised_job_is_not_cancelled(world: World) -> None:
    ritual = ordered(world)
    ritual.authorise(ritual.begin())

    with refused("card_job.wrong_state"):
        cards.cancel_job(ritual.job_id, "改主意", by=world.operator)


def test_version_5_is_made_when_the_setting_says_so(world: World) -> None:
    settings = world.app.config["SETTINGS"]
    settings.seal_version = 5

    seal_id = made_seal(world)

    verdict = verify_seal(queries.seal_der(seal_id), card_queries.trust(), at=clock.now() + DAY)
    assert verdict.acceptable and verdict.seal is not None and verdict.seal.structure == 5


def test_a_scanned_impression_fits_on_a_card(world: World) -> None:
    """Several hundred KB at 600 dpi; a card has room for about forty."""
    from app.demo.scan import scan
    from app.imaging.extracting import extract

    png = extract(scan("某市财政局预算处", ""), shape="round", width_mm=42, height_mm=42).png
    ritual = ordered(world, impression_of(world, png=png))

    envelope = ritual.authorise(ritual.begin()).envelope

    assert len(png) > 100_000 and len(envelope) < 40 * 1024


def test_an_application_whose_flow_is_cancelled_takes_its_order_back_unless_a_card_may_be_written(
    world: World,
) -> None:
    from app.flows.action import CANCELLED
    from app.seals.calling_off import call_off

    def made_for(application_id: int, ritual) -> None:  # type: ignore[no-untyped-def]
        job = db.session.get_one(CardJob, ritual.job_id)
        job.payload = {**job.payload, "application_id": application_id}
        db.session.commit()

    assert call_off in CANCELLED["application"]
    mine = ordered(world)
    made_for(7, mine)
    call_off(8, "另一个申请", by=world.office)
    assert card_queries.job(mine.job_id).state == "ordered"

    begun = mine.begin()
    call_off(7, "单位撤销", by=world.office)
    job = card_queries.job(mine.job_id)
    assert (job.state, job.reason_zh) == ("cancelled", f"已取消：{world.office.name}：单位撤销")
    with refused("card_job.wrong_state"):
        mine.authorise(begun)

    other = ordered(world)
    made_for(7, other)
    other.authorise(other.begin())
    with refused("seal.being_written"):
        call_off(7, "单位撤销", by=world.office)
    assert card_queries.job(other.job_id).state == "authorised"
