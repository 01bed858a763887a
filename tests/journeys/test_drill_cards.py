"""The drill at the card station, in small: `yinxu drill cards` plays every point, every row and 200 random moments, and with
`--soak 1000` lets four agents work at once."""

import pytest

from app.drill import cards, cards_soak

pytestmark = [pytest.mark.journey, pytest.mark.softhsm, pytest.mark.slow]


def test_an_agent_killed_and_a_card_pulled_in_the_middle_of_writing_leave_one_good_seal() -> None:
    outcome = cards.play(at=["written manifest"], rows=["card pulled after blob"])

    assert outcome.held, outcome
    assert (outcome.killed, outcome.struck, outcome.pulled) == (1, 1, 1)
    assert (outcome.jobs, outcome.done) == (2, 2)


def test_two_agents_make_seals_at_once_and_leave_no_session_open() -> None:
    soak = cards_soak.play(4, stations=2)

    assert not (soak.torn or soak.doubled or soak.unclear or soak.wrong), soak
    assert (soak.productions, soak.done) == (4, 4)
    assert [(a.made, a.crashes, a.sessions_left) for a in soak.agents] == [(2, 0, 0)] * 2
    assert all(a.memory_kb[0] > 0 for a in soak.agents)


def test_an_agent_that_grew_crashed_or_left_a_session_open_did_not_hold() -> None:
    sound = {"memory_kb": (60_000, 65_000), "files": (9, 12)}

    assert cards_soak.Agent(**sound).held
    assert not cards_soak.Agent(**{**sound, "memory_kb": (60_000, 67_000)}).held
    assert not cards_soak.Agent(**{**sound, "files": (9, 18)}).held
    assert not cards_soak.Agent(**sound, crashes=1).held
    assert not cards_soak.Agent(**sound, sessions_left=1).held
    assert not cards_soak.Soak(productions=2, done=1).held
