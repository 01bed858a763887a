"""Fourteen attacks on the stored log: a small drill on each database (X; `yinxu drill log` plays a large one)."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import audit as cli
from app.drill import log
from tests.drill.test_votes import place

__all__ = ["place"]


def asked(words: Sequence[str]) -> dict[str, Any]:
    return json.loads(CliRunner().invoke(cli.command, ["verify", "--json", *words]).stdout)


@pytest.mark.softhsm
def test_each_of_fourteen_attacks_is_found_and_located(place: str | None) -> None:
    found = log.play(place, 100, 7, asked)

    assert [one.attack for one in found if not one.located] == []
    assert len(found) == 14
