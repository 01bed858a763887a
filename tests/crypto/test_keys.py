"""The server's keys: in the token for good, of use to every thread and every fork, named wherever they are used."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.cli import keys as cli
from app.crypto.keys import KeyFault, KeyRing, backend_of, ring_of, verify
from app.crypto.token_keys import TokenKeys
from app.refusal import Conflict, Refusal, Unavailable
from app.settings import Settings


@pytest.fixture
def software(tmp_path: Path) -> KeyRing:
    return ring_of(Settings(environment="test", var_dir=tmp_path, secret_key="x", key_backend="software"))  # type: ignore[arg-type]


@pytest.fixture
def token_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("YINXU_ENVIRONMENT", "test")
    monkeypatch.setenv("YINXU_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("YINXU_SECRET_KEY", "x")
    monkeypatch.setenv("YINXU_KEY_BACKEND", "pkcs11")
    monkeypatch.setenv("YINXU_SERVER_TOKEN_PIN", "739154")
    return Settings()


@pytest.fixture
def token(token_settings: Settings) -> KeyRing:
    made = CliRunner().invoke(cli.command, ["init"])
    assert made.exit_code == 0, made.output
    return ring_of(token_settings)


@pytest.fixture(params=["software", pytest.param("token", marks=pytest.mark.softhsm)])
def ring(request: pytest.FixtureRequest) -> KeyRing:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def test_a_secret_comes_back_only_with_what_it_was_bound_to(ring: KeyRing) -> None:
    wrapped = ring.wrap(b"k" * 32, b"context")
    assert (wrapped.alg, wrapped.key_version) == ("AES-256-GCM", 1)
    assert b"k" * 32 not in wrapped.bytes
    assert ring.unwrap(wrapped, b"context") == b"k" * 32
    with pytest.raises(KeyFault):
        ring.unwrap(wrapped, b"other")
    assert ring.unwrap(wrapped, b"context") == b"k" * 32


def test_a_signature_names_its_algorithm_and_key(ring: KeyRing) -> None:
    signed = ring.sign("order", b"make this seal")
    assert (signed.alg, signed.kid) == ("ECDSA-P256-SHA256", "order-v1")
    assert verify(ring.public_key("order"), signed.signature, b"make this seal")
    assert not verify(ring.public_key("order"), signed.signature, b"make that seal")
    assert not verify(ring.public_key("checkpoint"), signed.signature, b"make this seal")


def test_after_a_rotation_the_newest_key_works_and_older_ones_still_open(ring: KeyRing) -> None:
    wrapped, signed = ring.wrap(b"k" * 32, b"c"), ring.sign("checkpoint", b"root")
    ring.make("kek", 2)
    ring.make("checkpoint", 2)
    assert ring.wrap(b"k" * 32, b"c").key_version == 2
    assert ring.sign("checkpoint", b"root").kid == "checkpoint-v2"
    assert ring.unwrap(wrapped, b"c") == b"k" * 32
    assert verify(ring.public_key("checkpoint", 1), signed.signature, b"root")


def test_making_a_key_again_keeps_it(ring: KeyRing) -> None:
    ring.make("order", 1)
    before = ring.public_key("order")
    ring.make("order", 1)
    assert ring.backend.public_key("order-v1") == before


def issue(ring: KeyRing, key: bytes | None = None) -> bytes:
    """A certificate for the ring's order key (or another), by an authority that lives for this test only."""
    ca = ec.generate_private_key(ec.SECP256R1())
    public = serialization.load_der_public_key(key or ring.public_key("order"))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Yinxu server")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, public, 1, start, start + timedelta(days=90))  # type: ignore[arg-type]
    return made.sign(ca, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_the_order_certificate_is_installed_for_our_own_key_only(software: KeyRing) -> None:
    with pytest.raises(Unavailable, match="not installed"):
        software.certificate("order")
    der = issue(software)
    software.install_certificate("order", der)
    assert software.certificate("order") == der
    with pytest.raises(Conflict, match="does not belong"):
        software.install_certificate("order", issue(software, software.public_key("checkpoint")))
    software.make("order", 2)
    with pytest.raises(Refusal, match="does not belong"):
        software.certificate("order")


@pytest.mark.softhsm
def test_init_makes_token_and_keys_once(token_settings: Settings) -> None:
    runner = CliRunner()
    with pytest.raises(Unavailable, match="keys init"):
        ring_of(token_settings).newest("kek")
    first, second = (runner.invoke(cli.command, ["init"]) for _ in range(2))
    assert "token yinxu-server, kek-v1, order-v1, checkpoint-v1" in first.output
    assert "nothing to do" in second.output
    listed = runner.invoke(cli.command, ["list"]).output
    assert listed.split()[0] == "kek-v1" and "checkpoint-v1" in listed
    so_pin = token_settings.var_dir / "server-token" / "so-pin"
    assert so_pin.stat().st_mode & 0o077 == 0


@pytest.mark.softhsm
def test_no_key_leaves_the_token(token: KeyRing) -> None:
    import pkcs11
    from pkcs11 import Attribute, ObjectClass

    backend = token.backend
    assert isinstance(backend, TokenKeys)
    with backend._session() as session:
        keys = [
            *session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY}),
            *session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY}),
        ]
        assert len(keys) == 3
        for key in keys:
            assert key[Attribute.SENSITIVE] and not key[Attribute.EXTRACTABLE] and key[Attribute.LOCAL]
            secret = Attribute.VALUE
            with pytest.raises(pkcs11.AttributeSensitive):
                key[secret]


@pytest.mark.softhsm
def test_threads_and_forks_may_all_use_the_token(token: KeyRing) -> None:
    wrapped = token.wrap(b"k" * 32, b"c")
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for number in range(20):
                data = str(number).encode()
                assert verify(token.public_key("order"), token.sign("order", data).signature, data)
                assert token.unwrap(wrapped, b"c") == b"k" * 32
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures

    child = os.fork()
    if child == 0:
        good = token.unwrap(wrapped, b"c") == b"k" * 32
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    work()
    assert not failures


@pytest.mark.softhsm
def test_another_process_finds_the_same_keys(token: KeyRing) -> None:
    listed = subprocess.run(
        [Path(sys.executable).parent / "yinxu", "keys", "list"], capture_output=True, text=True, check=False
    )
    import base64

    assert base64.b64encode(token.public_key("order")).decode() in listed.stdout, listed.stderr


@pytest.mark.softhsm
def test_a_wrong_pin_is_said_plainly_and_spoils_nothing(token: KeyRing, token_settings: Settings) -> None:
    token.sign("order", b"x")
    wrong = Settings(server_token_pin="000000")  # type: ignore[arg-type]
    from app.crypto import token_keys

    token_keys._forget(token.backend._key())  # type: ignore[attr-defined]
    with pytest.raises(Unavailable) as refused:
        KeyRing(backend_of(wrong), Path()).newest("kek")
    assert refused.value.details["reason"] == "PinIncorrect"
    assert "000000" not in repr(refused.value.details)
    assert token.sign("order", b"x").kid == "order-v1"


def test_software_keys_are_refused_in_production(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only pkcs11 in production"):
        Settings(
            environment="production", var_dir=tmp_path, secret_key="x" * 40, key_backend="software",
            server_token_pin="1",
        )  # type: ignore[arg-type]  # fmt: skip


def test_keys_and_pins_show_in_no_repr(software: KeyRing, token_settings: Settings) -> None:
    software.sign("order", b"x")
    assert "739154" not in repr(token_settings) + repr(vars(backend_of(token_settings)).keys())
