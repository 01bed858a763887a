"""Twenty attempts to misuse a seal (A20–A24, B10): each refused, explained in both languages, in the log, and nothing sealed."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app import clock
from app.actor import SYSTEM
from app.audit.queries import Filter, search
from app.audit.sequencer import sequence
from app.cards import commands as cards
from app.flows import commands as flows
from app.refusal import Refusal
from app.seals import commands as seals
from app.seals import queries as seal_queries
from app.signing import commands, queries, requesting
from card_agent.protocol import names
from card_agent.protocol.outcomes import DocumentSigned
from card_agent.protocol.statements import CardSignature
from tests.cards.makers import World
from tests.pdf.makers import sealed as foreign_sealed
from tests.pdf.makers import small_pdf
from tests.signing.makers import Ritual, ordered, usable_seal

Attempt = Callable[[World, int, pytest.MonkeyPatch], object]


def _grant(world: World, seal_id: int, **limits: object) -> None:
    """The only authorisation that there is: to the user in person, within these limits."""
    for row in seal_queries.grants(seal_id):
        seals.withdraw_grant(row.grant.id, "换授权", by=world.manager)
    seals.authorize(seal_id, user_id=world.user.id, by=world.manager, **limits)  # type: ignore[arg-type]


def _later(patch: pytest.MonkeyPatch, **by: float) -> None:
    moment = clock.now() + timedelta(**by)
    patch.setattr(clock, "now", lambda: moment)


def anothers_seal(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    elsewhere = world._unit("采购处", world.bureau)  # pyright: ignore[reportPrivateUsage]
    return ordered(world, seal_id, by=world.person("x", "旁人", elsewhere, "seal_user", unit=elsewhere))


def the_collector(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    return ordered(
        world, seal_id, by=world.person("zl", "周领", world.finance, "applicant", unit=world.finance)
    )


def its_manager(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    return ordered(world, seal_id, by=world.manager)


def the_administrator(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    return ordered(world, seal_id, by=world.administrator)


def the_system(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    return ordered(world, seal_id, by=SYSTEM)


def an_expired_grant(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    _grant(world, seal_id, valid_until=clock.now() + timedelta(days=1))
    _later(patch, days=2)
    return ordered(world, seal_id)


def a_grant_that_begins_later(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    _grant(world, seal_id, valid_from=clock.now() + timedelta(days=1))
    return ordered(world, seal_id)


def a_grant_used_up(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    _grant(world, seal_id, uses_allowed=1)
    Ritual(world, ordered(world, seal_id)).run()
    return ordered(world, seal_id)


def withdrawn_before_the_card(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    ritual = Ritual(world, ordered(world, seal_id))
    [row] = seal_queries.grants(seal_id)
    seals.withdraw_grant(row.grant.id, "调离", by=world.manager)
    return ritual.begin()


def withdrawn_between_dialog_and_signature(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    ritual = Ritual(world, ordered(world, seal_id))
    message = ritual.signed(ritual.begin())
    [row] = seal_queries.grants(seal_id)
    seals.withdraw_grant(row.grant.id, "调离", by=world.manager)
    return ritual.report(message)


def another_document_than_designated(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    _grant(world, seal_id, document_digest="sha256:" + "0" * 64)
    return ordered(world, seal_id)


def another_class_of_document(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    _grant(world, seal_id, document_classes=["contract"])
    return ordered(world, seal_id)


def the_wrong_function(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    _grant(world, seal_id, functions=["login"])
    return ordered(world, seal_id)


def a_seal_for_which_each_use_is_asked(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    seals.require_requests(seal_id, True, by=world.manager)
    return ordered(world, seal_id)


def a_suspended_seal(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    seals.suspend(seal_id, "核查", by=world.office)
    return ordered(world, seal_id)


def suspended_while_it_signs(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    ritual = Ritual(world, ordered(world, seal_id))
    message = ritual.signed(ritual.begin())
    seals.suspend(seal_id, "核查", by=world.office)
    return ritual.report(message)


def a_cancelled_seal(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    seals.cancel(seal_id, "机构撤并", by=world.office)
    return ordered(world, seal_id)


def a_lost_card(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    cards.report_lost("SC1", "遗失", by=world.office)
    return ordered(world, seal_id)


def an_expired_seal(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    _later(patch, days=4000)
    return ordered(world, seal_id)


def anothers_key(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    ritual = Ritual(world, ordered(world, seal_id))
    order = ritual.begin()
    forged = CardSignature(alg=names.ECDSA_SHA256, value=world.ca.issue("预算处").sign(order.to_sign))
    return ritual.report(ritual.signed(order, signature=forged))


def another_card_in_the_reader(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    return Ritual(world, ordered(world, seal_id)).begin(card_serial="MK1")


def the_signature_of_an_earlier_document(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    first = Ritual(world, ordered(world, seal_id))
    message: DocumentSigned = first.signed(first.begin())
    first.report(message)
    second = Ritual(world, ordered(world, seal_id, document=small_pdf(pages=2)))
    second.begin()
    return second.report(message)


def another_station(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    ritual = Ritual(world, ordered(world, seal_id))
    world.station = world.enrolled("别的工位")
    return ritual.begin()


def an_altered_document(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    return ordered(world, seal_id, document=foreign_sealed().replace(b"1000 yuan", b"9000 yuan"))


def ones_own_request(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    flows.load_files(by=SYSTEM)
    asked = requesting.ask(
        small_pdf(), "a.pdf", [seal_id], document_class="other", purpose="自批", by=world.manager
    )
    return requesting.allow(asked.request_ids[0], 7, by=world.manager)


def somebody_elses_document(world: World, seal_id: int, patch: pytest.MonkeyPatch) -> object:
    theirs = commands.upload(small_pdf(), "b.pdf", by=world.stranger)
    place = {"page": 1, "x_pt": 9.0, "y_pt": 9.0, "station_id": world.station.id}
    return commands.order(theirs.document_id, seal_id, **place, by=world.user)  # type: ignore[arg-type]


ATTEMPTS: dict[Attempt, str] = {
    anothers_seal: "seal.unknown",
    the_collector: "signing.not_authorized",
    its_manager: "signing.not_authorized",
    the_administrator: "seal.unknown",
    the_system: "signing.person_needed",
    an_expired_grant: "signing.expired",
    a_grant_that_begins_later: "signing.not_yet",
    a_grant_used_up: "signing.used_up",
    withdrawn_before_the_card: "signing.withdrawn",
    withdrawn_between_dialog_and_signature: "signing.withdrawn",
    another_document_than_designated: "signing.document",
    another_class_of_document: "signing.document_class",
    the_wrong_function: "signing.function",
    a_seal_for_which_each_use_is_asked: "signing.request_needed",
    a_suspended_seal: "signing.suspended",
    suspended_while_it_signs: "signing.suspended",
    a_cancelled_seal: "signing.cancelled",
    a_lost_card: "signing.card",
    an_expired_seal: "signing.card",
    anothers_key: "pdf.signature_unfit",
    another_card_in_the_reader: "card.wrong_card",
    the_signature_of_an_earlier_document: "signing.replayed_order",
    another_station: "card_job.other_station",
    an_altered_document: "pdf.altered_before",
    ones_own_request: "request.own",
    somebody_elses_document: "signing.no_document",
}


def test_there_are_at_least_twenty() -> None:
    assert len(ATTEMPTS) >= 20


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.__name__)
def test_it_is_refused_explained_and_logged(
    world: World, monkeypatch: pytest.MonkeyPatch, attempt: Attempt
) -> None:
    seal_id = usable_seal(world)

    with monkeypatch.context() as patch, pytest.raises(Refusal) as caught:
        attempt(world, seal_id, patch)

    refusal = caught.value
    assert refusal.code == ATTEMPTS[attempt]
    assert len(refusal.text.zh) > 8 and len(refusal.text.en) > 20
    assert any(mark in refusal.text.zh for mark in "请须应才只不") and refusal.status in (403, 404, 409, 422)
    sequence()
    newest = search(Filter(result="refused"))[0]
    assert newest.refusal is not None and newest.refusal["code"] == refusal.code
    done = 1 if attempt in (a_grant_used_up, the_signature_of_an_earlier_document) else 0
    assert len(queries.uses_of(seal_id)) == done
