"""A change of an impression goes through its flow: whose word it needs, what becomes of its seals, who sees it (A7, D3, D4)."""

import pytest
import sqlalchemy as sa

from app.actor import SYSTEM, Actor
from app.audit import queries as audit
from app.audit import sequencer
from app.audit.models import LogLeaf
from app.clock import now
from app.db import db
from app.flows import commands as flows
from app.flows.models import FlowTask
from app.impressions import changing, commands, opening, queries
from app.impressions.models import ImpressionChange
from app.refusal import Conflict, Forbidden, Invalid, Refusal
from app.seals import following
from app.seals import queries as seals
from tests.impressions.makers import Bureau


@pytest.fixture
def bureau(bureau: Bureau) -> Bureau:
    flows.load_files(by=SYSTEM)
    return bureau


def status(impression_id: int) -> str:
    return queries.state(impression_id).status


def decide(by: Actor, decision: str = "approve", opinion: str = "") -> None:
    """Whatever task is open, this person decides it."""
    task = db.session.scalars(sa.select(FlowTask).where(FlowTask.status == "open")).one()
    flows.complete(task.id, {"decision": decision, "opinion": opinion}, by=by)


def told() -> list[str]:
    sequencer.sequence()
    return [audit.entry(n).action for n in db.session.scalars(sa.select(LogLeaf.seq).order_by(LogLeaf.seq))]


def test_suspending_is_done_at_once_and_resuming_is_agreed_to(bureau: Bureau) -> None:
    one = bureau.register().impression_id

    changing.ask_change(one, "suspend", "印章遗失", by=bureau.manager)
    assert status(one) == "suspended"

    asked = changing.ask_change(one, "resume", "已找回", by=bureau.manager)
    assert (status(one), queries.open_change(one) is not None) == ("suspended", True)
    decide(bureau.office)

    assert (status(one), queries.change(asked.change_id).agreed_by_name) == ("effective", "李主任")
    assert [(e.verb, e.reason, e.by_name) for e in queries.events(one)] == [
        ("suspended", "印章遗失", "赵管"),
        ("resumed", "已找回", "赵管"),
    ]


def test_destroying_takes_three_and_is_for_ever(bureau: Bureau) -> None:
    one = bureau.register().impression_id
    changing.ask_change(one, "destroy", "机构撤销", by=bureau.manager)
    decide(bureau.office)
    assert status(one) == "effective"
    decide(bureau.overseer)

    last = queries.events(one)[-1]
    assert (last.verb, last.by_name, last.witness) == ("destroyed", "李主任", "何督")
    assert told()[-6:].count("impression.destroyed") == 1
    for act in (
        lambda: changing.ask_change(one, "resume", "再用一次", by=bureau.manager),
        lambda: commands.resume(one, "再用一次", by=bureau.manager),
        lambda: commands.view_image(one, by=bureau.overseer),
    ):
        with pytest.raises(Conflict):
            act()


def test_a_refusal_says_why_and_changes_nothing(bureau: Bureau) -> None:
    one = bureau.register().impression_id
    for refuser in ("office", "witness"):
        asked = changing.ask_change(one, "destroy", "磨损", seals="cancel", by=bureau.manager)
        if refuser == "witness":
            decide(bureau.office)
        with pytest.raises(Invalid):
            decide(bureau.overseer if refuser == "witness" else bureau.office, "refuse")
        decide(bureau.overseer if refuser == "witness" else bureau.office, "refuse", "仍在使用")
        row = queries.change(asked.change_id)
        assert (row.state, row.answer, status(one)) == ("refused", "仍在使用", "effective")


def test_one_change_at_a_time_and_the_one_who_asked_may_take_it_back(bureau: Bureau) -> None:
    one = bureau.register().impression_id
    asked = changing.ask_change(one, "destroy", "磨损", by=bureau.manager)
    with pytest.raises(Conflict, match=r"impression\.change_waits"):
        changing.ask_change(one, "suspend", "盘点", by=bureau.manager)
    page = bureau.browser(bureau.manager).get(f"/impressions/{one}").text
    assert "suspend_reason" not in page and f"/inbox/flow/{asked.instance_id}" in page

    from app.flows import steering

    steering.cancel(asked.instance_id, "不需要了", by=bureau.manager)
    assert queries.change(asked.change_id).state == "cancelled"
    changing.ask_change(one, "suspend", "盘点", by=bureau.manager)
    assert status(one) == "suspended"


def test_whatever_a_diagram_says_nobody_decides_on_their_own_wish_or_destroys_alone(bureau: Bureau) -> None:
    both = bureau.person("兼任", bureau.finance, "seal_manager", "seal_office", "overseer")
    one = bureau.register().impression_id
    asked = changing.ask_change(one, "destroy", "磨损", by=both).change_id

    with pytest.raises(Forbidden, match=r"flow\.not_yours"):
        decide(both)
    with pytest.raises(Forbidden, match=r"impression\.own_change"):
        changing.agree(asked, by=both)
    with pytest.raises(Conflict, match=r"impression\.not_agreed"):
        changing.carry_out(asked, by=bureau.overseer)
    with pytest.raises(Forbidden):
        changing.agree(asked, by=bureau.overseer)
    changing.agree(asked, by=bureau.office)
    for who in (both, bureau.office, bureau.clerk, bureau.manager):
        with pytest.raises(Forbidden, match=r"impression\.not_the_witness"):
            changing.carry_out(asked, by=who)
    assert status(one) == "effective" and queries.change(asked).state == "open"
    changing.carry_out(asked, by=bureau.overseer)
    for again in (changing.agree, changing.carry_out):
        with pytest.raises(Conflict, match=r"impression\.change_over"):
            again(asked, by=bureau.overseer)


def test_bad_wishes_are_refused_and_recorded(bureau: Bureau) -> None:
    one = bureau.register().impression_id
    for args, who in (
        ((one, "destroy", " "), bureau.manager),
        ((one, "burn", "磨损"), bureau.manager),
        ((one, "resume", "磨损"), bureau.manager),
        ((one, "suspend", "磨损"), bureau.neighbour),
        ((4711, "suspend", "磨损"), bureau.manager),
    ):
        with pytest.raises(Refusal) as refused:
            changing.ask_change(*args, by=who)
        assert refused.value.recorded and refused.value.text.zh
    with pytest.raises(Invalid):
        changing.ask_change(one, "suspend", "磨损", seals="sell", by=bureau.manager)
    assert status(one) == "effective"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ImpressionChange)) == 0


def test_seals_follow_a_change_that_was_carried_out_and_no_other(bureau: Bureau) -> None:
    one = bureau.register().impression_id
    asked = changing.ask_change(one, "destroy", "磨损", seals="cancel", by=bureau.manager)
    with pytest.raises(Conflict, match="no_change_to_follow"):
        following.follow_impression(asked.change_id, by=bureau.office)
    decide(bureau.office)
    decide(bureau.overseer)
    assert told()[-1] == "flow.task_completed" or "seal.followed_impression" in told()
    assert seals.seals_of_impression(one) == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_manager_asks_on_the_page_and_the_office_sees_what_it_decides_on(
    bureau: Bureau, language: str
) -> None:
    one = bureau.register().impression_id
    manager, office = bureau.browser(bureau.manager), bureau.browser(bureau.office)
    for client in (manager, office):
        client.set_cookie("language", language)

    sent = manager.post(
        f"/impressions/{one}/destroy", data={"destroy_reason": "机构撤销", "destroy_seals": "cancel"}
    )
    assert sent.status_code == 302
    task = db.session.scalars(sa.select(FlowTask).where(FlowTask.status == "open")).one()
    page = office.get(f"/inbox/{task.id}").text
    for words in ("机构撤销", "赵管", "合同专用章", "一并注销" if language == "zh" else "cancelled for good"):
        assert words in page
    assert manager.get(f"/inbox/{task.id}").status_code in (403, 404)


def test_a_sealed_sample_opens_to_two_for_an_hour_and_each_view_is_told(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bureau.register().impression_id
    with pytest.raises(Conflict, match=r"impression\.not_sealed"):
        opening.ask_to_open(one, "鉴定", by=bureau.office)
    changing.ask_change(one, "destroy", "磨损", by=bureau.manager)
    decide(bureau.office)
    decide(bureau.overseer)
    office, overseer = bureau.browser(bureau.office), bureau.browser(bureau.overseer)
    third = bureau.person("另一监督员", bureau.top, "overseer")
    where = f"/impressions/{one}"

    assert office.get(f"{where}/sample.png").status_code == 403
    assert office.post(f"{where}/opening", data={"opening_reason": ""}).status_code == 422
    assert (
        bureau.browser(bureau.manager).post(f"{where}/opening", data={"opening_reason": "鉴定"}).status_code
        == 403
    )
    assert office.post(f"{where}/opening", data={"opening_reason": "法院鉴定"}).status_code == 302
    asked = queries.opening(one)
    assert asked is not None
    with pytest.raises(Forbidden, match=r"impression\.own_opening"):
        opening.agree_to_open(asked.id, by=bureau.office)
    assert office.get(f"{where}/sample.png").status_code == 403
    assert "法院鉴定" in overseer.get(where).text
    assert overseer.post(f"{where}/opening/{asked.id}/agree").status_code == 302
    with pytest.raises(Conflict):
        opening.agree_to_open(asked.id, by=third)

    shown = overseer.get(f"{where}/sample.png")
    assert shown.status_code == office.get(f"{where}/sample.png").status_code == 200
    assert shown.data != queries.clear_png(one) and "no-store" in shown.headers["Cache-Control"]
    assert bureau.browser(third).get(f"{where}/sample.png").status_code == 403
    assert told().count("impression.sample_viewed") == 2

    later = now() + opening.OPEN_FOR * 2
    monkeypatch.setattr("app.impressions.queries.now", lambda: later)
    with pytest.raises(Forbidden, match=r"impression\.sample_closed"):
        opening.view_sample(one, by=bureau.overseer)
