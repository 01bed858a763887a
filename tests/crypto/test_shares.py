"""A secret among custodians: any M of N give it back, fewer say nothing, and a wrong share is pointed at (D9)."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shamir_mnemonic import Share

from app.crypto import key_material, shares
from app.crypto.key_backend import KeyFault
from app.crypto.shares import ShareFault

SECRET = bytes(range(32))
WORDS = shares.split(SECRET, needed=3, shares=5)


def altered(words: str) -> str:
    """Spelt well, and not what was handed out."""
    share = Share.from_mnemonic(words)
    return replace(share, value=bytes([share.value[0] ^ 1]) + share.value[1:]).mnemonic()


def test_any_three_of_five_give_the_secret_and_no_two_do() -> None:
    for chosen in itertools.combinations(WORDS, 3):
        assert shares.combine(chosen) == SECRET
    for chosen in itertools.combinations(WORDS, 2):
        with pytest.raises(ShareFault, match="too_few"):
            shares.combine(chosen)
    assert shares.combine([WORDS[4].upper() + "\n", WORDS[0].replace(" ", "\n"), *WORDS[1:4]]) == SECRET


def test_a_share_says_its_number_and_how_many_are_needed() -> None:
    faces = [shares.face(words) for words in WORDS]
    assert [f.number for f in faces] == [1, 2, 3, 4, 5]
    assert {(f.set, f.needed) for f in faces} == {(faces[0].set, 3)}
    assert all(len(words.split()) == 33 for words in WORDS)


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("misspelt", " ".join(reversed(WORDS[3].split()))),
        ("misspelt", WORDS[3].rsplit(" ", 1)[0]),
        ("misspelt", ""),
        ("another_set", shares.split(SECRET, needed=3, shares=5)[3]),
        ("twice", WORDS[1]),
        ("altered", altered(WORDS[3])),
    ],
)
def test_the_wrong_one_is_pointed_at(code: str, wrong: str) -> None:
    for place in range(4):
        given_ = [*WORDS[:3]]
        given_.insert(place, wrong)
        with pytest.raises(ShareFault, match=code) as fault:
            shares.combine(given_)
        expected = place if code != "twice" else max(place, 2 if place < 2 else 1)
        assert fault.value.position == expected
        assert not set(wrong.split()) & set(str(fault.value).split())


def test_an_altered_share_among_just_enough_gives_nothing() -> None:
    with pytest.raises(ShareFault, match="altered") as fault:
        shares.combine([WORDS[0], WORDS[1], altered(WORDS[2])])
    assert fault.value.position is None


@settings(max_examples=12)
@given(place=st.integers(0, 32), word=st.sampled_from(WORDS[0].split() + WORDS[1].split()))
def test_a_slip_of_the_pen_is_always_found(place: int, word: str) -> None:
    spelt = WORDS[0].split()
    if spelt[place] == word:
        return
    spelt[place] = word
    with pytest.raises(ShareFault, match="misspelt"):
        shares.face(" ".join(spelt))


def test_a_sealed_key_opens_to_the_custodians_only_and_only_as_what_it_is() -> None:
    private = key_material.recipient(SECRET)
    for label in ("kek-v2", "order-v3"):
        made = key_material.new(label)
        sealed = key_material.seal(made, key_material.public_of(private))
        assert key_material.open_sealed(label, sealed, private) == made
        assert made.secret not in sealed and repr(made.secret) not in repr(made)
        for wrong in (
            lambda sealed=sealed: key_material.open_sealed("kek-v9", sealed, private),
            lambda sealed=sealed, label=label: key_material.open_sealed(label, sealed[:-1] + b"x", private),
            lambda sealed=sealed, label=label: key_material.open_sealed(
                label, sealed, key_material.recipient(bytes(32))
            ),
            lambda label=label: key_material.open_sealed(label, b"", private),
        ):
            with pytest.raises(KeyFault):
                wrong()
