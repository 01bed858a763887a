"""The agents' door: who knocks is who signed, nothing is answered twice, and a job belongs to one station."""

import pytest
import sqlalchemy as sa

from app.audit.models import LogEntry
from app.cards import commands, queries
from app.cards.models import EnrolmentCode
from app.crypto.keys import keyring
from app.db import db
from card_agent.protocol.codec import decode
from card_agent.protocol.jobs import Begin, CardSeen, Enrol, Enrolled, Heartbeat, Jobs, Work
from card_agent.protocol.outcomes import Failed, Incident
from tests.cards.makers import DAY, SYSTEM, Station, World

HEART = Heartbeat(cards=(), host="station-1", mac="02:00:00:00:00:01", agent_version="0.1")
BEGIN = Begin(card_serial="SC1", card_certificate=b"c")
FAILED = Failed(code="given_back", zh="退回", en="given back", card_changed=False, host="h", mac="m")


def code_of(answer) -> str:  # type: ignore[no-untyped-def]
    return str(answer.get_json()["error"]["code"])


def enrolment(station: Station, code: str, **changes: object) -> Enrol:
    values: dict[str, object] = {
        "code": code,
        "public_key": station.public_key,
        "host": "new-host",
        "mac": "02:00:00:00:00:02",
        "agent_version": "0.1",
        **changes,
    }
    return Enrol(**values)  # type: ignore[arg-type]


def test_a_one_time_code_makes_a_key_the_stations(world: World) -> None:
    code = commands.enrol_station("二号", world.bureau, by=world.administrator).code
    newcomer = Station(world.app)

    answer = newcomer.send("enrol", enrolment(newcomer, code))

    told = decode(Enrolled, answer.data)
    assert told.station_name == "二号"
    assert told.server_order_certificate == keyring().certificate("order")
    assert len(told.roots) == 1
    newcomer.id = told.station_id
    assert newcomer.send("heartbeat", HEART).status_code == 200


def test_a_code_works_once_for_half_an_hour_and_only_with_its_own_key(world: World) -> None:
    code = commands.enrol_station("二号", world.bureau, by=world.administrator).code
    first, second = Station(world.app), Station(world.app)
    thief = first.send("enrol", enrolment(first, code, public_key=second.public_key))
    assert first.send("enrol", enrolment(first, code.lower().replace("-", " "))).status_code == 200

    again = second.send("enrol", enrolment(second, code))
    wrong = second.send("enrol", enrolment(second, "AAAA-BBBB"))
    db.session.execute(sa.update(EnrolmentCode).values(used_at=None, expires_at=world.ca.start))
    db.session.commit()
    late = second.send("enrol", enrolment(second, code))

    assert [code_of(a) for a in (thief, again, wrong, late)] == [
        "station.bad_signature",
        "station.code_spent",
        "station.code_unknown",
        "station.code_spent",
    ]


def test_the_code_is_kept_nowhere(world: World) -> None:
    fact = commands.enrol_station("二号", world.bureau, by=world.administrator)

    assert fact.code not in repr(fact)
    assert "code" not in fact.payload()
    kept = db.session.scalars(sa.select(EnrolmentCode.code_hash)).all()
    assert all(fact.code not in k for k in kept)


def test_another_protocol_is_told_to_upgrade(world: World) -> None:
    newcomer = Station(world.app)

    answer = newcomer.send("enrol", enrolment(newcomer, "x", protocol=99))

    assert code_of(answer) == "station.other_protocol"


def test_a_heartbeat_shows_the_station_and_its_cards(world: World) -> None:
    seen = CardSeen(slot="0", serial="SC1", label="seal", certificate=world.card.der)

    world.station.send("heartbeat", Heartbeat(cards=(seen,), host="h", mac="m", agent_version="1"))

    row = queries.station(world.station.id)
    assert row.state == "connected" and row.cards[0]["serial"] == "SC1"
    assert queries.unregistered_cards() == [("SC1", "预算处")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"signed_path": "/agent/v1/work"}, "station.bad_signature"),
        ({"nonce": "short"}, "station.bad_signature"),
        ({"time": "2020-01-01T00:00:00Z"}, "station.stale_request"),
        ({"time": "yesterday"}, "station.bad_time"),
    ],
)
def test_what_is_not_signed_for_this_request_is_turned_away(
    world: World, change: dict[str, str], code: str
) -> None:
    answer = world.station.send("heartbeat", HEART, **change)

    assert (answer.status_code, code_of(answer)) == (401, code)


def test_a_changed_body_is_turned_away(world: World) -> None:
    path = "/agent/v1/heartbeat"
    headers = world.station.headers(path, b"{}")

    answer = world.app.test_client().post(path, data=b'{"cards":[]}', headers=headers)

    assert code_of(answer) == "station.bad_signature"


def test_a_recorded_request_is_answered_once(world: World) -> None:
    nonce = "ab" * 16
    first = world.station.send("heartbeat", HEART, nonce=nonce)

    second = world.station.send("heartbeat", HEART, nonce=nonce)

    assert first.status_code == 200
    assert code_of(second) == "station.replayed"


def test_strangers_and_revoked_stations_are_turned_away_and_logged(world: World) -> None:
    before = db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0
    stranger = Station(world.app, id=999)
    commands.revoke_station(world.station.id, "报废", by=world.administrator)

    answers = [stranger.send("heartbeat", HEART), world.station.send("heartbeat", HEART)]

    assert [code_of(a) for a in answers] == ["station.unknown", "station.revoked"]
    after = db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0
    assert after - before == 3  # the revocation and both knocks


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b'{"cards":1.5}', b'{"a":1,"a":2}', b"\xff", b"[" * 100_000, b"[" * 950 + b"]" * 950,
        b'{"cards":' + b"9" * 5000 + b"}", b'{"host":"\\ud800"}',
    ],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_nonsense_gets_an_answer(world: World, body: bytes) -> None:
    answer = world.station.send("heartbeat", body)

    assert (answer.status_code, code_of(answer)) == (422, "station.malformed")


def test_work_tells_all_open_jobs_of_this_station_and_no_other(world: World, echo_kind: str) -> None:
    world.register_cards()
    other = world.enrolled("二号")
    job = commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)

    mine = decode(Jobs, world.station.send("work", Work(wait_s=0)).data)
    others = decode(Jobs, other.send("work", Work(wait_s=0)).data)

    assert [(j.job_id, j.kind, j.operator.name) for j in mine.jobs] == [(job.job_id, "echo", "王工")]
    assert others.jobs == ()


def test_a_job_of_another_station_is_refused(world: World, echo_kind: str) -> None:
    world.register_cards()
    other = world.enrolled("二号")
    job = commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)

    answer = other.send(f"jobs/{job.job_id}/begin", BEGIN)

    assert (answer.status_code, code_of(answer)) == (403, "card_job.other_station")


def test_an_outcome_sent_again_is_answered_again_and_changes_nothing(world: World, echo_kind: str) -> None:
    world.register_cards()
    job = commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)
    world.station.send(f"jobs/{job.job_id}/begin", BEGIN)

    answers = [world.station.send(f"jobs/{job.job_id}/outcome", FAILED) for _ in range(3)]

    assert [a.get_json() for a in answers] == [{"state": "failed"}] * 3
    assert [s.step for s in queries.steps(job.job_id)] == ["ordered", "begun", "failed"]
    assert queries.job(job.job_id).reason_zh == "退回"


def test_an_ended_job_begins_no_more(world: World, echo_kind: str) -> None:
    world.register_cards()
    job = commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)
    commands.cancel_job(job.job_id, "选错了卡", by=world.operator)

    answer = world.station.send(f"jobs/{job.job_id}/begin", BEGIN)

    assert code_of(answer) == "card_job.wrong_state"


def test_what_comes_of_a_job_that_was_taken_back_is_kept_for_people_and_makes_nothing_true(
    world: World, echo_kind: str
) -> None:
    world.register_cards()
    job = commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)
    world.station.send(f"jobs/{job.job_id}/begin", BEGIN)
    commands.cancel_job(job.job_id, "流程已撤销", by=world.operator)

    answers = [world.station.send(f"jobs/{job.job_id}/outcome", FAILED) for _ in range(2)]

    assert [a.get_json() for a in answers] == [{"state": "cancelled"}] * 2
    steps = queries.steps(job.job_id)
    assert [s.step for s in steps] == ["ordered", "begun", "cancelled", "late"]
    assert "取消后工位回报：" in steps[-1].note_zh and "流程已撤销" in (
        queries.job(job.job_id).reason_zh or ""
    )


def test_an_incident_stands_in_the_log_once(world: World, echo_kind: str) -> None:
    world.register_cards()
    job = commands.open_job(echo_kind, world.station.id, "SC1", {}, by=world.operator)
    wrong_pin = Incident(
        code="wrong_pin",
        step="open",
        zh="口令错误",
        en="Wrong PIN",
        card_serial="SC1",
        card_changed=False,
        at=world.ca.start + DAY,
        nonce="cd" * 16,
        host="h",
        mac="m",
    )
    before = db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0

    for _ in range(2):
        assert world.station.send(f"jobs/{job.job_id}/incident", wrong_pin).status_code == 200

    after = db.session.scalar(sa.select(sa.func.count()).select_from(LogEntry)) or 0
    assert after - before == 1


def test_only_the_system_administrator_enrols_and_revokes(world: World) -> None:
    from app.refusal import Refusal

    for attempt in (
        lambda: commands.enrol_station("三号", world.bureau, by=world.operator),
        lambda: commands.revoke_station(world.station.id, "x", by=world.office),
    ):
        with pytest.raises(Refusal, match=r"card\.role_needed"):
            attempt()


def test_a_name_of_a_connected_station_is_taken_and_of_an_announced_one_gets_a_new_code(world: World) -> None:
    from app.refusal import Refusal

    first = commands.enrol_station("二号", world.bureau, by=SYSTEM)
    second = commands.enrol_station("二号", world.bureau, by=SYSTEM)

    assert first.station_id == second.station_id and first.code != second.code
    with pytest.raises(Refusal, match=r"station\.name_taken"):
        commands.enrol_station("三楼制章室", world.bureau, by=SYSTEM)
