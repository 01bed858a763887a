"""A seal goes into a PDF: at its true size, in its place, by a card that signs nothing but a digest's attributes."""

import hashlib
import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509
from PIL import Image

from app.pdf import claims, cms, faults, inspecting, sealing
from app.pdf.confined import confined
from app.pdf.geometry import POINTS_PER_MM
from app.pdf.reading import open_reader
from app.pdf.rendering import render_page
from tests.pdf import makers


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_card_of_either_kind_seals(kind: str) -> None:
    card = makers.card(kind)

    pdf = makers.sealed(by=card)

    [claim] = claims.read_claims(pdf)
    assert claim.holds
    assert claim.certificate == card.certificate


def test_what_stood_in_the_file_before_is_never_touched() -> None:
    before = makers.small_pdf()

    after = makers.sealed(before)

    assert after.startswith(before)


def test_the_card_signs_the_attributes_alone() -> None:
    ready = makers.prepared()

    assert ready.to_sign[:1] == b"\x31"  # a SET, as CMS has it signed
    assert len(ready.to_sign) < 400


def test_the_signature_is_pades_baseline() -> None:
    [embedded] = open_reader(makers.sealed()).embedded_signatures
    names = [a["type"].native for a in embedded.signer_info["signed_attrs"]]

    assert embedded.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert sorted(names) == ["content_type", "message_digest", "signing_certificate_v2"]
    assert embedded.sig_object["/M"].startswith("D:20261122080000")


def test_the_electronic_seal_lies_inside_the_signed_range() -> None:
    seal = b"an electronic seal"

    pdf = makers.sealed(seal_der=seal)

    [claim] = claims.read_claims(pdf)
    swapped = pdf.replace(seal, b"an electronic meal")
    assert claim.gap is not None and not claim.gap[0] <= pdf.index(seal) < claim.gap[1]
    assert [c.intact for c in claims.read_claims(swapped)] == [False]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_the_seal_stands_where_it_was_put_at_its_true_size(rotate: int) -> None:
    """Measured on the drawn page, within 0.3 mm, however the page is turned and cropped."""
    paper = makers.small_pdf(
        media="-20 -30 575 812", page_extra=f"/Rotate {rotate} /CropBox [0 10 500 700] "
    ).replace(makers.CONTENT, b" " * len(makers.CONTENT))
    stamp = BytesIO()
    Image.new("RGBA", (60, 40), (255, 0, 0, 255)).save(stamp, "PNG")

    pdf = makers.sealed(paper, stamp_png=stamp.getvalue(), width_mm=60, height_mm=40, x_pt=72, y_pt=144)

    dpi = 144
    with Image.open(BytesIO(confined(render_page, pdf, 1, dpi=dpi))) as page:
        box = page.convert("RGB").getchannel("G").point(lambda g: 255 if g < 128 else 0).getbbox()
        height = page.height
    assert box is not None
    left, top, right, bottom = (v / dpi * 25.4 for v in box)
    assert left == pytest.approx(72 / POINTS_PER_MM, abs=0.3)
    assert right - left == pytest.approx(60, abs=0.3)
    assert bottom - top == pytest.approx(40, abs=0.3)
    assert height / dpi * 25.4 - bottom == pytest.approx(144 / POINTS_PER_MM, abs=0.3)


def test_the_seal_is_drawn_upright_on_a_turned_page() -> None:
    stamp = BytesIO()
    picture = Image.new("RGBA", (40, 40), (0, 0, 255, 255))
    picture.paste((255, 0, 0, 255), (0, 0, 40, 20))  # red above, blue below
    picture.save(stamp, "PNG")

    pdf = makers.sealed(
        makers.small_pdf(page_extra="/Rotate 90 "), stamp_png=stamp.getvalue(), x_pt=100, y_pt=100
    )

    with Image.open(BytesIO(confined(render_page, pdf, 1, dpi=72))) as page:
        x, above, below = 100 + 60, page.height - 100 - 100, page.height - 100 - 20
        assert page.convert("RGB").getpixel((x, above)) == (255, 0, 0)
        assert page.convert("RGB").getpixel((x, below)) == (0, 0, 255)


def test_a_second_seal_leaves_the_first_one_whole() -> None:
    first = makers.sealed()

    both = makers.sealed(first, x_pt=100.0)

    assert [c.holds for c in claims.read_claims(both)] == [True, True]
    assert [s.field_name for s in open_reader(both).embedded_signatures] == ["Seal1", "Seal2"]


def test_a_signature_for_another_document_is_refused() -> None:
    ready, other = makers.prepared(), makers.prepared(x_pt=10.0)

    with pytest.raises(faults.SignatureUnfit):
        sealing.embed(ready.pdf, ready.state, makers.card().sign(other.to_sign))


def test_the_signature_of_another_card_is_refused() -> None:
    ready = makers.prepared()

    with pytest.raises(faults.SignatureUnfit):
        sealing.embed(ready.pdf, ready.state, makers.root().card().sign(ready.to_sign))


def test_another_document_than_the_prepared_one_is_refused() -> None:
    ready = makers.prepared()

    with pytest.raises(faults.SignatureUnfit):
        sealing.embed(makers.prepared(x_pt=10.0).pdf, ready.state, makers.card().sign(ready.to_sign))


@pytest.mark.parametrize(
    ("pdf", "refusal"),
    [
        (b"", faults.NotAPdf),
        (b"\x00\x01\x02" * 500, faults.NotAPdf),
        (b"%PDF-1.7\n" + b"\xff" * 500, faults.Broken),
        (makers.small_pdf()[:-200], faults.Broken),
        (makers.small_pdf().replace(b"0000000009 00000", b"0000000011 00000"), faults.Broken),
        (makers.small_pdf(root_extra="/AcroForm << /Fields [] /XFA (x) >> "), faults.Active),
        (makers.small_pdf(root_extra="/OpenAction << /S /JavaScript /JS (app.alert) >> "), faults.Active),
        (makers.small_pdf(media="0 0 595000 842"), faults.Broken),
    ],
)
def test_what_cannot_be_sealed_is_refused_with_the_reason(pdf: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        makers.prepared(pdf)


@pytest.mark.parametrize(
    "place",
    [{"page": 0}, {"page": 2}, {"x_pt": 500.0}, {"y_pt": -30.0}, {"y_pt": 800.0}, {"width_mm": 400.0}],
)
def test_a_seal_outside_the_page_is_refused(place: dict[str, float]) -> None:
    with pytest.raises(faults.OutsidePage):
        makers.prepared(**place)


def test_a_document_altered_after_an_earlier_seal_gets_no_further_one() -> None:
    altered = makers.sealed().replace(b"1000 yuan", b"9000 yuan")

    with pytest.raises(faults.AlteredBefore):
        makers.prepared(altered)


def locked(pdf: bytes, *, user: str = "", allow: object = None) -> bytes:
    """Encrypted, under this password for reading."""
    from pyhanko.pdf_utils.crypt.permissions import StandardPermissions
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer = copy_into_new_writer(PdfFileReader(BytesIO(pdf)))
    allowed = StandardPermissions.allow_everything() if allow is None else allow
    writer.encrypt("owner", user, perms=allowed)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_document_that_needs_a_password_or_forbids_signing_is_refused() -> None:
    from pyhanko.pdf_utils.crypt.permissions import StandardPermissions

    for pdf in (
        locked(makers.small_pdf(), user="user"),
        locked(makers.small_pdf(), allow=StandardPermissions.ALLOW_PRINTING),
    ):
        for door in (inspecting.inspect, makers.prepared):
            with pytest.raises(faults.Encrypted):
                door(pdf)


@pytest.mark.skipif(not shutil.which("pdftoppm"), reason="needs poppler-utils")
@pytest.mark.parametrize(
    "paper",
    [
        {"media": "0 0 1191 842"},
        {"media": "0 0 842 1191", "page_extra": "/Rotate 270 "},
        {"page_extra": "/CropBox [50 60 500 800] /Rotate 180 "},
        {"media": "100 200 695 1042"},
        {"media": "0 0 300 400", "page_extra": "/UserUnit 2 "},
        {"root_extra": "/AcroForm << /Fields [] /DA (/Helv 0 Tf 0 g) >> "},
        {"locked": True, "page_extra": "/Rotate 90 "},
    ],
    ids=["a3", "a3-turned", "cropped", "origin-elsewhere", "user-unit", "form", "owner-password"],
)
def test_two_programs_draw_the_seal_where_it_was_put(paper: dict[str, Any], tmp_path: Path) -> None:
    """Within 0.3 mm, by PDFium and by poppler, which shares nothing with it."""
    encrypted = paper.get("locked", False)
    pdf = makers.small_pdf(**{k: v for k, v in paper.items() if k != "locked"})
    pdf = pdf.replace(makers.CONTENT, b" " * len(makers.CONTENT))
    stamp = BytesIO()
    Image.new("RGBA", (60, 40), (255, 0, 0, 255)).save(stamp, "PNG")
    place = {"width_mm": 60.0, "height_mm": 40.0, "x_pt": 90.0, "y_pt": 120.0}

    sealed = makers.sealed(locked(pdf) if encrypted else pdf, stamp_png=stamp.getvalue(), **place)

    assert all(c.holds for c in claims.read_claims(sealed))
    (tmp_path / "sealed.pdf").write_bytes(sealed)
    drawn = [BytesIO(confined(render_page, sealed, 1, dpi=200))]
    asked = ["pdftoppm", "-r", "200", "-cropbox", "-png", "-singlefile", "sealed.pdf", "page"]
    subprocess.run(asked, cwd=tmp_path, check=True, capture_output=True)
    drawn.append(BytesIO((tmp_path / "page.png").read_bytes()))
    unit = (
        2 if "UserUnit" in str(paper) else 1
    )  # both draw such a page by its numbers, as if a unit were a point: half as fine
    for picture in drawn:
        with Image.open(picture) as page:
            red = page.convert("RGB").getchannel("G").point(lambda g: 255 if g < 128 else 0).getbbox()
            height = page.height
        assert red is not None
        left, top, right, bottom = (v * unit / 200 * 25.4 for v in red)
        assert (left, right - left, bottom - top) == pytest.approx(
            (90 / POINTS_PER_MM, 60, 40), abs=0.3 * unit
        )
        assert height * unit / 200 * 25.4 - bottom == pytest.approx(120 / POINTS_PER_MM, abs=0.3 * unit)


def test_pages_are_told_as_people_see_them() -> None:
    found = inspecting.inspect(makers.small_pdf(pages=3, media="0 0 842 1191", page_extra="/Rotate 90 "))

    assert [(p.width_pt, p.height_pt) for p in found.pages] == [(1191, 842)] * 3
    assert (found.has_xfa, found.has_scripts, found.signatures) == (False, False, 0)


def test_pyhanko_alone_agrees_with_both_seals_of_two() -> None:
    """What others use to verify must not call our second seal a change of the first."""
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    both = makers.sealed(makers.sealed(seal_der=b"one"), x_pt=50.0, seal_der=b"two")
    roots = [x509.Certificate.load(makers.root().der)]

    found = [
        validate_pdf_signature(one, ValidationContext(trust_roots=roots, moment=makers.NOW))
        for one in open_reader(both, strict=True).embedded_signatures
    ]

    assert [one.bottom_line for one in found] == [True, True]


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_container_from_the_mould_is_the_one_that_the_library_makes(kind: str) -> None:
    """Only digest and signature differ from document to document; they are set into what was made once."""
    card, chain = makers.card(kind), (makers.root().der,)
    for digest in (bytes(32), b"\xff" * 32, hashlib.sha256(b"a document").digest()):
        attributes = cms.signed_attributes(digest, card.certificate)
        signature = card.sign(attributes)
        by_library = cms._assembled(attributes, signature, card.certificate, chain)

        assert cms.assemble(attributes, signature, card.certificate, chain) == by_library
        assert cms.is_canonical(by_library)
        assert len(by_library) <= cms.room_for(card.certificate, chain)
