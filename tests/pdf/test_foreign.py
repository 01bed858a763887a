"""Files that other programs signed: sound ones are genuine, whatever their habits; no change to one stays unseen."""

import hashlib
import re
import subprocess
from pathlib import Path

import pytest
from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.pdf.examining import examine
from app.pdf.trusting import Trust
from app.pdf.verifying import Report, conclude
from tests.pdf import makers
from tests.pdf.makers import NOW, Card, small_pdf

ROOM = 12_000


def placeholder(
    pdf: bytes, *, sub_filter: str = "adbe.pkcs7.detached", more: str = ""
) -> tuple[bytes, int, int]:
    """A signature field appended by hand, and from where to where its empty container stands."""
    size = int(re.findall(rb"/Size (\d+)", pdf)[-1])
    previous = int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])
    catalog = re.findall(rb"1 0 obj\s*<<(.*?)>>\s*endobj", pdf, re.S)[-1]
    objects = {
        1: b"<<" + catalog + b"/AcroForm << /SigFlags 3 /Fields [%d 0 R] >> >>" % (size + 1),
        size: (
            f"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /{sub_filter} {more} "
            f"/ByteRange [0 {'*' * 30}] /Contents <{'0' * 2 * ROOM}> >>"
        ).encode(),
        size + 1: b"<< /FT /Sig /T (Foreign) /V %d 0 R /Type /Annot /Subtype /Widget /Rect [0 0 0 0] >>"
        % size,
    }
    out, offsets = pdf, {}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    rows = b"".join(b"%d 1\n%010d 00000 n \n" % row for row in offsets.items())
    out += b"xref\n" + rows + b"trailer\n<< /Size %d /Root 1 0 R /Prev %d >>\n" % (size + 2, previous)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    begin = out.rindex(b"/Contents <") + 10
    end = begin + 2 * ROOM + 2
    numbers = b"/ByteRange [0 %d %d %d" % (begin, end, len(out) - end)
    at = out.rindex(b"/ByteRange [0 *")
    return (
        out[:at] + numbers.ljust(len(b"/ByteRange [0 ") + 30) + out[at + len(b"/ByteRange [0 ") + 30 :],
        begin,
        end,
    )


def filled(pdf: bytes, begin: int, end: int, container: bytes) -> bytes:
    digits = container.hex().encode().ljust(end - begin - 2, b"0")
    return pdf[: begin + 1] + digits + pdf[end - 1 :]


class Desk:
    """A signer with `openssl cms`."""

    def __init__(self, folder: Path, card: Card) -> None:
        self.folder, self.card = folder, card
        pem = self.card.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "key.pem").write_bytes(pem)
        (folder / "signer.pem").write_text(_pem(card.certificate))
        (folder / "root.pem").write_bytes(makers.root().pem)

    def cms(self, data: bytes, *options: str) -> bytes:
        (self.folder / "data").write_bytes(data)
        asked = [
            "openssl",
            "cms",
            "-sign",
            "-binary",
            "-in",
            "data",
            "-signer",
            "signer.pem",
            "-inkey",
            "key.pem",
        ]
        asked += ["-certfile", "root.pem", "-outform", "DER", *options]
        return subprocess.run(asked, cwd=self.folder, capture_output=True, check=True).stdout

    def sign(self, *options: str, **place: str) -> bytes:
        pdf, begin, end = placeholder(small_pdf(), **place)
        return filled(pdf, begin, end, self.cms(pdf[:begin] + pdf[end:], *options))


def _pem(der: bytes) -> str:
    from ssl import DER_cert_to_PEM_cert

    return DER_cert_to_PEM_cert(der)


@pytest.fixture(params=["rsa", "ec"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    return Desk(tmp_path, makers.root().card("Foreign Signer", kind=request.param))


@pytest.fixture
def rsa_desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, makers.root().card("Foreign Signer", kind="rsa"))


def verdict(pdf: bytes, *, at=NOW) -> Report:  # type: ignore[no-untyped-def]
    trust = Trust(roots=(makers.root().der,))
    return conclude(pdf, examine(pdf, trust, at=at), trust, at=at)


def codes(report: Report) -> list[str]:
    return [p.code for p in report.problems]


@pytest.mark.parametrize(
    "options",
    [(), ("-cades",), ("-noattr",), ("-stream", "-indef"), ("-md", "sha1"), ("-md", "sha512")],
    ids=["plain", "cades", "no-attributes", "indefinite-length", "sha1", "sha512"],
)
def test_what_openssl_signs_is_genuine(desk: Desk, options: tuple[str, ...]) -> None:
    report = verdict(desk.sign(*options))

    assert (report.verdict, codes(report)) == ("genuine", [])


def test_two_entries_of_one_signer_in_one_container(desk: Desk) -> None:
    """As PoDoFo writes them; both must hold."""
    pdf, begin, end = placeholder(small_pdf())
    first, second = (
        cms.ContentInfo.load(desk.cms(pdf[:begin] + pdf[end:], "-md", name)) for name in ("sha256", "sha512")
    )
    content, other = first["content"], second["content"]
    content["signer_infos"].append(other["signer_infos"][0])
    content["digest_algorithms"].append(other["digest_algorithms"][0])
    twice = filled(pdf, begin, end, first.dump(force=True))
    assert verdict(twice).verdict == "genuine"

    spoiled = bytearray(other["signer_infos"][0]["signature"].native)
    spoiled[-1] ^= 1
    content["signer_infos"][1]["signature"] = bytes(spoiled)
    assert verdict(filled(pdf, begin, end, first.dump(force=True))).verdict == "altered"


def test_rsa_pss_and_a_dictionary_without_type(rsa_desk: Desk) -> None:
    assert verdict(rsa_desk.sign("-keyopt", "rsa_padding_mode:pss")).verdict == "genuine"
    assert (
        verdict(rsa_desk.sign().replace(b"/Type /Sig ", b"           ")).verdict == "altered"
    )  # it is signed


def test_an_old_container_that_carries_the_documents_sha1(rsa_desk: Desk) -> None:
    pdf, begin, end = placeholder(small_pdf(), sub_filter="adbe.pkcs7.sha1")
    digest = hashlib.sha1(pdf[:begin] + pdf[end:], usedforsecurity=False).digest()
    old = filled(pdf, begin, end, rsa_desk.cms(digest, "-nodetach", "-md", "sha1"))

    assert verdict(old).verdict == "genuine"
    assert verdict(old.replace(b"1000 yuan", b"9000 yuan")).verdict == "altered"


def test_plain_ecdsa_as_german_cards_write_it(tmp_path: Path) -> None:
    card = makers.root().card("Plain", kind="ec")
    desk = Desk(tmp_path, card)
    pdf, begin, end = placeholder(small_pdf())
    info = cms.ContentInfo.load(desk.cms(pdf[:begin] + pdf[end:]))
    signer = info["content"]["signer_infos"][0]
    assert isinstance(card.key, ec.EllipticCurvePrivateKey)
    for oid, algorithm in (
        ("0.4.0.127.0.7.1.1.4.1.3", hashes.SHA256()),
        ("2.16.840.1.101.3.4.3.10", hashes.SHA3_256()),
    ):
        value = card.key.sign(signer["signed_attrs"].untag().dump(), ec.ECDSA(algorithm))
        if oid.startswith("0.4"):
            value = b"".join(number.to_bytes(32) for number in decode_dss_signature(value))
        signer["signature_algorithm"] = cms.SignedDigestAlgorithm({"algorithm": oid})
        signer["signature"] = value
        signed = filled(pdf, begin, end, info.dump(force=True))

        assert verdict(signed).verdict == "genuine", oid
        assert verdict(signed.replace(b"1000 yuan", b"9000 yuan")).verdict == "altered"


def test_no_changed_byte_of_a_foreign_file_stays_unseen(desk: Desk) -> None:
    """Also in the container, which no signature covers: padding, the copy of the root, spelling."""
    pdf = desk.sign()
    container = range(pdf.rindex(b"/Contents <") + 11, len(pdf))
    step = 7
    for at in [*range(20, container[0], 37), *container[: 2 * 2_600 : step], *container[-900::13]]:
        changed = pdf[:at] + bytes([pdf[at] ^ (1 << at % 8)]) + pdf[at + 1 :]
        assert verdict(changed).verdict != "genuine", (at, pdf[at - 5 : at + 5])


def test_a_certificate_beside_the_signers_that_cannot_be_read_is_seen(desk: Desk) -> None:
    """Wherever it stands in the bag: the signer's own is found without a look at it."""
    pdf = desk.sign()
    root = makers.root().der.hex().encode()
    assert root in pdf
    assert verdict(pdf.replace(root, b"1" + root[1:])).verdict == "altered"


def test_an_algorithm_nobody_computes_is_undecided_but_other_bytes_are_altered(tmp_path: Path) -> None:
    desk = Desk(tmp_path, makers.root().card("Foreign Signer", kind="ec"))
    pdf, begin, end = placeholder(small_pdf())
    info = cms.ContentInfo.load(desk.cms(pdf[:begin] + pdf[end:]))
    info["content"]["signer_infos"][0]["signature_algorithm"] = {
        "algorithm": "sha256_rsa"
    }  # the key is no RSA key
    strange = filled(pdf, begin, end, info.dump(force=True))

    assert (verdict(strange).verdict, codes(verdict(strange))) == ("indeterminate", ["unsupported"])
    assert verdict(strange.replace(b"1000 yuan", b"9000 yuan")).verdict == "altered"


def test_adobes_usage_rights_are_nobodys_signature(rsa_desk: Desk) -> None:
    more = "/Reference [<< /Type /SigRef /TransformMethod /UR3 >>]"
    pdf, begin, end = placeholder(small_pdf(), more=more)
    pdf = re.sub(rb"/AcroForm << /SigFlags 3 /Fields \[(\d+) 0 R\] >>", _permissions, pdf)
    rights = filled(pdf, begin, end, rsa_desk.cms(pdf[:begin] + pdf[end:]))

    assert verdict(rights).verdict == "unsigned"
    # nothing is made one of these afterwards
    sealed = rsa_desk.sign(more="/Reference [<< /Type /SigRef /TransformMethod /XX3 >>]")
    assert verdict(sealed.replace(b"/XX3", b"/UR3")).verdict == "altered"
    assert verdict(rights.replace(b"1000 yuan", b"9000 yuan")).verdict == "altered"


def _permissions(match: re.Match[bytes]) -> bytes:
    number = int(match.group(1)) - 1
    return (b"/Perms << /UR3 %d 0 R >>" % number).ljust(len(match.group(0)))


def test_where_cross_references_are_broken_a_second_reader_is_asked(rsa_desk: Desk) -> None:
    broken = re.sub(rb"startxref\n\d+", b"startxref\n77777", small_pdf())
    assert verdict(broken).verdict == "unsigned"
    assert verdict(broken.replace(b"/Pages", b"/Pagez")).verdict == "unreadable"


def stamp(value: bytes, at=NOW) -> tuple[cms.ContentInfo, Card]:  # type: ignore[no-untyped-def]
    """An RFC 3161 token over these bytes, by an authority under our root."""
    authority = makers.root().time_stamper()
    info = tsp.TSTInfo(
        {
            "version": "v1", "policy": "1.2.3", "serial_number": 1, "gen_time": at,
            "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": hashlib.sha256(value).digest()},
        }
    )  # fmt: skip
    content = info.dump()
    certificate = asn1_x509.Certificate.load(authority.certificate)
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["tst_info"]},
            {"type": "message_digest", "values": [hashlib.sha256(content).digest()]},
        ]
    )
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": {"issuer_and_serial_number": {"issuer": certificate.issuer, "serial_number": certificate.serial_number}},
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": authority.sign(attributes.dump()),
        }
    )  # fmt: skip
    signed = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
            "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(content)},
            "certificates": [certificate],
            "signer_infos": [signer],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": signed}), authority


def stamped(desk: Desk, over: bytes | None = None) -> bytes:
    """Signed, with a time-stamp of the signature in what is not signed."""
    pdf, begin, end = placeholder(small_pdf())
    info = cms.ContentInfo.load(desk.cms(pdf[:begin] + pdf[end:]))
    signer = info["content"]["signer_infos"][0]
    token, _ = stamp(over or signer["signature"].native)
    signer["unsigned_attrs"] = cms.CMSAttributes([{"type": "signature_time_stamp_token", "values": [token]}])
    return filled(pdf, begin, end, info.dump(force=True))


def test_a_time_stamp_proves_when_so_an_ended_certificate_says_nothing(tmp_path: Path) -> None:
    ended = NOW.replace(year=NOW.year + 3)
    desk = Desk(tmp_path, makers.root().card("Foreign Signer", kind="rsa"))
    with_stamp, without = stamped(desk), desk.sign()

    assert verdict(without).verdict == "genuine"
    assert (verdict(without, at=ended).verdict, codes(verdict(without, at=ended))) == (
        "indeterminate",
        ["expired"],
    )
    report = verdict(with_stamp, at=ended)
    assert (report.verdict, report.signatures[0].examined.stamped_at) == ("genuine", NOW)


def test_a_time_stamp_of_something_else_says_rewritten(rsa_desk: Desk) -> None:
    report = verdict(stamped(rsa_desk, over=b"another signature"))

    assert (report.verdict, codes(report)) == ("altered", ["container_rewritten"])
