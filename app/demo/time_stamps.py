"""The demo's time-stamping authority (RFC 3161): a process of its own, asked over HTTP as a real one is.

    python -m app.demo.time_stamps FOLDER PORT

The folder holds its key and certificate, as `seed.py` had them made. Whoever runs Yinxu names an authority of their own
(`YINXU_TSA_URL`).
"""

import secrets
import sys
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

from app.demo.pki import CardWish, Pki
from app.demo.place import write_secret
from app.pdf.foreign import asn1_cms as cms
from app.pdf.foreign import asn1_tsp as tsp
from app.pdf.foreign import asn1_x509 as x509

KEY, CERTIFICATE = "time_stamps.key", "time_stamps.pem"
POLICY = "1.3.6.1.4.1.55555.1"
"""Of the demo alone: it promises nothing."""
REJECTED = bytes.fromhex("3005 3003 020102".replace(" ", ""))
"""PKIStatusInfo rejection, no token."""
QUERY_LIMIT_BYTES = 8 * 1024


class TimeStamper:
    """`certificate`: DER, with the purpose time-stamping."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: bytes) -> None:
        self._key = key
        self._certificate = x509.Certificate.load(certificate)

    def answer(self, query: bytes, *, at: datetime | None = None) -> bytes:
        """The response to a request: a stamp of this moment (or `at`), or a rejection of what is no SHA-256."""
        try:
            asked = tsp.TimeStampReq.load(query, strict=True)
            imprint = asked["message_imprint"]
            known = imprint["hash_algorithm"]["algorithm"].native == "sha256"
            if not known or len(imprint["hashed_message"].native) != sha256().digest_size:
                raise ValueError("bad_alg")
        except ValueError:
            return REJECTED
        made: bytes = tsp.TimeStampResp(
            {"status": {"status": "granted"}, "time_stamp_token": self._token(asked, at or datetime.now(UTC))}
        ).dump()
        return made

    def _token(self, asked: Any, at: datetime) -> Any:
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": POLICY,
                "message_imprint": asked["message_imprint"],
                "serial_number": secrets.randbits(63),
                "gen_time": at.replace(microsecond=0),
                **({"nonce": asked["nonce"].native} if asked["nonce"].native is not None else {}),
            }
        )
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "message_digest", "values": [sha256(info.dump()).digest()]},
                {
                    "type": "signing_certificate_v2",
                    "values": [{"certs": [{"cert_hash": sha256(self._certificate.dump()).digest()}]}],
                },
            ]
        )
        signer = {
            "version": "v1",
            "sid": {
                "issuer_and_serial_number": {
                    "issuer": self._certificate.issuer,
                    "serial_number": self._certificate.serial_number,
                }
            },
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": self._key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
        }
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [{"algorithm": "sha256"}],
                "encap_content_info": {"content_type": "tst_info", "content": info},
                "certificates": [self._certificate],
                "signer_infos": [signer],
            }
        )
        return cms.ContentInfo({"content_type": "signed_data", "content": signed})


def install(pki: Pki) -> None:
    """A key and its certificate, in the authority's own folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    wish = CardWish(
        label="tsa",
        role="time_stamps",
        common_name="Yinxu demo time-stamps",
        organisation="Yinxu demo",
        pin="",
    )
    write_secret(
        pki.folder / KEY,
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    )
    (pki.folder / CERTIFICATE).write_bytes(
        load_der_x509_certificate(pki.certify(spki, wish)).public_bytes(serialization.Encoding.PEM)
    )


class Door(BaseHTTPRequestHandler):
    """`POST` of a query; any path."""

    stamper: TimeStamper

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 < length <= QUERY_LIMIT_BYTES:
            self.send_error(413)
            return
        answer = self.stamper.answer(self.rfile.read(length))
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        """For whoever waits until it is there."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


def serve(stamper: TimeStamper, port: int) -> ThreadingHTTPServer:
    """A server on this port of the loopback (0: any), not yet running."""
    return ThreadingHTTPServer(("127.0.0.1", port), type("Its", (Door,), {"stamper": stamper}))


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    key = serialization.load_pem_private_key((folder / KEY).read_bytes(), None)
    certificate = load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    serve(TimeStamper(key, certificate.public_bytes(serialization.Encoding.DER)), port).serve_forever()


if __name__ == "__main__":
    main()
