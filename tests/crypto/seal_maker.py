"""Whole seals for tests: what server, maker card and seal card make together, or one of them alone."""

import datetime as dt
from dataclasses import dataclass, field, replace

from app.crypto.certificates import fingerprint
from app.crypto.seal_data import Extension, Picture, assemble_seal, build_seal_info
from card_agent.protocol import names
from card_agent.protocol.seal_content import content_sha256
from card_agent.protocol.statements import (
    Operator,
    Order,
    hex_digest,
    order_extension,
    payload,
    sealed,
)
from tests.crypto.pki import NOW, Authority, Holder

PICTURE = Picture(format="PNG", data=b"\x89PNG a red ring", width_mm=42, height_mm=42)
ECDSA_OID = "1.2.840.10045.4.3.2"


@dataclass
class Parties:
    """The three that must agree, and the authority above them."""

    ca: Authority = field(default_factory=Authority)

    def __post_init__(self) -> None:
        self.maker = self.ca.issue("某市公章制作中心", role="maker")
        self.server = self.ca.issue("印章服务器", role="order")
        self.card = self.ca.issue("某市财政局", role="seal")

    def content(self, **changes: object) -> dict[str, object]:
        values: dict[str, object] = {
            "es_id": "4f7d6c2e9a51",
            "kind": "official",
            "name": "某市财政局",
            "card_certificate": self.card.der,
            "picture": PICTURE,
            "created_at": NOW,
            "valid_from": NOW,
            "valid_until": NOW + dt.timedelta(days=300),
        }
        return {**values, **changes}

    def order(self, content: dict[str, object], **changes: object) -> Order:
        order = Order(
            domain=Order.DOMAIN,
            alg=names.ECDSA_SHA256,
            kid="order-v1",
            order_id="o-1",
            job_id=7,
            nonce="ab" * 32,
            es_id=str(content["es_id"]),
            content_sha256=content_sha256(build_seal_info(**content)),  # type: ignore[arg-type]
            impression_sha256=hex_digest(content["picture"].data),  # type: ignore[attr-defined]
            maker_serial="MK1",
            maker_cert_sha256=fingerprint(self.maker.der),
            card_serial="SC1",
            card_cert_sha256=fingerprint(content["card_certificate"]),  # type: ignore[arg-type]
            operator=Operator(id=3, name="王工"),
            station_id=1,
            issued_at=NOW,
            expires_at=NOW + dt.timedelta(seconds=120),
        )
        return replace(order, **changes)  # type: ignore[arg-type]

    def seal(
        self,
        *,
        content: dict[str, object] | None = None,
        order: Order | None = None,
        ordered_by: Holder | None = None,
        made_by: Holder | None = None,
        extensions: tuple[Extension, ...] | None = None,
    ) -> bytes:
        """SESeal in DER. `ordered_by`, `made_by`: who signs instead of the right one."""
        content = content or self.content()
        server, maker = ordered_by or self.server, made_by or self.maker
        order = order or self.order(content)
        if extensions is None:
            signed = sealed(order, server.sign(payload(order)), server.der)
            extensions = (Extension(oid=names.ORDER_EXTENSION_OID, value=order_extension(signed)),)
        info = build_seal_info(**content, extensions=extensions)  # type: ignore[arg-type]
        return assemble_seal(
            info, maker_certificate=maker.der, algorithm=ECDSA_OID, signature=maker.sign(info)
        )
