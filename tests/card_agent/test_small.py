"""The journal, the counter of wrong PINs, the machine, the settings."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_agent import machine, settings
from card_agent.card.pin_counter import PinCounter
from card_agent.journal import Journal
from card_agent.link import Backoff


def test_a_torn_line_is_passed_over_and_the_next_is_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.note(1, "begun", order_id="a")
    journal.note(1, "authorised", order_id="a")
    path = tmp_path / "journal" / "1.jsonl"
    path.write_bytes(path.read_bytes()[:-9])

    journal.note(1, "outcome", body={"status": "made"})

    record = journal.read(1)
    assert set(record.steps) == {"begun", "outcome"}
    assert record.unreported == {"status": "made"}


@given(cut=st.integers(0, 400))
def test_a_journal_cut_anywhere_can_be_read(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    journal = Journal(tmp_path_factory.mktemp("j"))
    for step in ("begun", "maker_signed", "authorised", "outcome"):
        journal.note(5, step, order_id="甲", body={"status": "made"})
    path = next(iter(journal._folder.glob("*.jsonl")))
    path.write_bytes(path.read_bytes()[:cut])

    assert set(journal.read(5).steps) <= {"begun", "maker_signed", "authorised", "outcome"}


def test_a_new_outcome_is_reported_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note(1, "outcome", body={"status": "failed"})
    journal.note(1, "reported", state="refused")
    journal.note(1, "outcome", body={"status": "made"})

    assert journal.read(1).unreported == {"status": "made"}


def test_old_reported_jobs_are_forgotten_open_ones_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for job in range(1, 8):
        journal.note(job, "outcome", body={})
        if job != 2:
            journal.note(job, "reported", state="done")

    journal.prune(keep=3)

    assert [r.job_id for r in journal.all()] == [2, 5, 6, 7]


def test_all_records_are_looked_up_again_only_where_something_was_noted(tmp_path: Path) -> None:
    journal, other = Journal(tmp_path), Journal(tmp_path)
    for job in (1, 2):
        journal.note(job, "begun", order_id="a")
    first = journal.all()

    other.note(2, "outcome", body={})

    again = journal.all()
    assert again[0] is first[0]
    assert set(again[1].steps) == {"begun", "outcome"}
    (tmp_path / "1.jsonl").unlink()
    assert [r.job_id for r in journal.all()] == [2]


def test_wrong_pins_are_counted_across_restarts(tmp_path: Path) -> None:
    for _ in range(3):
        PinCounter(tmp_path / "pins.json").count("card-1")

    counter = PinCounter(tmp_path / "pins.json")
    assert (counter.left("card-1"), counter.left("card-2")) == (1, 4)
    counter.clear("card-1")
    assert PinCounter(tmp_path / "pins.json").left("card-1") == 4


def _net(
    folder: Path, name: str, address: str, *, kind: str = "1", up: str = "up", real: bool = True
) -> None:
    device = folder / name
    device.mkdir(parents=True)
    (device / "address").write_text(address + "\n")
    (device / "type").write_text(kind + "\n")
    (device / "operstate").write_text(up + "\n")
    if real:
        (device / "device").mkdir()


def test_the_mac_is_a_real_cards_never_a_guess(tmp_path: Path) -> None:
    _net(tmp_path, "lo", "00:00:00:00:00:00", kind="772", real=False)
    _net(tmp_path, "docker0", "02:42:00:00:00:01", real=False)
    assert machine.mac(tmp_path) == "unknown"

    _net(tmp_path, "eth0", "00:16:3E:00:00:01", up="down")
    assert machine.mac(tmp_path) == "00:16:3e:00:00:01"
    _net(tmp_path, "eth1", "00:16:3e:00:00:02")
    assert machine.mac(tmp_path) == "00:16:3e:00:00:02"
    assert machine.mac(tmp_path / "nowhere") == "unknown"


@pytest.mark.parametrize(
    "bad",
    [
        ["--listen", "0.0.0.0:9443"], ["--listen", "127.0.0.1"], ["--server", "ftp://x"],
        ["--server", "http://seals.example.cn"], ["--server", "https://x/path"], ["--pin-tries", "1"],
        ["--heartbeat-s", "fast"], ["--wait-s", "-1"],
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_refused_with_its_name(bad: list[str]) -> None:
    with pytest.raises(settings.BadSetting, match=bad[0]):
        settings.flags(bad)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(settings.BadSetting, match=r"--server.*--listen"):
        settings.flags(["--server", "x", "--listen", "y"])


def test_settings_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YINXU_AGENT_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("YINXU_AGENT_SERVER", "https://seals.example.cn/")
    monkeypatch.setenv("YINXU_AGENT_LISTEN", "127.0.0.1:0")

    given = settings.flags(["--wait-s", "3"])

    assert (given.state_dir, given.server, given.listen) == (
        tmp_path, "https://seals.example.cn", ("127.0.0.1", 0)
    )  # fmt: skip
    assert given.wait_s == 3


def test_pauses_grow_and_end() -> None:
    backoff = Backoff(1, 8)
    pauses = [backoff.next_s() for _ in range(10)]

    assert all(0.5 <= pauses[0] <= 1 for _ in "1") and max(pauses) <= 8 and pauses[-1] >= 4
    backoff.reset()
    assert backoff.next_s() <= 1
