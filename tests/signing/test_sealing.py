"""A person seals a document with a seal they may use, by its card; whatever is not right is refused."""

from datetime import timedelta

import pytest

from app import clock, store
from app.cards import commands as cards
from app.cards import queries as card_queries
from app.cards.queries import job
from app.crypto import signing as signatures
from app.crypto.keys import keyring
from app.db import db
from app.fact import Fact
from app.pdf import faults
from app.pdf.reading import open_reader, pages_of
from app.refusal import Conflict, Forbidden, NotFound, Refusal
from app.seals import commands as seals
from app.seals import queries as seal_queries
from app.settings import current_settings
from app.signing import commands, queries
from app.signing.facts import DocumentSealed
from card_agent.protocol.outcomes import Failed
from card_agent.protocol.statements import hex_digest, payload
from tests.cards.makers import World
from tests.pdf.makers import sealed as sealed_elsewhere
from tests.pdf.makers import small_pdf
from tests.signing.makers import Ritual, digest_of, ordered, sealed, usable_seal


def facts(kind: type[Fact], monkeypatch: pytest.MonkeyPatch) -> list[tuple[Fact, object]]:
    """The facts of a kind that join the log from now on, each with the one who acted."""
    from app import command as gate

    seen: list[tuple[Fact, object]] = []
    append = gate.audit_log.append

    def note(fact: Fact, *, by: object) -> None:
        if isinstance(fact, kind):
            seen.append((fact, by))
        append(fact, by=by)  # type: ignore[arg-type]

    monkeypatch.setattr(gate.audit_log, "append", note)
    return seen


def test_the_log_names_person_and_card(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    seen = facts(DocumentSealed, monkeypatch)

    document = ritual.run()

    [(fact, by)] = seen
    assert isinstance(fact, DocumentSealed)
    assert (fact.user_id, fact.user_name, fact.card_serial) == (world.user.id, "孙用", "SC1")
    assert (fact.file_name, fact.document_digest) == ("合同.pdf", digest_of(small_pdf()))
    assert (fact.sealed_digest, fact.seal_name) == (digest_of(document), "预算处")
    assert (fact.host, fact.mac) == ("station-1", "02:00:00:00:00:01")
    assert by.id == world.user.id  # type: ignore[attr-defined]
    assert by.origin.mac_source == "agent-signed"  # type: ignore[attr-defined]


def test_the_sealed_document_is_genuine_and_carries_the_seal(world: World) -> None:
    document = sealed(world).document()

    report = queries.report_on(document)

    assert (report.verdict, [p.code for p in report.problems]) == ("genuine", [])
    assert report.aspects == {"source": True, "content": True, "seal": True}
    [signature] = report.signatures
    assert signature.seal is not None
    assert (signature.seal.name, signature.seal.kind) == ("预算处", "official")
    assert signature.seal_picture_shown is True


def test_the_use_is_registered_and_counted(world: World) -> None:
    ritual = sealed(world)

    [used] = queries.uses_of(ritual.fact.seal_id)

    assert (used.user_name, used.card_serial, used.signature_alg) == ("孙用", "SC1", "ecdsa-sha256")
    assert used.file_name == "合同-已盖章.pdf"
    seal = seal_queries.seal(ritual.fact.seal_id)
    assert (seal.use_count, seal.last_used_at) == (1, used.at)


def test_the_order_is_the_servers_and_for_this_document(world: World) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))

    order = ritual.begin()

    assert order.document_sha256 == hex_digest(small_pdf())
    assert (order.document_name, order.card_serial, order.operator.name) == ("合同.pdf", "SC1", "孙用")
    assert order.to_sign[:1] == b"\x31"
    row = queries.sealing_of_job(ritual.fact.job_id)
    from app.signing.sign_document import _order_of

    signed = _order_of(row)
    good = signatures.verify_by_certificate(order.alg, signed.certificate, signed.signature, payload(order))
    assert good == "good"
    assert signed.certificate == keyring().certificate("order")


def test_a_step_repeated_gives_the_same_answer(world: World) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    order = ritual.begin()

    assert ritual.begin() == order

    message = ritual.signed(order)
    assert [ritual.report(message), ritual.report(message)] == ["done", "done"]
    assert len(queries.uses_of(ritual.fact.seal_id)) == 1


def test_an_expired_order_is_replaced_and_its_signature_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    stale = ritual.signed(ritual.begin())
    later = clock.now() + timedelta(seconds=current_settings().order_life_s + 1)
    monkeypatch.setattr(clock, "now", lambda: later)

    fresh = ritual.begin()

    with pytest.raises(Conflict) as caught:
        ritual.report(stale)
    assert caught.value.code == "signing.replayed_order"
    assert ritual.report(ritual.signed(fresh)) == "done"


def test_who_has_no_grant_is_told_why(world: World) -> None:
    seal_id = usable_seal(world)

    with pytest.raises(Refusal) as caught:
        ordered(world, seal_id, by=world.stranger)

    assert caught.value.status in (403, 404)


def test_a_manager_without_grant_may_not_use_the_seal(world: World) -> None:
    with pytest.raises(Forbidden) as caught:
        ordered(world, usable_seal(world), by=world.manager)

    assert caught.value.code == "signing.not_authorized"


def test_a_suspended_seal_is_refused(world: World) -> None:
    seal_id = usable_seal(world)
    seals.suspend(seal_id, "核查", by=world.office)

    with pytest.raises(Forbidden) as caught:
        ordered(world, seal_id)

    assert caught.value.code == "signing.suspended"


def test_a_seal_suspended_between_order_and_signature_is_refused(world: World) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    message = ritual.signed(ritual.begin())
    seals.suspend(ritual.fact.seal_id, "核查", by=world.office)

    with pytest.raises(Forbidden):
        ritual.report(message)

    assert list(queries.uses_of(ritual.fact.seal_id)) == []


def test_a_grant_withdrawn_between_order_and_card_is_refused(world: World) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    [row] = seal_queries.grants(ritual.fact.seal_id)
    seals.withdraw_grant(row.grant.id, "调离", by=world.manager)

    with pytest.raises(Forbidden):
        ritual.begin()


def test_a_lost_card_seals_nothing_any_more(world: World) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    cards.report_lost("SC1", "遗失", by=world.office)

    with pytest.raises(Refusal) as caught:
        ritual.begin()

    assert caught.value.code in ("card.lost", "signing.card")


def test_another_card_in_the_reader_is_refused(world: World) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))

    with pytest.raises(Conflict) as caught:
        ritual.begin(card_serial="MK1")

    assert caught.value.code == "card.wrong_card"


def test_a_card_with_another_certificate_is_refused(world: World) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    ritual.card = world.ca.issue("预算处")

    with pytest.raises(Conflict) as caught:
        ritual.begin()

    assert caught.value.code == "card.other_certificate"


def test_a_signature_by_another_key_is_refused(world: World) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    order = ritual.begin()
    foreign = world.ca.issue("预算处")
    from card_agent.protocol.statements import CardSignature

    message = ritual.signed(
        order, signature=CardSignature(alg="ecdsa-sha256", value=foreign.sign(order.to_sign))
    )

    with pytest.raises(faults.SignatureUnfit):
        ritual.report(message)


def test_a_card_that_carries_another_seal_is_refused(world: World) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    order = ritual.begin()

    with pytest.raises(Conflict) as caught:
        ritual.report(ritual.signed(order, envelope_sha256="0" * 64))

    assert caught.value.code == "signing.other_seal_on_card"


def test_another_station_may_not_do_the_job(world: World) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    world.station = world.enrolled("别的工位")

    with pytest.raises(Forbidden) as caught:
        ritual.begin()

    assert caught.value.code == "card_job.other_station"


def test_a_sealing_is_shown_to_nobody_else(world: World) -> None:
    fact = ordered(world, usable_seal(world))

    with pytest.raises(NotFound):
        queries.sealing(fact.sealing_id, world.stranger)
    with pytest.raises(Forbidden):
        commands.cancel(fact.sealing_id, by=world.stranger)


def test_a_sealed_document_is_for_those_who_may_see_it(world: World) -> None:
    ritual = sealed(world)
    digest = digest_of(ritual.document())

    assert queries.permitted_file(digest, world.manager)[1] == ritual.document()
    with pytest.raises(NotFound):
        queries.permitted_file(digest, world.stranger)


def test_a_sealing_given_back_by_the_station_has_failed_with_its_reason(world: World) -> None:
    ritual = Ritual(world, ordered(world, usable_seal(world)))
    ritual.begin()

    word = Failed(code="pin", zh="口令错误", en="Wrong PIN", card_changed=False, host="h", mac="m")
    cards.accept_outcome(ritual.fact.job_id, word, by=world.station_actor())

    row = queries.sealing(ritual.fact.sealing_id, world.user)
    assert (row.sealing.state, row.sealing.reason_zh) == ("failed", "口令错误")


def test_a_cancelled_sealing_frees_the_card(world: World) -> None:
    seal_id = usable_seal(world)
    fact = ordered(world, seal_id)

    commands.cancel(fact.sealing_id, by=world.user)

    assert job(fact.job_id).state == "cancelled"
    assert card_queries.open_job_of_card("SC1") is None
    assert Ritual(world, ordered(world, seal_id)).run()


def test_what_cannot_be_sealed_is_refused_before_anything_is_ordered(world: World) -> None:
    seal_id = usable_seal(world)
    wrong: dict[str, dict[str, object]] = {
        "pdf.not_a_pdf": {"document": b"no pdf at all"},
        "pdf.broken": {"document": small_pdf()[:-150]},
        "pdf.outside_page": {"page": 2},
        "station.unknown": {"station_id": 999},
        "seal.unknown": {"seal_id": 999},
    }

    for code, changes in wrong.items():
        with pytest.raises(Refusal, match=f"^{code}:"):
            ordered(world, **{"seal_id": seal_id, **changes})  # type: ignore[arg-type]

    assert queries.sealings_of(world.user) == []


def test_a_file_name_brings_no_folders_along(world: World) -> None:
    fact = ordered(world, usable_seal(world), file_name="..\\..\\etc/合\x00同.PDF")

    assert fact.file_name == "合同.pdf"


def test_a_seal_goes_across_the_edges_of_all_pages_besides(world: World) -> None:
    """骑缝章: in the same signature, and only the first seal on a document may."""
    seal_id = usable_seal(world)
    ritual = Ritual(world, ordered(world, seal_id, document=small_pdf(pages=3), straddle_pt=300.0))
    sealed = ritual.run()

    assert queries.report_on(sealed).verdict == "genuine"
    assert [len(page["/Annots"]) for page in pages_of(open_reader(sealed))] == [2, 1, 1]
    for document, code in ((sealed, r"pdf\.signed_before"), (small_pdf(), r"pdf\.single_page")):
        with pytest.raises(Refusal, match=code):
            ordered(world, seal_id, document=document, straddle_pt=300.0)


def test_another_seal_that_came_first_keeps_the_strips_off(world: World) -> None:
    """Both were ordered on the bare document; the second is refused with the remedy, nothing of it is sealed."""
    seal_id = usable_seal(world)
    fact = ordered(world, seal_id, document=small_pdf(pages=2), straddle_pt=300.0)
    document = queries.sealing(fact.sealing_id, world.user).document
    document.sealed_digest = store.put(sealed_elsewhere(small_pdf(pages=2)))
    db.session.commit()
    with pytest.raises(Refusal, match=r"pdf\.signed_before") as refused:
        Ritual(world, fact).begin()
    assert "去掉骑缝章" in refused.value.text.zh
