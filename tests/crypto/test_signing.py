"""Signatures are judged by the stored name of their algorithm; what cannot be judged is never called good (D8)."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from app.crypto import signing
from app.refusal import Refusal
from card_agent.protocol import names
from tests.crypto.pki import Authority

DATA = b"what was signed"
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)

MADE = {
    names.ECDSA_SHA256: (EC.public_key(), EC.sign(DATA, ec.ECDSA(hashes.SHA256()))),
    names.RSA_SHA256: (RSA.public_key(), RSA.sign(DATA, padding.PKCS1v15(), hashes.SHA256())),
    "rsa-pss-sha256": (RSA.public_key(), RSA.sign(DATA, PSS, hashes.SHA256())),
    names.ED25519: (ED.public_key(), ED.sign(DATA)),
    "ECDSA-P256-SHA256": (EC.public_key(), EC.sign(DATA, ec.ECDSA(hashes.SHA256()))),
}


@pytest.mark.parametrize("name", MADE)
def test_a_signature_is_good_over_its_own_data_only(name: str) -> None:
    key, signature = MADE[name]

    assert signing.verify(name, key, signature, DATA) == "good"
    assert signing.verify(name, key, signature, DATA + b"!") == "bad"
    assert signing.verify(name, key, signature[:-1] + bytes([signature[-1] ^ 1]), DATA) == "bad"
    assert signing.verify(name, key, b"", DATA) == "bad"


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("other", MADE)
def test_a_signature_under_another_algorithms_name_is_not_good(name: str, other: str) -> None:
    key, signature = MADE[name]

    same = signing.ALGORITHMS[name].oid == signing.ALGORITHMS[other].oid
    assert (signing.verify(other, key, signature, DATA) == "good") == same


@pytest.mark.parametrize("name", ["sm2-sm3", "none", "", "ecdsa-sha1"])
def test_what_cannot_be_computed_here_is_unknown(name: str) -> None:
    key, signature = MADE[names.ECDSA_SHA256]

    assert signing.verify(name, key, signature, DATA) == "unknown"


def test_a_short_rsa_key_is_never_good() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    signature = weak.sign(DATA, padding.PKCS1v15(), hashes.SHA256())

    assert signing.verify(names.RSA_SHA256, weak.public_key(), signature, DATA) == "bad"


def test_a_cards_algorithm_follows_from_its_key() -> None:
    ca = Authority()

    assert signing.algorithm_of_certificate(ca.issue("P-256").der).name == names.ECDSA_SHA256
    assert signing.algorithm_of_certificate(ca.issue("RSA", key=RSA).der).name == names.RSA_SHA256
    with pytest.raises(Refusal, match=r"certificate\.key_unknown"):
        signing.algorithm_of_certificate(b"no certificate")


def test_every_name_has_an_oid_and_sm2_is_known_by_it() -> None:
    found = signing.algorithm_of_oid(signing.SM2_SM3_OID)

    assert found is not None and found.verify is None
    assert all(a.oid.count(".") > 2 for a in signing.ALGORITHMS.values())
    assert signing.algorithm_of_oid("1.2.3") is None


@pytest.mark.parametrize("key", [b"", b"x" * 32, b"x" * 31])
def test_a_strangers_key_verifies_nothing(key: bytes) -> None:
    assert not signing.verify_ed25519(key, MADE[names.ED25519][1], DATA)
