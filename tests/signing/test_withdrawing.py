"""撤章: a seal on a document is taken back, for every verification that asks the register."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.actor import SYSTEM, Actor
from app.db import db
from app.flows import commands as flows
from app.flows.models import FlowTask
from app.refusal import Conflict, Forbidden, Invalid, NotFound
from app.settings import current_settings
from app.signing import queries, register, withdrawing
from tests.cards.makers import World
from tests.cards.makers import browser as browser_of
from tests.signing.makers import Ritual, digest_of, sealed


@pytest.fixture
def world(world: World) -> World:
    flows.load_files(by=SYSTEM)
    return world


def decide(by: Actor, decision: str = "approve", opinion: str = "") -> None:
    task = db.session.scalars(sa.select(FlowTask).where(FlowTask.status == "open")).one()
    flows.complete(task.id, {"decision": decision, "opinion": opinion}, by=by)


def take(world: World, ritual: Ritual, by: Actor | None = None) -> None:
    """Download it, as the page does."""
    browser = browser_of(world, by or world.user)
    assert browser.get(f"/documents/{digest_of(ritual.document())}.pdf").status_code == 200


def use_id(world: World, sealing_id: int) -> int:
    used = queries.sealing(sealing_id, world.user).use
    assert used is not None
    return used.id


def test_a_withdrawn_seal_verifies_as_withdrawn(world: World) -> None:
    ritual = sealed(world)

    fact = withdrawing.ask(use_id(world, ritual.fact.sealing_id), "合同条款有误", by=world.user)

    report = queries.report_on(ritual.document())
    assert report.verdict == "withdrawn"
    [signature] = report.signatures
    assert signature.withdrawal is not None
    assert signature.withdrawal.reason == "合同条款有误"
    assert fact.signature_id == signature.examined.claim.id


def test_the_units_seal_manager_may_withdraw_too(world: World) -> None:
    ritual = sealed(world)

    withdrawing.ask(use_id(world, ritual.fact.sealing_id), "经查无效", by=world.manager)
    assert queries.report_on(ritual.document()).verdict == "genuine"
    decide(world.office)

    assert queries.report_on(ritual.document()).verdict == "withdrawn"


def test_while_nobody_took_it_it_is_taken_off_and_the_next_seal_goes_onto_what_was_before(
    world: World,
) -> None:
    ritual = sealed(world)
    row = queries.sealing(ritual.fact.sealing_id, world.user)
    withdrawing.ask(use_id(world, ritual.fact.sealing_id), "条款有误", by=world.user)

    assert queries.own_document(row.document.id, world.user).sealed_digest is None
    assert queries.report_on(ritual.document()).verdict == "withdrawn"  # a copy that got out in spite of it


def test_once_it_was_taken_another_manager_agrees(world: World) -> None:
    ritual = sealed(world)
    take(world, ritual)
    asked = withdrawing.ask(use_id(world, ritual.fact.sealing_id), "条款有误", by=world.user)
    assert asked.sent and queries.report_on(ritual.document()).verdict == "genuine"
    with pytest.raises(Conflict, match=r"signing\.withdrawal_waits"):
        withdrawing.ask(use_id(world, ritual.fact.sealing_id), "条款有误", by=world.user)

    decide(world.manager)

    assert queries.report_on(ritual.document()).verdict == "withdrawn"
    assert queries.withdrawal_request(asked.withdrawal_id).agreed_by_name == world.manager.name
    row = queries.sealing(ritual.fact.sealing_id, world.user)
    assert row.document.sealed_digest == asked.sealed_digest  # what is out there stays what it is


def test_a_refusal_leaves_the_seal_and_says_why(world: World) -> None:
    ritual = sealed(world)
    take(world, ritual)
    asked = withdrawing.ask(use_id(world, ritual.fact.sealing_id), "条款有误", by=world.user)
    decide(world.manager, "refuse", "合同已履行")
    assert queries.withdrawal_request(asked.withdrawal_id).answer == "合同已履行"
    assert queries.report_on(ritual.document()).verdict == "genuine"


def test_whatever_a_diagram_says_nobody_withdraws_alone_what_was_sent(world: World) -> None:
    ritual = sealed(world)
    take(world, ritual)
    used = use_id(world, ritual.fact.sealing_id)
    both = world.person("both", "兼任", world.finance, "seal_manager", unit=world.finance)
    asked = withdrawing.ask(used, "有误", by=both).withdrawal_id
    with pytest.raises(Conflict, match=r"signing\.withdrawal_not_agreed"):
        withdrawing.carry_out(asked, by=both)
    with pytest.raises(Forbidden, match=r"signing\.own_withdrawal"):
        withdrawing.agree(asked, by=both)
    with pytest.raises(Forbidden, match=r"signing\.may_not_agree_withdrawal"):
        withdrawing.agree(asked, by=world.stranger)
    assert queries.report_on(ritual.document()).verdict == "genuine"


def test_the_page_says_which_of_the_two_it_will_be(world: World) -> None:
    ritual = sealed(world)
    browser, address = browser_of(world, world.user), f"/sealing/{ritual.fact.sealing_id}"
    assert "撤章立即生效" in browser.get(address).text
    take(world, ritual)
    assert "须经另一位印章管理人员同意" in browser.get(address).text
    refused = browser.post(f"{address}/withdraw", data={"reason": ""})
    assert refused.status_code == 422 and "data-refused" in refused.text
    assert browser.post(f"{address}/withdraw", data={"reason": "有误"}).status_code == 303
    page = browser.get(address).text
    assert "等待审批" in page and 'data-opens="withdraw"' not in page


def test_nobody_else_may(world: World) -> None:
    ritual = sealed(world)

    with pytest.raises(Forbidden) as caught:
        withdrawing.ask(use_id(world, ritual.fact.sealing_id), "恶作剧", by=world.stranger)

    assert caught.value.code == "signing.may_not_withdraw"
    assert queries.report_on(ritual.document()).verdict == "genuine"


def test_a_reason_is_needed_and_once_is_enough(world: World) -> None:
    used = use_id(world, sealed(world).fact.sealing_id)

    with pytest.raises(Invalid):
        withdrawing.ask(used, "   ", by=world.user)
    withdrawing.ask(used, "有误", by=world.user)
    with pytest.raises(Conflict) as caught:
        withdrawing.ask(used, "有误", by=world.user)
    with pytest.raises(NotFound):
        withdrawing.ask(used + 99, "有误", by=world.user)

    assert caught.value.code == "signing.withdrawn_already"


def test_the_command_line_asks_the_same_register_without_a_server(world: World) -> None:
    ritual = sealed(world)
    fact = withdrawing.ask(use_id(world, ritual.fact.sealing_id), "有误", by=world.user)

    found = register.from_database(current_settings().database_url, [fact.signature_id, "sha256:other"])

    assert list(found) == [fact.signature_id]
    assert found[fact.signature_id].reason == "有误"


def test_a_published_register_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "withdrawals.jsonl"
    file.write_text(
        '{"register": "yinxu-withdrawals/1", "entries": 1}\n'
        + json.dumps({"id": "sha256:1", "at": "2026-11-22T08:00:00+00:00", "reason": "有误"})
        + "\n\n"
    )

    assert register.from_file(file)["sha256:1"].reason == "有误"


def test_a_register_that_cannot_be_read_is_no_empty_register(tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl").write_text("not json\n")

    with pytest.raises(register.RegisterUnavailable):
        register.from_file(tmp_path / "broken.jsonl")
    with pytest.raises(register.RegisterUnavailable):
        register.from_database(f"sqlite:///{tmp_path}/none/at-all.sqlite", ["sha256:1"])
