"""What forms may be filled with: stations that can take a job."""

from collections.abc import Iterable
from typing import Any

from app.actor import Actor
from app.cards import queries
from app.flows.action import choices
from app.text import Text

STATE = {
    "connected": Text("在线", "connected"),
    "silent": Text("离线", "not connected"),
}


@choices("stations")
def stations(_task: Any, by: Actor) -> Iterable[tuple[str, Text]]:
    """Every enrolled station, connected ones first."""
    if not by.has("station_operator"):
        return
    for row in sorted(queries.stations(), key=lambda r: (r.state != "connected", r.station.name)):
        if row.state in STATE:
            state, name = STATE[row.state], row.station.name
            yield str(row.station.id), Text(f"{name}（{state.zh}）", f"{name} ({state.en})")
