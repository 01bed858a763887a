"""The maker's card (制章授权卡): it signs a seal's structure only once the server's order for it has been
checked."""

from dataclasses import dataclass

from card_agent.card.interface import OpenCard
from card_agent.fault import Untrusted
from card_agent.protocol.codec import Malformed
from card_agent.protocol.seal_content import content_sha256
from card_agent.protocol.statements import CardSignature, Order, Signed, hex_digest
from card_agent.seal_info import SealInfo, read_seal_info


def check_seal_info(seal_info: bytes, order: Order, signed: Signed, card_certificate: bytes) -> SealInfo:
    """What is in the structure, once it is proved to be what was ordered for this card. Refuses with
    Untrusted.

    `seal_info`: DER of SES_SealInfo, exactly the bytes that will be signed.
    """
    try:
        info = read_seal_info(seal_info)
        content = content_sha256(seal_info)
    except Malformed as error:
        raise Untrusted(f"SES_SealInfo: {error}") from error
    faults = {
        "another order inside": info.order != signed,
        "content differs from the order": content != order.content_sha256,
        "picture": hex_digest(info.picture) != order.impression_sha256,
        "esID": info.es_id != order.es_id,
        "card certificate": info.certificates != (card_certificate,),
    }
    if wrong := [name for name, bad in faults.items() if bad]:
        raise Untrusted(f"SES_SealInfo: {', '.join(wrong)}")
    return info


@dataclass(frozen=True)
class MakerCard:
    card: OpenCard

    def sign_seal(
        self, seal_info: bytes, order: Order, signed: Signed, card_certificate: bytes
    ) -> CardSignature:
        """The maker's signature over SES_SealInfo (GB/T 38540-2020 §6.1). Refuses what is not this card's
        order."""
        check_seal_info(seal_info, order, signed, card_certificate)
        if order.maker_cert_sha256 != hex_digest(self.card.certificate):
            raise Untrusted("the order is for another maker card")
        return self.card.sign(seal_info)
