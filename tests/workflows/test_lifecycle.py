"""The life of a seal through the commands that the pages call, with stand-ins for the houses above."""

import sqlalchemy as sa

from app.actor import SYSTEM
from app.db import db
from app.flows import commands, queries
from app.flows.models import FlowInstance, FlowTaskCandidate, FlowTimer, MessageSubscription
from tests.flows.makers import Hands, Town

REPORTED = "seal_production.reported"


def test_an_approved_application_becomes_a_seal_that_can_be_used(town: Town, hands: Hands):
    instance_id = town.apply()
    town.act(town.office, "review", decision="approve", opinion="同意")
    town.act(town.operator, "assign_card", card_serial="C-0001", station_id="3")
    commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM)
    last = town.act(
        town.office, "hand_over", collector_name="李四", collector_document="1101", on_behalf_of="财务部"
    )

    assert last.finished
    assert hands.names() == [
        "approve_application",
        "register_impression",
        "order_seal",
        "record_made",
        "issue_seal",
        "authorize_by_keeping",
    ]
    instance = db.session.get_one(FlowInstance, instance_id)
    assert (instance.status, instance.ended_at is not None) == ("finished", True)
    for nothing in (FlowTaskCandidate, FlowTimer, MessageSubscription):
        assert db.session.scalar(sa.select(sa.func.count()).select_from(nothing)) == 0
    assert all(stage.state == "done" for stage in queries.stages(instance_id))


def test_the_collector_is_recorded_and_is_given_nothing_else(town: Town, hands: Hands):
    town.apply()
    town.act(town.office, "review", decision="approve")
    town.act(town.operator, "assign_card", card_serial="C-0001", station_id="3")
    commands.deliver(REPORTED, "41", {"status": "made"}, by=SYSTEM)
    town.act(
        town.office, "hand_over", collector_name="李四", collector_document="1101", on_behalf_of="财务部"
    )

    asked = dict((name, given) for name, given, _ in hands.asked)
    assert asked["seal_issuance/issue_seal"]["collector_name"] == "李四"
    assert asked["seal_authorization/authorize_by_keeping"] == {"seal_id": 9}


def test_a_return_reaches_the_applicant_with_its_reason(town: Town):
    town.apply()
    town.act(town.office, "review", decision="send_back", opinion="扫描件倾斜，请重新扫描")

    row = queries.inbox(town.applicant)[0]
    task = queries.task(row.id, town.applicant)
    assert (row.node, row.claimable) == ("correct", False)
    assert task.notice is not None and task.notice.zh == "扫描件倾斜，请重新扫描"
    assert task.page == "/applications/7/correct"
    assert queries.inbox(town.stranger) == []


def test_a_correction_is_routed_again_by_what_it_says_now(town: Town):
    instance_id = town.apply(unit_level=2)
    town.act(town.office, "review", decision="send_back", opinion="级别有误")
    town.act(town.applicant, "correct", seal_name="财务专用章（新）", unit_level=1)
    town.act(town.office, "review", decision="approve")

    assert [r.node for r in queries.inbox(town.head)] == ["head_review"]
    assert queries.inbox(town.head)[0].title == "财务专用章（新）"
    rules = [r.did["rules"][0]["index"] for r in queries.history(instance_id) if r.did.get("rules")]
    assert rules == [2, 3]


def test_the_head_may_send_back_too(town: Town, hands: Hands):
    town.apply(unit_level=1)
    town.act(town.office, "review", decision="approve")
    town.act(town.head, "head_review", decision="send_back", opinion="请补授权书")

    assert hands.asked[-1][1]["reason"] == "请补授权书"
    town.act(town.applicant, "correct")
    town.act(town.office, "review", decision="send_back", opinion="还缺一页")
    assert hands.asked[-1][1]["reason"] == "还缺一页"


def test_a_failed_making_comes_back_to_the_operator_with_its_reason(town: Town, hands: Hands):
    town.apply()
    town.act(town.office, "review", decision="approve")
    town.act(town.operator, "assign_card", card_serial="C-0001", station_id="3")
    commands.deliver(
        REPORTED, "41", {"status": "failed", "zh": "印章卡被拔出", "en": "The card was pulled"}, by=SYSTEM
    )

    task = queries.task(queries.inbox(town.operator)[0].id, town.operator)
    assert task.notice is not None
    assert (task.notice.zh, task.notice.en) == ("印章卡被拔出", "The card was pulled")
    town.act(town.operator, "assign_card", card_serial="C-0002", station_id="3")
    assert hands.asked[-1][1]["card_serial"] == "C-0002"
    assert commands.deliver(REPORTED, "42", {"status": "made"}, by=SYSTEM).instance_id


def test_thirty_returns_change_neither_the_speed_nor_the_size(town: Town):
    instance_id = town.apply()
    sizes: list[int] = []
    for number in range(30):
        town.act(town.office, "review", decision="send_back", opinion=f"第 {number:02} 次退回")
        town.act(town.applicant, "correct", seal_name="财务专用章")
        sizes.append(len(db.session.get_one(FlowInstance, instance_id).state))

    town.act(town.office, "review", decision="approve")

    assert [r.node for r in queries.inbox(town.operator)] == ["assign_card"]
    assert max(sizes[1:]) - min(sizes[1:]) <= 64
    done = [r for r in queries.history(instance_id) if r.kind == "done"]
    assert len(done) == 61
    assert done[58].opinion == "第 29 次退回"


def test_where_it_stands_is_drawn_from_the_diagram_it_stands_in(town: Town):
    instance_id = town.apply()
    town.act(town.office, "review", decision="approve")

    place = queries.places(instance_id)[-1]

    assert (place.key, place.current) == ("seal_production", {"assign_card"})
    assert "impression_ready" in place.done
    assert [s.state for s in queries.stages(instance_id)] == ["done", "now", "ahead", "ahead"]
