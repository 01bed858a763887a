"""The desk: one job at a time, outcomes that outlive the network, incidents that are not lost, PINs that leave no trace."""

import logging
import pickle
import threading
from pathlib import Path

import pytest

from card_agent.desk import AGAIN, Desk
from card_agent.fault import Busy, JobGone, ServerRefused, UnknownKind
from card_agent.outbox import Outbox
from card_agent.pin import Pin
from card_agent.protocol.codec import encode
from card_agent.protocol.jobs import Begin
from card_agent.protocol.names import MOVED_ON
from card_agent.protocol.outcomes import Accepted
from card_agent.ritual import Batch
from card_agent.state import state_of
from tests.card_agent import makers
from tests.card_agent.makers import CARD_PIN, MAKER_PIN
from tests.card_agent.server import document
from tests.card_agent.shown import Shown
from tests.card_agent.test_making import Story
from tests.card_agent.test_signing import SigningStory


class DeskStory(Story):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.desk = self.open_desk()

    def open_desk(self) -> Desk:
        desk = Desk(self.bench(), Outbox(self.folder / "incidents"))
        desk.jobs = tuple(self.server.jobs.values())
        return desk

    def run(self, card_pin: str = CARD_PIN) -> None:
        self.desk.run(41, maker_pin=Pin(MAKER_PIN), card_pin=Pin(card_pin))
        self.desk.wait(60)


@pytest.fixture
def story(tmp_path: Path) -> DeskStory:
    return DeskStory(tmp_path)


def test_a_job_is_done_and_reported_and_leaves_the_list(story: DeskStory) -> None:
    story.run()

    assert story.desk.progress is not None
    assert (story.desk.progress.state, story.desk.progress.reported) == ("done", True)
    assert story.desk.jobs == ()
    assert [(p.job_id, p.status, p.reported) for p in story.desk.past] == [(41, "made", True)]
    story.check_one_seal()


def test_an_outcome_that_could_not_be_sent_is_sent_later_without_cards(story: DeskStory) -> None:
    story.server.fail_before.append("outcome")
    story.run()
    assert story.desk.progress is not None
    assert (story.desk.progress.state, story.desk.progress.reported) == ("done", False)
    story.reader.pull(story.world.card.serial)
    story.reader.pull(story.world.maker.serial)

    restarted = story.open_desk()
    restarted.replay(story.server)

    assert restarted.past[0].reported
    story.check_one_seal()


def test_an_outcome_the_server_refuses_is_not_sent_for_ever(story: DeskStory) -> None:
    story.server.refuse["outcome"] = ServerRefused(409, "card_job.wrong_state", "已取消", "cancelled")
    story.run()
    assert story.desk.progress is not None and story.desk.progress.fault is not None
    assert story.desk.progress.fault.zh == "已取消"
    del story.server.refuse["outcome"]
    story.server.calls.clear()

    story.desk.replay(story.server)

    assert story.server.calls == []


def test_an_outcome_that_does_not_count_is_said_to_the_person(story: DeskStory) -> None:
    story.server.outcome = lambda _job, _body: Accepted(state="failed")  # type: ignore[method-assign]

    story.run()

    assert story.desk.progress is not None and story.desk.progress.fault is not None
    assert story.desk.progress.fault.code == "job.not_accepted"


def signing_desk(folder: Path) -> tuple[SigningStory, Desk]:
    story = SigningStory(folder)
    desk = Desk(story.bench(), Outbox(folder / "incidents"))
    desk.jobs = tuple(story.server.jobs.values())
    return story, desk


def test_a_document_that_others_sealed_meanwhile_is_signed_anew_with_the_same_consent(tmp_path: Path) -> None:
    """B11: several press at the same time, each onto the newest."""
    story, desk = signing_desk(tmp_path)
    take, others = story.server.outcome, iter(range(2))

    def outcome(job_id: int, body: object) -> Accepted:
        if next(others, None) is not None:
            raise ServerRefused(409, MOVED_ON, "文件已由他人盖章", "others have sealed it")
        return take(job_id, body)

    story.server.outcome = outcome  # type: ignore[method-assign]

    desk.run(42, card_pin=Pin(CARD_PIN))
    desk.wait(60)

    assert desk.progress is not None
    assert (desk.progress.state, desk.progress.reported) == ("done", True)
    assert story.server.calls.count("begin") == 3
    assert list(story.server.signed) == [42]


def test_a_document_that_never_rests_is_told_at_last(tmp_path: Path) -> None:
    story, desk = signing_desk(tmp_path)
    story.server.refuse["outcome"] = ServerRefused(409, MOVED_ON, "文件已由他人盖章", "others have sealed it")

    desk.run(42, card_pin=Pin(CARD_PIN))
    desk.wait(60)

    assert desk.progress is not None and desk.progress.fault is not None
    assert desk.progress.fault.code == MOVED_ON
    assert story.server.calls.count("begin") == AGAIN


def test_a_wrong_pin_becomes_an_incident_for_the_log(story: DeskStory) -> None:
    story.run(card_pin="13572460")

    (incident,) = story.server.incidents
    assert (incident.code, incident.step, incident.card_changed) == ("card.wrong_pin", "read_cards", False)
    assert incident.card_serial == story.world.card.serial
    assert "13572460" not in encode(incident).decode()


def test_an_incident_outlives_the_network_and_the_program(story: DeskStory) -> None:
    story.server.fail_before.append("incident")
    story.run(card_pin="1")
    assert story.server.incidents == []

    story.open_desk().replay(story.server)

    assert len(story.server.incidents) == 1


def test_what_the_server_refused_itself_is_no_incident(story: DeskStory) -> None:
    story.server.refuse["begin"] = ServerRefused(409, "impression.suspended", "印模已停用", "suspended")

    story.run()

    assert story.server.incidents == []


def test_one_job_at_a_time(story: DeskStory) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def on(_operation: str) -> None:
        inside.set()
        go_on.wait(60)

    story.reader.on = on
    story.desk.run(41, maker_pin=Pin(MAKER_PIN), card_pin=Pin(CARD_PIN))
    assert inside.wait(60)
    with pytest.raises(Busy):
        story.desk.run(41, maker_pin=Pin(MAKER_PIN), card_pin=Pin(CARD_PIN))
    with pytest.raises(Busy):
        story.desk.give_back(41, "不做了", "given up")
    go_on.set()
    story.desk.wait(60)

    story.check_one_seal()


def test_unknown_jobs_are_refused(story: DeskStory) -> None:
    with pytest.raises(JobGone):
        story.desk.run(40, maker_pin=None, card_pin=None)
    other = makers.make_job(story.world.card.serial, job_id=44)
    story.desk.jobs = (type(other)(**{**vars(other), "kind": "polish_card"}),)
    with pytest.raises(UnknownKind):
        story.desk.run(44, maker_pin=None, card_pin=None)


def test_a_job_given_back_says_whether_the_card_may_have_changed(story: DeskStory) -> None:
    story.desk.give_back(41, "印模有误", "wrong impression")
    story.desk.wait(60)
    assert story.server.given_back[41].card_changed is False
    assert story.server.given_back[41].zh == "印模有误"


def test_a_job_given_back_after_its_authorisation_counts_as_changed(story: DeskStory) -> None:
    story.reader.on = lambda operation: (
        story.reader.pull(story.world.card.serial) if operation == "after write ESEAL.A" else None
    )
    story.run()
    assert story.desk.progress is not None and story.desk.progress.fault is not None
    assert story.desk.progress.fault.card_changed is True

    story.desk.give_back(41, "卡坏了", "broken card")
    story.desk.wait(60)

    assert story.server.given_back[41].card_changed is True


def test_a_pin_leaves_no_trace(story: DeskStory, caplog: pytest.LogCaptureFixture) -> None:
    """Not in logs, states, journals, incidents or messages to the server; right or wrong."""
    caplog.set_level(logging.DEBUG)
    sent: list[bytes] = []
    serve = story.server.serve
    story.server.serve = lambda path, body: (sent.append(body), serve(path, body))[1]  # type: ignore[method-assign]
    wrong = "99887766"

    story.run(card_pin=wrong)
    shown = str(state_of(Shown(story.desk)))
    story.run()

    written = b"".join(p.read_bytes() for p in story.folder.rglob("*") if p.is_file())
    everything = caplog.text + shown + written.decode() + b"".join(sent).decode()
    assert sent
    for pin in (wrong, MAKER_PIN, CARD_PIN):
        assert pin not in everything


def test_a_pin_cannot_be_printed_or_stored() -> None:
    pin = Pin("24681357")

    assert "2468" not in f"{pin} {pin!r} {pin:>20} {[pin]}"
    with pytest.raises(TypeError):
        pickle.dumps(pin)
    assert not hasattr(pin, "__dict__")


def batch_desk(folder: Path, number: int) -> tuple[SigningStory, Desk]:
    """So many documents for one card."""
    story, _ = signing_desk(folder)
    for n in range(1, number):
        story.server.jobs[42 + n] = makers.sign_job(
            story.world.card.serial, document(f"{n}.pdf"), job_id=42 + n
        )
    desk = Desk(story.bench(), Outbox(folder / "incidents"))
    desk.jobs = tuple(story.server.jobs.values())
    return story, desk


def test_documents_for_one_card_are_signed_with_one_pin(tmp_path: Path) -> None:
    story, desk = batch_desk(tmp_path, 5)

    desk.run(42, card_pin=Pin(CARD_PIN), also=[43, 44, 45, 46])
    desk.wait(60)

    assert sorted(story.server.signed) == [42, 43, 44, 45, 46]
    assert desk.progress is not None and desk.progress.batch == Batch(total=5, done=5)
    assert desk.jobs == ()


def test_what_the_server_refuses_of_a_batch_is_left_out_and_a_wrong_pin_ends_it(tmp_path: Path) -> None:
    story, desk = batch_desk(tmp_path, 4)
    begin = story.server.begin_sign

    def refusing(job_id: int, message: Begin) -> object:
        if job_id == 43:
            raise ServerRefused(403, "signing.withdrawn", "授权已收回", "withdrawn")
        return begin(job_id, message)

    story.server.begin_sign = refusing  # type: ignore[method-assign,assignment]
    desk.run(42, card_pin=Pin(CARD_PIN), also=[43, 44])
    desk.wait(60)
    assert desk.progress is not None and desk.progress.batch == Batch(total=3, done=2, failed=1)
    assert sorted(story.server.signed) == [42, 44]

    desk.run(45, card_pin=Pin("135724"), also=[43])
    desk.wait(60)
    assert desk.progress.fault is not None and desk.progress.fault.code == "card.wrong_pin"
    assert desk.progress.job.job_id == 45
    with pytest.raises(JobGone):
        desk.run(45, card_pin=Pin(CARD_PIN), also=[99])
