"""The life of an impression: effective from import, one at a time, suspended, resumed, destroyed."""

import pytest
import sqlalchemy as sa

from app import store
from app.clock import now
from app.crypto.vault import VaultError
from app.db import db
from app.impressions import commands, likeness, queries
from app.impressions.models import Impression, ImpressionLikeness
from app.refusal import Forbidden, Invalid, NotFound
from tests.impressions.makers import Bureau, png


def status(impression_id: int) -> str:
    return queries.state(impression_id).status


def test_an_approved_impression_is_effective_from_its_import(bureau: Bureau) -> None:
    before = now()

    fact = bureau.register()

    found = queries.impression(fact.impression_id)
    assert before <= found.valid_from <= now()
    assert status(found.id) == "effective"
    assert fact.displaced_id is None


def test_it_lies_encrypted_and_opens_for_its_owner_kind_and_name_only(bureau: Bureau) -> None:
    fact = bureau.register("A")

    found = queries.impression(fact.impression_id)
    assert png("A") not in store.get(found.envelope)
    assert queries.clear_png(found.id) == png("A")
    found.name = "另一枚章"
    with pytest.raises(VaultError):
        queries.clear_png(found.id)


def test_a_newer_one_of_the_same_name_takes_its_place(bureau: Bureau) -> None:
    first = bureau.register("A").impression_id

    second = bureau.register("B")

    assert second.displaced_id == first
    assert status(first) == "displaced"
    assert status(second.impression_id) == "effective"
    assert [i.id for i in queries.of_same_name(queries.impression(first))] == [second.impression_id, first]


def test_two_units_and_two_people_of_one_name_never_displace_each_other(bureau: Bureau) -> None:
    twins = [bureau.person("张三", bureau.finance), bureau.person("张三", bureau.tax)]

    made = [bureau.register(), bureau.register(owner_unit_id=bureau.tax)]
    made += [
        bureau.register(owner_unit_id=None, owner_user_id=t.id, kind="personal_name", name="张三")
        for t in twins
    ]

    assert [fact.displaced_id for fact in made] == [None] * 4


def test_the_database_itself_refuses_a_second_effective_one(bureau: Bureau) -> None:
    bureau.register("A")
    displaced = db.session.get_one(Impression, bureau.register("B").displaced_id)

    displaced.effective = True

    with pytest.raises(sa.exc.IntegrityError):
        db.session.flush()
    db.session.rollback()


def test_an_impression_has_one_owner(bureau: Bureau) -> None:
    with pytest.raises(Invalid, match=r"impression\.one_owner"):
        bureau.register(owner_user_id=bureau.clerk.id)


def test_only_the_seal_office_brings_one_in(bureau: Bureau) -> None:
    with pytest.raises(Forbidden, match=r"impression\.not_office"):
        bureau.register(by=bureau.clerk)


def test_suspended_and_resumed_with_reasons(bureau: Bureau) -> None:
    one = bureau.register().impression_id

    fact = commands.suspend(one, "印章遗失", by=bureau.manager)
    assert (fact.unit_id, status(one)) == (bureau.finance, "suspended")
    commands.resume(one, "已找回", by=bureau.manager)

    assert status(one) == "effective"
    assert [(e.verb, e.reason, e.by_name) for e in queries.events(one)] == [
        ("suspended", "印章遗失", "赵管"),
        ("resumed", "已找回", "赵管"),
    ]


def test_resuming_an_earlier_one_stops_the_present_one(bureau: Bureau) -> None:
    first, second = bureau.register("A").impression_id, bureau.register("B").impression_id

    fact = commands.resume(first, "换回原章", by=bureau.manager)

    assert fact.displaced_id == second
    assert (status(first), status(second)) == ("effective", "displaced")


def test_a_manager_of_another_unit_is_refused(bureau: Bureau) -> None:
    one = bureau.register().impression_id

    with pytest.raises(Forbidden, match=r"impression\.not_manager"):
        commands.suspend(one, "试试", by=bureau.neighbour)

    assert status(one) == "effective"


def test_nobody_looks_who_may_not(bureau: Bureau) -> None:
    one = bureau.register().impression_id

    assert commands.view_image(one, by=bureau.overseer).impression_id == one
    for who in (bureau.clerk, bureau.neighbour):
        with pytest.raises(Forbidden, match=r"impression\.not_for_you"):
            commands.view_image(one, by=who)


def test_the_library_is_searched_and_filtered(bureau: Bureau) -> None:
    old, new = bureau.register("A").impression_id, bureau.register("B").impression_id
    other = bureau.register(owner_unit_id=bureau.tax, name="财务专用章").impression_id
    commands.suspend(new, "盘点", by=bureau.manager)

    def ids(who: object = bureau.office, **more: object) -> list[int]:
        return [row.id for row, _ in queries.library(who, **more)]  # type: ignore[arg-type]

    assert ids() == [other, new, old]
    assert ids(search="财务") == [other]
    assert ids(status="suspended") == [new]
    assert ids(status="displaced") == [old]
    assert ids(status="effective") == [other]
    assert ids(kind="personal_name") == []
    assert ids(limit=2) == [other, new]
    assert ids(before=new) == [old]
    assert ids(bureau.manager) == [new, old]


def test_what_does_not_exist_is_said(bureau: Bureau) -> None:
    with pytest.raises(NotFound, match=r"impression\.unknown"):
        commands.suspend(4711, "没有", by=bureau.manager)


# --- in the library already? ---


def test_a_seal_under_another_name_is_found_and_its_likeness_is_sealed(bureau: Bureau) -> None:
    first = bureau.register("甲")
    sealed = db.session.get_one(ImpressionLikeness, first.impression_id)
    key = queries.owner_key(bureau.finance, None)

    assert sealed.sealed.startswith(b"YXV")
    found = likeness.twins(png("甲"), "official", 42, owner_key=key, name="另一名称")
    assert [twin.impression.id for twin in found] == [first.impression_id]
    assert bureau.finance in found[0].units
    assert likeness.twins(png("甲"), "official", 42, owner_key=key, name=first.impression_name) == []
    assert likeness.twins(png("甲"), "personal_name", 42, owner_key=key, name="另一名称") == []
    db.session.delete(sealed)  # one from before likenesses were kept
    db.session.commit()
    assert likeness.twins(png("甲"), "official", 42, owner_key=key, name="另一名称") != []
