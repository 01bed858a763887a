"""A seal on a card: written so that at every moment the old one or the new one counts, never half of either.

Layout in `protocol/on_card.py`. Order of a write: strays away, envelope into the free slot, read back,
manifest (the commit), read back, then the old pair away.
"""

import re
from dataclasses import dataclass, field

from card_agent.card.interface import OpenCard, PressPoint, nothing
from card_agent.fault import CardUnusable, NewerSealOnCard, ReadBackDiffers, Untrusted
from card_agent.protocol import on_card
from card_agent.protocol.codec import Malformed, parse_moment
from card_agent.protocol.statements import Signed, WriteToken, hex_digest
from card_agent.trust import Trust


@dataclass(frozen=True, kw_only=True)
class SealOnCard:
    """The seal that counts. `slot`: the label of its envelope."""

    token: WriteToken
    slot: str
    manifest_label: str
    envelope_sha256: str


@dataclass
class SealCard:
    """`changed`: whether anything was written or deleted since it was opened."""

    card: OpenCard
    trust: Trust
    press: PressPoint = nothing
    changed: bool = field(default=False, init=False)

    def current(self) -> SealOnCard | None:
        """The manifest with the highest number whose token verifies, is this card's, and whose envelope is
        whole."""
        numbers = sorted((_seq(label) for label in set(self.card.labels())), reverse=True)
        for number in numbers:
            if number and (found := self._seal(on_card.manifest_label(number), number)):
                return found
        return None

    def write(self, signed: Signed, token: WriteToken, envelope: bytes) -> SealOnCard:
        """`token`: opened from `signed`, verified and compared with the order by the caller. Repeating a
        write that has been done, or half done, ends in the same one seal."""
        if len(envelope) > on_card.ENVELOPE_LIMIT_BYTES:
            raise CardUnusable(self.card.serial, "envelope too large")
        current = self.current()
        if current and current.token.seq >= token.seq:
            if (current.token.seq, current.envelope_sha256) != (token.seq, token.envelope_sha256):
                raise NewerSealOnCard(self.card.serial)
            self._clear(keep=current)
            return current
        self._clear(keep=current)
        slot = next(s for s in on_card.SLOTS if current is None or s != current.slot)
        manifest = on_card.encode_manifest(on_card.Manifest(slot=slot, token=signed))
        self._put(slot, envelope)
        self._put(on_card.manifest_label(token.seq), manifest)
        written = self.current()
        if written is None or written.token.seq != token.seq:
            raise ReadBackDiffers(self.card.serial)
        self._clear(keep=written)
        return written

    def _put(self, label: str, value: bytes) -> None:
        self.changed = True
        self.press(f"before {label}")
        self.card.write(label, value)
        self.press(f"written {label}")
        if self.card.read(label) != value:
            raise ReadBackDiffers(self.card.serial)
        self.press(f"read back {label}")

    def _clear(self, keep: SealOnCard | None) -> None:
        """Everything of ours that does not count, and objects that an interruption tore (no label)."""
        kept = {keep.slot, keep.manifest_label} if keep else set[str]()
        ours = {label for label in self.card.labels() if label.startswith(on_card.PREFIX) or not label}
        # the manifest goes before its envelope: a manifest without envelope would only cost a look
        for label in sorted(ours - kept, key=lambda name: (not _seq(name), name)):
            self.changed = True
            self.press(f"before deleting {label or 'torn'}")
            self.card.delete(label)

    def _seal(self, label: str, number: int) -> SealOnCard | None:
        data = self.card.read(label)
        try:
            if data is None:
                return None
            manifest = on_card.read_manifest(data)
            issued_at = parse_moment(str(manifest.token.statement.get("issued_at", "")))
            token = self.trust.open(WriteToken, manifest.token, at=issued_at)
        except (Malformed, Untrusted):
            return None  # not ours, or torn: it does not count
        envelope = self.card.read(manifest.slot)
        if envelope is None or hex_digest(envelope) != token.envelope_sha256:
            return None
        if token.seq != number or token.card_cert_sha256 != hex_digest(self.card.certificate):
            return None
        return SealOnCard(
            token=token,
            slot=manifest.slot,
            manifest_label=label,
            envelope_sha256=token.envelope_sha256,
        )


def _seq(label: str) -> int:
    """The number of a manifest's label, 0 for any other label."""
    found = re.fullmatch(f"{on_card.PREFIX}M([0-9]{{1,9}})", label)
    return int(found[1]) if found else 0
