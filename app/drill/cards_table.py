"""The rows of the failure table at the card station (card.md §4), each played with real tokens, a real agent and the real
server. Each says how it ended; a row that did not end as the table says raises AssertionError."""

from collections.abc import Callable
from typing import Any, Protocol

from app.cards import queries
from app.db import db
from app.drill.cards_station import Scene, Station, until
from app.impressions import commands as impressions
from card_agent.card.pin_counter import DEFAULT_LIMIT


class Drill(Protocol):
    """The drill as a row needs it (`cards.Drill`)."""

    scene: Scene
    station: Station
    outcome: Any

    def order(self) -> int: ...
    def restart(self, fault: dict[str, str] | None = None) -> None: ...
    def judge(self, job_id: int) -> None: ...
    def finish(self, job_id: int) -> None: ...
    def give_back(self, job_id: int) -> None: ...
    def strike(
        self,
        at: str,
        act: str,
        token: str = "",
        *,
        then: Callable[[int], object] | None = None,
        judged: bool = True,
    ) -> int: ...


RECEIPT_OF_CARD, RECEIPT_OF_MAKER = "before sign #4", "before sign #5"
"""The two cards' last signatures: what was written, as it was read back."""


def must(held: object, otherwise: str) -> None:
    if not held:
        raise AssertionError(otherwise)


def _pulled(at: str, which: str) -> Callable[[Drill], str]:
    def row(drill: Drill) -> str:
        token: str = getattr(drill.station, which).token
        job_id = drill.strike(at, "pull", token)
        must(state_of(job_id) == "done", f"ended as {state_of(job_id)}")
        return "card pulled and put back: done, one seal"

    return row


def _cut(at: str) -> Callable[[Drill], str]:
    def row(drill: Drill) -> str:
        job_id = drill.strike(at, "cut")
        must(state_of(job_id) == "done", f"ended as {state_of(job_id)}")
        return "line lost, taken up again: done, one seal"

    return row


def state_of(job_id: int) -> str:
    db.session.remove()
    return queries.job(job_id).state


def fault_of(state: dict[str, Any] | None) -> str:
    job: dict[str, Any] = (state or {}).get("job") or {}
    fault: dict[str, Any] = job.get("fault") or {}
    return str(fault.get("code", "none"))


def refused(
    drill: Drill,
    expected: str,
    spoil: Callable[[], object] = lambda: None,
    mend: Callable[[], object] | None = None,
    fault: dict[str, str] | None = None,
) -> str:
    """The job is refused with that code and the card stays what it was; mended, it is done, else it is given back."""
    drill.restart(fault)
    before = drill.station.look()
    job_id = drill.order()
    until("the job on the page", lambda: drill.station.shows(job_id))
    spoil()
    code = fault_of(drill.station.press(job_id))
    if mend is not None:
        mend()
    must(code == expected, f"refused with {code}, not {expected}")
    after = drill.station.look()
    must(after == before, f"the card was changed: {before}, then {after}")
    if mend is None:
        drill.give_back(job_id)
        must(state_of(job_id) == "failed", f"ended as {state_of(job_id)}")
        drill.outcome.refused += 1
        return f"{code}, nothing written; given back"
    drill.finish(job_id)
    must(state_of(job_id) == "done", f"ended as {state_of(job_id)}")
    return f"{code}, nothing written; mended: done, one seal"


def _wrong_pin(drill: Drill) -> str:
    """The station counts by itself and stops before the try that would lock the card; then the right PIN too waits for
    the administrator."""
    drill.restart()
    before = drill.station.look()
    job_id = drill.order()
    until("the job on the page", lambda: drill.station.shows(job_id))
    tries = [fault_of(drill.station.press(job_id, card_pin="00000000")) for _ in range(DEFAULT_LIMIT)]
    tries.append(fault_of(drill.station.press(job_id)))
    must(tries == ["card.wrong_pin"] * (DEFAULT_LIMIT - 1) + ["card.pin_spent"] * 2, f"refused with {tries}")
    must(drill.station.look() == before, "the card was changed")
    drill.station.forget_pins()
    drill.finish(job_id)
    must(state_of(job_id) == "done", f"ended as {state_of(job_id)}")
    return f"{DEFAULT_LIMIT - 1} times card.wrong_pin, then card.pin_spent without a try; unlocked: done, one seal"


def _no_card(drill: Drill) -> str:
    card, readers = drill.station.card.token, drill.station.readers
    return refused(drill, "card.absent", lambda: readers.pull(card), lambda: readers.insert(card))


def _wrong_card(drill: Drill) -> str:
    card, readers = drill.station.card.token, drill.station.readers
    other = drill.scene.spare.token

    def swap() -> None:
        readers.pull(card)
        readers.insert(other)

    def back() -> None:
        readers.pull(other)
        readers.insert(card)

    return refused(drill, "card.wrong_card", swap, back)


def _no_maker_card(drill: Drill) -> str:
    maker, readers = drill.station.maker.token, drill.station.readers
    return refused(drill, "card.no_maker_card", lambda: readers.pull(maker), lambda: readers.insert(maker))


def _suspended(drill: Drill) -> str:
    ident = drill.station.impression_id
    return refused(
        drill, "impression.suspended",
        lambda: impressions.suspend(ident, "演练", by=drill.scene.manager),
        lambda: impressions.resume(ident, "演练结束", by=drill.scene.manager),
    )  # fmt: skip


ROWS: dict[str, Callable[[Drill], str]] = {
    "card pulled before blob": _pulled("before envelope", "card"),
    "card pulled after blob": _pulled("written envelope", "card"),
    "card pulled before manifest": _pulled("before manifest", "card"),
    "card pulled after manifest": _pulled("written manifest", "card"),
    "card pulled before receipt": _pulled(RECEIPT_OF_CARD, "card"),
    "maker card pulled before it signs": _pulled("before sign", "maker"),
    "maker card pulled before receipt": _pulled(RECEIPT_OF_MAKER, "maker"),
    "line lost before begin": _cut("before begin"),
    "line lost after begin": _cut("answered begin"),
    "line lost before authorise": _cut("before authorise"),
    "line lost after authorise": _cut("answered authorise"),
    "network lost after write": _cut("before outcome"),
    "answer to the outcome lost": _cut("answered outcome"),
    "wrong PIN": _wrong_pin,
    "no card": _no_card,
    "wrong card": _wrong_card,
    "no maker card": _no_maker_card,
    "impression disabled": _suspended,
}
