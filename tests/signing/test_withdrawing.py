"""撤章: a seal on a document is taken back, for every verification that asks the register."""

import json
from pathlib import Path

import pytest

from app.refusal import Conflict, Forbidden, Invalid, NotFound
from app.settings import current_settings
from app.signing import commands, queries, register
from tests.cards.makers import World
from tests.signing.makers import sealed


def use_id(world: World, sealing_id: int) -> int:
    used = queries.sealing(sealing_id, world.user).use
    assert used is not None
    return used.id


def test_a_withdrawn_seal_verifies_as_withdrawn(world: World) -> None:
    ritual = sealed(world)

    fact = commands.withdraw(use_id(world, ritual.fact.sealing_id), "合同条款有误", by=world.user)

    report = queries.report_on(ritual.document())
    assert report.verdict == "withdrawn"
    [signature] = report.signatures
    assert signature.withdrawal is not None
    assert signature.withdrawal.reason == "合同条款有误"
    assert fact.signature_id == signature.examined.claim.id


def test_the_units_seal_manager_may_withdraw_too(world: World) -> None:
    ritual = sealed(world)

    commands.withdraw(use_id(world, ritual.fact.sealing_id), "经查无效", by=world.manager)

    assert queries.report_on(ritual.document()).verdict == "withdrawn"


def test_nobody_else_may(world: World) -> None:
    ritual = sealed(world)

    with pytest.raises(Forbidden) as caught:
        commands.withdraw(use_id(world, ritual.fact.sealing_id), "恶作剧", by=world.stranger)

    assert caught.value.code == "signing.may_not_withdraw"
    assert queries.report_on(ritual.document()).verdict == "genuine"


def test_a_reason_is_needed_and_once_is_enough(world: World) -> None:
    used = use_id(world, sealed(world).fact.sealing_id)

    with pytest.raises(Invalid):
        commands.withdraw(used, "   ", by=world.user)
    commands.withdraw(used, "有误", by=world.user)
    with pytest.raises(Conflict) as caught:
        commands.withdraw(used, "有误", by=world.user)
    with pytest.raises(NotFound):
        commands.withdraw(used + 99, "有误", by=world.user)

    assert caught.value.code == "signing.withdrawn_already"


def test_the_command_line_asks_the_same_register_without_a_server(world: World) -> None:
    ritual = sealed(world)
    fact = commands.withdraw(use_id(world, ritual.fact.sealing_id), "有误", by=world.user)

    found = register.from_database(current_settings().database_url, [fact.signature_id, "sha256:other"])

    assert list(found) == [fact.signature_id]
    assert found[fact.signature_id].at == fact.at


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
