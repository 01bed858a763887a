"""Seals follow their impression where that was asked for, and stay where it was not (D4)."""

import pytest

from app.actor import SYSTEM
from app.flows import commands as flows
from app.impressions import changing
from app.seals import following, queries
from tests.cards.makers import World
from tests.seals.conftest import refused
from tests.seals.makers import issued_seal


@pytest.mark.parametrize(("what", "code"), [("keep", ""), ("suspend", "suspended"), ("cancel", "cancelled")])
def test_what_was_asked_for_is_done_to_its_seals(world: World, what: str, code: str) -> None:
    flows.load_files(by=SYSTEM)
    seal_id = issued_seal(world)
    impression_id = queries.seal(seal_id).impression_id

    asked = changing.ask_change(impression_id, "suspend", "印章遗失", seals=what, by=world.manager)

    stopped = queries.open_suspension(seal_id) or queries.cancellation(seal_id)
    if what == "keep":
        assert stopped is None
    else:
        assert stopped is not None
        assert queries.may_use(seal_id, world.user).code == code
        assert (stopped.reason, stopped.by_name) == ("印章遗失", world.manager.name)
    with refused("seal.no_change_to_follow"):  # the same change does nothing a second time
        following.follow_one(asked.change_id, seal_id, by=world.office)
