"""The shipped flows, loaded, with stand-ins for what the houses above do."""

import pytest
from flask import Flask

from app.actor import SYSTEM
from app.flows import action as registry
from app.flows import commands
from tests.flows import makers


@pytest.fixture
def hands(app: Flask, monkeypatch: pytest.MonkeyPatch) -> makers.Hands:
    made = makers.hands()
    for name in list(registry.ACTIONS):
        monkeypatch.setitem(registry.ACTIONS, name, made.stand_in(name))
    monkeypatch.delitem(registry.CANCELLED, "application", raising=False)
    monkeypatch.setitem(registry.CHOICES, "blank_seal_cards", lambda _task, _by: makers.CARDS)
    monkeypatch.setitem(registry.CHOICES, "stations", lambda _task, _by: makers.STATIONS)
    return made


@pytest.fixture
def town(app: Flask, hands: makers.Hands) -> makers.Town:
    commands.load_files(by=SYSTEM)
    return makers.town()
