"""A small public-key infrastructure for the demo and the tests: a root CA, cards, the server's order
certificate.

Three parties, keys in three tokens: the CA's folder, the cards in their drawer, the server's token. What this
module does, it asks of a process of its own (`ca.py`), so that no library state of PKCS#11 is shared with us.
"""

import base64
import dataclasses
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from cryptography import x509

Role = Literal["maker", "seal", "order", "time_stamps"]


class PkiBroken(RuntimeError):
    """The CA's process failed; the message is what it said last."""


@dataclass(frozen=True, kw_only=True)
class CardWish:
    """A card to be made. `label`: at most 31 ASCII characters. `organisation`: the unit; `common_name`: unit
    or person; `code`: 统一社会信用代码 or empty. Dates for certificates that shall have expired already."""

    label: str
    role: Role
    common_name: str
    organisation: str
    pin: str = dataclasses.field(repr=False)
    code: str = ""
    key: Literal["p256", "rsa2048"] = "p256"
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class MadeCard:
    """A card in the drawer. `serial`: as PKCS#11 says it. `token`: its folder's name. `certificate`: DER."""

    label: str
    role: str
    serial: str
    token: str
    certificate: bytes
    cert_sha256: str


@dataclass(frozen=True)
class Pki:
    """`folder`: the CA's own. `trust_dir`: where root and revocation list are published. `drawer`: where
    cards lie until they are put into a reader (`cards.Station`)."""

    folder: Path
    trust_dir: Path
    drawer: Path

    @property
    def root_pem(self) -> Path:
        return self.trust_dir / "demo-root.pem"

    def create(self, cards: Sequence[CardWish] = (), order_key: bytes | None = None) -> "PkiMade":
        """The CA, its first cards and, when its public key (SPKI, DER) is known, the server's certificate:
        about a second."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        work: list[dict[str, Any]] = [{"do": "create"}, self._cards(cards)]
        if order_key is not None:
            work.append(_order(order_key))
        root, made, *order = self._ask(work)
        return PkiMade(
            root=base64.b64decode(root),
            cards=[_made(card) for card in made],
            order_certificate=base64.b64decode(order[0]) if order else None,
        )

    def make_cards(self, wishes: Sequence[CardWish]) -> list[MadeCard]:
        (made,) = self._ask([self._cards(wishes)])
        return [_made(card) for card in made]

    def certify_order_key(self, public_key: bytes) -> bytes:
        """The certificate (DER) of the server's order key. `public_key`: SPKI, DER."""
        (certificate,) = self._ask([_order(public_key)])
        return base64.b64decode(certificate)

    def certify(self, public_key: bytes, wish: CardWish) -> bytes:
        """A certificate (DER) for any public key (SPKI, DER): for tests with software keys."""
        (certificate,) = self._ask([_certify(public_key, wish)])
        return base64.b64decode(certificate)

    def revoke(self, *certificates: bytes) -> None:
        """DER certificates, from now on; the new list is published in `trust_dir`/crls."""
        serials = [f"{x509.load_der_x509_certificate(c).serial_number:x}" for c in certificates]
        self._ask([{"do": "revoke", "serials": serials}])

    def _cards(self, wishes: Sequence[CardWish]) -> dict[str, Any]:
        return {"do": "make_cards", "drawer": str(self.drawer), "wishes": [_wish(w) for w in wishes]}

    def _ask(self, work: list[dict[str, Any]]) -> list[Any]:
        asked = {"folder": str(self.folder), "trust_dir": str(self.trust_dir), "work": work}
        result = subprocess.run(
            [sys.executable, "-m", "app.demo.ca"],
            input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if result.returncode != 0:
            raise PkiBroken(result.stderr.strip().splitlines()[-1] if result.stderr else "no answer")
        return json.loads(result.stdout)


@dataclass(frozen=True, kw_only=True)
class PkiMade:
    """`root` and `order_certificate`: DER."""

    root: bytes
    cards: list[MadeCard]
    order_certificate: bytes | None


def _order(public_key: bytes) -> dict[str, Any]:
    return _certify(
        public_key,
        CardWish(
            label="server", role="order", common_name="Yinxu order server", organisation="Yinxu demo", pin=""
        ),
    )


def _certify(public_key: bytes, wish: CardWish) -> dict[str, Any]:
    return {"do": "certify", "public_key": base64.b64encode(public_key).decode(), "wish": _wish(wish)}


def _wish(wish: CardWish) -> dict[str, Any]:
    given = dataclasses.asdict(wish)
    for name in ("not_before", "not_after"):
        given[name] = given[name].isoformat() if given[name] else None
    return given


def _made(card: dict[str, Any]) -> MadeCard:
    certificate: Any = base64.b64decode(card["certificate"])
    return MadeCard(**{**card, "certificate": certificate})
