"""A secret in the hands of several: any M of N shares give it back, fewer say nothing of it (D9). Pure.

A share is 33 words of SLIP-0039 that can be written on paper: it names the set it belongs to, its number, how many
are needed, and carries a checksum that finds every slip of the pen in up to three words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from shamir_mnemonic import MnemonicError, Share, combine_mnemonics, generate_mnemonics

SECRET_BYTES = 32
MOST_SHARES = 16


class ShareFault(Exception):
    """What was given is no share, or the shares do not belong together. `position`: which of them, from 0; None when
    it cannot be said. The words themselves are never in the message."""

    def __init__(self, code: str, position: int | None = None) -> None:
        super().__init__(code)
        self.code, self.position = code, position


@dataclass(frozen=True)
class Face:
    """What a share says of itself. `set`: the same on all of one ceremony; `number`: from 1; `needed`: M."""

    set: int
    number: int
    needed: int


def split(secret: bytes, *, needed: int, shares: int) -> list[str]:
    """Shares as words. `secret`: 32 bytes. 2 ≤ `needed` ≤ `shares` ≤ 16."""
    if len(secret) != SECRET_BYTES or not 2 <= needed <= shares <= MOST_SHARES:
        raise ValueError("32 bytes among 2 to 16 people, of whom at least 2 are needed")
    [words] = generate_mnemonics(1, [(needed, shares)], secret)
    return words


def face(words: str) -> Face:
    """Raises ShareFault for anything that is no share, and for a share with a wrong word."""
    try:
        share = Share.from_mnemonic(_plain(words))
    except MnemonicError as error:
        raise ShareFault("misspelt") from error
    if share.group_count != 1 or len(share.value) != SECRET_BYTES:
        raise ShareFault("foreign")
    return Face(share.identifier, share.index + 1, share.member_threshold)


def combine(some: Sequence[str]) -> bytes:
    """The secret. Raises ShareFault: misspelt, foreign, another_set, twice (each says which), too_few, altered (which, if
    more were given than are needed: only then can it be known)."""
    faces = [_face_at(position, words) for position, words in enumerate(some)]
    sets = [f.set for f in faces]
    for position, found in enumerate(faces):
        if found.set != max(sets, key=sets.count):
            raise ShareFault("another_set", position)
        if found.number in [f.number for f in faces[:position]]:
            raise ShareFault("twice", position)
    if not faces or len(faces) < faces[0].needed:
        raise ShareFault("too_few")
    good = next((c for c in combinations(range(len(some)), faces[0].needed) if _joined(some, c)), None)
    if good is None:
        raise ShareFault("altered")
    for position in range(len(some)):
        if position not in good and not _joined(some, (*good[1:], position)):
            raise ShareFault("altered", position)
    secret = _joined(some, good)
    assert secret is not None
    return secret


def _face_at(position: int, words: str) -> Face:
    try:
        return face(words)
    except ShareFault as fault:
        raise ShareFault(fault.code, position) from fault


def _joined(some: Sequence[str], chosen: Sequence[int]) -> bytes | None:
    try:
        return combine_mnemonics([_plain(some[position]) for position in chosen])
    except MnemonicError:
        return None


def _plain(words: str) -> str:
    return " ".join(words.lower().split())
