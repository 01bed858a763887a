"""A private key inside a PKCS#11 token, dressed as `cryptography`'s: requests, certificates and lists are
signed by it.

The demo's CA and the cards it personalises use this; nothing of the product does. SoftHSM 2.6 offers raw
ECDSA only, so the digest is made here.
"""

from typing import Any, NoReturn, cast

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import encode_rsa_public_key
from pkcs11.util.x509 import decode_x509_certificate

KEY_ID = b"\x01"


def generate(session: Any, kind: str, label: str) -> "TokenEc | TokenRsa":
    """A key pair made in the token, that never leaves it. `kind`: p256 or rsa2048."""
    secret = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    if kind == "p256":
        curve = session.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
        )
        public, private = curve.generate_keypair(store=True, label=label, id=KEY_ID, private_template=secret)
    else:
        public, private = session.generate_keypair(
            KeyType.RSA, 2048, store=True, label=label, id=KEY_ID, private_template=secret
        )
    return _dressed(public, private)


def find(session: Any, label: str) -> "TokenEc | TokenRsa":
    public = next(
        iter(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.LABEL: label}))
    )
    private = next(
        iter(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: label}))
    )
    return _dressed(public, private)


def _dressed(public: Any, private: Any) -> "TokenEc | TokenRsa":
    if public.key_type == KeyType.EC:
        key = serialization.load_der_public_key(encode_ec_public_key(public))
        return TokenEc(private, cast(ec.EllipticCurvePublicKey, key))
    key = serialization.load_der_public_key(encode_rsa_public_key(public))
    return TokenRsa(private, cast(rsa.RSAPublicKey, key))


def _never(*_: object, **__: object) -> NoReturn:
    raise TypeError("this key lives in a token and does not leave it")


class TokenEc(ec.EllipticCurvePrivateKey):
    def __init__(self, private: Any, public: ec.EllipticCurvePublicKey) -> None:
        self._private = private
        self._public = public

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        algorithm = signature_algorithm.algorithm
        assert not isinstance(algorithm, Prehashed)
        digest = hashes.Hash(algorithm)
        digest.update(data)
        raw = bytes(self._private.sign(digest.finalize(), mechanism=Mechanism.ECDSA))
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public.curve

    @property
    def key_size(self) -> int:
        return self._public.key_size

    exchange = private_numbers = private_bytes = __copy__ = __deepcopy__ = _never  # pyright: ignore


class TokenRsa(rsa.RSAPrivateKey):
    def __init__(self, private: Any, public: rsa.RSAPublicKey) -> None:
        self._private = private
        self._public = public

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:
        return bytes(self._private.sign(bytes(data), mechanism=Mechanism.SHA256_RSA_PKCS))

    def public_key(self) -> rsa.RSAPublicKey:
        return self._public

    @property
    def key_size(self) -> int:
        return self._public.key_size

    decrypt = private_numbers = private_bytes = __copy__ = __deepcopy__ = _never  # pyright: ignore


def import_certificate(session: Any, der: bytes, label: str) -> None:
    """Public, so that a reader sees it without the PIN, as on cards in the field."""
    session.create_object(
        {
            **decode_x509_certificate(der),
            Attribute.TOKEN: True,
            Attribute.PRIVATE: False,
            Attribute.LABEL: label,
            Attribute.ID: KEY_ID,
        }
    )
