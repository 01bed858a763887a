"""The demo's certificate authority and card personalisation: runs as a process of its own, with SoftHSM
tokens.

    python -m app.demo.ca < {"folder": …, "work": [{"do": "create"}, …]}

The CA's key is made in a token of its own folder and never leaves it; neither the server nor the agent gets
at it. PKCS#11 is used here alone, so that no token's library state is shared with whoever asks (`pki.py` is
the asker).
"""

import base64
import json
import os
import secrets
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.crypto.softhsm import create_token
from app.demo import token_key
from card_agent.protocol.names import MAKER_EKU, ORDER_EKU

MODULE = os.environ.get("YINXU_PKCS11_MODULE", "/usr/lib/softhsm/libsofthsm2.so")
CA_LABEL = "yinxu-demo-ca"
SO_PIN = "16180339"
"""Of the demo's cards: with it a station gives a locked one a new PIN. Real cards' SO PINs lie in a safe."""
CA_NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Yinxu demo"),
        x509.NameAttribute(NameOID.COMMON_NAME, "Yinxu demo root CA"),
    ]
)
USAGES = {
    "maker": MAKER_EKU,
    "order": ORDER_EKU,
    "time_stamps": ExtendedKeyUsageOID.TIME_STAMPING.dotted_string,
}
CRL_LIFE = timedelta(days=30)
HASH = hashes.SHA256()


# --- tokens ---


def softhsm_conf(tokens: Path) -> Path:
    """A configuration beside the token folder, made when missing; `slots.removable` as with real readers."""
    tokens.mkdir(parents=True, exist_ok=True, mode=0o700)
    conf = tokens.parent / f"{tokens.name}.softhsm2.conf"
    if not conf.exists():
        conf.write_text(
            f"directories.tokendir = {tokens}\nobjectstore.backend = file\n"
            "log.level = ERROR\nslots.removable = true\n"
        )
    return conf


def init_token(tokens: Path, label: str, pin: str, so_pin: str = "") -> None:
    """`so_pin`: one that nobody knows, unless it is said."""
    create_token(softhsm_conf(tokens), label, pin=pin, so_pin=so_pin or secrets.token_hex(8))


def reader(tokens: Path) -> Any:
    """The library, looking at the tokens of this folder. Sessions opened before are void."""
    os.environ["SOFTHSM2_CONF"] = str(softhsm_conf(tokens))
    library = pkcs11.lib(MODULE)
    library.reinitialize()
    return library


@contextmanager
def open_token(library: Any, label: str, pin: str) -> Generator[Any]:
    session = library.get_token(token_label=label).open(rw=True, user_pin=pin)
    try:
        yield session
    finally:
        session.close()


# --- the authority ---


class Authority:
    """`folder`: holds `tokens/`, the PIN, the root, and the list of what was issued and revoked."""

    def __init__(self, folder: Path, trust_dir: Path) -> None:
        self.folder = folder
        self.trust_dir = trust_dir

    def create(self) -> bytes:
        """A root key in a token of its own, its certificate in the trust folder, and an empty list. DER."""
        pin = secrets.token_hex(8)
        init_token(self.folder / "tokens", CA_LABEL, pin)
        _private_file(self.folder / "pin", pin)
        with open_token(reader(self.folder / "tokens"), CA_LABEL, pin) as session:
            key = token_key.generate(session, "p256", CA_LABEL)
            root = _root(key)
            (self.folder / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
            self._publish(key)
        self.trust_dir.mkdir(parents=True, exist_ok=True)
        (self.trust_dir / "demo-root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
        return root.public_bytes(serialization.Encoding.DER)

    @property
    def root(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.folder / "root.pem").read_bytes())

    @contextmanager
    def key(self) -> Generator[Any]:
        pin = (self.folder / "pin").read_text()
        with open_token(reader(self.folder / "tokens"), CA_LABEL, pin) as session:
            yield token_key.find(session, CA_LABEL)

    def issue(self, key: Any, public_key: Any, wish: dict[str, Any]) -> bytes:
        """A leaf for signing. `wish`: common_name, organisation, code, role, not_before, not_after. DER."""
        now = datetime.now(UTC)
        names = [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, wish["organisation"]),
            x509.NameAttribute(NameOID.COMMON_NAME, wish["common_name"]),
        ]
        if wish.get("code"):
            names.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, wish["code"]))
        not_before = _moment(wish.get("not_before")) or now - timedelta(minutes=5)
        not_after = _moment(wish.get("not_after")) or not_before + timedelta(days=3 * 365)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(names))
            .issuer_name(CA_NAME)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage("digital_signature", "content_commitment"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
            )
        )
        if wish["role"] in USAGES:
            purpose = x509.ObjectIdentifier(USAGES[wish["role"]])
            # RFC 3161, 2.3: an authority's certificate is for time-stamps alone
            alone = wish["role"] == "time_stamps"
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=alone)
        return builder.sign(key, HASH).public_bytes(serialization.Encoding.DER)

    def revoke(self, serials: list[int]) -> None:
        """From this moment on; the list is published anew."""
        revoked = self._revoked()
        for serial in serials:
            revoked.setdefault(f"{serial:x}", datetime.now(UTC).isoformat())
        (self.folder / "revoked.json").write_text(json.dumps(revoked))
        with self.key() as key:
            self._publish(key)

    def _revoked(self) -> dict[str, str]:
        path = self.folder / "revoked.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def _publish(self, key: Any) -> None:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(CA_NAME)
            .last_update(now)
            .next_update(now + CRL_LIFE)
            .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
            )
        )
        for serial, at in self._revoked().items():
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(serial, 16))
                .revocation_date(datetime.fromisoformat(at))
                .build()
            )
        path = self.trust_dir / "crls" / "demo-root.crl"
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(builder.sign(key, HASH).public_bytes(serialization.Encoding.DER))
        fresh.replace(path)


def _root(key: Any) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(CA_NAME)
        .issuer_name(CA_NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # old enough for certificates that have expired already, which refusals are shown with
        .not_valid_before(now - timedelta(days=3650))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, HASH)
    )


def _usage(*names: str) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in names for name in every})


# --- cards ---


def make_cards(authority: Authority, drawer: Path, wishes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cards in the drawer, each with a key made on it and a certificate for it: request signed by the card,
    its signature checked, certificate by the CA, put on the card. Blank of seals (A11)."""
    requests: list[x509.CertificateSigningRequest] = []
    made: list[dict[str, Any]] = []
    for wish in wishes:
        before = _token_folders(drawer)
        init_token(drawer, wish["label"], wish["pin"], SO_PIN)
        (folder,) = _token_folders(drawer) - before
        made.append({"label": wish["label"], "role": wish["role"], "token": folder})
    library = reader(drawer)
    for wish, card in zip(wishes, made, strict=True):
        card["serial"] = library.get_token(token_label=wish["label"]).serial.decode().strip()
        with open_token(library, wish["label"], wish["pin"]) as session:
            key: Any = token_key.generate(session, wish["key"], wish["label"])
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wish["common_name"])])
            request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, HASH)
            if not request.is_signature_valid:
                raise RuntimeError("the card's request for a certificate is not signed by its key")
            requests.append(request)
    with authority.key() as key:
        certificates = [
            authority.issue(key, request.public_key(), wish)
            for request, wish in zip(requests, wishes, strict=True)
        ]
    library = reader(drawer)
    for wish, card, certificate in zip(wishes, made, certificates, strict=True):
        with open_token(library, wish["label"], wish["pin"]) as session:
            token_key.import_certificate(session, certificate, wish["label"])
        card["certificate"] = base64.b64encode(certificate).decode()
        card["cert_sha256"] = sha256(certificate).hexdigest()
    return made


def _token_folders(drawer: Path) -> set[str]:
    return {p.name for p in drawer.iterdir() if p.is_dir()} if drawer.exists() else set()


# --- the process ---


def do(authority: Authority, task: dict[str, Any]) -> Any:
    """One task; its answer as JSON."""
    match task["do"]:
        case "create":
            return base64.b64encode(authority.create()).decode()
        case "make_cards":
            return make_cards(authority, Path(task["drawer"]), task["wishes"])
        case "certify":
            public_key = serialization.load_der_public_key(base64.b64decode(task["public_key"]))
            with authority.key() as key:
                return base64.b64encode(authority.issue(key, public_key, task["wish"])).decode()
        case "revoke":
            authority.revoke([int(serial, 16) for serial in task["serials"]])
            return None
        case other:
            raise ValueError(other)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _private_file(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def main() -> None:
    asked = cast("dict[str, Any]", json.load(sys.stdin))
    authority = Authority(Path(asked["folder"]), Path(asked["trust_dir"]))
    json.dump([do(authority, task) for task in asked["work"]], sys.stdout)


if __name__ == "__main__":
    main()
