"""The line to the server: outward only, every request signed by the station, every answer read strictly.

Whether a signed answer is to be believed is `trust.py`; this module only carries. Raises ServerSilent when
trying again may help, ServerRefused with the server's own sentence when it said no.
"""

import random
from typing import Any, TypeVar, cast

import httpx

from card_agent.fault import ServerRefused, ServerSilent
from card_agent.protocol.codec import BODY_LIMIT_BYTES, Malformed, encode, from_json, parse
from card_agent.protocol.request import ENROLLING
from card_agent.station_key import StationKey

A = TypeVar("A")

TIMEOUT_S = 15.0
_SERVER_FAULT = 500


class Link:
    """One connection pool; each thread has its own Link. `server`: its address. `ca_file`: a PEM bundle for a
    private TLS authority, else the system's."""

    def __init__(
        self, server: str, key: StationKey, station: str = ENROLLING, ca_file: str | None = None
    ) -> None:
        self._key = key
        self._station = station
        self._client = httpx.Client(
            base_url=server.rstrip("/"),
            timeout=TIMEOUT_S,
            follow_redirects=False,
            verify=_tls(ca_file),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )

    def post(self, path: str, message: object, answer: type[A], *, wait_s: float = 0) -> A:
        """The server's answer. `wait_s`: how much longer than usual it may take (long poll)."""
        body = encode(message)
        try:
            response = self._client.post(
                path, content=body, headers=self._key.headers(path, body, self._station),
                timeout=httpx.Timeout(TIMEOUT_S, read=TIMEOUT_S + wait_s),
            )  # fmt: skip
        except httpx.HTTPError as error:
            raise ServerSilent(type(error).__name__) from error
        return _answer(response, answer)

    def close(self) -> None:
        self._client.close()


def _tls(ca_file: str | None) -> Any:
    if ca_file is None:
        return True
    import ssl

    return ssl.create_default_context(cafile=ca_file)


def _answer(response: httpx.Response, answer: type[A]) -> A:
    if len(response.content) > BODY_LIMIT_BYTES:
        raise ServerSilent("answer too large")
    if not response.is_success:
        raise _refusal(response)
    try:
        value = parse(response.content)
        return from_json(answer, value)
    except Malformed as error:
        raise ServerSilent(f"unreadable answer: {error}") from error


def _refusal(response: httpx.Response) -> ServerRefused | ServerSilent:
    """The server's own words; a proxy's error page, or a fault of the server, is silence: trying again may
    help."""
    try:
        error = cast("dict[str, Any]", parse(response.content))["error"]
        code, zh, en = str(error["code"]), str(error["zh"]), str(error["en"])
    except (Malformed, KeyError, TypeError):
        return ServerSilent(f"HTTP {response.status_code}")
    if response.status_code >= _SERVER_FAULT:
        return ServerSilent(code)
    return ServerRefused(response.status_code, code, zh, en)


class Backoff:
    """Ever longer pauses after failures, spread at random so that stations do not come back all at once."""

    def __init__(self, first_s: float = 0.5, longest_s: float = 30.0) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def next_s(self) -> float:
        pause = min(self._longest_s, self._first_s * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return pause * random.uniform(0.5, 1.0)  # noqa: S311
