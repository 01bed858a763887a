"""The gate: one transaction for the deed and its entry; a refusal undoes the deed and is recorded."""

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from app import command as gate
from app import factory
from app.actor import SYSTEM, Actor
from app.audit import header
from app.audit.models import LogEntry
from app.db import db, lock_row
from app.fact import Fact, LogClass
from app.people.models import Unit
from app.refusal import Conflict
from app.settings import Settings


class UnitRenamed(Fact, name="test.unit_renamed", zh="改名", en="Renamed", log_class=LogClass.CONFIGURATION):
    unit_id: int
    new_name: str


def make_command(inner: Callable[[], None] = lambda: None) -> Callable[..., UnitRenamed]:
    def rename(unit_id: int, new_name: str, *, by: Actor) -> UnitRenamed:
        unit = lock_row(Unit, unit_id)
        unit.name = new_name
        db.session.flush()
        inner()
        return UnitRenamed(unit_id=unit_id, new_name=new_name)

    rename.__module__ = "app.people.commands"
    try:
        return gate.command(rename)
    finally:
        gate.COMMANDS.pop("people.rename", None)


@pytest.fixture
def unit_id(app: Flask) -> int:
    unit = Unit(name="采购部")
    db.session.add(unit)
    db.session.commit()
    return unit.id


def entries() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0


def test_a_command_makes_something_true_and_its_entry_with_it(unit_id: int) -> None:
    fact = make_command()(unit_id, "供应链部", by=SYSTEM)

    assert fact == UnitRenamed(unit_id=unit_id, new_name="供应链部")
    assert db.session.get_one(Unit, unit_id).name == "供应链部"
    assert entries() == 1


def test_a_refusal_undoes_everything_and_is_recorded(unit_id: int) -> None:
    def refuse() -> None:
        raise Conflict("unit.frozen", zh="单位已封存，请先启用", en="The unit is frozen; thaw it first")

    with pytest.raises(Conflict):
        make_command(refuse)(unit_id, "供应链部", by=SYSTEM)

    assert db.session.get_one(Unit, unit_id).name == "采购部"
    entry = db.session.scalars(sa.select(LogEntry)).one()
    assert header.unpack(entry.header).log_class == LogClass.ILLEGAL_OPERATION


def test_what_is_no_refusal_undoes_everything_and_is_raised(unit_id: int) -> None:
    def break_down() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make_command(break_down)(unit_id, "供应链部", by=SYSTEM)

    assert db.session.get_one(Unit, unit_id).name == "采购部"
    assert entries() == 0


def test_commands_inside_a_command_share_its_transaction(unit_id: int) -> None:
    inner = make_command()

    def outer() -> None:
        inner(unit_id, "内层", by=SYSTEM)
        raise Conflict("later", zh="后来不行，请重来", en="It failed later; start again")

    with pytest.raises(Conflict):
        make_command(outer)(unit_id, "外层", by=SYSTEM)

    assert db.session.get_one(Unit, unit_id).name == "采购部"
    assert entries() == 1  # the refusal alone


def test_every_command_needs_someone_who_acts(unit_id: int) -> None:
    with pytest.raises(TypeError, match="by=Actor"):
        make_command()(unit_id, "供应链部")


def test_no_update_is_lost_between_threads(unit_id: int, settings: Settings) -> None:
    """Eight writers read a counter and write it back, one more each: nothing is lost on either database."""
    unit = db.session.get_one(Unit, unit_id)
    unit.name = "0"
    db.session.commit()
    other = factory.create_app(settings)

    def count(unit_id: int, *, by: Actor) -> UnitRenamed:
        unit = lock_row(Unit, unit_id)
        unit.name = str(int(unit.name) + 1)
        return UnitRenamed(unit_id=unit_id, new_name=unit.name)

    count.__module__ = "app.people.commands"
    counting = gate.command(count)
    gate.COMMANDS.pop("people.count", None)

    def work() -> None:
        with other.app_context():
            for _ in range(10):
                counting(unit_id, by=SYSTEM)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    db.session.rollback()
    assert db.session.get_one(Unit, unit_id).name == "80"
    with other.app_context():
        db.engine.dispose()
