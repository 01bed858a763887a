"""What the bench of cards tells: the station's share beside its bare operations, the server's apart, the rate of all four."""

import pytest

from app.bench import cards


def told(
    took: float, server: float, bare: float, began: float = 0.0, ended: float = 2.0
) -> dict[str, object]:
    one = {"took_s": took, "server_s": server, "cpu_s": took / 2}
    least = {"took_s": bare, "cpu_s": bare / 2}
    return {"began": began, "ended": ended, "made": [one] * 5, "bare": [least] * 5}


def test_what_the_station_does_itself_is_compared_and_the_servers_share_is_told_apart() -> None:
    production, waits = cards._alone(told(0.100, 0.060, 0.020))

    assert (round(production.ours), round(production.baseline), round(production.ratio, 2)) == (40, 20, 0.5)
    assert production.goal == 1 / cards.AT_MOST
    assert (round(waits.ours), round(waits.baseline), waits.goal) == (60, 100, None)


def test_the_rate_is_that_of_all_stations_from_the_first_start_to_the_last_end() -> None:
    rate = cards._together([told(0, 0, 0), told(0, 0, 0, began=1.0, ended=5.0)])

    assert (rate.ours, rate.ratio, rate.goal) == (2.0, 0.2, 1.0)


def test_what_a_production_costs_in_cpu_time_says_what_all_cores_could_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)

    station, server, ceiling = cards._cost([told(0.080, 0, 0)] * 4, 0.060, 0.010)

    assert (round(station.ours), round(station.baseline), round(server.ours)) == (40, 10, 60)
    assert (round(ceiling.ours), ceiling.baseline, ceiling.goal) == (20, cards.A_SECOND, None)
