"""Is this electronic seal to be believed? Two signatures must agree: the maker card's and the server's. Pure.

An acceptable seal carries the maker's signature over SES_SealInfo **and**, inside that, the server's signed
order for exactly this content, these two cards, this id (docs/seal-structure.md). Each stands under its own
certificate, each certificate under a trusted root whose key neither side holds. One without the other is not
acceptable, whoever presents it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.crypto import signing
from app.crypto.certificates import CertificateVerdict, Trust, fingerprint, judge_certificate
from app.crypto.seal_data import Extension, SealData, SealUnreadable, parse_seal
from app.text import Text
from card_agent.protocol.codec import Malformed
from card_agent.protocol.names import ORDER_EXTENSION_OID
from card_agent.protocol.seal_content import content_sha256
from card_agent.protocol.statements import Order, Signed, hex_digest, open_statement, read_order_extension

CLOCK_SLACK = timedelta(seconds=1)
"""Moments in the structure and in the order are whole seconds."""

TEXTS: dict[str, Text] = {
    "unreadable": Text("印章数据无法读取", "The seal cannot be read"),
    "maker_signature_bad": Text(
        "制章者签名不成立，印章数据被改动过", "The maker's signature does not hold: the seal was changed"
    ),
    "maker_signature_unknown": Text(
        "本系统无法验证制章者所用的签名算法", "The maker's signature algorithm cannot be checked here"
    ),
    "maker_untrusted": Text("制章者证书不可信", "The maker's certificate is not to be trusted"),
    "order_missing": Text("印章内没有服务器的制章命令", "The seal carries no order of a server"),
    "order_malformed": Text("印章内的制章命令无法读取", "The order in the seal cannot be read"),
    "order_signature_bad": Text("制章命令的签名不成立", "The order's signature does not hold"),
    "order_untrusted": Text(
        "签发制章命令的服务器证书不可信", "The ordering server's certificate is not to be trusted"
    ),
    "order_mismatch": Text("制章命令与印章内容不一致", "The order is for something else than this seal"),
    "signer_not_listed": Text(
        "签章者证书不在印章的证书列表中", "The signer's certificate is not among those of the seal"
    ),
    "outside_validity": Text("不在印章有效期内", "Outside the seal's period of validity"),
    "maker_expired_since": Text(
        "制章者证书此后已失效（制章时有效）",
        "The maker's certificate ended since; it was good when the seal was made",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing found. `detail`: which field, or what the certificate's verdict said."""

    code: str
    text: Text
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class SealVerdict:
    """`seal`: None when unreadable. `order`: as read, believed only when no problem names it.

    `problems` empty: acceptable. `warnings` do not make it less so.
    """

    seal: SealData | None
    order: Order | None = None
    maker: CertificateVerdict | None = None
    ordering_server: CertificateVerdict | None = None
    maker_signature: signing.Verdict = "unknown"
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = field(default=())

    @property
    def acceptable(self) -> bool:
        return not self.problems


def verify_seal(
    der: bytes, trust: Trust, *, at: datetime, signer_certificate: bytes | None = None
) -> SealVerdict:
    """Judge a SESeal. `at`: the moment the seal is used or was used. `signer_certificate`: DER of whoever
    signed with it, when somebody did. Never raises for bad input.

    The maker's certificate must have been good when the seal was made; that it ended since is a warning
    (GM/T 0031-2025).
    """
    try:
        seal = parse_seal(der)
    except SealUnreadable:
        return SealVerdict(seal=None, problems=(_finding("unreadable"),))
    made = seal.info.created_at
    maker = judge_certificate(seal.maker_certificate, trust, at=made, usage="maker")
    signature = _maker_signature(seal)
    problems: list[Finding] = []
    warnings: list[Finding] = []
    if signature != "good":
        problems.append(_finding(f"maker_signature_{signature}"))
    if not maker.good:
        problems.append(_finding("maker_untrusted", str(maker.problem)))
    elif not judge_certificate(seal.maker_certificate, trust, at=at, usage="maker").good:
        warnings.append(_finding("maker_expired_since"))
    order, server, faults = _order(seal, trust)
    problems += faults
    if signer_certificate is not None and signer_certificate not in seal.info.certificates:
        problems.append(_finding("signer_not_listed"))
    if not seal.info.valid_from <= at <= seal.info.valid_until:
        problems.append(_finding("outside_validity"))
    return SealVerdict(
        seal=seal,
        order=order,
        maker=maker,
        ordering_server=server,
        maker_signature=signature,
        problems=tuple(problems),
        warnings=tuple(warnings),
    )


def _maker_signature(seal: SealData) -> signing.Verdict:
    algorithm = signing.algorithm_of_oid(seal.algorithm)
    if algorithm is None:
        return "unknown"
    return signing.verify_by_certificate(algorithm.name, seal.maker_certificate, seal.signature, seal.signed)


def _order(seal: SealData, trust: Trust) -> tuple[Order | None, CertificateVerdict | None, list[Finding]]:
    """The order in the seal, its server's certificate, and what is wrong with either."""
    carried = [e for e in seal.info.extensions if e.oid == ORDER_EXTENSION_OID]
    if not carried:
        return None, None, [_finding("order_missing")]
    try:
        signed, order = _read(carried)
    except Malformed as error:
        return None, None, [_finding("order_malformed", str(error))]
    server = judge_certificate(signed.certificate, trust, at=order.issued_at, usage="order")
    faults: list[Finding] = []
    if not server.good:
        faults.append(_finding("order_untrusted", str(server.problem)))
    good = signing.verify_by_certificate(order.alg, signed.certificate, signed.signature, signed.signed_bytes)
    if good != "good":
        faults.append(_finding("order_signature_bad"))
    mismatch = _mismatch(seal, order)
    if mismatch:
        faults.append(_finding("order_mismatch", ", ".join(mismatch)))
    return order, server, faults


def _read(carried: list[Extension]) -> tuple[Signed, Order]:
    if len(carried) != 1:
        raise Malformed("more than one order")
    signed = read_order_extension(carried[0].value)
    return signed, open_statement(Order, signed)


def _mismatch(seal: SealData, order: Order) -> list[str]:
    """Which fields of the order speak of another seal."""
    info = seal.info
    says = {
        "es_id": order.es_id == info.es_id,
        "content_sha256": order.content_sha256 == content_sha256(info.raw),
        "impression_sha256": order.impression_sha256 == hex_digest(info.picture.data),
        "maker_cert_sha256": order.maker_cert_sha256 == fingerprint(seal.maker_certificate),
        "card_cert_sha256": [order.card_cert_sha256] == [fingerprint(c) for c in info.certificates],
        "issued_at": abs(order.issued_at - info.created_at) <= CLOCK_SLACK,
    }
    return [name for name, same in says.items() if not same]


def _finding(code: str, detail: str = "") -> Finding:
    return Finding(code=code, text=TEXTS[code], detail=detail)
