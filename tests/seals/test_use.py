"""Issuing, authorising, using, ending: a seal's life after it was made (A16–A22, B10, D1)."""

import datetime as dt

import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.cards import commands as cards
from app.refusal import Refusal
from app.seals import commands, queries
from tests.cards.makers import DAY, SYSTEM, World, browser
from tests.seals.conftest import refused
from tests.seals.makers import Ritual, impression_of, issued_seal, made_seal, ordered


def test_issuing_records_the_collector_who_gains_no_use(world: World) -> None:
    """A16."""
    seal_id = made_seal(world)
    collector = world.stranger

    fact = commands.issue(seal_id, collector.name, "工作证 0017", "预算处", by=world.office)

    assert (fact.collector_name, fact.on_behalf_of) == ("钱某", "预算处")
    commands.authorize_by_keeping(seal_id, by=world.office)
    assert not queries.may_use(seal_id, collector).allowed


def test_a_seal_is_issued_once_and_with_a_document_shown(world: World) -> None:
    seal_id = made_seal(world)
    with refused("seal.collector_needed") as said:
        commands.issue(seal_id, "周领", " ", "预算处", by=world.office)
    assert "collector_document" in said.value.fields
    commands.issue(seal_id, "周领", "工作证", "预算处", by=world.office)

    with refused("seal.issued_already"):
        commands.issue(seal_id, "吴领", "工作证", "预算处", by=world.office)
    with refused("seal.role_needed"):
        commands.issue(seal_id, "吴领", "工作证", "预算处", by=world.operator)


def test_a_units_seal_on_a_units_card_goes_to_its_seal_users(world: World) -> None:
    """A18."""
    seal_id = issued_seal(world)

    fact = commands.authorize_by_keeping(seal_id, by=SYSTEM)

    assert (fact.role, fact.unit_id, fact.functions) == (
        "seal_user",
        world.finance,
        ["pdf", "office", "web", "login"],
    )
    decision = queries.may_use(seal_id, world.user)
    assert decision.allowed and "预算处" in decision.because.zh
    assert [s.id for s in queries.usable_by(world.user)] == [seal_id]
    for other in (world.operator, world.office, world.manager, world.stranger):
        assert not queries.may_use(seal_id, other).allowed


def test_a_seal_user_of_another_unit_may_not_use_it(world: World) -> None:
    seal_id = issued_seal(world)
    commands.authorize_by_keeping(seal_id, by=SYSTEM)
    other_unit = world._unit("法规处", world.bureau)
    other = world.person("zhou", "周用", other_unit, "seal_user", unit=other_unit)

    decision = queries.may_use(seal_id, other)

    assert (decision.allowed, decision.code) == (False, "not_authorized")


def test_authorising_by_keeping_twice_gives_one_grant(world: World) -> None:
    seal_id = issued_seal(world)

    first = commands.authorize_by_keeping(seal_id, by=SYSTEM)
    second = commands.authorize_by_keeping(seal_id, by=SYSTEM)

    assert first.grant_id == second.grant_id and len(queries.grants(seal_id)) == 1


def test_a_personal_seal_goes_to_its_person(world: World) -> None:
    """A17."""
    assert world.user.id is not None
    holder = world.ca.issue("孙用", role="seal")
    world.register("SC7", holder, owner_user_id=world.user.id, keeping="personal")
    impression = impression_of(
        world, owner_unit_id=None, owner_user_id=world.user.id, kind="personal_name", name="孙用"
    )
    order = commands.order_making(impression, "SC7", world.station.id, by=world.operator)
    ritual = Ritual(world, order.job_id)
    ritual.card = holder
    begun = ritual.begin(card_serial="SC7", card_certificate=holder.der)
    ritual.report(ritual.made(begun, ritual.authorise(begun)))
    seal_id = commands.record_made(str(order.job_id), by=SYSTEM).seal_id
    commands.issue(seal_id, "孙用", "身份证", "本人", by=world.office)

    fact = commands.authorize_by_keeping(seal_id, by=SYSTEM)

    assert fact.user_id == world.user.id and queries.may_use(seal_id, world.user).allowed


def test_a_grant_names_functions_dates_and_a_document(world: World) -> None:
    """A20–A22."""
    seal_id = issued_seal(world)
    commands.authorize(
        seal_id,
        user_id=world.stranger.id,
        functions=["pdf"],
        valid_until=world.ca.start + 40 * DAY,
        document_digest="sha256:aa",
        by=world.manager,
    )

    def ask(**more: object) -> tuple[bool, str]:
        values: dict[str, object] = {"document_digest": "sha256:aa", **more}
        decision = queries.may_use(seal_id, world.stranger, **values)  # type: ignore[arg-type]
        return decision.allowed, decision.code

    assert ask() == (True, "granted")
    assert ask(function="office") == (False, "function")
    assert ask(document_digest="sha256:bb") == (False, "document")
    assert ask(at=world.ca.start + 45 * DAY) == (False, "expired")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"user_id": None}, "seal.grantee_needed"),
        ({"functions": []}, "seal.unknown_function"),
        ({"functions": ["all"]}, "seal.unknown_function"),
        ({"valid_until": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "seal.bad_period"),
        ({"user_id": 4711}, "people.no_user"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(world: World, changes: dict[str, object], code: str) -> None:
    seal_id = issued_seal(world)
    values: dict[str, object] = {"user_id": world.stranger.id, **changes}

    with refused(code):
        commands.authorize(seal_id, **values, by=world.manager)  # type: ignore[arg-type]


def test_only_the_manager_of_that_unit_authorises(world: World) -> None:
    seal_id = issued_seal(world)
    elsewhere = world._unit("法规处", world.bureau)
    other = world.person("wu", "吴管", elsewhere, "seal_manager", unit=elsewhere)

    for nobody in (other, world.user, world.office):
        with refused("seal.role_needed"):
            commands.authorize(seal_id, user_id=world.stranger.id, by=nobody)


def test_a_withdrawn_grant_ends_with_the_next_use(world: World) -> None:
    seal_id = issued_seal(world)
    grant = commands.authorize_by_keeping(seal_id, by=SYSTEM).grant_id
    assert queries.may_use(seal_id, world.user).allowed

    commands.withdraw_grant(grant, "调离", by=world.manager)

    decision = queries.may_use(seal_id, world.user)
    assert (decision.allowed, decision.code) == (False, "withdrawn")
    with refused("seal.withdrawn_already"):
        commands.withdraw_grant(grant, "调离", by=world.manager)


def test_a_lost_card_stops_its_seal_at_once(world: World) -> None:
    seal_id = issued_seal(world)
    commands.authorize_by_keeping(seal_id, by=SYSTEM)

    cards.report_lost("SC1", "遗失", by=world.office)

    decision = queries.may_use(seal_id, world.user)
    assert (decision.allowed, decision.code) == (False, "card") and "挂失" in decision.because.zh


def test_a_revoked_certificate_stops_its_seal_at_once(world: World) -> None:
    seal_id = issued_seal(world)
    commands.authorize_by_keeping(seal_id, by=SYSTEM)

    world.publish(world.card)

    assert queries.may_use(seal_id, world.user).code == "card"


def test_a_cancelled_seal_stays_cancelled(world: World) -> None:
    """D1."""
    seal_id = issued_seal(world)
    commands.cancel(seal_id, "机构撤销", by=world.manager)

    for attempt in (
        lambda: commands.cancel(seal_id, "再次", by=world.manager),
        lambda: commands.suspend(seal_id, "停", by=world.manager),
        lambda: commands.authorize(seal_id, user_id=world.user.id, by=world.manager),
        lambda: commands.issue(seal_id, "周", "证", "", by=world.office),
    ):
        with refused("seal.cancelled"):
            attempt()


def test_a_change_says_why(world: World) -> None:
    with refused("seal.reason_needed"):
        commands.suspend(issued_seal(world), "  ", by=world.manager)


def test_whatever_is_tried_a_seals_state_follows_its_records(world: World) -> None:
    seal_id = issued_seal(world)
    commands.authorize_by_keeping(seal_id, by=SYSTEM)

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.sampled_from(["suspend", "resume"]), max_size=8))
    def tried(verbs: list[str]) -> None:
        for verb in verbs:
            before = queries.status_of(queries.seal(seal_id))
            lawful = {"active": "suspend", "suspended": "resume"}[before] == verb
            try:
                getattr(commands, verb)(seal_id, "试", by=world.manager)
                done = True
            except Refusal:
                done = False
            assert done == lawful
            after = queries.status_of(queries.seal(seal_id))
            assert (after == "active") == queries.may_use(seal_id, world.user).allowed

    tried()


def test_the_ledger_tells_the_whole_life(world: World) -> None:
    """B1."""
    seal_id = issued_seal(world)
    grant = commands.authorize_by_keeping(seal_id, by=world.office).grant_id
    commands.suspend(seal_id, "盘点", by=world.manager)
    commands.resume(seal_id, "盘点完成", by=world.manager)
    commands.withdraw_grant(grant, "调整", by=world.manager)
    commands.cancel(seal_id, "换章", by=world.manager)

    told = [event.what.zh for event in queries.life(seal_id)]

    assert told == [
        "印模导入印模库",
        "下达制章任务",
        "制成并写入卡",
        "发放，周领 领取",
        "授权给“预算处”的印章使用者",
        "停用",
        "启用",
        "收回对“预算处”的印章使用者的授权",
        "注销",
    ]


def test_nobody_sees_a_seal_that_is_not_theirs_to_see(world: World) -> None:
    seal_id = issued_seal(world)
    outside = world._unit("审计处", world.bureau)
    stranger = world.person("chen", "陈某", outside, "applicant", unit=outside)

    assert queries.ledger(stranger) == []
    with refused("seal.unknown"):
        queries.visible_seal(seal_id, stranger)
    assert [row.seal.id for row in queries.ledger(world.office)] == [seal_id]
    assert [row.seal.id for row in queries.ledger(world.user, status="active")] == [seal_id]
    assert queries.ledger(world.office, status="cancelled") == []
    assert queries.ledger(world.office, search="没有") == []


def test_officers_never_see_or_use_seals(world: World) -> None:
    """D6."""
    seal_id = issued_seal(world)
    commands.authorize_by_keeping(seal_id, by=SYSTEM)

    assert not queries.may_use(seal_id, world.administrator).allowed
    assert queries.ledger(world.administrator) == []


def test_a_seal_is_filed_once_and_says_so_wherever_it_is_seen(world: World) -> None:
    """D1: 内部 until the authority has filed it; then 已备案, on its page, in its life and to whoever verifies."""
    seal_id = issued_seal(world)
    assert queries.filing(seal_id) is None
    for number, authority in ((" ", "市公安局"), ("3101", ""), ("9" * 61, "市公安局")):
        with refused("seal.filing_incomplete"):
            commands.record_filing(seal_id, number, authority, by=world.office)
    with refused("seal.role_needed"):
        commands.record_filing(seal_id, "3101", "市公安局", by=world.manager)

    fact = commands.record_filing(seal_id, " 3101040012345 ", "市公安局", by=world.office)

    assert (fact.number, fact.card_serial) == ("3101040012345", "SC1")
    es_id = queries.seal(seal_id).es_id
    filed = queries.filings_of([es_id, "somebody else's"])
    assert {key: one.number if one else None for key, one in filed.items()} == {es_id: "3101040012345"}
    assert "备案" in [event.what.zh for event in queries.life(seal_id)]
    page = browser(world, world.office).get(f"/seals/{seal_id}").get_data(as_text=True)
    assert "已备案" in page and "3101040012345" in page
    with refused("seal.filed_already"):
        commands.record_filing(seal_id, "2", "市公安局", by=world.office)


def test_the_handover_is_a_paper_for_both_to_sign(world: World) -> None:
    """A16: who collected it, with which document, for whom; none before it was handed out, none for strangers."""
    seal_id = made_seal(world)
    address = f"/seals/{seal_id}/receipt.pdf"
    assert browser(world, world.office).get(address).status_code == 404
    commands.issue(seal_id, "周领", "工作证 0017", "预算处", by=world.office)

    paper = browser(world, world.office).get(address)

    assert paper.mimetype == "application/pdf"
    document = pypdfium2.PdfDocument(paper.data)
    text = document[0].get_textpage().get_text_range()
    document.close()
    for said in ("电子印章领用交接单", "周领", "工作证 0017", "预算处", "SC1", "领用人签字"):
        assert said in text
    assert browser(world, world.stranger).get(address).status_code == 403


def test_a_seal_comes_back_and_is_handed_out_again(world: World) -> None:
    """A16: meanwhile nobody uses it; its authorisations wait."""
    seal_id = issued_seal(world)
    commands.authorize_by_keeping(seal_id, by=SYSTEM)
    with refused("seal.issued_already"):
        commands.issue_again(seal_id, "吴领", "工作证 12", "", by=world.office)
    with refused("seal.reason_needed"):
        commands.take_back(seal_id, " ", by=world.office)
    with refused("seal.role_needed"):
        commands.take_back(seal_id, "离职", by=world.user)

    commands.take_back(seal_id, "保管人离职", by=world.office)
    assert queries.status_of(queries.seal(seal_id)) == "unissued"
    assert not queries.may_use(seal_id, world.user).allowed
    with refused("seal.not_issued"):
        commands.take_back(seal_id, "再次", by=world.office)

    commands.issue_again(seal_id, "吴领", "工作证 12", "预算处", by=world.office)
    assert queries.may_use(seal_id, world.user).allowed
    told = [event.what.zh for event in queries.life(seal_id)]
    assert told.index("交回") < told.index("发放，吴领 领取")


def test_the_first_time_it_is_handed_out_in_its_flow(world: World) -> None:
    seal_id = ordered(world).run()
    with refused("seal.issued_in_its_flow"):
        commands.issue_again(seal_id, "吴领", "工作证 12", "", by=world.office)
