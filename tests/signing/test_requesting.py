"""用印申请 (A22): one document, asked for, agreed to by the unit's rule, sealed as often as agreed, registered."""

import datetime as dt

import pytest

from app import clock
from app.actor import SYSTEM, Actor
from app.db import db
from app.flows import commands as flows
from app.flows import jobs, steering
from app.flows import queries as inbox
from app.refusal import Conflict, Invalid, NotFound, Refusal
from app.seals import commands as seals
from app.seals import granting
from app.seals import queries as seal_queries
from app.signing import commands, queries, requesting, requests
from app.signing.models import UseRequest
from tests.cards.makers import World
from tests.pdf.makers import small_pdf
from tests.seals.conftest import refused
from tests.signing.makers import Ritual, usable_seal


@pytest.fixture
def clerk(world: World) -> Actor:
    """Of the seal's unit, without any right to use it; the flows are loaded, the unit has a head."""
    flows.load_files(by=SYSTEM)
    world.person("tou", "处长", world.finance, "unit_head", unit=world.finance)
    return world.person("ban", "经办", world.finance, "applicant", unit=world.finance)


def ask(clerk: Actor, seal_id: int, **changes: object) -> UseRequest:
    values: dict[str, object] = {"document_class": "other", "purpose": "投标", "presser": "self", **changes}
    fact = requesting.ask(small_pdf(), "标书.pdf", [seal_id], by=clerk, **values)  # type: ignore[arg-type]
    return db.session.get_one(UseRequest, fact.request_ids[0])


def decide(who: Actor, node: str = "review", decision: str = "approve", opinion: str = "") -> None:
    task = next(row for row in inbox.inbox(who) if row.node == node)
    flows.complete(task.id, {"decision": decision, "opinion": opinion}, by=who)


def order(world: World, asked: UseRequest, by: Actor) -> Ritual:
    fact = commands.order(
        asked.document_id, asked.seal_id, page=1, x_pt=300.0, y_pt=100.0, station_id=world.station.id, by=by
    )
    return Ritual(world, fact)


def state(asked: UseRequest) -> str:
    db.session.expire_all()
    return db.session.get_one(UseRequest, asked.id).state


def test_from_asking_to_the_register(world: World, clerk: Actor) -> None:
    seal_id = usable_seal(world)
    asked = ask(clerk, seal_id)
    assert seal_queries.may_use(seal_id, clerk).code == "not_authorized"
    assert requests.request(asked.id, world.manager).request.purpose == "投标"

    decide(world.manager)

    assert state(asked) == "agreed"
    decision = seal_queries.may_use(
        seal_id, clerk, document_digest=queries.document(asked.document_id, clerk).digest
    )
    assert decision.allowed and "用印申请" in decision.because.zh
    assert seal_queries.may_use(seal_id, clerk, document_digest="sha256:another").code == "document"
    ritual = order(world, asked, clerk)
    ritual.report(ritual.signed(ritual.begin()))

    assert state(asked) == "used"
    assert inbox.inbox(clerk) == []
    [line] = requests.register(world.manager)
    assert line.request is not None
    assert (line.request.id, line.use.user_name, line.use.card_serial) == (asked.id, "经办", "SC1")
    with refused("signing.used_up"):
        order(world, asked, clerk)


def test_a_contract_takes_the_head_as_well_and_the_keeper_presses(world: World, clerk: Actor) -> None:
    seal_id = usable_seal(world)
    asked = ask(clerk, seal_id, document_class="contract", presser="keeper")
    head = world.person("fu", "副处长", world.finance, "unit_head", unit=world.finance)
    decide(world.manager)
    assert state(asked) == "open"
    decide(head, "head_review")

    with refused("signing.not_authorized"):
        order(world, asked, clerk)
    assert queries.page_picture(asked.document_id, 1, world.user).startswith(b"\x89PNG")
    ritual = order(world, asked, world.user)
    ritual.report(ritual.signed(ritual.begin()))
    assert state(asked) == "used"
    [line] = requests.register(world.manager)
    assert (line.use.user_name, line.use.document_class) == ("孙用", "contract")
    # who asked gets the sealed document
    assert (
        line.use.sealed_digest
        and queries.permitted_file(line.use.sealed_digest, clerk)[0] == "标书-已盖章.pdf"
    )


def test_what_was_agreed_for_two_uses_is_used_twice(world: World, clerk: Actor) -> None:
    asked = ask(clerk, usable_seal(world), uses=2)
    decide(world.manager)
    for expected in ("agreed", "used"):
        ritual = order(world, asked, clerk)
        ritual.report(ritual.signed(ritual.begin()))
        assert state(asked) == expected


def test_a_use_cannot_be_ordered_twice_at_once(world: World, clerk: Actor) -> None:
    asked = ask(clerk, usable_seal(world))
    decide(world.manager)
    first = order(world, asked, clerk)
    with refused("signing.ordered_already"):
        order(world, asked, clerk)

    assert first.report(first.signed(first.begin())) == "done"
    grant = db.session.get_one(UseRequest, asked.id).grant_id
    assert grant is not None
    with refused("signing.used_up"):
        granting.count_use(grant)
    assert len(queries.uses_of(asked.seal_id)) == 1


def test_refused_given_up_taken_back_and_too_late(
    world: World, clerk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal_id = usable_seal(world)
    no = ask(clerk, seal_id)
    decide(world.manager, decision="refuse", opinion="缺附件")
    assert (state(no), db.session.get_one(UseRequest, no.id).answer) == ("refused", "缺附件")

    given = ask(clerk, seal_id)
    decide(world.manager)
    task = next(row for row in inbox.inbox(clerk) if row.node == "press_self")
    flows.complete(task.id, {"decision": "give_up", "reason": "项目取消"}, by=clerk)
    back = ask(clerk, seal_id)
    decide(world.manager)
    assert back.instance_id is not None
    owner = world.person("lc", "流程员", world.bureau, "process_owner")
    steering.cancel(back.instance_id, "写错了", by=owner)
    late = ask(clerk, seal_id)
    decide(world.manager)
    later = clock.now() + dt.timedelta(days=7, minutes=1)
    with monkeypatch.context() as then:
        then.setattr(jobs, "now", lambda: later)
        then.setattr(flows, "now", lambda: later)
        jobs.sweep()

    assert [state(r) for r in (given, back, late)] == ["cancelled", "cancelled", "expired"]
    for asked in (no, given, back, late):
        with pytest.raises(Refusal):
            order(world, asked, clerk)


def test_nobody_agrees_to_their_own_request(world: World, clerk: Actor) -> None:
    seal_id = usable_seal(world)
    asked = ask(world.manager, seal_id)
    assert inbox.inbox(world.manager) == []
    assert [row.node for row in inbox.inbox(world.office)] == ["review"]
    with refused("request.own"):
        requesting.allow(asked.id, 7, by=world.manager)
    with refused("seal.may_not_agree"):
        requesting.allow(asked.id, 7, by=world.user)
    with refused("request.bad_days"):
        requesting.allow(asked.id, 0, by=world.office)


def test_bad_requests_are_refused(world: World, clerk: Actor) -> None:
    seal_id = usable_seal(world)
    for changes, code in (
        ({"purpose": " "}, "request.purpose_needed"),
        ({"document_class": "poem"}, "request.unknown_class"),
        ({"presser": "anybody"}, "request.incomplete"),
        ({"uses": 0}, "request.incomplete"),
    ):
        with pytest.raises(Invalid, match=f"^{code}:"):
            ask(clerk, seal_id, **changes)
    with pytest.raises(NotFound):
        ask(clerk, 999)
    asked = ask(clerk, seal_id)
    with pytest.raises(Conflict, match=r"request\.waits_already"):
        requesting.ask_for(asked.document_id, [seal_id], purpose="再来", by=clerk)
    with pytest.raises(NotFound):
        requesting.ask_for(asked.document_id, [seal_id], purpose="别人的", by=world.stranger)
    with refused("request.may_not_ask"):
        ask(world.operator, seal_id)
    seals.suspend(seal_id, "盘点", by=world.office)
    with pytest.raises(Conflict, match=r"request\.seal_not_in_use"):
        ask(clerk, seal_id)


def test_a_seal_used_by_request_only(world: World, clerk: Actor) -> None:
    seal_id = usable_seal(world)
    seals.require_requests(seal_id, True, by=world.manager)
    with refused("signing.request_needed"):
        commands.prepare(
            small_pdf(),
            "a.pdf",
            seal_id,
            page=1,
            x_pt=10,
            y_pt=10,
            station_id=world.station.id,
            by=world.user,
        )
    asked = ask(clerk, seal_id, presser="keeper")
    decide(world.manager)
    ritual = order(world, asked, world.user)
    ritual.report(ritual.signed(ritual.begin()))
    assert state(asked) == "used"
    with refused("seal.role_needed"):
        seals.require_requests(seal_id, False, by=world.user)
    seals.require_requests(seal_id, False, by=world.manager)
    assert seal_queries.may_use(seal_id, world.user).allowed


def test_who_may_see_a_request(world: World, clerk: Actor) -> None:
    asked = ask(clerk, usable_seal(world))
    for who in (clerk, world.manager, world.user, world.office):
        assert requests.request(asked.id, who).request.id == asked.id
        assert queries.document(asked.document_id, who).file_name == "标书.pdf"
    for who in (world.stranger, world.operator):
        with pytest.raises(NotFound):
            requests.request(asked.id, who)
        with pytest.raises(NotFound):
            queries.document(asked.document_id, who)
        assert requests.register(who) == []
