"""What may stand in the log, and which of it can be searched for. Pure."""

import itertools
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

SECRET_WORDS = frozenset(
    {"pin", "pins", "puk", "password", "passwd", "passphrase", "secret", "secrets", "credential"}
)
COUNTING_WORDS = frozenset({"count", "counts", "left", "attempts", "failures", "changed", "locked", "set"})
"""`pin_attempts_left` tells how many, not what: allowed as a number or yes/no."""
SECRET_PAIRS = frozenset({("private", "key"), ("secret", "key"), ("one", "time"), ("session", "token")})

FIELD_CODES: dict[str, int] = {
    "person": 1,
    "unit": 2,
    "ip": 3,
    "mac": 4,
    "seal": 5,
    "card": 6,
    "document": 7,
    "file_name": 8,
    "instance": 9,
    "impression": 10,
    "subject": 11,
    "station": 12,
    "host": 13,
    "application": 14,
    "login": 15,
    "job": 16,
    "officer": 17,
    "es_id": 18,
}
"""The indexed fields and their codes in an entry's header. Fixed for good; new ones take new codes."""

PAYLOAD_FIELDS: dict[str, str] = {
    "unit_id": "unit",
    "owner_unit_id": "unit",
    "user_id": "subject",
    "owner_user_id": "subject",
    "seal_id": "seal",
    "card_serial": "card",
    "maker_serial": "card",
    "document_digest": "document",
    "sealed_digest": "document",
    "es_id": "es_id",
    "ip": "ip",
    "mac": "mac",
    "host": "host",
    "file_name": "file_name",
    "instance_id": "instance",
    "impression_id": "impression",
    "displaced_id": "impression",
    "previous_keeper_id": "subject",
    "station_id": "station",
    "application_id": "application",
    "login": "login",
    "job_id": "job",
}
"""Which field of a Fact (or of a Refusal's details) is indexed as what."""


class SecretInLog(ValueError):
    """A payload names a PIN, a password or a key; a log keeps everything for ever, so it may not."""


def suspicious(name: str, value: Any) -> bool:
    """Whether a field of this name may hold a secret."""
    secret, counting = _words(name)
    return secret and not (counting and isinstance(value, (bool, int)))


@lru_cache(maxsize=4096)
def _words(name: str) -> tuple[bool, bool]:
    """Whether a name speaks of a secret, and whether it counts something. Each name comes up again and again."""
    words = [word for word in name.lower().replace("-", "_").split("_") if word]
    paired = any(pair in SECRET_PAIRS for pair in itertools.pairwise(words))
    return paired or bool(SECRET_WORDS.intersection(words)), bool(words) and words[-1] in COUNTING_WORDS


def check_no_secrets(payload: Any, path: str = "") -> None:
    """Raises SecretInLog naming the first field, at any depth, that may hold a secret."""
    for name, value in _named(payload):
        where = f"{path}.{name}" if path else name
        if suspicious(name, value):
            raise SecretInLog(f"{where}: nothing of this name may stand in the log")
        check_no_secrets(value, where)


def without_secrets(payload: Any) -> Any:
    """The same, with the value of each suspicious field left out: a refusal must be recorded all the same."""
    if isinstance(payload, dict):
        found = cast("dict[str, Any]", payload)
        return {
            name: "(left out)" if suspicious(name, value) else without_secrets(value)
            for name, value in found.items()
        }
    if isinstance(payload, list):
        return [without_secrets(value) for value in cast("list[Any]", payload)]
    return payload


def _named(payload: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(payload, dict):
        yield from cast("dict[str, Any]", payload).items()
    elif isinstance(payload, list):
        for number, value in enumerate(cast("list[Any]", payload)):
            yield str(number), value


def normal(field: str, value: Any) -> str:
    """The one spelling under which a value is indexed and searched."""
    text = unicodedata.normalize("NFC", str(value)).strip()
    return text.casefold() if field in {"ip", "mac", "host", "login", "card", "document"} else text


def indexed(payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, normal value) of everything in a Fact's payload that can be searched for."""
    for name, field in PAYLOAD_FIELDS.items():
        value = payload.get(name)
        values = cast("list[Any]", value) if isinstance(value, list) else [value]
        for one in values:
            if one is not None and one != "":
                yield field, normal(field, one)


def action_of(attempted: str) -> str:
    """What was attempted, as the header holds it: 64 characters of ASCII. The entry itself tells all of it.

    Somebody else wrote the address: it must never make an entry that cannot be stored or given its place.
    """
    return "".join(c if " " <= c <= "~" else "?" for c in attempted[:64])
