"""Stories 1 to 3: apply, be sent back, correct, be approved; the impression enters the library by itself."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app import store
from app.applications import ahead, commands, drafts, queries
from app.crypto.vault import VaultError
from app.db import db
from app.flows import queries as flows
from app.impressions import queries as impressions
from app.people.models import Unit
from app.refusal import Conflict, Forbidden, Invalid
from tests.applications.makers import CREDIT_CODE, Desk, blank, scan


def test_an_application_reaches_the_seal_office(desk: Desk) -> None:
    fact = desk.apply()

    found = queries.application(fact.application_id)
    assert found.number == fact.number == f"SQ-{found.submitted_at.year}-0001"
    assert found.status == "submitted"
    assert [row.node for row in flows.inbox(desk.office)] == ["review"]
    assert flows.inbox(desk.clerk) == []


def test_scan_and_impression_lie_encrypted(desk: Desk) -> None:
    found = queries.application(desk.apply().application_id)

    assert queries.scan_picture(found) == scan()
    assert scan() not in store.get(found.scan)
    assert queries.impression_png(found.id).startswith(b"\x89PNG")
    assert not store.get(found.impression).startswith(b"\x89PNG")


def test_another_persons_upload_cannot_be_used(desk: Desk) -> None:
    other = desk.person("吴某", desk.finance, "applicant")

    with pytest.raises(VaultError):
        commands.submit("official", desk.form(), scan=desk.upload(by=other), scan_name="x", by=desk.clerk)


def test_sent_back_with_a_reason_corrected_and_approved(desk: Desk) -> None:
    found = queries.application(desk.apply(seal_name="合同章").application_id)

    desk.send_back("名称须与印文一致")
    db.session.expire_all()
    assert (found.status, found.returned_reason) == ("sent_back", "名称须与印文一致")
    fact = commands.correct(found.id, desk.form(), scan=None, by=desk.clerk)
    db.session.expire_all()
    assert (fact.revision, found.status, found.seal_name) == (2, "submitted", "预算处合同专用章")
    desk.decide(desk.office, decision="approve")

    db.session.expire_all()
    assert found.status == "approved"
    entered = impressions.effective(f"unit:{desk.finance}", "official", "预算处合同专用章")
    assert entered is not None
    assert impressions.clear_png(entered.id) == queries.impression_png(found.id)


def test_the_rule_table_asks_the_head_for_a_seal_of_the_top_unit(desk: Desk) -> None:
    chief = desk.person("总办", desk.top, "applicant")
    found = queries.application(
        desk.apply(by=chief, owner_unit_id=str(desk.top), seal_type="department").application_id
    )

    desk.decide(desk.office, decision="approve")
    assert queries.application(found.id).status == "submitted"
    desk.decide(desk.head, "head_review", decision="approve")

    db.session.expire_all()
    assert found.status == "approved"


def test_who_will_decide_is_told_before_submitting(desk: Desk) -> None:
    department = ahead.deciders("official", desk.form())
    top = ahead.deciders("official", desk.form(owner_unit_id=str(desk.top)))
    personal = ahead.deciders("personal_name", {"owner_user_id": str(desk.clerk.id), "size": "square-20"})

    assert [d.names for d in department] == [("李主任",)]
    assert [d.names for d in top] == [("李主任",), ("周负责",)]
    assert len(personal) == 1
    assert ahead.deciders("official", {}) == []


@pytest.mark.parametrize("kind", ["personal_name", "personal_signature"])
def test_a_personal_seal_is_named_after_its_person(desk: Desk, kind: str) -> None:
    size = "square-20" if kind == "personal_name" else "signature-40x15"

    found = queries.application(
        desk.apply(kind=kind, owner_user_id=str(desk.clerk.id), size=size).application_id
    )

    assert (found.seal_name, found.owner_user_id, found.owner_unit_id) == ("钱某", desk.clerk.id, None)
    assert (found.unit_id, found.keeping) == (desk.finance, "personal")


def test_nobody_applies_for_another_unit_or_its_people(desk: Desk) -> None:
    stranger = desk.person("邻居", desk.tax)

    for kind, changes in (
        ("official", {"owner_unit_id": str(desk.tax)}),
        ("personal_name", {"owner_user_id": str(stranger.id), "size": "square-20"}),
    ):
        with pytest.raises(Forbidden, match=r"application\.not_your_unit"):
            desk.apply(kind=kind, **changes)


def test_a_foreign_credit_code_is_refused_at_its_field(desk: Desk) -> None:
    db.session.get_one(Unit, desk.finance).code = "91110000100006866L"
    db.session.commit()

    with pytest.raises(Invalid, match=r"application\.foreign_code") as refused:
        desk.apply(credit_code=CREDIT_CODE)

    assert "credit_code" in refused.value.fields


def test_nobody_decides_twice_or_on_their_own(desk: Desk) -> None:
    busy = desk.person("兼任", desk.finance, "applicant", "seal_office")
    own = desk.apply(by=busy).application_id
    with pytest.raises(Forbidden, match=r"application\.own"):
        commands.approve(own, by=busy)

    commands.approve(own, by=desk.office)
    with pytest.raises(Conflict, match=r"application\.wrong_state"):
        commands.approve(own, by=desk.office)


def test_only_the_applicant_corrects_and_only_what_was_sent_back(desk: Desk) -> None:
    one = desk.apply().application_id
    with pytest.raises(Conflict, match=r"application\.wrong_state"):
        commands.correct(one, desk.form(), scan=None, by=desk.clerk)
    desk.send_back()

    with pytest.raises(Forbidden, match=r"application\.not_yours"):
        commands.correct(one, desk.form(), scan=None, by=desk.office)


def test_a_correction_has_no_way_around_its_page_and_its_checks(desk: Desk) -> None:
    one = desk.apply().application_id
    desk.send_back()
    invented = {"unit_level": "5", "kind": "personal_name", "width_mm": "1"}

    with pytest.raises(Conflict, match=r"flow\.done_elsewhere"):
        desk.decide(desk.clerk, "correct", **invented)
    task = next(row for row in flows.inbox(desk.clerk) if row.node == "correct")
    assert desk.browser(desk.clerk).post(f"/inbox/{task.id}/complete", data=invented).status_code in (
        400,
        409,
    )

    commands.correct(one, desk.form(), scan=None, by=desk.clerk)
    desk.decide(desk.office, decision="approve")
    assert queries.application(one).status == "approved"


def test_a_picture_without_ink_makes_no_application(desk: Desk) -> None:
    reference = desk.upload(blank())

    with pytest.raises(Invalid, match=r"image\.no_ink") as refused:
        commands.submit("official", desk.form(), scan=reference, scan_name="x", by=desk.clerk)

    assert "scan" in refused.value.fields


def test_numbers_have_neither_gaps_nor_twins_when_many_apply_at_once(desk: Desk) -> None:
    references = [desk.upload() for _ in range(8)]

    def apply(reference: str) -> str:
        with desk.app.app_context():
            try:
                return commands.submit(
                    "official", desk.form(), scan=reference, scan_name="x", by=desk.clerk
                ).number
            finally:
                db.session.remove()

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(apply, references))

    assert sorted(int(n.rsplit("-", 1)[1]) for n in numbers) == list(range(1, 9))


def test_a_draft_is_its_writers_alone_and_ends_with_the_application(desk: Desk) -> None:
    drafts.keep("official", {"seal_name": "半截", "evil": "x"}, by=desk.clerk)
    drafts.keep("official", {"seal_name": "半截名称"}, by=desk.clerk)

    kept = drafts.of("official", desk.clerk)
    assert kept is not None and kept.values == {"seal_name": "半截名称"}
    assert drafts.of("official", desk.office) is None
    desk.apply()
    assert drafts.of("official", desk.clerk) is None
    with pytest.raises(Invalid, match=r"application\.unknown_draft"):
        drafts.keep("../../etc", {}, by=desk.clerk)
