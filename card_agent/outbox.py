"""Incidents on their way to the server's log: on disk until they are answered, so that no wrong PIN goes
unlogged."""

import contextlib
import json
from pathlib import Path

from card_agent.fault import ServerRefused
from card_agent.protocol.codec import encode, from_json, to_json
from card_agent.protocol.jobs import Nothing
from card_agent.protocol.outcomes import Incident
from card_agent.ritual import Server, job_path
from card_agent.station_key import write_private


class Outbox:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, job_id: int, incident: Incident) -> None:
        """Durable when it returns."""
        write_private(self._folder / f"{incident.nonce}.json",
                      encode({"job_id": job_id, "incident": to_json(incident)}))  # fmt: skip

    def send(self, server: Server) -> None:
        """All of them, oldest first; ServerSilent stops it, and they stay. One that the server refuses is
        dropped: it has been heard."""
        for path in sorted(self._folder.glob("*.json"), key=lambda p: p.stat().st_mtime):
            entry = json.loads(path.read_bytes())
            incident = from_json(Incident, entry["incident"])
            with contextlib.suppress(ServerRefused):
                server.post(job_path(entry["job_id"], "incident"), incident, Nothing)
            path.unlink(missing_ok=True)
