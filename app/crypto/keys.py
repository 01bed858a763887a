"""The server's keys by purpose: `keyring()` wraps, signs and marks; no key ever leaves it.

Purposes: `kek` (AES-256, wraps data keys), `order` (P-256, signs orders and write tokens to stations),
`checkpoint` (P-256, signs the log's checkpoints). Keys have versions; the newest is used, older ones still
open and verify. Everything stored names its algorithm and key version (D8). docs/keys.md is the table.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import current_app

from app.clock import now
from app.crypto.data_keys import DataKeys, unwrap, wrap
from app.crypto.key_backend import KeyBackend, KeyFault, TokenSilent
from app.crypto.software_keys import SoftwareKeys
from app.refusal import Conflict, Unavailable
from app.settings import Settings

SigningPurpose = Literal["order", "checkpoint"]
SIGNING_PURPOSES: tuple[SigningPurpose, ...] = ("order", "checkpoint")
PURPOSES = ("kek", *SIGNING_PURPOSES)
ECDSA_P256_SHA256 = "ECDSA-P256-SHA256"
"""The algorithm's name wherever a signature of ours is stored; signatures are DER."""
SECONDS_BETWEEN_LOOKS = 10.0
"""A key rotated by another process is in use here after so long."""
BLIND_INDEX_PERIOD = "v1"
BLIND_INDEX_VERSION = 1
MAC_BYTES = 16
T = TypeVar("T")
_LABEL = re.compile(r"([a-z]+)-v([1-9][0-9]*)")


@dataclass(frozen=True)
class Wrapped:
    """A secret under the KEK. `bytes`: nonce ‖ ciphertext ‖ tag."""

    alg: str
    key_version: int
    bytes: bytes


class Signature(NamedTuple):
    """`kid`: the key's label, e.g. `order-v1`. `signature`: DER."""

    alg: str
    kid: str
    signature: bytes


class KeyRing:
    """All keys of one server. One object for each app; safe to share among its threads."""

    def __init__(self, backend: KeyBackend, certificate_dir: Path) -> None:
        self.backend = backend
        self.data_keys = DataKeys(backend)
        self._certificate_dir = certificate_dir
        self._versions: dict[str, tuple[int, float]] = {}
        self._public: dict[str, bytes] = {}

    # -- the keys themselves

    def versions(self, purpose: str) -> list[int]:
        """Versions that exist of this purpose, oldest first."""
        return _versions(purpose, self._ask(self.backend.labels))

    def public_versions(self, purpose: SigningPurpose) -> list[int]:
        """Versions whose signatures can be verified here, oldest first: also of keys that were lost with a token."""
        return _versions(purpose, self._ask(self.backend.public_labels))

    def newest(self, purpose: str) -> int:
        """The version in use. The test backend makes a missing key; a token waits for `keys init`."""
        found, until = self._versions.get(purpose, (0, 0.0))
        if not found or time.monotonic() > until:
            versions = self.versions(purpose)
            if not versions and isinstance(self.backend, SoftwareKeys):
                self.backend.generate(f"{purpose}-v1")
                versions = [1]
            if not versions:
                raise _no_keys(f"no {purpose} key")
            found = versions[-1]
            self._versions[purpose] = (found, time.monotonic() + SECONDS_BETWEEN_LOOKS)
        return found

    def make(self, purpose: str, version: int) -> None:
        """Make this version of the key unless it is there."""
        self._ask(lambda: self.backend.generate(f"{purpose}-v{version}"))
        self._versions.pop(purpose, None)

    def bring_in(self, label: str, secret: bytes) -> None:
        """Import a key that was made outside (app/crypto/key_material.py)."""
        self._ask(lambda: self.backend.bring_in(label, secret))
        self._versions.pop(label.partition("-v")[0], None)

    # -- secrets under the KEK

    def wrap(self, dek: bytes, aad: bytes) -> Wrapped:
        version = self.newest("kek")
        return Wrapped("AES-256-GCM", version, self._ask(lambda: wrap(self.backend, version, dek, aad)))

    def unwrap(self, wrapped: Wrapped, aad: bytes) -> bytes:
        """Raises KeyFault when key, bytes or `aad` do not fit together."""
        return self._ask(lambda: unwrap(self.backend, wrapped.key_version, wrapped.bytes, aad))

    def data_key(self, purpose: str, period: str | None = None) -> tuple[bytes, bytes]:
        """(id, secret) of the key for this month, or for the `period` named."""
        month = period or f"{now():%Y-%m}"
        return self._ask(lambda: self.data_keys.current(purpose, month, self.newest("kek")))

    def data_key_by_id(self, key_id: bytes) -> bytes:
        return self._ask(lambda: self.data_keys.secret(key_id))

    # -- signatures

    def sign(self, purpose: SigningPurpose, data: bytes) -> Signature:
        """ECDSA P-256 over SHA-256 by the newest key of the purpose."""
        kid = f"{purpose}-v{self.newest(purpose)}"
        return Signature(ECDSA_P256_SHA256, kid, self._ask(lambda: self.backend.sign(kid, data)))

    def public_key(self, purpose: str, version: int | None = None) -> bytes:
        """SubjectPublicKeyInfo, DER, of the newest or of the given version."""
        kid = f"{purpose}-v{version or self.newest(purpose)}"
        if kid not in self._public:
            self._public[kid] = self._ask(lambda: self.backend.public_key(kid))
        return self._public[kid]

    def certificate(self, purpose: str) -> bytes:
        """The certificate (DER) a public authority gave the newest key of this purpose.

        Refuses Unavailable while none is installed, or one that is not this key's.
        """
        path = self.certificate_path(purpose)
        if not path.exists():
            raise Unavailable(
                "keys.no_certificate",
                zh=f"服务器的 {purpose} 证书尚未安装，请系统管理员执行 yinxu keys certificate",
                en=f"The server's {purpose} certificate is not installed; the system administrator runs "
                "`yinxu keys certificate`",
                path=str(path),
            )
        der = x509.load_pem_x509_certificate(path.read_bytes())
        self._check_own(purpose, der)
        return der.public_bytes(serialization.Encoding.DER)

    def install_certificate(self, purpose: str, certificate: bytes) -> Path:
        """Keep the certificate (PEM or DER) that was issued for the newest key of this purpose."""
        pem = certificate.lstrip().startswith(b"-----BEGIN")
        found = (
            x509.load_pem_x509_certificate(certificate)
            if pem
            else x509.load_der_x509_certificate(certificate)
        )
        self._check_own(purpose, found)
        path = self.certificate_path(purpose)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(found.public_bytes(serialization.Encoding.PEM))
        return path

    def certificate_path(self, purpose: str) -> Path:
        return self._certificate_dir / f"{purpose}.pem"

    def _check_own(self, purpose: str, certificate: x509.Certificate) -> None:
        spki = certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        if spki != self.public_key(purpose):
            raise Conflict(
                "keys.foreign_certificate",
                zh=f"该证书不属于服务器现用的 {purpose} 密钥，请为现用公钥重新申请证书",
                en=f"This certificate does not belong to the server's current {purpose} key; "
                "have one issued for the current public key",
            )

    # -- marks for searching

    def mac(self, field: str, value: str) -> bytes:
        """16 bytes of HMAC-SHA-256 that stand for a value in the log's index: equal values, equal marks."""
        _, secret = self.data_key("blind-index", BLIND_INDEX_PERIOD)
        message = field.encode() + b"\x00" + value.encode()
        return hmac.new(secret, message, hashlib.sha256).digest()[:MAC_BYTES]

    @staticmethod
    def _ask(question: Callable[[], T]) -> T:
        try:
            return question()
        except TokenSilent as error:
            raise _no_keys(str(error)) from error


def _versions(purpose: str, labels: Iterable[str]) -> list[int]:
    found = (_LABEL.fullmatch(label) for label in labels)
    return sorted(int(m[2]) for m in found if m and m[1] == purpose)


def _no_keys(reason: str) -> Unavailable:
    return Unavailable(
        "keys.unavailable",
        zh="服务器密钥令牌无法使用，请系统管理员检查令牌；新装执行 yinxu keys init，令牌损毁执行 yinxu keys restore",
        en="The server's key token cannot be used; the system administrator checks it "
        "or runs `yinxu keys init` (new) or `yinxu keys restore` (destroyed)",
        reason=reason,
    )


def verify(public_key: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` (DER) is ECDSA P-256 SHA-256 over `data` by this key (DER SPKI)."""
    key = serialization.load_der_public_key(public_key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def backend_of(settings: Settings) -> KeyBackend:
    """The backend that the settings name."""
    assert settings.softhsm2_conf is not None
    if settings.key_backend == "software":
        return SoftwareKeys(settings.softhsm2_conf.parent / "software-keys.json")
    from app.crypto.token_keys import TokenKeys

    soft = "softhsm" in settings.pkcs11_module.name
    return TokenKeys(
        settings.pkcs11_module,
        settings.server_token_label,
        settings.server_token_pin.get_secret_value(),
        settings.softhsm2_conf if soft else None,
    )


def ring_of(settings: Settings) -> KeyRing:
    assert settings.softhsm2_conf is not None
    return KeyRing(backend_of(settings), settings.softhsm2_conf.parent)


def keyring() -> KeyRing:
    """The current app's keys, opened on first use."""
    found = current_app.extensions.get("keyring")
    if found is None:
        found = current_app.extensions["keyring"] = ring_of(cast(Settings, current_app.config["SETTINGS"]))
    return cast(KeyRing, found)


__all__ = ["KeyFault", "KeyRing", "Signature", "Wrapped", "keyring", "ring_of", "verify"]
