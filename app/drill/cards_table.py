"""The rows of the failure table at the card station (card.md §4), each played with real tokens, a real agent and the real
server. Each says how it ended; a row that did not end as the table says raises AssertionError."""

from collections.abc import Callable
from typing import Any, Protocol

from app.cards import queries
from app.drill.cards_station import PIN, Scene, Station, until
from app.impressions import commands as impressions


class Drill(Protocol):
    """The drill as a row needs it (`cards.Drill`)."""

    scene: Scene
    station: Station
    outcome: Any

    def order(self) -> int: ...
    def restart(self) -> None: ...
    def finish(self, job_id: int) -> None: ...
    def give_back(self, job_id: int) -> None: ...
    def strike(
        self,
        at: str,
        act: str,
        token: str = "",
        *,
        then: Callable[[], object] | None = None,
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
        must(queries.job(job_id).state == "done", f"ended as {queries.job(job_id).state}")
        return "card pulled and put back: done, one seal"

    return row


def _cut(at: str) -> Callable[[Drill], str]:
    def row(drill: Drill) -> str:
        job_id = drill.strike(at, "cut")
        must(queries.job(job_id).state == "done", f"ended as {queries.job(job_id).state}")
        return "line lost, taken up again: done, one seal"

    return row


def _fault(state: dict[str, Any] | None) -> str:
    job: dict[str, Any] = (state or {}).get("job") or {}
    fault: dict[str, Any] = job.get("fault") or {}
    return str(fault.get("code", "none"))


def _refused(
    drill: Drill,
    expected: str,
    spoil: Callable[[], None],
    mend: Callable[[], None] | None = None,
    card_pin: str = PIN,
) -> str:
    """The job is refused with that code and the card stays what it was; mended, it is done, else it is given back."""
    drill.restart()
    before = drill.station.look()
    job_id = drill.order()
    until("the job on the page", lambda: drill.station.shows(job_id))
    spoil()
    code = _fault(drill.station.press(job_id, card_pin=card_pin))
    if mend is not None:
        mend()
    must(code == expected, f"refused with {code}, not {expected}")
    must(drill.station.look() == before, "the card was changed")
    if mend is None:
        drill.give_back(job_id)
        must(queries.job(job_id).state == "failed", f"ended as {queries.job(job_id).state}")
        drill.outcome.refused += 1
        return f"{code}, nothing written; given back"
    drill.finish(job_id)
    must(queries.job(job_id).state == "done", f"ended as {queries.job(job_id).state}")
    return f"{code}, nothing written; mended: done, one seal"


def _wrong_pin(drill: Drill) -> str:
    return _refused(drill, "card.wrong_pin", lambda: None, lambda: None, card_pin="00000000")


def _no_card(drill: Drill) -> str:
    card, readers = drill.station.card.token, drill.station.readers
    return _refused(drill, "card.absent", lambda: readers.pull(card), lambda: readers.insert(card))


def _wrong_card(drill: Drill) -> str:
    card, readers = drill.station.card.token, drill.station.readers
    other = drill.scene.spare.token

    def swap() -> None:
        readers.pull(card)
        readers.insert(other)

    def back() -> None:
        readers.pull(other)
        readers.insert(card)

    return _refused(drill, "card.wrong_card", swap, back)


def _no_maker_card(drill: Drill) -> str:
    maker, readers = drill.station.maker.token, drill.station.readers
    return _refused(drill, "card.no_maker_card", lambda: readers.pull(maker), lambda: readers.insert(maker))


def _suspended(drill: Drill) -> str:
    ident = drill.station.impression_id
    return _refused(
        drill, "impression.suspended",
        lambda: _void(impressions.suspend(ident, "演练", by=drill.scene.manager)),
        lambda: _void(impressions.resume(ident, "演练结束", by=drill.scene.manager)),
    )  # fmt: skip


def _void(_fact: object) -> None:
    return None


def _revoked_meanwhile(drill: Drill) -> str:
    """The seal was written and journalled; before the server hears of it the card's certificate is revoked: no seal
    enters the ledger."""
    certificate = drill.station.card.certificate
    job_id = drill.strike(
        "noted outcome", "kill", then=lambda: drill.scene.pki.revoke(certificate), judged=False
    )
    state = queries.job(job_id)
    must(state.state == "failed", f"ended as {state.state}")
    drill.outcome.refused += 1
    return f"failed: {state.reason_en}"


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
    # the card's certificate is gone from here on
    "certificate revoked after the write": _revoked_meanwhile,
}
